//! How does a cell's data get to its target, and did it get there?
//!
//! All commands are made before anything is measured: their memory is written, so it is part of
//! the reading before as of the reading after, and a [`Load`] keeps them until both are taken. What
//! the embedded engine adds to this process between the readings is therefore the engine's alone.

use std::fmt;
use std::time::{Duration, Instant};

use hectare_target::{Connection, ConnectionError, Outcome, Reply};
use hectare_workload::{Churn, Commands, Dataset, Layout, LoadPlan};

use crate::setup::available_memory_bytes;
use crate::units;

/// How many commands are sent as reads before anything is measured, so that buffers on the way have
/// the size that loading needs.
const REHEARSED_COMMANDS: u64 = 8192;
/// How many keys are asked for, or removed, in one command.
const KEYS_AT_ONCE: usize = 1000;
/// How many commands tell how much memory all of them need.
const WEIGHED_COMMANDS: u64 = 1000;
/// The part of the free memory that commands may take; the data itself needs some too.
const MEMORY_SHARE: f64 = 0.6;

/// The commands of one cell, made.
#[derive(Debug)]
pub(crate) struct Load {
    plan: LoadPlan,
    commands: Vec<Commands>,
    logical_bytes: u64,
    payload_bytes: u64,
}

impl Load {
    /// Makes the commands, on rayon's threads.
    pub(crate) fn make(plan: LoadPlan) -> Result<Self, LoadError> {
        let needed_bytes = commands_bytes(&plan);
        if let Some(available_bytes) = available_memory_bytes()
            && needed_bytes > available_bytes as f64 * MEMORY_SHARE
        {
            let objects = plan.dataset().objects();
            return Err(LoadError::Memory { objects, needed_bytes, available_bytes });
        }
        let (logical_bytes, payload_bytes) = (plan.dataset().logical_bytes(), plan.payload_bytes());
        let commands = plan.all();
        Ok(Self { plan, commands, logical_bytes, payload_bytes })
    }

    /// What wears the data, see [`Churn`].
    pub(crate) fn churn(&self) -> Churn {
        Churn::new(&self.plan)
    }

    pub(crate) fn dataset(&self) -> &Dataset {
        self.plan.dataset()
    }

    pub(crate) fn logical_bytes(&self) -> u64 {
        self.logical_bytes
    }

    pub(crate) fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    pub(crate) fn command_count(&self) -> u64 {
        self.plan.command_count()
    }

    pub(crate) fn key_count(&self) -> u64 {
        self.plan.key_count()
    }

    /// What the data takes on a server at most: room for the bytes twice (allocators round up), and
    /// 120 bytes of bookkeeping for each key and each field that is an entry of a hash table.
    pub(crate) fn server_bytes_max(&self) -> u64 {
        let entries = match self.plan.layout() {
            Layout::Flat | Layout::Json => self.key_count(),
            Layout::Hash | Layout::Bucketed { .. } => self.key_count() + self.dataset().fields(),
        };
        2 * self.logical_bytes + 120 * entries
    }

    /// Sends the first commands as reads of fields that do not exist, and asks for keys as
    /// [`Load::count_keys`] will: buffers grow to their working size, and no data is written.
    pub(crate) fn rehearse(
        &self,
        connection: &mut Connection,
        churn: Option<&mut Churn>,
    ) -> Result<(), LoadError> {
        let mut writes = Commands::new();
        self.plan.append(0..REHEARSED_COMMANDS, &mut writes);
        send_as_reads(connection, &writes)?;
        if let Some(churn) = churn {
            churn.rehearse(REHEARSED_COMMANDS, |writes| send_as_reads(connection, writes))?;
        }
        sum_over(connection, b"EXISTS", self.keys().take(KEYS_AT_ONCE))?;
        Ok(())
    }

    /// Sends every command and takes every answer; the time is that from the first to the last.
    ///
    /// `between` is called before each few MiB of commands, and ends the load with its error.
    pub(crate) fn send<E: From<LoadError>>(
        &self,
        connection: &mut Connection,
        between: &dyn Fn() -> Result<(), E>,
    ) -> Result<Duration, E> {
        let mut outcome = Outcome::default();
        let started = Instant::now();
        for chunk in &self.commands {
            between()?;
            outcome.merge(connection.run(chunk, 0..chunk.len()).map_err(LoadError::Connection)?);
        }
        let elapsed = started.elapsed();
        check_outcome(outcome)?;
        Ok(elapsed)
    }

    /// How many of the keys exist. Each is looked up, which also makes servers that move their
    /// table of keys step by step finish doing so.
    pub(crate) fn count_keys(&self, connection: &mut Connection) -> Result<u64, LoadError> {
        sum_over(connection, b"EXISTS", self.keys())
    }

    /// Removes the keys and says how many they were.
    pub(crate) fn remove_keys(&self, connection: &mut Connection) -> Result<u64, LoadError> {
        sum_over(connection, b"UNLINK", self.keys())
    }

    /// So many keys, spread evenly over all of them, with their places.
    pub(crate) fn sample(&self, count: u64) -> Vec<(u64, &[u8])> {
        let step = self.key_count().div_ceil(count).max(1);
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        (0..).zip(self.keys()).step_by(step).collect()
    }

