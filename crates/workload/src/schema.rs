//! What is an object: its key, its fields, and what they hold?

mod error;
mod text;

use std::path::Path;

use crate::pattern::KeyPattern;
use crate::presets;
use crate::value::Value;

pub use error::SchemaError;

/// An object has no more fields than this.
pub(crate) const FIELDS_MAX: usize = 65_536;

/// Neither an object in any layout nor a command is larger: what Redis takes as one argument.
pub(crate) const COMMAND_BYTES_MAX: u64 = 512 << 20;

/// A key pattern and the fields of an object, with the seed and the number of objects to be used if
/// nobody says otherwise.
///
/// There is no invalid schema: whatever reads one refuses what could not be made into commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) objects: u64,
    pub(crate) key: KeyPattern,
    pub(crate) fields: Vec<Field>,
    /// Empty unless the schema has a `[bucket]` section.
    pub(crate) bucket_sizes: Vec<u32>,
    /// What an object's field in its bucket is called, by the object's place there.
    pub(crate) bucket_field: KeyPattern,
}

/// One field of every object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The name as JSON, with its colon: `"age":`.
    pub(crate) json_name: Vec<u8>,
    pub(crate) value: Value,
}

impl Schema {
    /// Reads a schema from TOML; the crate's page shows one.
    ///
    /// # Errors
    ///
    /// One sentence with the place in the text, the cause and what would be right.
    pub fn from_toml(text: &str) -> Result<Self, SchemaError> {
        text::read(text)
    }

    /// Reads a schema from a TOML file.
    ///
    /// # Errors
    ///
    /// As [`Schema::from_toml`], or that the file cannot be read.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, SchemaError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| SchemaError::Unreadable {
            path: path.to_owned(),
            cause: error.to_string(),
        })?;
        Self::from_toml(&text).map_err(|error| error.in_file(path))
    }

    /// A schema that comes with this crate, by its name; `sweep:16` is one of 16 fields.
    ///
    /// # Errors
    ///
    /// There is none of that name; the error lists those there are.
    pub fn preset(name: &str) -> Result<Self, SchemaError> {
        match presets::text(name) {
            Some(text) => Self::from_toml(&text),
            None => Err(SchemaError::UnknownPreset { name: name.to_owned() }),
        }
    }

    /// What a person typed: a preset's name, or the path of a TOML file, which ends in `.toml`.
    ///
    /// # Errors
    ///
    /// As [`Schema::preset`] and [`Schema::from_path`].
    pub fn named(name_or_path: &str) -> Result<Self, SchemaError> {
        if Path::new(name_or_path).extension().is_some_and(|extension| extension == "toml") {
            Self::from_path(name_or_path)
        } else {
            Self::preset(name_or_path)
        }
    }

    /// The names that [`Schema::preset`] knows, in the order in which they are best shown; the family
    /// `sweep:1` to `sweep:1024` comes on top of them.
    #[must_use]
    pub fn preset_names() -> Vec<&'static str> {
        presets::names().collect()
    }

    /// The dataset's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The seed used if nobody says otherwise.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many objects there are if nobody says otherwise.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// How many fields each object has.
    #[must_use]
    pub fn fields_per_object(&self) -> usize {
        self.fields.len()
    }

    /// The names of an object's fields.
    pub fn field_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// The sizes of bucket that the schema proposes: empty if its objects cannot share a hash.
    #[must_use]
    pub fn bucket_sizes(&self) -> &[u32] {
        &self.bucket_sizes
    }

    /// Whether objects of this schema can be laid out as [`Layout::Bucketed`](crate::Layout).
    #[must_use]
    pub fn is_bucketed(&self) -> bool {
        !self.bucket_sizes.is_empty()
    }

    /// No object takes more bytes than this as one JSON blob or as one HSET, prefix of the key and
    /// framing excluded.
    pub(crate) fn object_bytes_max(&self) -> u64 {
        let fields = self.fields.iter().map(|field| {
            let bare = field.name.len() as u64 + field.value.bytes_max();
            let json = field.json_name.len() as u64 + field.value.json_bytes_max() + 1;
            bare.max(json)
        });
        self.key.bytes_max() + 2 + fields.sum::<u64>()
    }

    /// With no more objects than this, all sums of bytes and of fields fit 64 bits with room to
    /// spare, and an object's number is exact as a floating-point number too.
    pub(crate) fn objects_max(&self) -> u64 {
        (u64::MAX / 4 / self.object_bytes_max()).min(1 << 53)
    }
}
