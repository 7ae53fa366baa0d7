//! What does a command see of a stored value?

use crate::number::parse_integer;

/// A value as a command reads it: text, or an integer whose text is its canonical decimal form.
///
/// A representation may keep `1024` as two bytes, or a name as a code; a command never learns. The
/// bytes borrowed here may be a scratch copy and are good only until the next call on the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Any bytes at all, the empty string included.
    Bytes(&'a [u8]),
    /// An integer that reads as its shortest decimal form.
    Integer(i64),
}

impl<'a> Value<'a> {
    /// The value that `text` is: an integer if it is the canonical form of one.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Self {
        parse_integer(text).map_or(Self::Bytes(text), Self::Integer)
    }

    /// The length in bytes of the value's text.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Integer(integer) => digits(integer.unsigned_abs()) + usize::from(*integer < 0),
        }
    }

    /// Whether the value's text has more bytes than this.
    #[inline]
    pub(crate) fn is_longer_than(&self, bytes: usize) -> bool {
        match self {
            Self::Bytes(text) => text.len() > bytes,
            Self::Integer(_) => bytes < INTEGER_TEXT_BYTES_MAX && self.len() > bytes,
        }
    }

    /// Calls `read` with the value's text.
    pub fn with_text<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Bytes(bytes) => read(bytes),
            Self::Integer(integer) => read(itoa::Buffer::new().format(*integer).as_bytes()),
        }
    }

    /// Whether the value is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }
}

/// How many decimal digits a number has.
#[inline]
fn digits(number: u64) -> usize {
    // 77/256 is a little below the logarithm of 2 to the base of 10: the guess is right or one short.
    let bits = (u64::BITS - (number | 1).leading_zeros()) as usize;
    let guess = (bits * 77) >> 8;
    guess + usize::from(number >= POWERS_OF_TEN[guess]).max(usize::from(guess == 0))
}

/// By exponent.
const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < 20 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// The bytes of the text of the least integer.
const INTEGER_TEXT_BYTES_MAX: usize = 20;

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_an_integer_is_that_of_its_text() {
        let mut power = 1_i64;
        for integer in std::iter::from_fn(|| {
            power = power.checked_mul(10)?;
            Some(power)
        })
        .flat_map(|power| [power - 1, power, -power, 1 - power])
        .chain((0..63).flat_map(|bit| [(1 << bit) - 1, 1 << bit]))
        .chain([0, 1, -1, i64::MAX, i64::MIN])
        {
            assert_eq!(Value::Integer(integer).len(), integer.to_string().len(), "{integer}");
        }
    }
}
