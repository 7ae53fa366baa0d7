//! What is measured in one fresh process?

use std::fmt;
use std::path::PathBuf;

use hectare_target::{DataPolicy, TargetSpec};
use hectare_workload::{Dataset, DatasetError, Layout, Schema, SchemaError, WritePattern};
use serde::{Deserialize, Serialize};

/// A dataset in one layout, written in one pattern to one target.
///
/// Serialized, it is what a process that measures reads on its standard input. That text holds the
/// target's password, if it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CellText", into = "CellText")]
pub struct Cell {
    /// Where the schema comes from.
    pub schema: SchemaSource,
    /// How many objects there are; `None` for as many as the schema says.
    pub objects: Option<u64>,
    /// How an object is stored.
    pub layout: Layout,
    /// In which order fields are written.
    pub write_pattern: WritePattern,
    /// Whether the data is worn afterwards and measured again, see [`hectare_workload::Churn`].
    pub churn: bool,
    /// What is measured.
    pub target: TargetSpec,
    /// What is allowed on a running server.
    pub policy: DataPolicy,
    /// Whether an earlier cell of the same run wrote to the same running server. Its resident
    /// memory has grown by then, and what was freed is taken up again without growth.
    pub written_before: bool,
}

/// Where a schema comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaSource {
    /// One that comes with the program, by its name.
    Preset(String),
    /// A TOML file of one's own.
    File(PathBuf),
}

impl SchemaSource {
    /// Reads the schema.
    ///
    /// # Errors
    /// There is no such preset or file, or the file is no schema.
    pub fn load(&self) -> Result<Schema, SchemaError> {
        match self {
            Self::Preset(name) => Schema::preset(name),
            Self::File(path) => Schema::from_path(path),
        }
    }
}

impl Cell {
    /// The data that is written.
    ///
    /// # Errors
    /// The schema cannot be read, or not have so many objects.
    pub fn dataset(&self) -> Result<Dataset, DataError> {
        let mut dataset = Dataset::new(self.schema.load().map_err(DataError::Schema)?);
        if let Some(objects) = self.objects {
            dataset = dataset.with_objects(objects).map_err(DataError::Objects)?;
        }
        Ok(match &self.policy.key_prefix {
            Some(prefix) => dataset.with_key_prefix(prefix),
            None => dataset,
        })
    }
}

/// What is shown while the cell is measured: `user, hash, grown on embedded`.
impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            SchemaSource::Preset(name) => formatter.write_str(name)?,
            SchemaSource::File(path) => write!(formatter, "{}", path.display())?,
        }
        let churned = if self.churn { ", churned" } else { "" };
        write!(formatter, ", {}, {}{churned} on {}", self.layout, self.write_pattern, self.target)
    }
}

/// Why there is no data to write.
#[derive(Debug)]
pub enum DataError {
    /// The schema cannot be read.
    Schema(SchemaError),
    /// The schema cannot have so many objects.
    Objects(DatasetError),
}

impl fmt::Display for DataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(error) => error.fmt(formatter),
            Self::Objects(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for DataError {}

/// A cell in words, as it travels between processes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellText {
    schema: SchemaSource,
    objects: Option<u64>,
    layout: String,
    write_pattern: String,
    churn: bool,
    target: String,
    allow_nonempty: bool,
    key_prefix: Option<String>,
    written_before: bool,
}

impl From<Cell> for CellText {
    fn from(cell: Cell) -> Self {
        Self {
            schema: cell.schema,
            objects: cell.objects,
            layout: cell.layout.to_string(),
            write_pattern: cell.write_pattern.to_string(),
            churn: cell.churn,
            target: cell.target.to_argument(),
            allow_nonempty: cell.policy.allow_nonempty,
            key_prefix: cell.policy.key_prefix,
            written_before: cell.written_before,
        }
    }
}

impl TryFrom<CellText> for Cell {
    type Error = String;

    fn try_from(text: CellText) -> Result<Self, String> {
        Ok(Self {
            schema: text.schema,
            objects: text.objects,
            layout: text.layout.parse().map_err(|error| format!("{error}"))?,
            write_pattern: text.write_pattern.parse().map_err(|error| format!("{error}"))?,
            churn: text.churn,
            target: text.target.parse().map_err(|error| format!("{error}"))?,
            policy: DataPolicy { allow_nonempty: text.allow_nonempty, key_prefix: text.key_prefix },
            written_before: text.written_before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        Cell {
            schema: SchemaSource::Preset("user".to_owned()),
            objects: Some(1000),
            layout: Layout::Bucketed { size: 512 },
            write_pattern: WritePattern::Grown,
            churn: true,
            target: "redis://:secret@localhost:7000/3".parse().unwrap(),
            policy: DataPolicy { allow_nonempty: true, key_prefix: Some("trial:".to_owned()) },
            written_before: true,
        }
    }

    #[test]
    fn a_cell_travels_between_processes_with_its_password() {
        let text = serde_json::to_string(&cell()).unwrap();
        assert!(text.contains("secret"));
        assert_eq!(serde_json::from_str::<Cell>(&text).unwrap(), cell());
    }

    #[test]
    fn what_is_shown_of_a_cell_hides_the_password() {
        let shown = cell().to_string();
        assert!(shown.starts_with("user, bucketed:512, grown, churned on redis://"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_text_that_is_no_cell_is_refused() {
        let text = serde_json::to_string(&cell()).unwrap().replace("bucketed:512", "heap");
        let message = serde_json::from_str::<Cell>(&text).unwrap_err().to_string();
        assert!(message.contains("there is no layout \"heap\""), "{message}");
    }
}
