//! How are figures kept, shown and written?

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

/// One contender's figures for one piece of work.
pub(crate) struct Row {
    work: String,
    contender: &'static str,
    unit: &'static str,
    median: f64,
    least: f64,
    most: f64,
    rounds: usize,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Rows(Vec<Row>);

impl Row {
    pub(crate) fn new(
        work: String,
        contender: &'static str,
        unit: &'static str,
        mut figures: Vec<f64>,
    ) -> Self {
        figures.sort_by(f64::total_cmp);
        let median = figures[figures.len() / 2];
        let (least, most) = (figures[0], figures[figures.len() - 1]);
        Self { work, contender, unit, median, least, most, rounds: figures.len() }
    }
}

impl Rows {
    /// Adds a row, and shows it.
    pub(crate) fn add(&mut self, row: Row) {
        let Row { work, contender, unit, median, .. } = &row;
        // Minutes go by before the table comes.
        let _nobody_listens = writeln!(io::stderr(), "{work}: {contender}: {median:.1} {unit}");
        self.0.push(row);
    }

    /// As a table: one line for each piece of work and contender, and how it compares with the best
    /// of the others.
    pub(crate) fn print(&self) {
        let mut text = String::from(
            "| work | who | median | from | to | unit | M/s | × the best rival |\n\
             | --- | --- | ---: | ---: | ---: | --- | ---: | ---: |\n",
        );
        for row in &self.0 {
            let Row { work, contender, unit, median, least, most, .. } = row;
            let is_rival = |other: &&Row| {
                other.work == *work
                    && other.unit == *unit
                    && !other.contender.contains("hectare")
                    && !other.contender.contains("bare")
            };
            let best = self.0.iter().filter(is_rival).map(|other| other.median).reduce(f64::min);
            let ratio = match best {
                Some(best) if contender.contains("hectare") => format!("{:.2}", best / median),
                _ => String::new(),
            };
            let rate = if *unit == "ns a command" {
                format!("{:.2}", 1e3 / median)
            } else {
                String::new()
            };
            let _infallible = writeln!(
                text,
                "| {work} | {contender} | {median:.1} | {least:.1} | {most:.1} | {unit} | {rate} | {ratio} |"
            );
        }
        let _nobody_listens = io::stdout().write_all(text.as_bytes());
    }

    /// As CSV.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = String::from("work,contender,unit,median,least,most,rounds\n");
        for Row { work, contender, unit, median, least, most, rounds } in &self.0 {
            let _infallible = writeln!(
                text,
                "\"{work}\",\"{contender}\",\"{unit}\",{median:.3},{least:.3},{most:.3},{rounds}"
            );
        }
        std::fs::write(path, text)
    }
}
