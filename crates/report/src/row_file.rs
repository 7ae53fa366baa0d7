//! How are rows kept in a file while a run may still be cut short?
//!
//! Each row is handed to the operating system before the next cell begins. A run that is cut short
//! leaves whole lines and at most one that is not, and [`read_rows`] says so and reads the rest.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::row::{Row, SCHEMA_VERSION};

/// Writes rows as CSV lines behind a line of column names.
#[derive(Debug)]
pub struct RowWriter<W: Write> {
    lines: csv::Writer<W>,
}

impl<W: Write> RowWriter<W> {
    /// Writes to `sink`; the column names go out with the first row.
    pub fn new(sink: W) -> Self {
        Self { lines: csv::Writer::from_writer(sink) }
    }

    /// Writes one row and flushes it.
    ///
    /// # Errors
    /// What the sink answered, such as a full disk.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        self.lines.serialize(row).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("a row is not a CSV line: {other:?}")),
        })?;
        self.lines.flush()
    }
}

/// The rows of a file, and whether all of it was rows.
#[derive(Debug)]
pub struct RowsRead {
    /// The rows, in the file's order.
    pub rows: Vec<Row>,
    /// Whether the file's last line was cut short and left out.
    pub cut_short: bool,
}

/// Reads what [`RowWriter`] wrote.
///
/// # Errors
/// When the file cannot be read, holds no row, holds a line that is none (other than a last one
/// that was cut short), or was written by a program with other columns.
pub fn read_rows(path: &Path) -> Result<RowsRead, ReadRowsError> {
    let failed = |cause| ReadRowsError { path: path.to_owned(), cause };
    let mut text = String::new();
    File::open(path)
        .and_then(|mut file| io::Read::read_to_string(&mut file, &mut text))
        .map_err(|error| failed(Cause::File(error)))?;
    let cut_short = !text.is_empty() && !text.ends_with('\n');
    if cut_short {
        let end = text.rfind('\n').map_or(0, |newline| newline + 1);
        text.truncate(end);
    }
    let mut rows = Vec::new();
    for row in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let row: Row = row.map_err(|error| failed(Cause::of(&error)))?;
        if row.schema_version != SCHEMA_VERSION {
            return Err(failed(Cause::SchemaVersion(row.schema_version)));
        }
        rows.push(row);
    }
    if rows.is_empty() { Err(failed(Cause::Empty)) } else { Ok(RowsRead { rows, cut_short }) }
}

/// Why a file gave no rows.
#[derive(Debug)]
pub struct ReadRowsError {
    path: PathBuf,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    File(io::Error),
    Empty,
    SchemaVersion(u32),
    Line { line: u64, problem: String },
}

impl Cause {
    fn of(error: &csv::Error) -> Self {
        let line = error.position().map_or(1, csv::Position::line);
        let problem = match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} columns and not {expected_len}")
            }
            _ => error.to_string(),
        };
        Self::Line { line, problem }
    }
}

impl fmt::Display for ReadRowsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.cause {
            Cause::File(error) => write!(
                formatter,
                "{path} cannot be read ({error}); --from takes a folder that a report wrote"
            ),
            Cause::Empty => {
                write!(formatter, "{path} holds no whole row, so there is nothing to show")
            }
            Cause::SchemaVersion(version) => write!(
                formatter,
                "{path} has rows of schema version {version}; this program reads version {SCHEMA_VERSION}"
            ),
            Cause::Line { line, problem } => write!(
                formatter,
                "line {line} of {path} is not a row of a report ({problem}); \
                 remove the line or measure again"
            ),
        }
    }
}

impl std::error::Error for ReadRowsError {}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::row::tests::example;

    fn written(rows: &[Row]) -> String {
        let mut sink = Vec::new();
        let mut writer = RowWriter::new(&mut sink);
        for row in rows {
            writer.write(row).unwrap();
        }
        drop(writer);
        String::from_utf8(sink).unwrap()
    }

    fn read(text: &str) -> Result<RowsRead, ReadRowsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.csv");
        fs::write(&path, text).unwrap();
        read_rows(&path)
    }

    fn examples() -> Vec<Row> {
        let empty = Row {
            rss_delta_bytes: None,
            rss_peak_bytes: None,
            thp: None,
            allocator_quantum_bytes: None,
            load_cpu_seconds: None,
            ..example("hectare 0.1.0", "flat", "grown", 80)
        };
        let bucketed = Row {
            bucket_size: Some(512),
            encodings: "listpack 198, hashtable 2".to_owned(),
            ..example("redis 8.0.2", "bucketed", "bulk", 9)
        };
        vec![empty.with_rates(), bucketed]
    }

    #[test]
    fn what_is_written_is_read_back() {
        let rows = examples();
        let read = read(&written(&rows)).unwrap();
        assert_eq!(read.rows, rows);
        assert!(!read.cut_short);
    }

    #[test]
    fn a_row_has_left_the_program_before_the_next_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.csv");
        let mut writer = RowWriter::new(File::create(&path).unwrap());
        writer.write(&examples()[0]).unwrap();
        assert_eq!(read_rows(&path).unwrap().rows.len(), 1);
    }

    #[test]
    fn a_file_cut_anywhere_gives_the_whole_rows_before_the_cut() {
        let rows = examples();
        let text = written(&rows);
        let line_ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for cut in 0..text.len() {
            let whole = line_ends.iter().filter(|&&end| end <= cut).count().saturating_sub(1);
            match read(&text[..cut]) {
                Ok(read) => {
                    assert_eq!(read.rows, rows[..whole], "cut at {cut}");
                    assert_eq!(read.cut_short, !line_ends.contains(&cut), "cut at {cut}");
                }
                Err(error) => {
                    assert_eq!(whole, 0, "cut at {cut}: {error}");
                    assert!(error.to_string().contains("holds no whole row"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        let text = written(&examples()).replace(",grown,", ",grown,one more,");
        let message = read(&text).unwrap_err().to_string();
        assert!(message.starts_with("line 2 of ") && message.contains("columns"), "{message}");
        let text = written(&examples()).replace(",95000,", ",many,");
        let message = read(&text).unwrap_err().to_string();
        assert!(message.starts_with("line 2 of "), "{message}");
    }

    #[test]
    fn rows_with_other_columns_are_refused() {
        let newer = Row { schema_version: SCHEMA_VERSION + 1, ..examples().remove(0) };
        let message = read(&written(&[newer])).unwrap_err().to_string();
        let said = format!("this program reads version {SCHEMA_VERSION}");
        assert!(message.contains(&said), "{message}");
    }

    #[test]
    fn a_folder_without_a_report_is_refused() {
        let message = read_rows(Path::new("no/such/memory.csv")).unwrap_err().to_string();
        assert!(message.contains("--from takes a folder that a report wrote"), "{message}");
    }
}
