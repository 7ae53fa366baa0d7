//! Which commands put a dataset in place, and how are they made before any clock starts?

use std::fmt;
use std::ops::Range;

use rayon::prelude::*;

use crate::commands::{ARGUMENT_OVERHEAD_BYTES, COMMAND_OVERHEAD_BYTES, CommandWriter, Commands};
use crate::dataset::{Dataset, LOADED, OVERWRITING_ROUNDS, Version};
use crate::json;
use crate::layout::{Layout, WritePattern};
use crate::schema::COMMAND_BYTES_MAX;

/// The commands that load a dataset in one layout and order, each of which can be made without the
/// others.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    dataset: Dataset,
    layout: Layout,
    pattern: WritePattern,
    /// How many times the objects have been overwritten by then, see [`LoadPlan::overwriting`].
    round: Version,
    size: CommandSize,
}

/// No command of a plan is larger.
#[derive(Clone, Copy, Debug)]
struct CommandSize {
    arguments_max: u64,
    bytes_max: u64,
}

impl LoadPlan {
    /// Plans to load `dataset` in that layout and order.
    ///
    /// # Errors
    ///
    /// The dataset's objects cannot share a hash, or a command would be too large for any server.
    pub fn new(
        dataset: &Dataset,
        layout: Layout,
        pattern: WritePattern,
    ) -> Result<Self, LayoutError> {
        if let Layout::Bucketed { size } = layout {
            if !dataset.schema().is_bucketed() {
                return Err(LayoutError::NotBucketed { dataset: dataset.name().to_owned() });
            }
            if size == 0 {
                return Err(LayoutError::EmptyBucket);
            }
        }
        let size = command_size(dataset, layout, pattern);
        if size.bytes_max > COMMAND_BYTES_MAX {
            return Err(LayoutError::CommandTooLarge { layout, bytes_max: size.bytes_max });
        }
        Ok(Self { dataset: dataset.clone(), layout, pattern, round: LOADED, size })
    }

    /// The commands that overwrite every value, in the order in which it was loaded, for the
    /// `round`-th time: with one whose length differs from the round before by up to a half of what
    /// was loaded, more for one half of the values and less for the other. The last round,
    /// [`LoadPlan::OVERWRITING_ROUNDS`], writes what was loaded.
    ///
    /// A JSON blob is written as a whole, whatever the order.
    #[must_use]
    pub fn overwriting(&self, round: u64) -> Self {
        let pattern = match self.layout {
            Layout::Json => WritePattern::Bulk,
            Layout::Flat | Layout::Hash | Layout::Bucketed { .. } => self.pattern,
        };
        let CommandSize { arguments_max, bytes_max } =
            command_size(&self.dataset, self.layout, pattern);
        let size = CommandSize { arguments_max, bytes_max: 2 * bytes_max + arguments_max };
        Self { pattern, round, size, ..self.clone() }
    }

    /// After so many rounds of overwriting the data is what was loaded.
    pub const OVERWRITING_ROUNDS: u64 = OVERWRITING_ROUNDS;

    /// What is loaded.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// How it is laid out.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// In which order it is written.
    #[must_use]
    pub fn pattern(&self) -> WritePattern {
        self.pattern
    }

    /// How many commands there are.
    #[must_use]
    pub fn command_count(&self) -> u64 {
        match (self.layout, self.pattern) {
            (Layout::Flat, _) | (Layout::Hash | Layout::Json, WritePattern::Grown) => {
                self.dataset.fields()
            }
            (Layout::Hash | Layout::Json, WritePattern::Bulk) => self.dataset.objects(),
            (Layout::Bucketed { size }, WritePattern::Bulk) => {
                let full_buckets = self.key_count() - 1;
                let last_bucket = self.dataset.objects() - full_buckets * u64::from(size);
                full_buckets * commands_of_bucket(size.into()) + commands_of_bucket(last_bucket)
            }
            (Layout::Bucketed { .. }, WritePattern::Grown) => self.dataset.objects(),
        }
    }

    /// How many keys there are once everything is loaded.
    #[must_use]
    pub fn key_count(&self) -> u64 {
        match self.layout {
            Layout::Flat => self.dataset.fields(),
            Layout::Hash | Layout::Json => self.dataset.objects(),
            Layout::Bucketed { size } => self.dataset.objects().div_ceil(u64::from(size)),
        }
    }

