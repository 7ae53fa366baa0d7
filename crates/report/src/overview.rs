//! How does the embedded engine stand beside the best of the others, cell by cell?

use std::cmp::Ordering;

use comfy_table::{CellAlignment, Table};

use crate::comparison::{Comparison, comparisons};
use crate::row::Row;
use crate::table::{TableStyle, styled};

/// With more datasets than this, the overview takes the place of a table for each.
const DATASETS_MAX: usize = 6;

/// Whether there are so many datasets that only an overview can be read at once.
pub(crate) fn is_broad(rows: &[Row]) -> bool {
    comparisons(rows).len() > DATASETS_MAX
}

/// A table with a line for each cell that the embedded engine was measured in: the bytes of a field,
/// those on the target that takes the least of the others, and what else is known of the cell. Empty
/// without such a cell.
#[must_use]
pub fn overview(rows: &[Row], style: TableStyle) -> String {
    let comparisons = comparisons(rows);
    let lines: Vec<Line<'_>> = comparisons.iter().flat_map(lines).collect();
    if lines.is_empty() {
        return String::new();
    }
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|(_, show)| lines.iter().any(|line| show(line).is_some())).collect();
    let mut table = styled(style);
    table.set_header(columns.iter().map(|(name, _)| *name));
    for line in &lines {
        table.add_row(columns.iter().map(|(_, show)| show(line).unwrap_or_default()));
    }
    align(&mut table);
    let gap = if style == TableStyle::Markdown { "\n" } else { "" };
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    format!("{EXPLANATION}\n{gap}{table}\n")
}

const EXPLANATION: &str = "bytes per field: what is stored (payload) and the growth of resident \
     memory (RSS); times as much: at the peak of loading, after ten rounds of overwriting, after half \
     of the keys were deleted and written again";

/// Where the words end and the figures begin.
const WORD_COLUMNS: usize = 3;

type Column = (&'static str, fn(&Line<'_>) -> Option<String>);

const COLUMNS: &[Column] = &[
    ("dataset", |line| Some(line.own.dataset.clone())),
    ("layout", |line| Some(line.own.layout_label())),
    ("written", |line| Some(line.own.write_pattern.clone())),
    ("payload", |line| Some(format!("{:.1}", line.own.payload_bytes_per_field))),
    ("hectare", |line| Some(format!("{:.1}", line.own.rss_bytes_per_field?))),
    ("best other", |line| {
        let (name, rival) = line.rival.as_ref()?;
        Some(format!("{:.1} {name}", rival.rss_bytes_per_field?))
    }),
    ("ratio", |line| {
        let (_, rival) = line.rival.as_ref()?;
        Some(format!("{:.2}", line.own.rss_bytes_per_field? / rival.rss_bytes_per_field?))
    }),
    ("more shards", |line| {
        let more = line.more_shards?;
        let factor = more.rss_bytes_per_field? / line.own.rss_bytes_per_field?;
        Some(format!("{}: {:+.1} %", more.shards?, 100.0 * (factor - 1.0)))
    }),
    ("own books", |line| Some(format!("{:+.1} %", line.own.accounted_error_percent?))),
    ("peak", |line| Some(format!("{:.2}", line.own.rss_peak_ratio?))),
    ("overwritten", |line| Some(format!("{:.2}", line.own.rss_overwritten_ratio?))),
    ("re-added", |line| Some(format!("{:.2}", line.own.rss_readded_ratio?))),
];

/// A cell of the engine with the fewest shards it was measured with.
struct Line<'a> {
    own: &'a Row,
    /// The same with the most shards.
    more_shards: Option<&'a Row>,
    rival: Option<(String, &'a Row)>,
}

fn lines<'a>(comparison: &Comparison<'a>) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for layout in comparison.layouts() {
        for pattern in comparison.patterns() {
            let Some(own) = own(comparison, &layout, pattern) else { continue };
            let more_shards = engine_rows(comparison, &layout, pattern)
                .max_by_key(|row| row.shards)
                .filter(|row| row.shards > own.shards);
            lines.push(Line { own, more_shards, rival: rival(comparison, own) });
        }
    }
    lines
}

