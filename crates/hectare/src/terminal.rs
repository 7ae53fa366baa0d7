//! What does the user see while a tool works?

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How many steps a bar of parts has.
const PARTS: u64 = 1000;
const TICK: Duration = Duration::from_millis(200);

/// Writes a line to standard error. Where that is closed, nobody wants to know.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what the user should know although the work goes on: fact, cause and remedy.
pub(crate) fn warn(text: impl Display) {
    say(&format!("warning: {text}"));
}

/// A bar on standard error, where that is a terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar of so many steps; `unit` is what a step is called in the plural.
    pub(crate) fn of(steps: u64, unit: &str) -> Self {
        let template = format!("{{bar:24}} {{pos}} of {{len}} {unit}, {{elapsed}}  {{msg}}");
        Self::new(steps, &template)
    }

    /// A bar of what is measured in parts of a whole.
    pub(crate) fn of_parts() -> Self {
        Self::new(PARTS, "{bar:24} {percent:>3} %, {elapsed}  {msg}")
    }

    fn new(steps: u64, template: &str) -> Self {
        let bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// What is being done.
    pub(crate) fn now(&self, text: String) {
        self.0.set_message(text);
    }

    /// So many steps are done.
    pub(crate) fn done(&self, steps: u64) {
        self.0.set_position(steps);
    }

    /// So much of the whole, from 0 to 1, is done.
    pub(crate) fn reached(&self, fraction: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "a bar shows whole parts")]
        self.0.set_position((fraction * PARTS as f64) as u64);
    }

    /// Does something that writes to the terminal, with the bar out of its way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