    /// The bytes of keys, field names and values as the layout stores them: those of a key once, and
    /// those of a bucketed dataset's field names in buckets only.
    ///
    /// Makes every value, on rayon's threads, so call it before a clock starts.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        let bulk = self.in_bulk();
        let per_task = bulk.commands_per_chunk(PAYLOAD_TASK_BYTES_MAX);
        (0..bulk.command_count().div_ceil(per_task))
            .into_par_iter()
            .map(|task| {
                let mut commands = Commands::new();
                bulk.append(task * per_task..(task + 1) * per_task, &mut commands);
                let indices = task * per_task..;
                let bytes = commands.iter().zip(indices).map(|(command, index)| {
                    let is_first_of_key = index.is_multiple_of(bulk.commands_per_key());
                    let not_stored = if is_first_of_key { 1 } else { 2 };
                    command
                        .iter()
                        .skip(not_stored)
                        .map(|argument| argument.len() as u64)
                        .sum::<u64>()
                });
                bytes.sum::<u64>()
            })
            .sum()
    }

    /// The same data, each object at once.
    pub(crate) fn in_bulk(&self) -> Self {
        let pattern = WritePattern::Bulk;
        let size = command_size(&self.dataset, self.layout, pattern);
        Self { pattern, size, ..self.clone() }
    }

    /// How many commands of a bulk load write a key, the last one perhaps excepted.
    pub(crate) fn commands_per_key(&self) -> u64 {
        self.layout.bucket_size().map_or(1, |size| commands_of_bucket(size.into()))
    }

    /// How many commands take no more than so many bytes, whatever their values; at least one.
    pub(crate) fn commands_within(&self, bytes: usize) -> u64 {
        self.commands_per_chunk(bytes)
    }

    /// Makes room for that many commands and touches it, so that memory does not grow when they are
    /// made.
    pub(crate) fn reserve_touched(&self, count: u64, commands: &mut Commands) {
        self.size.reserve(count, commands);
        commands.touch();
    }

    /// Appends the commands of that range, counted from 0; those past the last are left out.
    pub fn append(&self, range: Range<u64>, commands: &mut Commands) {
        for index in range.start..range.end.min(self.command_count()) {
            commands.push_with(|command| self.write(index, command));
        }
    }

    /// Makes all commands at once, on rayon's threads: chunks of a few MiB in loading order, in no
    /// more memory than they need. Memory read after this and before sending is a clean baseline.
    #[must_use]
    pub fn all(&self) -> Vec<Commands> {
        const CHUNK_BYTES_MAX: usize = 4 << 20;
        let per_chunk = self.commands_per_chunk(CHUNK_BYTES_MAX);
        (0..self.command_count().div_ceil(per_chunk))
            .into_par_iter()
            .map(|chunk| {
                let mut commands = Commands::new();
                self.append(chunk * per_chunk..(chunk + 1) * per_chunk, &mut commands);
                commands.shrink_to_fit();
                commands
            })
            .collect()
    }

    /// Makes the commands chunk by chunk, on rayon's threads, and never holds more than
    /// `live_bytes_max` bytes of them (or sixteen commands, where those are more). Which commands a
    /// chunk has depends on this bound alone.
    #[must_use]
    pub fn chunks(&self, live_bytes_max: usize) -> Chunks<'_> {
        Chunks {
            plan: self,
            per_chunk: self.commands_per_chunk(live_bytes_max / CHUNKS_PER_WAVE),
            next_command: 0,
            wave: vec![Commands::new(); CHUNKS_PER_WAVE],
            next_in_wave: CHUNKS_PER_WAVE,
        }
    }

    fn commands_per_chunk(&self, chunk_bytes_max: usize) -> u64 {
        (chunk_bytes_max as u64 / self.size.held_bytes_max()).max(1)
    }

    /// Writes the command of that index.
    fn write(&self, index: u64, command: &mut CommandWriter<'_>) {
        let (objects, fields) = (self.dataset.objects(), self.dataset.fields_per_object());
        match (self.layout, self.pattern) {
            (Layout::Flat, WritePattern::Bulk) => {
                self.write_flat(index / fields, field_index(index % fields), command);
            }
            (Layout::Flat, WritePattern::Grown) => {
                self.write_flat(index % objects, field_index(index / objects), command);
            }
            (Layout::Hash, WritePattern::Bulk) => {
                self.write_hash(index, 0..field_index(fields), command);
            }
            (Layout::Hash, WritePattern::Grown) => {
                let field = field_index(index / objects);
                self.write_hash(index % objects, field..field + 1, command);
            }
            (Layout::Json, WritePattern::Bulk) => {
                self.write_json(index, field_index(fields), command);
            }
            (Layout::Json, WritePattern::Grown) => {
                self.write_json(index % objects, field_index(index / objects) + 1, command);
            }
            (Layout::Bucketed { size }, WritePattern::Bulk) => {
                let size = u64::from(size);
                let (bucket, part) =
                    (index / commands_of_bucket(size), index % commands_of_bucket(size));
                let first = bucket * size + part * BUCKET_FIELDS_AT_ONCE;
                let end = (first + BUCKET_FIELDS_AT_ONCE).min((bucket + 1) * size).min(objects);
                self.write_bucket(size, first..end, command);
            }
            (Layout::Bucketed { size }, WritePattern::Grown) => {
                let object = nth_round_robin(index, u64::from(size), objects);
                self.write_bucket(u64::from(size), object..object + 1, command);
            }
        }
    }

    fn write_flat(&self, object: u64, field: usize, command: &mut CommandWriter<'_>) {
        command.argument(b"SET");
        command.argument_with(|out| self.write_flat_key(object, field, out));
        command.argument_with(|out| self.write_value(object, field, out));
    }

    fn write_flat_key(&self, object: u64, field: usize, out: &mut Vec<u8>) {
        self.dataset.write_key(object, out);
        if !self.dataset.schema().is_bucketed() {
            out.push(b':');
            out.extend_from_slice(self.dataset.field_name(field));
        }
    }

    /// Appends the key of that number, in the order in which a bulk load writes them.
    pub(crate) fn write_key(&self, key: u64, out: &mut Vec<u8>) {
        if self.layout == Layout::Flat {
            let fields = self.dataset.fields_per_object();
            self.write_flat_key(key / fields, field_index(key % fields), out);
        } else {
            self.dataset.write_key(key, out);
        }
    }

    fn write_hash(&self, object: u64, fields: Range<usize>, command: &mut CommandWriter<'_>) {
        command.argument(b"HSET");
        command.argument_with(|out| self.dataset.write_key(object, out));
        for field in fields {
            command.argument(self.dataset.field_name(field));
            command.argument_with(|out| self.write_value(object, field, out));
        }
    }

    /// Writes an object with its first `field_count` fields.
    fn write_json(&self, object: u64, field_count: usize, command: &mut CommandWriter<'_>) {
        command.argument(b"SET");
        command.argument_with(|out| self.dataset.write_key(object, out));
        command.argument_with(|out| {
            for (index, field) in self.dataset.schema().fields[..field_count].iter().enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                out.extend_from_slice(&field.json_name);
                let write = |out: &mut _| self.write_value(object, index, out);
                if field.value.is_integer() {
                    write(out);
                } else {
                    json::write_string(out, write);
                }
            }
            out.push(b'}');
        });
    }

    /// Writes objects of one bucket.
    fn write_bucket(&self, size: u64, objects: Range<u64>, command: &mut CommandWriter<'_>) {
        command.argument(b"HSET");
        command.argument_with(|out| self.dataset.write_key(objects.start / size, out));
        for object in objects {
            let field = &self.dataset.schema().bucket_field;
            command.argument_with(|out| field.write(object % size, out));
            command.argument_with(|out| self.write_value(object, 0, out));
        }
    }

    fn write_value(&self, object: u64, field: usize, out: &mut Vec<u8>) {
        self.dataset.write_worn_value(object, field, self.round, out);
    }
}

