//! What do the rows look like?
//!
//! A plain SVG of grouped bars: a panel for each dataset, a group for each target, and a bar for
//! each layout and write pattern, as high as resident memory grew for each field. A tick across a
//! bar is the target's own accounting. Every bar has a tooltip with its figures.

use std::fmt::Write as _;

use crate::comparison::{Comparison, comparisons};
use crate::row::Row;

const BAR_WIDTH: f64 = 30.0;
const GROUP_GAP: f64 = 34.0;
const PLOT_HEIGHT: f64 = 260.0;
const PLOT_WIDTH_MIN: f64 = 560.0;
const MARGIN_LEFT: f64 = 72.0;
const MARGIN_RIGHT: f64 = 24.0;
const HEADER_HEIGHT: f64 = 84.0;
/// The room of a panel above its plot (the title) and below it (the targets).
const PANEL_ABOVE: f64 = 44.0;
const PANEL_BELOW: f64 = 48.0;

/// Told apart by most who see colours differently (after Okabe and Ito); full for what was grown,
/// and half as strong for what was written at once.
const COLORS: [(&str, Shades); 3] = [
    ("flat", ["#d55e00", "#eaae80"]),
    ("hash", ["#0072b2", "#80b8d8"]),
    ("json", ["#009e73", "#80ceb9"]),
];
/// For buckets of less than 500 objects, of less than 1000, and above.
const BUCKET_COLORS: [Shades; 3] =
    [["#cc79a7", "#e5bcd3"], ["#e69f00", "#f2cf80"], ["#56b4e9", "#aad9f4"]];

/// The colour of grown and of bulk.
type Shades = [&'static str; 2];

/// The chart as the text of an SVG file.
#[must_use]
pub fn chart(rows: &[Row]) -> String {
    let panels: Vec<Panel<'_>> = comparisons(rows).into_iter().map(Panel::new).collect();
    let plot_width = panels.iter().map(Panel::width).fold(PLOT_WIDTH_MIN, f64::max);
    let width = MARGIN_LEFT + plot_width + MARGIN_RIGHT;
    let panel_height = PANEL_ABOVE + PLOT_HEIGHT + PANEL_BELOW;
    let height = HEADER_HEIGHT + panel_height * panels.len() as f64;
    let mut svg = Svg::new(width, height);
    svg.text(
        MARGIN_LEFT,
        30.0,
        "title",
        "start",
        "Memory per field: how much resident memory grew",
    );
    legend(&mut svg, rows);
    for (index, panel) in panels.iter().enumerate() {
        let top = HEADER_HEIGHT + panel_height * index as f64 + PANEL_ABOVE;
        panel.draw(&mut svg, top, plot_width);
    }
    svg.finish()
}

/// A dataset's bars and the scale they are drawn to.
struct Panel<'a> {
    comparison: Comparison<'a>,
    layouts: Vec<String>,
    patterns: Vec<&'a str>,
    step: f64,
    steps: f64,
}

impl<'a> Panel<'a> {
    fn new(comparison: Comparison<'a>) -> Self {
        let (layouts, patterns) = (comparison.layouts(), comparison.patterns());
        let mut highest: f64 = 0.0;
        for key in comparison.targets() {
            for (layout, pattern) in cells(&layouts, &patterns) {
                if let Some(row) = comparison.row(key, layout, pattern) {
                    let rss = row.rss_bytes_per_field.unwrap_or_default();
                    highest = highest.max(rss).max(row.used_memory_bytes_per_field);
                }
            }
        }
        let step = round_step(highest / 5.0);
        // Room for the figure above the highest bar.
        let steps = (highest * 1.06 / step).ceil().max(1.0);
        Self { comparison, layouts, patterns, step, steps }
    }

    fn group_width(&self) -> f64 {
        (self.layouts.len() * self.patterns.len()) as f64 * BAR_WIDTH + GROUP_GAP
    }

    fn width(&self) -> f64 {
        self.group_width() * self.comparison.targets().len() as f64
    }

    fn y(&self, top: f64, bytes: f64) -> f64 {
        top + PLOT_HEIGHT * (1.0 - bytes.max(0.0) / (self.step * self.steps))
    }

