//! In how few bytes does a value lie in a record?
//!
//! A tag says what follows:
//!
//! | tag | value | bytes |
//! | --- | --- | --- |
//! | 0–111 | a string of so many bytes | 1 + length |
//! | 112–239 | the integers 0–127 | 1 |
//! | 240–247 | an integer from 128 on, in 1–8 bytes | 2–9 |
//! | 248–251 | −1 minus an integer, in 1, 2, 4 or 8 bytes | 2, 3, 5, 9 |
//! | 252 | a string of 112–367 bytes | 2 + length |
//! | 253 | a string of up to 65,535 bytes | 3 + length |
//! | 254 | a longer string | 5 + length |
//! | 255 | is free, for strings kept in another form | |
//!
//! All numbers are little-endian. A text that is the shortest decimal form of an integer is kept as
//! that integer, so it comes back byte for byte.

use crate::value::Value;

const STRING_MAX: usize = 111;
const INTEGER_MIN: u8 = 112;
const INTEGER_MAX: i64 = 127;
const POSITIVE: u8 = 239;
const NEGATIVE: [(u8, usize); 4] = [(248, 1), (249, 2), (250, 4), (251, 8)];
const STRING_1: u8 = 252;
const STRING_2: u8 = 253;
const STRING_4: u8 = 254;

/// All the bytes of a value, by its tag; 0 where the length stands behind the tag.
static SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let mut tag = 0;
    while tag < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the tags that pass here are small")]
        {
            sizes[tag] = match tag {
                0..=STRING_MAX => tag as u8 + 1,
                112..=239 => 1,
                240..=247 => tag as u8 - POSITIVE + 1,
                248 => 2,
                249 => 3,
                250 => 5,
                251 => 9,
                _ => 0,
            };
        }
        tag += 1;
    }
    sizes
};

/// How many bytes the value takes that begins at `at`.
#[inline]
pub(crate) fn value_bytes(bytes: &[u8], at: usize) -> usize {
    match SIZES[usize::from(bytes[at])] {
        0 => {
            let (start, length) = string_place(bytes, at);
            start + length - at
        }
        size => usize::from(size),
    }
}

/// The value that begins at `at`.
#[inline]
pub(crate) fn read_value(bytes: &[u8], at: usize) -> Value<'_> {
    let tag = bytes[at];
    match tag {
        0..=111 => Value::Bytes(&bytes[at + 1..at + 1 + usize::from(tag)]),
        112..=239 => Value::Integer(i64::from(tag - INTEGER_MIN)),
        240..=247 => {
            let number = read_number(&bytes[at + 1..at + 1 + usize::from(tag - POSITIVE)]);
            Value::Integer(number.cast_signed())
        }
        248..=251 => {
            let number = read_number(&bytes[at + 1..at + usize::from(SIZES[usize::from(tag)])]);
            Value::Integer(!number.cast_signed())
        }
        _ => {
            let (start, length) = string_place(bytes, at);
            Value::Bytes(&bytes[start..start + length])
        }
    }
}

/// The length of the text of the value that begins at `at`.
#[inline]
pub(crate) fn text_bytes(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        tag @ 0..=111 => usize::from(tag),
        _ => read_value(bytes, at).len(),
    }
}

/// How many bytes the value will take.
#[inline]
pub(crate) fn encoded_bytes(value: Value<'_>) -> usize {
    match value {
        Value::Bytes(bytes) => match bytes.len() {
            length @ 0..=STRING_MAX => 1 + length,
            length @ 112..=367 => 2 + length,
            length @ 368..=0xffff => 3 + length,
            length => 5 + length,
        },
        Value::Integer(integer @ 0..) if integer <= INTEGER_MAX => 1,
        Value::Integer(integer @ 0..) => 1 + number_bytes(integer.cast_unsigned()),
        Value::Integer(integer) => {
            let needed = number_bytes((!integer).cast_unsigned()).max(1);
            1 + needed.next_power_of_two()
        }
    }
}

/// Puts the value after what is there.
#[inline]
pub(crate) fn push_value(record: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Bytes(bytes) => {
            push_string_head(record, bytes.len());
            record.extend_from_slice(bytes);
        }
        Value::Integer(integer @ 0..) if integer <= INTEGER_MAX => {
            record.push(INTEGER_MIN + integer.to_le_bytes()[0]);
        }
        Value::Integer(integer @ 0..) => {
            let number = integer.cast_unsigned();
            let length = number_bytes(number);
            record.push(POSITIVE + length.to_le_bytes()[0]);
            record.extend_from_slice(&number.to_le_bytes()[..length]);
        }
        Value::Integer(integer) => {
            let number = (!integer).cast_unsigned();
            let needed = number_bytes(number).max(1);
            let (tag, length) =
                NEGATIVE.into_iter().find(|&(_, length)| length >= needed).unwrap_or((251, 8));
            record.push(tag);
            record.extend_from_slice(&number.to_le_bytes()[..length]);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each arm takes what fits")]
fn push_string_head(record: &mut Vec<u8>, length: usize) {
    match length {
        0..=STRING_MAX => record.push(length as u8),
        112..=367 => record.extend([STRING_1, (length - 112) as u8]),
        368..=0xffff => {
            record.push(STRING_2);
            record.extend_from_slice(&(length as u16).to_le_bytes());
        }
        _ => {
            record.push(STRING_4);
            record.extend_from_slice(&(length as u32).to_le_bytes());
        }
    }
}

/// Where the bytes of a long string begin, and how many they are.
fn string_place(bytes: &[u8], at: usize) -> (usize, usize) {
    let length = |from: usize, count: usize| {
        usize::try_from(read_number(&bytes[from..from + count])).unwrap_or(usize::MAX)
    };
    match bytes[at] {
        STRING_1 => (at + 2, length(at + 1, 1) + 112),
        STRING_2 => (at + 3, length(at + 1, 2)),
        STRING_4 => (at + 5, length(at + 1, 4)),
        tag => (at + 1, usize::from(tag)),
    }
}

/// The fewest bytes that hold the number; none for 0.
fn number_bytes(number: u64) -> usize {
    (64 - number.leading_zeros()).div_ceil(8) as usize
}

fn read_number(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(whole)
}

/// Puts a number in 7 bits a byte, the lowest first; the top bit says that more follow.
#[inline]
pub(crate) fn push_varint(record: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            record.push(low);
            return;
        }
        record.push(low | 0x80);
    }
}

