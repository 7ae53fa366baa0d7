//! How is a line of `INFO` written?

use std::fmt::{Display, Write as _};

use super::human::human;

/// Text that sections are appended to.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
}

impl Lines {
    /// Begins a section; a blank line parts it from the one before.
    pub(super) fn head(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.text.push_str("\r\n");
        }
        self.write(format_args!("# {title}\r\n"));
    }

    /// One line.
    pub(super) fn line(&mut self, name: &str, value: impl Display) {
        self.write(format_args!("{name}:{value}\r\n"));
    }

    /// Lines whose value is 0, for what is not here.
    pub(super) fn zeros(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.line(name, 0));
    }

    /// A number of bytes, and the same for people.
    pub(super) fn bytes(&mut self, name: &str, bytes: u64) {
        self.line(name, bytes);
        self.write(format_args!("{name}_human:{}\r\n", human(bytes)));
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("a String takes whatever is written to it");
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}
