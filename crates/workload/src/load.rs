//! Which commands put a dataset in place, and how are they made before any clock starts?

use std::fmt;
use std::ops::Range;

use rayon::prelude::*;

use crate::commands::{ARGUMENT_OVERHEAD_BYTES, COMMAND_OVERHEAD_BYTES, CommandWriter, Commands};
use crate::dataset::{Dataset, LOADED};
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
        Ok(Self { dataset: dataset.clone(), layout, pattern, size })
    }

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
            (Layout::Bucketed { .. }, WritePattern::Bulk) => self.key_count(),
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
                let first = index * size;
                self.write_bucket(size, first..(first + size).min(objects), command);
            }
            (Layout::Bucketed { size }, WritePattern::Grown) => {
                let object = nth_round_robin(index, u64::from(size), objects);
                self.write_bucket(u64::from(size), object..object + 1, command);
            }
        }
    }

    fn write_flat(&self, object: u64, field: usize, command: &mut CommandWriter<'_>) {
        command.argument(b"SET");
        command.argument_with(|out| {
            self.dataset.write_key(object, out);
            if !self.dataset.schema().is_bucketed() {
                out.push(b':');
                out.extend_from_slice(self.dataset.field_name(field));
            }
        });
        command.argument_with(|out| self.dataset.write_value(object, field, LOADED, out));
    }

    fn write_hash(&self, object: u64, fields: Range<usize>, command: &mut CommandWriter<'_>) {
        command.argument(b"HSET");
        command.argument_with(|out| self.dataset.write_key(object, out));
        for field in fields {
            command.argument(self.dataset.field_name(field));
            command.argument_with(|out| self.dataset.write_value(object, field, LOADED, out));
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
                let write = |out: &mut _| self.dataset.write_value(object, index, LOADED, out);
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
            let mut buffer = itoa::Buffer::new();
            command.argument(buffer.format(object % size).as_bytes());
            command.argument_with(|out| self.dataset.write_value(object, 0, LOADED, out));
        }
    }
}

fn field_index(number: u64) -> usize {
    usize::try_from(number).expect("an object has at most 65,536 fields")
}

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
    const OBJECT_IN_BUCKET_DIGITS_MAX: u64 = 10;
    let (pairs, bytes) = match (layout, pattern) {
        (Layout::Flat, _) => (1, 1 + name_and_value_max),
        (Layout::Json, _) => (1, 1 + blob),
        (Layout::Hash, WritePattern::Bulk) => (dataset.fields_per_object(), names_and_values),
        (Layout::Hash, WritePattern::Grown) => (1, name_and_value_max),
        (Layout::Bucketed { size }, pattern) => {
            let pairs = match pattern {
                WritePattern::Bulk => u64::from(size).min(dataset.objects()),
                WritePattern::Grown => 1,
            };
            (pairs, pairs * (OBJECT_IN_BUCKET_DIGITS_MAX + schema.fields[0].value.bytes_max()))
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
