//! Which figures should not be relied on, and what would help?

use crate::row::Row;
use crate::units;

/// What a process takes for itself, by chance more or less, is lost beside this.
const GROWTH_BYTES_MIN: i64 = 4 << 20;

/// The engine's books and the growth of resident memory may differ by the more of the two.
const BOOKS_ERROR_PERCENT: f64 = 3.0;
const BOOKS_ERROR_BYTES: u64 = 1 << 20;

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
    smallest.into_iter().chain(wrong_books(rows)).chain(wrong_payload(rows)).collect()
}

fn wrong_books(rows: &[Row]) -> Option<String> {
    let far = |&(percent, row): &(f64, &Row)| {
        let bytes = row.rss_delta_bytes.map_or(0, |rss| rss.abs_diff(row.used_memory_delta_bytes));
        percent.abs() > BOOKS_ERROR_PERCENT && bytes > BOOKS_ERROR_BYTES
    };
    let wrong: Vec<(f64, &Row)> = rows
        .iter()
        .filter_map(|row| Some((row.accounted_error_percent?, row)))
        .filter(far)
        .collect();
    let (percent, row) = wrong.iter().max_by(|(a, _), (b, _)| a.abs().total_cmp(&b.abs()))?;
    Some(format!(
        "in {} of {} cells the engine's own accounting is further from the growth of resident memory \
         than 3 % and 1 MiB, in {}, {}, {} by {percent:+.1} %, so one of the two counts what it should \
         not; believe the larger",
        wrong.len(),
        rows.len(),
        row.dataset,
        row.layout_label(),
        row.write_pattern
    ))
}

fn wrong_payload(rows: &[Row]) -> Option<String> {
    let wrong = |row: &&Row| {
        let counted = row.engine_payload_delta_bytes;
        counted.is_some_and(|counted| u64::try_from(counted) != Ok(row.payload_bytes))
    };
    let wrong: Vec<&Row> = rows.iter().filter(wrong).collect();
    let row = wrong.first()?;
    Some(format!(
        "in {} of {} cells the engine counts another payload than was written, in {}, {}, {} {:?} B and \
         not {}, so it holds other data or counts wrong; look there first",
        wrong.len(),
        rows.len(),
        row.dataset,
        row.layout_label(),
        row.write_pattern,
        row.engine_payload_delta_bytes.unwrap_or_default(),
        row.payload_bytes
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    #[test]
    fn books_that_are_wrong_by_more_than_a_little_are_told() {
        let row = |rss: i64, used: i64| {
            let row = example("hectare 0.1.0", "hash", "bulk", 40);
            Row { rss_delta_bytes: Some(rss), used_memory_delta_bytes: used, ..row }.with_rates()
        };
        // 2.5 %; 10 %, but less than a MiB; 10 % and 4 MiB.
        let (little, small, wrong) =
            (row(40 << 20, 39 << 20), row(5 << 20, 11 << 19), row(40 << 20, 44 << 20));
        assert_eq!(doubts(&[little.clone(), small.clone()]), [""; 0]);
        let doubts = doubts(&[little, small, wrong]);
        let [doubt] = doubts.as_slice() else { panic!("{doubts:?}") };
        assert!(doubt.starts_with("in 1 of 3 cells the engine's own accounting"), "{doubt}");
        assert!(doubt.contains("user, hash, bulk by +10.0 %"), "{doubt}");
    }

    #[test]
    fn a_payload_that_is_not_what_was_written_is_told() {
        let row = |counted| {
            let row = example("hectare 0.1.0", "hash", "bulk", 40);
            Row {
                rss_delta_bytes: Some(5 << 20),
                used_memory_delta_bytes: 5 << 20,
                engine_payload_delta_bytes: counted,
                ..row
            }
        };
        assert_eq!(doubts(&[row(None), row(Some(105_000))]), [""; 0]);
        let doubts = doubts(&[row(Some(105_000)), row(Some(105_001))]);
        assert!(doubts[0].contains("105001 B and not 105000"), "{doubts:?}");
    }

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
