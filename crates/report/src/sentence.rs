//! What can a person repeat?

use crate::comparison::{Comparison, TargetKey, comparisons};
use crate::row::Row;
use crate::units;

/// The number of objects that a sentence speaks of.
const OBJECTS_TOLD: f64 = 100e6;

/// For each dataset: a sentence for each target, and one that says where they come from.
///
/// The figure is the growth of resident memory, with fields written one at a time where that was
/// measured, since that is what data costs after it has lived; it is scaled in a straight line from
/// the bytes per object that were measured.
#[must_use]
pub fn sentences(rows: &[Row]) -> String {
    let mut text = String::new();
    for comparison in comparisons(rows) {
        let noun = noun(comparison.dataset);
        let mut bases = Vec::new();
        for key in comparison.targets() {
            let Some((basis, figures)) = figures(&comparison, key) else { continue };
            text.push_str(&sentence(&noun, &comparison.label(key), &figures));
            text.push('\n');
            if !bases.contains(&basis) {
                bases.push(basis);
            }
        }
        let bases: Vec<&str> = bases.iter().map(|basis| basis.text()).collect();
        text.push_str(&format!(
            "Scaled in a straight line from {} {noun} measured: {}.\n",
            units::count(comparison.objects),
            bases.join("; else ")
        ));
    }
    text
}

/// What a target's figures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    GrownResident,
    BulkResident,
    GrownAccounted,
    BulkAccounted,
}

impl Basis {
    /// From the one to be preferred to the last resort.
    const ALL: [Self; 4] =
        [Self::GrownResident, Self::BulkResident, Self::GrownAccounted, Self::BulkAccounted];

    fn text(self) -> &'static str {
        match self {
            Self::GrownResident => "the growth of RSS, fields written one at a time (grown)",
            Self::BulkResident => "the growth of RSS, each object written at once (bulk)",
            Self::GrownAccounted => {
                "the target's own accounting, fields written one at a time (grown)"
            }
            Self::BulkAccounted => {
                "the target's own accounting, each object written at once (bulk)"
            }
        }
    }

    fn bytes_per_object(self, row: &Row) -> Option<f64> {
        let grown = row.write_pattern == "grown";
        match self {
            Self::GrownResident if grown => row.rss_bytes_per_object,
            Self::BulkResident if !grown => row.rss_bytes_per_object,
            Self::GrownAccounted if grown => Some(row.used_memory_bytes_per_object),
            Self::BulkAccounted if !grown => Some(row.used_memory_bytes_per_object),
            _ => None,
        }
    }
}

/// The layouts of a target with their bytes per object, all on the basis that most of them have.
fn figures(comparison: &Comparison<'_>, key: TargetKey<'_>) -> Option<(Basis, Vec<(String, f64)>)> {
    let on = |basis: Basis| -> Vec<(String, f64)> {
        let figure = |layout: String| {
            let bytes = comparison.patterns().into_iter().find_map(|pattern| {
                basis.bytes_per_object(comparison.row(key, &layout, pattern)?)
            })?;
            Some((layout, bytes))
        };
        comparison.layouts().into_iter().filter_map(figure).collect()
    };
    // The last of equals wins in `max_by_key`, so the preferred basis comes last.
    Basis::ALL
        .into_iter()
        .rev()
        .map(|basis| (basis, on(basis)))
        .max_by_key(|(_, figures)| figures.len())
        .filter(|(_, figures)| !figures.is_empty())
}

fn sentence(noun: &str, target: &str, figures: &[(String, f64)]) -> String {
    let mut ordered: Vec<&(String, f64)> = figures.iter().collect();
    // Hashes are what is asked about; the rest keep their order behind them.
    ordered.sort_by_key(|(layout, _)| layout != "hash");
    let mut parts = ordered.iter().map(|(layout, bytes)| {
        let manner = match layout.split_once(':') {
            Some((_, size)) => format!("in buckets of {size}"),
            None if layout == "hash" => "as hashes".to_owned(),
            None if layout == "flat" => "as flat keys".to_owned(),
            None => "as JSON".to_owned(),
        };
        (manner, units::bytes(bytes * OBJECTS_TOLD))
    });
    let Some((manner, amount)) = parts.next() else { return String::new() };
    let mut text = format!("{}, 100 M {noun} take {amount} on {target}", capitalized(&manner));
    for (manner, amount) in parts {
        text.push_str(&format!(", {manner} {amount}"));
    }
    text.push('.');
    text
}

/// The dataset's objects in the plural: `users`, `sessions`, and `wide objects` for what is no noun.
fn noun(dataset: &str) -> String {
    match dataset {
        "user" | "session" | "counter" => format!("{dataset}s"),
        _ => format!("{dataset} objects"),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    #[test]
    fn grown_resident_memory_is_told_and_hashes_come_first() {
        let rows = [
            example("valkey 9.1.2", "flat", "bulk", 60),
            example("valkey 9.1.2", "flat", "grown", 66),
            example("valkey 9.1.2", "hash", "bulk", 32),
            example("valkey 9.1.2", "hash", "grown", 53),
            example("valkey 9.1.2", "json", "grown", 35),
        ];
        let text = sentences(&rows);
        assert_eq!(
            text,
            "As hashes, 100 M users take 25 GiB on valkey 9.1.2, as flat keys 31 GiB, as JSON 16 GiB.\n\
             Scaled in a straight line from 1,000 users measured: \
             the growth of RSS, fields written one at a time (grown).\n"
        );
    }

    #[test]
    fn layouts_are_never_told_on_different_bases_in_one_sentence() {
        let unread = |row: Row| Row { rss_delta_bytes: None, ..row }.with_rates();
        let rows = [
            example("redis 8.0.2", "flat", "bulk", 111),
            unread(example("redis 8.0.2", "hash", "bulk", 41)),
        ];
        let text = sentences(&rows);
        // 40 × 5 × 100 M and 110 × 5 × 100 M bytes: both as accounted.
        assert!(text.starts_with(
            "As hashes, 100 M users take 19 GiB on redis 8.0.2, as flat keys 51 GiB."
        ));
        assert!(text.contains("the target's own accounting"), "{text}");
    }

    #[test]
    fn one_layout_alone_makes_a_sentence_too() {
        let rows = [Row {
            dataset: "media".to_owned(),
            bucket_size: Some(512),
            ..example("redis 8.0.2", "bucketed", "bulk", 9)
        }];
        let text = sentences(&rows);
        assert!(
            text.starts_with(
                "In buckets of 512, 100 M media objects take 4.2 GiB on redis 8.0.2.\n"
            )
        );
    }
}
