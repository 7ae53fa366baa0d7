//! How are figures kept, judged, shown and written?

use crate::contender::Kind;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write as _};
use std::path::Path;

/// The unit of what the kernel's share can be taken off.
pub(crate) const CPU: &str = "µs of CPU a command";

/// What the rounds of a contender gave.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    median: f64,
    least: f64,
    most: f64,
    rounds: usize,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// Of Valkey's, at most.
    ShareMax(f64),
    /// Of Valkey's, at least.
    ShareMin(f64),
    /// Whatever Valkey's is, at most.
    Max(f64),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) unit: &'static str,
    pub(crate) figures: Vec<Figure>,
    pub(crate) aim: Option<Aim>,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Rows(Vec<Row>);

impl Figure {
    pub(crate) fn new(name: &str, kind: Kind, mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self {
            name: name.to_owned(),
            kind,
            median: figures[figures.len() / 2],
            least: figures[0],
            most: figures[figures.len() - 1],
            rounds: figures.len(),
        }
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.median < 20.0 { 2 } else { 0 };
        write!(f, "{:.digits$}", self.median)?;
        if self.rounds > 1 {
            write!(f, " ({:.digits$}–{:.digits$})", self.least, self.most)?;
        }
        Ok(())
    }
}

impl Aim {
    /// Whether it is reached; unknown without what it compares with.
    fn is_reached(self, ours: f64, share: Option<f64>) -> Option<bool> {
        match self {
            Self::ShareMax(most) => share.map(|share| share <= most),
            Self::ShareMin(least) => share.map(|share| share >= least),
            Self::Max(most) => Some(ours <= most),
        }
    }
}

impl Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShareMax(most) => write!(f, "≤ {most:.2} ×"),
            Self::ShareMin(least) => write!(f, "≥ {least:.2} ×"),
            Self::Max(most) => write!(f, "≤ {most}"),
        }
    }
}

impl Row {
    /// The median of the first of a kind.
    fn of(&self, kind: Kind) -> Option<f64> {
        self.figures.iter().find(|figure| figure.kind == kind).map(|figure| figure.median)
    }

    /// Ours in Valkey's.
    fn share(&self) -> Option<f64> {
        Some(self.of(Kind::Hectare)? / self.of(Kind::Valkey)?)
    }

    /// The same without what the sink takes.
    fn share_beyond_sink(&self) -> Option<f64> {
        let sink = self.of(Kind::Sink).filter(|_| self.unit == CPU)?;
        Some((self.of(Kind::Hectare)? - sink) / (self.of(Kind::Valkey)? - sink))
    }

    fn outcome(&self) -> &'static str {
        let (Some(aim), Some(ours)) = (self.aim, self.of(Kind::Hectare)) else { return "" };
        match aim.is_reached(ours, self.share()) {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "nothing to compare with",
        }
    }
}

impl Rows {
    pub(crate) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// As a table, with a column for each of `names`.
    pub(crate) fn print(&self, head: &str, names: &[String]) {
        let mut text = format!("{head}\n\n| what | unit | {} |", names.join(" | "));
        text.push_str(" of Valkey's | beyond the sink | to reach | |\n| --- | --- |");
        text.push_str(&" ---: |".repeat(names.len() + 2));
        text.push_str(" --- | --- |\n");
        for row in &self.0 {
            let _infallible = write!(text, "| {} | {} |", row.work, row.unit);
            for name in names {
                let figure = row.figures.iter().find(|figure| figure.name == *name);
                let _infallible = match figure {
                    Some(figure) => write!(text, " {figure} |"),
                    None => write!(text, " |"),
                };
            }
            let share = |share: Option<f64>| share.map(|s| format!("{s:.2}")).unwrap_or_default();
            let aim = row.aim.map(|aim| aim.to_string()).unwrap_or_default();
            let (plain, beyond) = (share(row.share()), share(row.share_beyond_sink()));
            let _infallible = writeln!(text, " {plain} | {beyond} | {aim} | {} |", row.outcome());
        }
        let _nobody_listens = io::stdout().write_all(text.as_bytes());
    }

    /// As CSV, a line for each figure.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = String::from("work,contender,unit,median,least,most,rounds\n");
        for row in &self.0 {
            for Figure { name, median, least, most, rounds, .. } in &row.figures {
                let (work, unit) = (&row.work, row.unit);
                let _infallible = writeln!(
                    text,
                    "\"{work}\",\"{name}\",\"{unit}\",{median:.4},{least:.4},{most:.4},{rounds}"
                );
            }
        }
        std::fs::write(path, text)
    }
}
