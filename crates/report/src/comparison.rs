//! Which rows stand beside one another?
//!
//! Rows of one dataset with the same number of objects are compared; in a comparison each target is
//! a group, and the layouts and write patterns are what is compared inside it.

use crate::row::Row;

/// The rows of one dataset.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) objects: u64,
    pub(crate) fields: u64,
    rows: Vec<&'a Row>,
}

/// The rows by dataset, in the order in which they come.
pub(crate) fn comparisons(rows: &[Row]) -> Vec<Comparison<'_>> {
    let mut comparisons: Vec<Comparison<'_>> = Vec::new();
    for row in rows {
        let same = |other: &&mut Comparison<'_>| {
            (other.dataset, other.objects, other.fields) == (&row.dataset, row.objects, row.fields)
        };
        match comparisons.iter_mut().find(same) {
            Some(comparison) => comparison.rows.push(row),
            None => comparisons.push(Comparison {
                dataset: &row.dataset,
                objects: row.objects,
                fields: row.fields,
                rows: vec![row],
            }),
        }
    }
    comparisons
}

/// A target, told apart from another build of the same version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetKey<'a> {
    target: &'a str,
    build: &'a str,
    quantum_bytes: Option<u32>,
}

impl<'a> TargetKey<'a> {
    fn of(row: &'a Row) -> Self {
        Self {
            target: &row.target,
            build: &row.server_build,
            quantum_bytes: row.allocator_quantum_bytes,
        }
    }
}

impl<'a> Comparison<'a> {
    /// The targets, in the order in which they come.
    pub(crate) fn targets(&self) -> Vec<TargetKey<'a>> {
        distinct(self.rows.iter().map(|row| TargetKey::of(row)))
    }

    /// What a target is called here: its version, and more of it only where another has the same.
    pub(crate) fn label(&self, key: TargetKey<'a>) -> String {
        let others = || self.targets().into_iter().filter(move |&other| other != key);
        if !others().any(|other| other.target == key.target) {
            return key.target.to_owned();
        }
        if !others().any(|other| other.build == key.build) {
            return key.build.to_owned();
        }
        match key.quantum_bytes {
            Some(bytes) => format!("{}, {bytes} B quantum", key.build),
            None => format!("{}, unknown quantum", key.build),
        }
    }

    /// The layouts as they are typed: flat, hash and JSON first, then buckets by their size.
    pub(crate) fn layouts(&self) -> Vec<String> {
        let mut layouts =
            distinct(self.rows.iter().map(|row| (row.bucket_size, row.layout_label())));
        let place = |label: &str| ["flat", "hash", "json"].iter().position(|&known| known == label);
        layouts.sort_by_key(|(size, label)| (*size, place(label)));
        layouts.into_iter().map(|(_, label)| label).collect()
    }

    /// The write patterns, in the order in which they come.
    pub(crate) fn patterns(&self) -> Vec<&'a str> {
        distinct(self.rows.iter().map(|row| row.write_pattern.as_str()))
    }

    /// The row of a cell; the last one if it was measured more than once.
    pub(crate) fn row(&self, key: TargetKey<'_>, layout: &str, pattern: &str) -> Option<&'a Row> {
        self.rows.iter().rev().copied().find(|row| {
            TargetKey::of(row) == key
                && row.layout_label() == layout
                && row.write_pattern == pattern
        })
    }

    /// How fields are on average called in a title: `200,000 objects of 5 fields`.
    pub(crate) fn size_label(&self) -> String {
        let objects = crate::units::count(self.objects);
        let per_object = self.fields / self.objects.max(1);
        let plural = if per_object == 1 { "" } else { "s" };
        format!("{objects} objects of {per_object} field{plural}")
    }
}

fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    #[test]
    fn datasets_of_another_size_are_not_compared() {
        let rows = [
            example("redis 8.0.2", "flat", "bulk", 100),
            Row { objects: 2000, ..example("redis 8.0.2", "flat", "bulk", 100) },
            example("redis 8.0.2", "hash", "bulk", 40),
        ];
        let comparisons = comparisons(&rows);
        assert_eq!(comparisons.len(), 2);
        assert_eq!(comparisons[0].layouts(), ["flat", "hash"]);
    }

    #[test]
    fn layouts_have_one_order_and_buckets_follow_by_size() {
        let bucketed =
            |size| Row { bucket_size: Some(size), ..example("redis 8.0.2", "bucketed", "bulk", 9) };
        let rows = [
            bucketed(1000),
            example("redis 8.0.2", "json", "bulk", 42),
            bucketed(100),
            example("redis 8.0.2", "flat", "bulk", 100),
        ];
        let layouts = comparisons(&rows)[0].layouts();
        assert_eq!(layouts, ["flat", "json", "bucketed:100", "bucketed:1000"]);
    }

    #[test]
    fn two_builds_of_one_version_are_told_apart_by_what_differs() {
        let row = example("redis 8.0.2", "flat", "bulk", 100);
        let vendored = Row { allocator_quantum_bytes: Some(8), ..row.clone() };
        let libc = Row { server_build: "redis 8.0.2 (libc)".to_owned(), ..row.clone() };
        let rows = [row, vendored, libc, example("valkey 9.1.2", "flat", "bulk", 60)];
        let comparison = &comparisons(&rows)[0];
        let labels: Vec<String> =
            comparison.targets().into_iter().map(|key| comparison.label(key)).collect();
        assert_eq!(
            labels,
            [
                "redis 8.0.2 (jemalloc-5.3.0), 16 B quantum",
                "redis 8.0.2 (jemalloc-5.3.0), 8 B quantum",
                "redis 8.0.2 (libc)",
                "valkey 9.1.2"
            ]
        );
    }

    #[test]
    fn a_cell_that_was_measured_again_counts_as_measured_last() {
        let rows = [
            example("redis 8.0.2", "flat", "bulk", 100),
            example("redis 8.0.2", "flat", "bulk", 101),
        ];
        let comparison = &comparisons(&rows)[0];
        let row = comparison.row(comparison.targets()[0], "flat", "bulk").unwrap();
        assert_eq!(row.rss_bytes_per_field, Some(101.0));
    }
}