/// The number that begins at `at`, and where it ends.
#[inline]
pub(crate) fn read_varint(bytes: &[u8], mut at: usize) -> (u64, usize) {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let byte = bytes[at];
        at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return (number, at);
        }
    }
}

/// The bytes of a deadline of a key: milliseconds since 1970, until the year 10889.
const KEY_MOMENT_BYTES: usize = 6;

/// The bytes of a deadline of a field of a packed hash: milliseconds since 2020, until 2054. What
/// names the field takes one more.
const FIELD_MOMENT_BYTES: usize = 5;

/// 2020-01-01 00:00 UTC in milliseconds since 1970.
const FIELD_EPOCH_MS: u64 = 1_577_836_800_000;

/// What is too early or too late for its bytes is written as all ones and then in eight more.
const ESCAPE: [u8; KEY_MOMENT_BYTES] = [0xff; KEY_MOMENT_BYTES];

/// Puts a deadline of a key.
pub(crate) fn push_key_moment(record: &mut Vec<u8>, moment_ms: u64) {
    push_short_moment(record, moment_ms, moment_ms, KEY_MOMENT_BYTES);
}

/// The deadline of a key that begins at `at`, and where it ends.
#[inline]
pub(crate) fn read_key_moment(bytes: &[u8], at: usize) -> (u64, usize) {
    read_short_moment(bytes, at, 0, KEY_MOMENT_BYTES)
}

/// Puts a deadline of a field.
pub(crate) fn push_field_moment(record: &mut Vec<u8>, moment_ms: u64) {
    let since = moment_ms.checked_sub(FIELD_EPOCH_MS).unwrap_or(u64::MAX);
    push_short_moment(record, since, moment_ms, FIELD_MOMENT_BYTES);
}

/// The deadline of a field that begins at `at`, and where it ends.
pub(crate) fn read_field_moment(bytes: &[u8], at: usize) -> (u64, usize) {
    read_short_moment(bytes, at, FIELD_EPOCH_MS, FIELD_MOMENT_BYTES)
}

fn push_short_moment(record: &mut Vec<u8>, short: u64, moment_ms: u64, length: usize) {
    if short < (1 << (length * 8)) - 1 {
        record.extend_from_slice(&short.to_le_bytes()[..length]);
    } else {
        record.extend_from_slice(&ESCAPE[..length]);
        record.extend_from_slice(&moment_ms.to_le_bytes());
    }
}

#[inline]
fn read_short_moment(bytes: &[u8], at: usize, epoch_ms: u64, length: usize) -> (u64, usize) {
    let end = at + length;
    let short = &bytes[at..end];
    if *short == ESCAPE[..length] {
        (read_number(&bytes[end..end + 8]), end + 8)
    } else {
        (epoch_ms + read_number(short), end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn borders() -> impl Strategy<Value = i64> {
        let near = (0_u32..64, -3_i64..=3).prop_map(|(bit, off)| (1_i64 << bit).wrapping_add(off));
        prop_oneof![near.clone(), near.prop_map(i64::wrapping_neg), any::<i64>(), -300_i64..300]
    }

    fn check(value: Value<'_>) {
        let mut record = vec![0xaa];
        push_value(&mut record, value);
        assert_eq!(record.len() - 1, encoded_bytes(value), "{value:?}");
        let whole = record.len() - 1;
        record.extend([0xbb; 9]);
        assert_eq!(value_bytes(&record, 1), whole);
        assert_eq!(text_bytes(&record, 1), value.len());
        assert_eq!(read_value(&record, 1), value);
    }

    proptest! {
        #[test]
        fn every_integer_comes_back(integer in borders()) {
            check(Value::Integer(integer));
        }

        #[test]
        fn every_number_comes_back(number in borders()) {
            let number = number.cast_unsigned();
            let mut record = Vec::new();
            push_varint(&mut record, number);
            prop_assert_eq!(record.len(), (64 - (number | 1).leading_zeros()).div_ceil(7) as usize);
            prop_assert_eq!(read_varint(&record, 0), (number, record.len()));
        }

        #[test]
        fn every_moment_comes_back(moment in borders()) {
            let soon = FIELD_EPOCH_MS.wrapping_add(moment.cast_unsigned() >> 24);
            for moment_ms in [moment.cast_unsigned(), soon] {
                let mut record = Vec::new();
                push_key_moment(&mut record, moment_ms);
                prop_assert_eq!(read_key_moment(&record, 0), (moment_ms, record.len()));
                record.clear();
                push_field_moment(&mut record, moment_ms);
                prop_assert_eq!(read_field_moment(&record, 0), (moment_ms, record.len()));
            }
            let mut record = Vec::new();
            push_field_moment(&mut record, FIELD_EPOCH_MS + (1 << 39));
            prop_assert_eq!(record.len(), FIELD_MOMENT_BYTES);
        }
    }

    #[test]
    fn strings_of_every_length_come_back() {
        let text = vec![b'x'; 70_000];
        for length in (0..400).chain(65_500..65_600).chain([70_000]) {
            check(Value::Bytes(&text[..length]));
        }
    }
}
