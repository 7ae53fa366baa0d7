//! Which objects are there, and what does each of them hold?

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;

use crate::random::{Stream, part_seed};
use crate::schema::Schema;

/// A schema at a size, with a seed and a prefix for its keys: all that decides the data, whatever the
/// layout it will have. A clone shares the schema.
#[derive(Clone, Debug)]
pub struct Dataset {
    schema: Arc<Schema>,
    objects: u64,
    seed: u64,
    key_prefix: Arc<str>,
    /// The seed of each field.
    field_seeds: Arc<[u64]>,
}

/// Which values an object has: those it was loaded with, or those of a later write.
pub(crate) type Version = u64;

/// The values that objects are loaded with.
pub(crate) const LOADED: Version = 0;

/// After so many rounds of overwriting, objects hold what they were loaded with.
pub(crate) const OVERWRITING_ROUNDS: Version = 10;

impl Dataset {
    /// The schema with its own seed and number of objects, without a prefix.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let field_seeds = field_seeds(&schema, schema.seed);
        let (objects, seed) = (schema.objects, schema.seed);
        Self { schema: Arc::new(schema), objects, seed, key_prefix: "".into(), field_seeds }
    }

    /// The same dataset with so many objects: more or fewer of the same ones.
    ///
    /// # Errors
    ///
    /// Zero objects, or so many that their bytes do not fit 64 bits.
    pub fn with_objects(self, objects: u64) -> Result<Self, DatasetError> {
        let objects_max = self.schema.objects_max();
        if objects == 0 || objects > objects_max {
            let dataset = self.name().to_owned();
            return Err(DatasetError { dataset, objects, objects_max });
        }
        Ok(Self { objects, ..self })
    }

    /// The same keys and fields with other values.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        let field_seeds = field_seeds(&self.schema, seed);
        Self { seed, field_seeds, ..self }
    }

    /// The same dataset with `prefix` in front of every key.
    #[must_use]
    pub fn with_key_prefix(self, prefix: &str) -> Self {
        Self { key_prefix: prefix.into(), ..self }
    }

    /// What every object looks like.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The dataset's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.schema.name()
    }

    /// What the values are made from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What stands in front of every key.
    #[must_use]
    pub fn key_prefix(&self) -> &str {
        &self.key_prefix
    }

    /// How many objects there are; at least 1.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// How many fields all objects have together.
    #[must_use]
    pub fn fields(&self) -> u64 {
        self.objects * self.fields_per_object()
    }

    /// The bytes of each object's key once, its field names and its values: the same for every
    /// layout. A bucketed dataset's values have no names of their own, so none is counted.
    ///
    /// Makes every value, on rayon's threads, so call it before a clock starts.
    #[must_use]
    pub fn logical_bytes(&self) -> u64 {
        const OBJECTS_PER_TASK: u64 = 4096;
        let names = if self.schema.is_bucketed() {
            0
        } else {
            self.schema.field_names().map(|name| name.len() as u64).sum::<u64>()
        };
        let varying: u64 = (0..self.objects.div_ceil(OBJECTS_PER_TASK))
            .into_par_iter()
            .map(|task| {
                let first = task * OBJECTS_PER_TASK;
                let mut bytes = Vec::new();
                let mut sum = 0;
                for object in first..(first + OBJECTS_PER_TASK).min(self.objects) {
                    bytes.clear();
                    self.write_key(object, &mut bytes);
                    for field in 0..self.schema.fields.len() {
                        self.write_value(object, field, LOADED, &mut bytes);
                    }
                    sum += bytes.len() as u64;
                }
                sum
            })
            .sum();
        names * self.objects + varying
    }

    /// Appends the key of `object`, or of a bucket of that number.
    pub(crate) fn write_key(&self, object: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.key_prefix.as_bytes());
        self.schema.key.write(object, out);
    }

    /// Appends what the field of that index holds in `object`.
    pub(crate) fn write_value(
        &self,
        object: u64,
        field: usize,
        version: Version,
        out: &mut Vec<u8>,
    ) {
        let part = part_seed(version, object);
        let stream_of = |field: usize| Stream::new(self.field_seeds[field], part);
        self.schema.fields[field].value.write(field, stream_of, out);
    }

    /// Appends what the field holds after it was overwritten so many times, see
    /// [`LoadPlan::overwriting`](crate::LoadPlan::overwriting): what it was loaded with after none
    /// and after the last, and in between a value whose length is never that of the one before.
    pub(crate) fn write_worn_value(
        &self,
        object: u64,
        field: usize,
        round: Version,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        self.write_value(object, field, LOADED, out);
        if round == LOADED || round >= OVERWRITING_ROUNDS {
            return;
        }
        let length = self.worn_length(object, field, round, out.len() - start);
        out.truncate(start);
        self.write_value(object, field, round, out);
        if out.len() == start {
            out.push(b'-');
        }
        let content = out.len() - start;
        for place in start + content..start + length {
            out.push(out[place - content]);
        }
        out.truncate(start + length);
    }

    /// Up to a half more than it was loaded with in one round, up to a half less in the next. Half of
    /// the values begin with more and half with less, so that their sum stays as it is.
    fn worn_length(&self, object: u64, field: usize, round: Version, loaded: usize) -> usize {
        let seed = part_seed(self.field_seeds[field], object);
        // One byte cannot become less and still be another length than before.
        let begins_with_less = loaded > 1 && Stream::new(seed, 0).below(2) == 1;
        let change = 1 + Stream::new(seed, round).index((loaded / 2).max(1));
        if round.is_multiple_of(2) == begins_with_less {
            loaded + change
        } else {
            loaded.saturating_sub(change).max(loaded.min(1))
        }
    }

    pub(crate) fn field_name(&self, field: usize) -> &[u8] {
        self.schema.fields[field].name.as_bytes()
    }

    pub(crate) fn fields_per_object(&self) -> u64 {
        self.schema.fields.len() as u64
    }

    /// No key is longer.
    pub(crate) fn key_bytes_max(&self) -> u64 {
        self.key_prefix.len() as u64 + self.schema.key.bytes_max()
    }
}

fn field_seeds(schema: &Schema, seed: u64) -> Arc<[u64]> {
    (0..schema.fields.len() as u64).map(|field| part_seed(seed, field)).collect()
}

/// A dataset cannot have so many objects, or so few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetError {
    dataset: String,
    objects: u64,
    objects_max: u64,
}

impl fmt::Display for DatasetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, objects, objects_max } = self;
        write!(
            formatter,
            "{dataset} can have from 1 to {objects_max} objects, and {objects} were asked for"
        )
    }
}

impl std::error::Error for DatasetError {}
