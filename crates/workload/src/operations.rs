//! What does one connection ask for, one operation after the other?

use std::fmt;

use crate::commands::{CommandWriter, Commands};
use crate::dataset::Dataset;
use crate::mix::{Mix, OperationKind};
use crate::popularity::{KeyPopularity, ObjectChoice};
use crate::random::{Stream, part_seed};

/// An endless stream of operations on the objects of a dataset laid out as hashes.
///
/// Streams of the same seed with different indices agree on which keys are popular and ask for them
/// in unrelated order. Every key asked for exists once [`Layout::Hash`](crate::Layout) is loaded, so
/// nothing misses; every value written is new, so nothing is written twice.
#[derive(Clone, Debug)]
pub struct OperationStream {
    dataset: Dataset,
    mix: Mix,
    choice: ObjectChoice,
    /// The indices of the fields that hold integers.
    integer_fields: Vec<usize>,
    stream: Stream,
}

/// HMGET asks for no more fields than this.
const HMGET_FIELDS_MAX: usize = 8;

/// HINCRBY adds from 1 to this.
const INCREMENT_MAX: i64 = 100;

/// A field whose values stay within this can be added to 2^55 times before it would overflow, and
/// turn operations into errors.
const INCREMENTED_MAX: u64 = 1 << 62;

/// What the numbers of a seed are for: parts of it that do not meet.
const PLACES_PART: u64 = 0;
const STREAMS_PART: u64 = 1;

impl OperationStream {
    /// The stream of connection `stream_index`.
    ///
    /// # Errors
    ///
    /// The mix has HINCRBY and the dataset no integer to add to, or the popularity's exponent is not
    /// a number above 0.
    pub fn new(
        dataset: &Dataset,
        mix: &Mix,
        popularity: KeyPopularity,
        seed: u64,
        stream_index: u64,
    ) -> Result<Self, OperationError> {
        if !popularity.is_valid() {
            return Err(OperationError::BadExponent { popularity });
        }
        let integer_fields: Vec<usize> = (dataset.schema().fields.iter().enumerate())
            .filter(|(_, field)| field.value.is_integer_within(INCREMENTED_MAX))
            .map(|(index, _)| index)
            .collect();
        if mix.share(OperationKind::Hincrby) > 0 && integer_fields.is_empty() {
            return Err(OperationError::NoInteger { dataset: dataset.name().to_owned() });
        }
        let places = Stream::new(seed, PLACES_PART);
        Ok(Self {
            choice: ObjectChoice::new(popularity, dataset.objects(), places),
            dataset: dataset.clone(),
            mix: mix.clone(),
            integer_fields,
            stream: Stream::new(part_seed(seed, STREAMS_PART), stream_index),
        })
    }

    /// Appends `count` commands, and the kind of each to `kinds`; clears neither. Once the buffers
    /// have grown, nothing is allocated.
    pub fn fill(&mut self, commands: &mut Commands, kinds: &mut Vec<OperationKind>, count: usize) {
        for _ in 0..count {
            kinds.push(self.append(commands));
        }
    }

    /// Appends one command and says of which kind it is.
    pub fn append(&mut self, commands: &mut Commands) -> OperationKind {
        let kind = self.mix.draw(&mut self.stream);
        let object = self.choice.draw(&mut self.stream);
        commands.push_with(|command| {
            command.argument(kind.command_name().as_bytes());
            command.argument_with(|out| self.dataset.write_key(object, out));
            self.write_arguments(kind, object, command);
        });
        kind
    }

    /// Writes what follows the key.
    fn write_arguments(
        &mut self,
        kind: OperationKind,
        object: u64,
        command: &mut CommandWriter<'_>,
    ) {
        let fields = self.dataset.schema().fields_per_object();
        match kind {
            OperationKind::HsetOne => {
                let field = self.stream.index(fields);
                let version = self.stream.word();
                self.write_field(object, field, version, command);
            }
            OperationKind::HsetAll => {
                let version = self.stream.word();
                for field in 0..fields {
                    self.write_field(object, field, version, command);
                }
            }
            OperationKind::Hget => {
                let field = self.stream.index(fields);
                command.argument(self.dataset.field_name(field));
            }
            OperationKind::Hmget => {
                let most = fields.min(HMGET_FIELDS_MAX);
                let count = if most > 2 { 2 + self.stream.index(most - 1) } else { most };
                let first = self.stream.index(fields);
                for offset in 0..count {
                    command.argument(self.dataset.field_name((first + offset) % fields));
                }
            }
            OperationKind::Hgetall => {}
            OperationKind::Hincrby => {
                let field = self.integer_fields[self.stream.index(self.integer_fields.len())];
                let amount = self.stream.between(1, INCREMENT_MAX);
                command.argument(self.dataset.field_name(field));
                command.argument(itoa::Buffer::new().format(amount).as_bytes());
            }
        }
    }

    fn write_field(
        &self,
        object: u64,
        field: usize,
        version: u64,
        command: &mut CommandWriter<'_>,
    ) {
        command.argument(self.dataset.field_name(field));
        command.argument_with(|out| self.dataset.write_value(object, field, version, out));
    }
}

/// Why there is no [`OperationStream`].
#[derive(Clone, Debug, PartialEq)]
pub enum OperationError {
    /// HINCRBY was asked for where nothing can be added to.
    NoInteger {
        /// The dataset's name.
        dataset: String,
    },
    /// A popularity that no distribution has.
    BadExponent {
        /// The popularity.
        popularity: KeyPopularity,
    },
}

impl fmt::Display for OperationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInteger { dataset } => write!(
                formatter,
                "{dataset} has no integer that HINCRBY could add to; leave hincrby out of the mix, or take a dataset such as counter"
            ),
            Self::BadExponent { popularity } => {
                write!(
                    formatter,
                    "{popularity} is no key popularity; its exponent is a number above 0"
                )
            }
        }
    }
}

impl std::error::Error for OperationError {}