fn field_index(number: u64) -> usize {
    usize::try_from(number).expect("an object has at most 65,536 fields")
}

/// No command writes more fields of a bucket; a larger one is written by several, one behind another.
const BUCKET_FIELDS_AT_ONCE: u64 = 1024;

fn commands_of_bucket(size: u64) -> u64 {
    size.div_ceil(BUCKET_FIELDS_AT_ONCE)
}

/// What each of several threads makes to count it.
const PAYLOAD_TASK_BYTES_MAX: usize = 1 << 20;

/// The object written `index`-th when each bucket in turn gets its first object, then each its
/// second, and so on; the last bucket may be shorter than the others.
fn nth_round_robin(index: u64, size: u64, objects: u64) -> u64 {
    let (full_buckets, last_bucket_objects) = (objects / size, objects % size);
    let long_rounds = last_bucket_objects * (full_buckets + 1);
    let (bucket, round) = if index < long_rounds {
        (index % (full_buckets + 1), index / (full_buckets + 1))
    } else {
        let index = index - long_rounds;
        (index % full_buckets, last_bucket_objects + index / full_buckets)
    };
    bucket * size + round
}

fn command_size(dataset: &Dataset, layout: Layout, pattern: WritePattern) -> CommandSize {
    let schema = dataset.schema();
    let name_and_key = 4 + dataset.key_bytes_max();
    let fields = || schema.fields.iter();
    let name_and_value_max =
        fields().map(|field| field.name.len() as u64 + field.value.bytes_max()).max().unwrap_or(0);
    let names_and_values =
        fields().map(|field| field.name.len() as u64 + field.value.bytes_max()).sum::<u64>();
    let blob = fields()
        .map(|field| field.json_name.len() as u64 + field.value.json_bytes_max() + 1)
        .sum::<u64>();
    let (pairs, bytes) = match (layout, pattern) {
        (Layout::Flat, _) => (1, 1 + name_and_value_max),
        (Layout::Json, _) => (1, 1 + blob),
        (Layout::Hash, WritePattern::Bulk) => (dataset.fields_per_object(), names_and_values),
        (Layout::Hash, WritePattern::Grown) => (1, name_and_value_max),
        (Layout::Bucketed { size }, pattern) => {
            let pairs = match pattern {
                WritePattern::Bulk => {
                    u64::from(size).min(dataset.objects()).min(BUCKET_FIELDS_AT_ONCE)
                }
                WritePattern::Grown => 1,
            };
            let field = schema.bucket_field.bytes_max();
            (pairs, pairs * (field + schema.fields[0].value.bytes_max()))
        }
    };
    CommandSize { arguments_max: 2 + 2 * pairs, bytes_max: name_and_key + bytes }
}