    /// Sees that hashes have all their fields.
    pub(crate) fn check_lengths(
        &self,
        connection: &mut Connection,
        sample: &[(u64, &[u8])],
    ) -> Result<(), LoadError> {
        let (objects, fields) =
            (self.dataset().objects(), self.dataset().schema().fields_per_object());
        for &(place, key) in sample {
            let expected = match self.plan.layout() {
                Layout::Flat | Layout::Json => return Ok(()),
                Layout::Hash => fields as u64,
                Layout::Bucketed { size } => (objects - place * u64::from(size)).min(size.into()),
            };
            let reply = connection.call(&[b"HLEN", key]).map_err(LoadError::Connection)?;
            if reply != Reply::Integer(i64::try_from(expected).unwrap_or(i64::MAX)) {
                let key = key.escape_ascii().to_string();
                return Err(LoadError::Fields { key, expected, reply: format!("{reply:?}") });
            }
        }
        Ok(())
    }

    /// Every key once: whatever the layout and the pattern, all are named before one is named again,
    /// but for commands in a row that write the same bucket.
    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let count = usize::try_from(self.key_count()).unwrap_or(usize::MAX);
        let mut last = None;
        self.commands
            .iter()
            .flatten()
            .filter_map(|command| command.get(1))
            .filter(move |&key| last.replace(key) != Some(key))
            .take(count)
    }
}

/// Sends commands and takes every answer.
pub(crate) fn send(connection: &mut Connection, commands: &Commands) -> Result<(), LoadError> {
    check_outcome(connection.run(commands, 0..commands.len()).map_err(LoadError::Connection)?)
}

/// Sends writes as reads of fields that do not exist.
fn send_as_reads(connection: &mut Connection, writes: &Commands) -> Result<(), LoadError> {
    let mut reads = Commands::new();
    for write in writes {
        // Any string may name a field, so every write is a read with another name.
        reads.push([b"HMGET".as_slice()].into_iter().chain(write.iter().skip(1)));
    }
    // Refusals are of no interest: a key may exist, as another type, on a server in use.
    connection.run(&reads, 0..reads.len()).map_err(LoadError::Connection)?;
    Ok(())
}

fn check_outcome(outcome: Outcome) -> Result<(), LoadError> {
    let Outcome { replies, errors, first_error, .. } = outcome;
    match first_error {
        None => Ok(()),
        Some(first) => Err(LoadError::Refused { refused: errors, commands: replies, first }),
    }
}

/// What the commands will take, judged by some of them.
fn commands_bytes(plan: &LoadPlan) -> f64 {
    let count = plan.command_count();
    let step = (count / WEIGHED_COMMANDS).max(1);
    let mut weighed = Commands::new();
    let mut index = 0;
    while index < count {
        plan.append(index..index + 1, &mut weighed);
        index += step;
    }
    weighed.shrink_to_fit();
    weighed.allocated_bytes() as f64 * count as f64 / weighed.len().max(1) as f64
}

/// The sum of what a command that takes many keys answers.
fn sum_over<'a>(
    connection: &mut Connection,
    command: &'static [u8],
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<u64, LoadError> {
    let mut sum = 0;
    let mut arguments = vec![command];
    let mut keys = keys.peekable();
    while keys.peek().is_some() {
        arguments.truncate(1);
        arguments.extend(keys.by_ref().take(KEYS_AT_ONCE));
        match connection.call(&arguments).map_err(LoadError::Connection)? {
            Reply::Integer(number) => sum += u64::try_from(number).unwrap_or(0),
            other => {
                let command = command.escape_ascii().to_string();
                return Err(LoadError::Answer { command, reply: format!("{other:?}") });
            }
        }
    }
    Ok(sum)
}

/// Writes the commands of a load as a server reads them, for `redis-cli --pipe` and the like.
///
/// # Errors
/// What the sink answers.
pub fn write_resp(plan: &LoadPlan, sink: &mut impl std::io::Write) -> std::io::Result<()> {
    const LIVE_BYTES_MAX: usize = 64 << 20;
    let mut chunks = plan.chunks(LIVE_BYTES_MAX);
    while let Some(commands) = chunks.next_chunk() {
        for command in commands {
            write!(sink, "*{}\r\n", command.len())?;
            for argument in command {
                write!(sink, "${}\r\n", argument.len())?;
                sink.write_all(argument)?;
                sink.write_all(b"\r\n")?;
            }
        }
    }
    sink.flush()
}

