//! Where does a line end that may not be there in full?

use memchr::memchr;

/// The least that can be set as the longest line. Any number fits into it, so that short lines can be read
/// without comparing them to the limit.
pub(crate) const LINE_BYTES_MAX_MIN: usize = 32;

/// What [`find_end`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// The mark is at this index.
    At(usize),
    /// There is no mark yet, and the line may still become longer.
    Missing,
    /// There is no mark within the longest line.
    TooLong,
}

/// Looks for the `mark` that ends the line at the start of `bytes`, of which the first `searched` bytes
/// are known not to hold it.
///
/// A line of `line_bytes_max` bytes before its mark, or of [`LINE_BYTES_MAX_MIN`] if that is more, is the
/// longest. The answer depends on the bytes alone, not on how many more have already arrived behind the
/// line.
pub(crate) fn find_end(mark: u8, bytes: &[u8], searched: usize, line_bytes_max: usize) -> LineEnd {
    let line_bytes_max = line_bytes_max.max(LINE_BYTES_MAX_MIN);
    let window = &bytes[..bytes.len().min(line_bytes_max.saturating_add(1))];
    let unsearched = window.get(searched..).unwrap_or_default();
    match memchr(mark, unsearched) {
        Some(index) => LineEnd::At(searched + index),
        None if bytes.len() > line_bytes_max => LineEnd::TooLong,
        None => LineEnd::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_line_is_found_and_one_byte_more_is_refused() {
        for (line_bytes_max, longest) in [(40, 40), (32, 32), (4, LINE_BYTES_MAX_MIN)] {
            let find = |bytes: &[u8]| find_end(b'\r', bytes, 0, line_bytes_max);
            let line = vec![b'1'; longest];
            assert_eq!(find(&[&line[..], b"\r"].concat()), LineEnd::At(longest));
            assert_eq!(find(&line), LineEnd::Missing);
            assert_eq!(find(&[&line[..], b"1"].concat()), LineEnd::TooLong);
            assert_eq!(find(&[&line[..], b"1\r"].concat()), LineEnd::TooLong);
        }
    }

    #[test]
    fn a_search_goes_on_where_the_last_one_stopped() {
        assert_eq!(find_end(b'\r', b"1234\r", 4, 9), LineEnd::At(4));
        assert_eq!(find_end(b'\r', b"12\r4", 3, 9), LineEnd::Missing);
    }
}