    fn draw(&self, svg: &mut Svg, top: f64, plot_width: f64) {
        let title = format!("{}: {}", self.comparison.dataset, self.comparison.size_label());
        svg.text(MARGIN_LEFT, top - 18.0, "panel", "start", &title);
        self.draw_axis(svg, top, plot_width);
        let mut x = MARGIN_LEFT;
        for key in self.comparison.targets() {
            let middle = x + self.group_width() / 2.0;
            let mut bar_x = x + GROUP_GAP / 2.0;
            for (layout, pattern) in cells(&self.layouts, &self.patterns) {
                if let Some(row) = self.comparison.row(key, layout, pattern) {
                    self.draw_bar(svg, top, bar_x, row);
                }
                bar_x += BAR_WIDTH;
            }
            let label = self.comparison.label(key);
            svg.text(middle, top + PLOT_HEIGHT + 20.0, "label", "middle", &label);
            x += self.group_width();
        }
    }

    fn draw_axis(&self, svg: &mut Svg, top: f64, plot_width: f64) {
        let mut bytes = 0.0;
        while bytes <= self.step * self.steps + self.step / 2.0 {
            let y = self.y(top, bytes);
            let class = if bytes == 0.0 { "axis" } else { "grid" };
            svg.line(MARGIN_LEFT, y, MARGIN_LEFT + plot_width, y, class);
            svg.text(MARGIN_LEFT - 8.0, y + 4.0, "label", "end", &format!("{bytes}"));
            bytes += self.step;
        }
        svg.upright_text(20.0, top + PLOT_HEIGHT / 2.0, "bytes per field");
    }

    fn draw_bar(&self, svg: &mut Svg, top: f64, x: f64, row: &Row) {
        let width = BAR_WIDTH - 4.0;
        let accounted_y = self.y(top, row.used_memory_bytes_per_field);
        let bottom = self.y(top, 0.0);
        if let Some(rss) = row.rss_bytes_per_field {
            let y = self.y(top, rss);
            let tooltip = format!(
                "{}, {}, {}: {rss:.1} B per field by RSS, {:.1} B by the target's own accounting",
                row.target,
                row.layout_label(),
                row.write_pattern,
                row.used_memory_bytes_per_field
            );
            svg.bar((x, y, width, bottom - y), color(row), &tooltip);
            let figure = if rss < 99.95 { format!("{rss:.1}") } else { format!("{rss:.0}") };
            svg.text(x + width / 2.0, y.min(accounted_y) - 4.0, "figure", "middle", &figure);
        }
        svg.line(x - 1.0, accounted_y, x + width + 1.0, accounted_y, "tick");
    }
}

fn legend(svg: &mut Svg, rows: &[Row]) {
    let mut entries: Vec<(String, &'static str)> = Vec::new();
    for comparison in comparisons(rows) {
        for (layout, pattern) in cells(&comparison.layouts(), &comparison.patterns()) {
            let row = comparison
                .targets()
                .into_iter()
                .find_map(|key| comparison.row(key, layout, pattern));
            let Some(row) = row else { continue };
            let name = format!("{layout}, {pattern}");
            if entries.iter().all(|(other, _)| *other != name) {
                entries.push((name, color(row)));
            }
        }
    }
    let (mut x, y) = (MARGIN_LEFT, 54.0);
    for (name, color) in entries {
        svg.bar((x, y - 10.0, 12.0, 12.0), color, &name);
        svg.text(x + 17.0, y, "label", "start", &name);
        x += 36.0 + 6.4 * name.chars().count() as f64;
    }
    svg.line(MARGIN_LEFT - 1.0, y + 16.0, MARGIN_LEFT + 13.0, y + 16.0, "tick");
    svg.text(MARGIN_LEFT + 17.0, y + 20.0, "label", "start", "the target's own accounting");
}

/// The cells of a group in the order of its bars.
fn cells<'a>(
    layouts: &'a [String],
    patterns: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    layouts.iter().flat_map(|layout| patterns.iter().map(|&pattern| (layout.as_str(), pattern)))
}

fn color(row: &Row) -> &'static str {
    let known = COLORS.iter().find(|(layout, _)| *layout == row.layout);
    let shades = match (known, row.bucket_size) {
        (Some((_, shades)), _) => shades,
        (None, Some(..500)) => &BUCKET_COLORS[0],
        (None, Some(..1000)) => &BUCKET_COLORS[1],
        (None, _) => &BUCKET_COLORS[2],
    };
    if row.write_pattern == "grown" { shades[0] } else { shades[1] }
}

