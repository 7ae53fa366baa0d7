//! Which figures should not be relied on, and what would help?

use crate::row::Row;
use crate::units;

/// What a process takes for itself, by chance more or less, is lost beside this.
const GROWTH_BYTES_MIN: i64 = 4 << 20;

/// Reasons to doubt the rows, each a sentence with fact, cause and remedy.
#[must_use]
pub fn doubts(rows: &[Row]) -> Vec<String> {
    let small: Vec<i64> = rows
        .iter()
        .filter_map(|row| row.rss_delta_bytes)
        .filter(|&bytes| bytes < GROWTH_BYTES_MIN)
        .collect();
    let smallest = small.iter().min().map(|&bytes| {
        format!(
            "in {} of {} cells resident memory grew by less than {}, in one by {}, so what a \
             process takes for itself is a part of it; give more --objects",
            small.len(),
            rows.len(),
            units::bytes(GROWTH_BYTES_MIN as f64),
            units::bytes(bytes as f64)
        )
    });
    smallest.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    #[test]
    fn growth_that_chance_could_make_is_told() {
        let grown =
            |bytes| Row { rss_delta_bytes: bytes, ..example("redis 8.0.2", "hash", "bulk", 40) };
        let large = Some(GROWTH_BYTES_MIN);
        assert_eq!(doubts(&[grown(large), grown(None)]), [""; 0]);
        let doubts = doubts(&[grown(large), grown(Some(1 << 20)), grown(Some(2 << 20))]);
        let [doubt] = doubts.as_slice() else { panic!("{doubts:?}") };
        assert!(doubt.starts_with("in 2 of 3 cells"), "{doubt}");
        assert!(doubt.contains("in one by 1.0 MiB"), "{doubt}");
    }
}
