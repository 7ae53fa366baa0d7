//! What does a run say, on one page?

use std::fmt::Write as _;

use crate::comparison::{Comparison, comparisons};
use crate::doubt::doubts;
use crate::overview::{is_broad, overview, own, rival};
use crate::row::Row;
use crate::sentence::sentences;
use crate::table::{TableStyle, tables};

/// The contents of `summary.md`: the sentences, the chart, the tables, and where the engine of this
/// repository loses.
#[must_use]
pub fn summary(rows: &[Row]) -> String {
    let doubts: String = doubts(rows).iter().map(|doubt| format!("Doubt: {doubt}.\n\n")).collect();
    let overview = match overview(rows, TableStyle::Markdown) {
        table if table.is_empty() => table,
        table => format!("## Beside the best of the others\n\n{table}"),
    };
    // One sentence says something, twenty do not.
    let sentences = if is_broad(rows) {
        String::new()
    } else {
        format!("{}\n\n", sentences(rows).trim_end().replace('\n', "\n\n"))
    };
    format!(
        "# Memory per field\n\n{sentences}{doubts}What it was measured on is in \
         [SETUP.md](SETUP.md), every figure in [memory.csv](memory.csv).\n\n\
         {overview}## Where Hectare loses\n\n{}\n![Bytes per field](memory.svg)\n\n{}",
        losses(rows),
        tables(rows, TableStyle::Markdown).trim_end(),
    ) + "\n"
}

/// Each cell in which another target takes less resident memory or loads faster than the embedded
/// engine, the worst factor first.
fn losses(rows: &[Row]) -> String {
    let comparisons = comparisons(rows);
    let mut compared = false;
    let (mut memory, mut speed) = (Vec::new(), Vec::new());
    for comparison in &comparisons {
        for layout in comparison.layouts() {
            for pattern in comparison.patterns() {
                let Some(own) = own(comparison, &layout, pattern) else { continue };
                let others = others(comparison, &layout, pattern);
                compared |= !others.is_empty();
                let place = format!("{}, {layout}, {pattern}", comparison.dataset);
                memory.extend(memory_loss(&place, own, rival(comparison, own)));
                speed.extend(speed_loss(&place, own, &others));
            }
        }
    }
    if !compared {
        return "It was not measured beside another target.\n".to_owned();
    }
    let memory = listed(memory, "In none of these cells does another target take less memory.\n");
    match listed(speed, "") {
        speed if speed.is_empty() => memory,
        speed => format!(
            "{memory}\nLoading was slower, on a machine that may have had other work, where times say \
             less than bytes:\n\n{speed}"
        ),
    }
}

/// The losses as a list, the worst first.
fn listed(mut losses: Vec<(f64, String)>, none: &str) -> String {
    if losses.is_empty() {
        return none.to_owned();
    }
    losses.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut text = String::new();
    for (_, loss) in losses {
        writeln!(text, "- {loss}").expect("a String takes every write");
    }
    text
}

/// A cell's rows of all other targets with their names.
fn others<'a>(comparison: &Comparison<'a>, layout: &str, pattern: &str) -> Vec<(String, &'a Row)> {
    let targets = comparison.targets().into_iter();
    targets
        .filter_map(|key| Some((comparison.label(key), comparison.row(key, layout, pattern)?)))
        .filter(|(_, row)| !row.is_embedded())
        .collect()
}

fn memory_loss(place: &str, ours: &Row, rival: Option<(String, &Row)>) -> Option<(f64, String)> {
    let own = ours.rss_bytes_per_field?;
    let (name, rival) = rival?;
    let best = rival.rss_bytes_per_field?;
    (best < own).then(|| {
        let factor = own / best.max(f64::MIN_POSITIVE);
        (
            factor,
            format!("{place}: {own:.1} B a field, {name} {best:.1} ({factor:.2} times as much)"),
        )
    })
}

fn speed_loss(place: &str, ours: &Row, others: &[(String, &Row)]) -> Option<(f64, String)> {
    let own = ours.load_fields_per_second / 1e6;
    let (name, best) = others
        .iter()
        .map(|(name, row)| (name, row.load_fields_per_second / 1e6))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (best > own).then(|| {
        let factor = best / own.max(f64::MIN_POSITIVE);
        let text = format!(
            "{place}: loaded at {own:.2} M fields/s, {name} at {best:.2} ({factor:.2} times as fast)"
        );
        (factor, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    #[test]
    fn every_lost_cell_is_told_with_the_best_of_the_others() {
        let rows = [
            example("hectare 0.1.0", "hash", "bulk", 48),
            example("redis 8.0.2", "hash", "bulk", 40),
            example("valkey 9.1.2", "hash", "bulk", 32),
            example("hectare 0.1.0", "flat", "bulk", 60),
            example("valkey 9.1.2", "flat", "bulk", 66),
        ];
        let text = losses(&rows);
        assert_eq!(
            text,
            "- user, hash, bulk: 48.0 B a field, valkey 9.1.2 32.0 (1.50 times as much)\n"
        );
    }

    #[test]
    fn a_slower_load_is_a_loss_too() {
        let fast = Row { load_seconds: 0.25, ..example("redis 8.0.2", "hash", "bulk", 99) };
        let rows = [example("hectare 0.1.0", "hash", "bulk", 48), fast.with_rates()];
        let text = losses(&rows);
        assert!(text.starts_with("In none of these cells"), "{text}");
        assert!(text.contains("redis 8.0.2 at 0.02 (2.00 times as fast)"), "{text}");
    }

    #[test]
    fn nothing_is_claimed_without_a_comparison() {
        let text = losses(&[example("hectare 0.1.0", "hash", "bulk", 48)]);
        assert_eq!(text, "It was not measured beside another target.\n");
        let rows = [
            example("hectare 0.1.0", "hash", "bulk", 30),
            example("redis 8.0.2", "hash", "bulk", 40),
        ];
        assert!(losses(&rows).starts_with("In none of these cells"));
    }

    #[test]
    fn the_page_links_what_lies_beside_it() {
        let text = summary(&[example("redis 8.0.2", "hash", "bulk", 40)]);
        for name in ["memory.svg", "SETUP.md", "memory.csv"] {
            assert!(text.contains(&format!("({name})")), "{name}");
        }
    }
}
