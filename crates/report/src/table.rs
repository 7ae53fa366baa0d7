//! What do the rows say side by side, as text?

use std::fmt::Write as _;

use comfy_table::{CellAlignment, LineStyle, Table, presets};

use crate::comparison::{Comparison, comparisons};
use crate::overview::{is_broad, overview};
use crate::row::Row;
use crate::sentence::sentences;

/// Where a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableStyle {
    /// In a terminal.
    Terminal,
    /// In a Markdown file.
    Markdown,
}

/// What a terminal shows of the rows: tables and sentences of each dataset and the overview, or the
/// overview alone where there are many datasets and the engine is among the targets.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let overview = overview(rows, TableStyle::Terminal);
    if is_broad(rows) && !overview.is_empty() {
        return overview;
    }
    format!("{}{overview}{}", tables(rows, TableStyle::Terminal), sentences(rows))
}

/// Two tables for each dataset: bytes per field, and the speed of loading.
#[must_use]
pub fn tables(rows: &[Row], style: TableStyle) -> String {
    let mut text = String::new();
    for comparison in comparisons(rows) {
        let heading = match style {
            TableStyle::Terminal => "",
            TableStyle::Markdown => "## ",
        };
        let logical = logical_label(rows, &comparison);
        push_line(
            &mut text,
            &format!("{heading}{}: {}, {logical}\n", comparison.dataset, comparison.size_label()),
        );
        push_part(
            &mut text,
            style,
            "bytes per field: growth of resident memory (RSS) / of the target's own accounting",
            &table(&comparison, style, memory_text),
        );
        push_part(
            &mut text,
            style,
            "loading speed, million fields per second",
            &table(&comparison, style, speed_text),
        );
    }
    text
}

fn logical_label(rows: &[Row], comparison: &Comparison<'_>) -> String {
    let logical = rows
        .iter()
        .find(|row| row.dataset == comparison.dataset && row.objects == comparison.objects)
        .map_or(0.0, |row| row.logical_bytes_per_field);
    format!("{logical:.1} B of keys, names and values a field")
}

fn push_part(text: &mut String, style: TableStyle, title: &str, table: &Table) {
    // Markdown needs an empty line before a table.
    let gap = if style == TableStyle::Markdown { "\n" } else { "" };
    push_line(text, &format!("{title}{gap}"));
    for line in table.to_string().lines() {
        push_line(text, line.trim_end());
    }
    push_line(text, "");
}

fn push_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every write");
}

fn table(comparison: &Comparison<'_>, style: TableStyle, show: fn(&Row) -> String) -> Table {
    let layouts = comparison.layouts();
    let mut table = styled(style);
    table.set_header(["target", "written"].into_iter().chain(layouts.iter().map(String::as_str)));
    for key in comparison.targets() {
        for pattern in comparison.patterns() {
            let cells: Vec<Option<&Row>> =
                layouts.iter().map(|layout| comparison.row(key, layout, pattern)).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let shown = cells.into_iter().map(|cell| cell.map_or_else(String::new, show));
            table.add_row([comparison.label(key), pattern.to_owned()].into_iter().chain(shown));
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// An empty table.
pub(crate) fn styled(style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(match style {
        TableStyle::Terminal => {
            presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'))
        }
        TableStyle::Markdown => presets::ASCII_MARKDOWN,
    });
    table
}

fn memory_text(row: &Row) -> String {
    let rss = row.rss_bytes_per_field.map_or_else(|| "–".to_owned(), |bytes| format!("{bytes:.1}"));
    format!("{rss} / {:.1}", row.used_memory_bytes_per_field)
}

fn speed_text(row: &Row) -> String {
    format!("{:.2}", row.load_fields_per_second / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    #[test]
    fn each_target_and_pattern_is_a_line_and_each_layout_a_column() {
        let rows = [
            example("redis 8.0.2", "flat", "bulk", 111),
            example("redis 8.0.2", "hash", "grown", 60),
            example("valkey 9.1.2", "hash", "grown", 53),
        ];
        let text = tables(&rows, TableStyle::Markdown);
        let squeezed: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for expected in [
            "## user: 1,000 objects of 5 fields, 19.0 B of keys, names and values a field",
            "| target | written | flat | hash |",
            "| redis 8.0.2 | bulk | 111.0 / 110.0 | |",
            "| redis 8.0.2 | grown | | 60.0 / 59.0 |",
            "| valkey 9.1.2 | grown | | 53.0 / 52.0 |",
            "| valkey 9.1.2 | grown | | 0.01 |",
        ] {
            assert!(squeezed.iter().any(|line| line == expected), "{expected} in\n{text}");
        }
    }

    #[test]
    fn many_datasets_are_shown_in_one_table() {
        let row = |name: usize| Row {
            dataset: format!("sweep-{name}"),
            ..example("hectare 0.1.0", "hash", "bulk", 20)
        };
        let few = text(&(0..6).map(row).collect::<Vec<Row>>());
        assert!(few.contains("sweep-5: 1,000 objects") && few.contains("As hashes"), "{few}");
        let many = text(&(0..7).map(row).collect::<Vec<Row>>());
        assert!(many.starts_with("bytes per field: what is stored"), "{many}");
        assert!(many.contains("sweep-6") && !many.contains("1,000 objects"), "{many}");
        let rows: Vec<Row> = (0..7)
            .map(|name| Row { shards: None, server_build: String::new(), ..row(name) })
            .collect();
        assert!(text(&rows).contains("sweep-6: 1,000 objects"));
    }

    #[test]
    fn resident_memory_that_was_not_read_is_a_dash() {
        let row = Row { rss_delta_bytes: None, ..example("redis 8.0.2", "hash", "bulk", 40) };
        let text = tables(&[row.with_rates()], TableStyle::Terminal);
        assert!(text.contains("– / 39.0"), "{text}");
    }
}