impl CommandSize {
    /// What one command takes in a [`Commands`] at most.
    fn held_bytes_max(self) -> u64 {
        self.bytes_max
            + self.arguments_max * ARGUMENT_OVERHEAD_BYTES as u64
            + COMMAND_OVERHEAD_BYTES as u64
    }

    /// Makes room for so many commands at their largest, so that no buffer doubles past the bound.
    fn reserve(self, count: u64, commands: &mut Commands) {
        let room = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        commands.reserve_exact(
            room(count),
            room(count * self.arguments_max),
            room(count * self.bytes_max),
        );
    }
}

/// So many chunks are made side by side, whatever the number of threads.
const CHUNKS_PER_WAVE: usize = 16;

/// A plan's commands in loading order and in bounded memory; the buffers are used again.
///
/// Chunks are made in waves, inside [`Chunks::next_chunk`] and never while a chunk is being sent: who
/// measures a load stops the clock around that call.
#[derive(Debug)]
pub struct Chunks<'a> {
    plan: &'a LoadPlan,
    per_chunk: u64,
    /// The first command that no wave has had yet.
    next_command: u64,
    wave: Vec<Commands>,
    next_in_wave: usize,
}

impl Chunks<'_> {
    /// The next commands, or `None` after the last. The chunk is gone when this is called again.
    pub fn next_chunk(&mut self) -> Option<&Commands> {
        if self.next_in_wave == self.wave.len() {
            if self.next_command >= self.plan.command_count() {
                return None;
            }
            self.make_wave();
        }
        let chunk = &self.wave[self.next_in_wave];
        self.next_in_wave += 1;
        if chunk.is_empty() { None } else { Some(chunk) }
    }

    fn make_wave(&mut self) {
        let (plan, per_chunk, first) = (self.plan, self.per_chunk, self.next_command);
        self.wave.par_iter_mut().enumerate().for_each(|(index, chunk)| {
            let start = first + index as u64 * per_chunk;
            let end = (start + per_chunk).min(plan.command_count());
            chunk.clear();
            plan.size.reserve(end.saturating_sub(start), chunk);
            plan.append(start..end, chunk);
        });
        self.next_command += self.wave.len() as u64 * per_chunk;
        self.next_in_wave = 0;
    }
}

/// Why a dataset cannot have a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// Its objects cannot share a hash.
    NotBucketed {
        /// The dataset's name.
        dataset: String,
    },
    /// A bucket of no objects was asked for.
    EmptyBucket,
    /// A command would be larger than any server takes.
    CommandTooLarge {
        /// The layout asked for.
        layout: Layout,
        /// What the largest command may take.
        bytes_max: u64,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBucketed { dataset } => write!(
                formatter,
                "{dataset} cannot be laid out in buckets, since its schema has no [bucket] section; use flat, hash or json"
            ),
            Self::EmptyBucket => {
                formatter.write_str("a bucket of 0 objects holds nothing; its size is 1 or more")
            }
            Self::CommandTooLarge { layout, bytes_max } => write!(
                formatter,
                "as {layout}, one command may take {bytes_max} bytes, and servers take {COMMAND_BYTES_MAX}; use smaller buckets, values or key prefixes"
            ),
        }
    }
}

impl std::error::Error for LayoutError {}