/// Why data is not in its target.
#[derive(Debug)]
pub enum LoadError {
    /// The commands would not leave room for the data.
    Memory {
        /// How many objects were to be written.
        objects: u64,
        /// What the commands need.
        needed_bytes: f64,
        /// What the machine has left.
        available_bytes: u64,
    },
    /// The target is lost.
    Connection(ConnectionError),
    /// The target refused commands.
    Refused {
        /// How many.
        refused: u64,
        /// Of how many.
        commands: u64,
        /// The first refusal, in the target's words.
        first: String,
    },
    /// A key holds less or more fields than were written.
    Fields {
        /// The key, printable.
        key: String,
        /// How many fields were written.
        expected: u64,
        /// What came instead of that number.
        reply: String,
    },
    /// A command has another answer than a number.
    Answer {
        /// The command.
        command: String,
        /// What came.
        reply: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { objects, needed_bytes, available_bytes } => write!(
                formatter,
                "the commands for {} objects take {}, and this machine has {} left, part of which \
                 the data needs; give fewer --objects",
                units::count(*objects),
                units::bytes(*needed_bytes),
                units::bytes(*available_bytes as f64)
            ),
            Self::Connection(error) => error.fmt(formatter),
            Self::Refused { refused, commands, first } => {
                write!(
                    formatter,
                    "{} of {} commands were refused, the first with `{first}`",
                    units::count(*refused),
                    units::count(*commands)
                )?;
                match first.split(' ').next() {
                    Some("OOM") => formatter
                        .write_str("; raise the server's maxmemory or give fewer --objects"),
                    Some("READONLY") => {
                        formatter.write_str("; name the primary instead of a replica")
                    }
                    Some("NOPERM") => formatter.write_str("; name a user who may write"),
                    _ => formatter.write_str(", so the figures would be of other data"),
                }
            }
            Self::Fields { key, expected, reply } => write!(
                formatter,
                "{key} should hold {expected} fields and HLEN answers {reply}; does another client \
                 write to this server?"
            ),
            Self::Answer { command, reply } => {
                write!(formatter, "{command} should be answered with a number, not {reply}")
            }
        }
    }
}

impl std::error::Error for LoadError {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hectare_workload::{Schema, WritePattern};

    use super::*;

    fn plans() -> Vec<LoadPlan> {
        let layouts = [
            ("counter", Layout::Flat),
            ("counter", Layout::Hash),
            ("counter", Layout::Json),
            ("bucketed", Layout::Flat),
            ("bucketed", Layout::Bucketed { size: 7 }),
            ("giant", Layout::Bucketed { size: 1_800_000 }),
        ];
        let plan = |preset: &str, layout, pattern| {
            let schema = Schema::preset(preset).expect("a preset");
            let dataset = Dataset::new(schema).with_objects(1003).expect("a thousand objects");
            LoadPlan::new(&dataset, layout, pattern).expect("a layout of the preset")
        };
        layouts
            .into_iter()
            .flat_map(|(preset, layout)| {
                [WritePattern::Bulk, WritePattern::Grown]
                    .map(|pattern| plan(preset, layout, pattern))
            })
            .collect()
    }

    #[test]
    fn every_key_is_asked_for_once_in_every_layout_and_pattern() {
        for plan in plans() {
            let load = Load::make(plan).unwrap();
            let keys: Vec<&[u8]> = load.keys().collect();
            let written: HashSet<&[u8]> =
                load.commands.iter().flatten().map(|command| command.get(1).unwrap()).collect();
            assert_eq!(keys.len() as u64, load.key_count());
            assert_eq!(keys.into_iter().collect::<HashSet<_>>(), written);
        }
    }

    #[test]
    fn a_sample_is_spread_over_all_keys_and_never_larger_than_asked() {
        let load = Load::make(plans().remove(0)).unwrap();
        let keys: Vec<&[u8]> = load.keys().collect();
        for count in [1, 3, 200, 5000] {
            let sample = load.sample(count);
            assert!(!sample.is_empty() && sample.len() as u64 <= count);
            assert_eq!(sample[0], (0, keys[0]));
        }
        let (place, last) = load.sample(200).pop().unwrap();
        let place = usize::try_from(place).unwrap();
        assert_eq!(keys[place], last);
        assert!(place > keys.len() * 9 / 10, "{place} of {}", keys.len());
    }

    #[test]
    fn the_memory_for_commands_is_judged_within_a_tenth() {
        for plan in plans() {
            let judged = commands_bytes(&plan);
            let made: usize = plan.all().iter().map(Commands::allocated_bytes).sum();
            assert!((judged / made as f64 - 1.0).abs() < 0.1, "{judged} for {made}");
        }
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    fn more_commands_than_memory_are_refused_before_they_are_made() {
        let dataset = Dataset::new(Schema::preset("user").unwrap()).with_objects(1 << 36).unwrap();
        let plan = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Grown).unwrap();
        let message = Load::make(plan).unwrap_err().to_string();
        assert!(message.contains("68,719,476,736 objects"), "{message}");
        assert!(message.ends_with("give fewer --objects"), "{message}");
    }

    #[test]
    fn a_load_is_written_as_servers_read_it() {
        for plan in plans() {
            let mut written = Vec::new();
            write_resp(&plan, &mut written).unwrap();
            let mut expected = Vec::new();
            for command in plan.all().iter().flatten() {
                expected.extend(format!("*{}\r\n", command.len()).bytes());
                for argument in command {
                    expected.extend(format!("${}\r\n", argument.len()).bytes());
                    expected.extend(argument);
                    expected.extend(b"\r\n");
                }
            }
            assert_eq!(written, expected);
        }
    }
}
