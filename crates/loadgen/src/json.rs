//! How does a measurement become one document for programs?

use std::io::{self, Write};

use crate::measurement::Measurement;

impl Measurement {
    /// Writes everything that is known as one JSON object, and a line end.
    ///
    /// # Errors
    /// What the writer answers.
    pub fn write_json(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self).map_err(io::Error::from)?;
        writeln!(out)?;
        out.flush()
    }
}