/// The cell's row of the embedded engine with the fewest shards.
pub(crate) fn own<'a>(comparison: &Comparison<'a>, layout: &str, pattern: &str) -> Option<&'a Row> {
    engine_rows(comparison, layout, pattern).min_by_key(|row| row.shards)
}

/// What stores the same fields in the least resident memory among the other targets, with its name. A
/// hash's fields may also be stored as JSON: that is what one would do on a server that keeps it
/// smaller.
pub(crate) fn rival<'a>(comparison: &Comparison<'a>, own: &Row) -> Option<(String, &'a Row)> {
    let layout = own.layout_label();
    let layouts = [layout.as_str(), if layout == "hash" { "json" } else { layout.as_str() }];
    let mut rivals: Vec<(String, &Row)> = Vec::new();
    for key in comparison.targets() {
        for place in layouts {
            let Some(row) = comparison.row(key, place, &own.write_pattern) else { continue };
            if !row.is_embedded() && row.rss_bytes_per_field.is_some() {
                let as_json = if place == layout { "" } else { ", as JSON" };
                rivals.push((format!("{}{as_json}", comparison.label(key)), row));
            }
        }
    }
    let bytes = |row: &Row| row.rss_bytes_per_field;
    rivals
        .into_iter()
        .min_by(|(_, a), (_, b)| bytes(a).partial_cmp(&bytes(b)).unwrap_or(Ordering::Equal))
}

fn engine_rows<'a>(
    comparison: &Comparison<'a>,
    layout: &str,
    pattern: &str,
) -> impl Iterator<Item = &'a Row> {
    let rows = comparison.targets().into_iter();
    let rows: Vec<&Row> = rows
        .filter_map(|key| comparison.row(key, layout, pattern))
        .filter(|row| row.is_embedded())
        .collect();
    rows.into_iter()
}

fn align(table: &mut Table) {
    for column in table.column_iter_mut().skip(WORD_COLUMNS) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    fn squeezed(rows: &[Row]) -> Vec<String> {
        overview(rows, TableStyle::Markdown)
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| line.starts_with('|'))
            .collect()
    }

    fn with_shards(shards: u64, rss: i64) -> Row {
        let row = example("hectare 0.1.0", "hash", "bulk", rss);
        let server_build = format!("hectare 0.1.0 (embedded, {shards} shards, glibc)");
        Row { shards: Some(shards), server_build, ..row }
    }

    #[test]
    fn a_cell_stands_beside_the_best_of_the_others_and_json_counts_for_hashes() {
        let rows = [
            with_shards(2, 11),
            with_shards(1, 10),
            example("redis 8.0.2", "hash", "bulk", 40),
            example("valkey 9.1.2", "hash", "bulk", 32),
            example("valkey 9.1.2", "json", "bulk", 25),
            example("valkey 9.1.2", "hash", "grown", 5),
        ];
        assert_eq!(
            squeezed(&rows)[2..],
            [
                "| user | hash | bulk | 21.0 | 10.0 | 25.0 valkey 9.1.2, as JSON | 0.40 | 2: +10.0 % | \
              -10.0 % | 1.10 |"
            ]
        );
    }

    #[test]
    fn what_no_cell_has_makes_no_column() {
        let lines = squeezed(&[example("hectare 0.1.0", "flat", "bulk", 20)]);
        assert_eq!(
            lines[0],
            "| dataset | layout | written | payload | hectare | own books | peak |"
        );
        let worn = Row {
            rss_overwritten_delta_bytes: Some(115_000),
            ..example("hectare 0.1.0", "flat", "bulk", 20)
        };
        let lines = squeezed(&[worn.with_rates()]);
        assert!(lines[0].ends_with("| peak | overwritten |"), "{}", lines[0]);
        assert!(lines[2].ends_with("| 1.15 |"), "{}", lines[2]);
    }

    #[test]
    fn without_the_engine_there_is_no_overview() {
        assert_eq!(
            overview(&[example("redis 8.0.2", "hash", "bulk", 40)], TableStyle::Terminal),
            ""
        );
    }
}