/// The smallest of 1, 2, 2.5, 5 × a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(0.1).log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= least * 0.999);
    factor.unwrap_or(10.0) * power
}

/// Shapes, written as they come.
struct Svg {
    text: String,
}

impl Svg {
    fn new(width: f64, height: f64) -> Self {
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"system-ui, 'DejaVu Sans', Arial, sans-serif\" fill=\"#222222\">\n\
             <style>\n\
             .title {{ font-size: 18px; font-weight: 600 }}\n\
             .panel {{ font-size: 15px; font-weight: 600 }}\n\
             .label {{ font-size: 12px }}\n\
             .figure {{ font-size: 10px }}\n\
             .axis {{ stroke: #222222 }}\n\
             .grid {{ stroke: #e2e2e2 }}\n\
             .tick {{ stroke: #222222; stroke-width: 2 }}\n\
             </style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        );
        Self { text }
    }

    fn text(&mut self, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
        let text = escaped(text);
        self.push(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    fn upright_text(&mut self, x: f64, y: f64, text: &str) {
        let text = escaped(text);
        self.push(format_args!(
            "<text transform=\"translate({x:.1} {y:.1}) rotate(-90)\" class=\"label\" \
             text-anchor=\"middle\">{text}</text>"
        ));
    }

    fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, class: &str) {
        self.push(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>"
        ));
    }

    /// A rectangle from its left, top, width and height.
    fn bar(&mut self, (x, y, width, height): (f64, f64, f64, f64), color: &str, tip: &str) {
        let tip = escaped(tip);
        self.push(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{color}\"><title>{tip}</title></rect>"
        ));
    }

    fn push(&mut self, shape: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{shape}").expect("a String takes every write");
    }

    fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::example;

    fn numbers(svg: &str, name: &str) -> Vec<f64> {
        let start = format!(" {name}=\"");
        svg.split(&start).skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok()).collect()
    }

    #[test]
    fn every_cell_has_a_bar_of_its_height_inside_the_picture() {
        let rows = [
            example("redis 8.0.2", "flat", "bulk", 100),
            example("redis 8.0.2", "hash", "bulk", 50),
            example("valkey 9.1.2", "flat", "bulk", 25),
        ];
        let svg = chart(&rows);
        let heights: Vec<f64> = svg
            .lines()
            .filter(|line| line.starts_with("<rect x") && line.contains("per field by RSS"))
            .map(|line| numbers(line, "height")[0])
            .collect();
        assert_eq!(heights.len(), 3);
        assert!((heights[0] - 2.0 * heights[1]).abs() < 0.2, "{heights:?}");
        assert!((heights[0] - 4.0 * heights[2]).abs() < 0.4, "{heights:?}");
        let (width, height) = (numbers(&svg, "width")[0], numbers(&svg, "height")[0]);
        assert!(numbers(&svg, "x").into_iter().all(|x| (0.0..width).contains(&x)));
        assert!(numbers(&svg, "y").into_iter().all(|y| (0.0..height).contains(&y)));
    }

    #[test]
    fn names_cannot_break_out_of_the_file() {
        let rows =
            [Row { dataset: "a<b>&c".to_owned(), ..example("<script>", "flat", "bulk", 100) }];
        let svg = chart(&rows);
        assert!(svg.contains("a&lt;b&gt;&amp;c") && !svg.contains("<script>"));
    }

    #[test]
    fn the_axis_goes_in_round_steps() {
        assert_eq!(round_step(20.6), 25.0);
        assert_eq!(round_step(20.0), 20.0);
        assert_eq!(round_step(0.9), 1.0);
        assert_eq!(round_step(61.0), 100.0);
    }

    #[test]
    fn growth_of_nothing_or_less_still_draws() {
        let row = Row { rss_delta_bytes: Some(-4096), ..example("redis 8.0.2", "hash", "bulk", 1) };
        assert!(!chart(&[row.with_rates()]).contains("NaN"));
        assert!(!chart(&[]).contains("NaN"));
    }
}
