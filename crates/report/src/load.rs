//! How does a cell's data get to its target, and did it get there?
//!
//! All commands are made before anything is measured: their memory is written, so it is part of
//! the reading before as of the reading after, and a [`Load`] keeps them until both are taken. What
//! the embedded engine adds to this process between the readings is therefore the engine's alone.

use std::fmt;
use std::time::{Duration, Instant};

use hectare_target::{Connection, ConnectionError, Outcome, Reply};
use hectare_workload::{Commands, Dataset, Layout, LoadPlan};

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
        let logical_bytes = plan.dataset().logical_bytes();
        let commands = plan.all();
        Ok(Self { plan, commands, logical_bytes })
    }

    pub(crate) fn dataset(&self) -> &Dataset {
        self.plan.dataset()
    }

    pub(crate) fn logical_bytes(&self) -> u64 {
        self.logical_bytes
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
    pub(crate) fn rehearse(&self, connection: &mut Connection) -> Result<(), LoadError> {
        let mut reads = Commands::new();
        for index in 0..REHEARSED_COMMANDS.min(self.command_count()) {
            let mut command = Commands::new();
            self.plan.append(index..index + 1, &mut command);
            if let Some(command) = command.get(0) {
                // Any string may name a field, so every write is a read with another name.
                reads.push([b"HMGET".as_slice()].into_iter().chain(command.iter().skip(1)));
            }
        }
        // Refusals are of no interest: a key may exist, as another type, on a server in use.
        connection.run(&reads, 0..reads.len()).map_err(LoadError::Connection)?;
        let keys: Vec<&[u8]> = self.keys().take(KEYS_AT_ONCE).collect();
        sum_over(connection, b"EXISTS", keys.into_iter())?;
        Ok(())
    }

    /// Sends every command and takes every answer; the time is that from the first to the last.
    pub(crate) fn send(
        &self,
        connection: &mut Connection,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Duration, LoadError> {
        let mut outcome = Outcome::default();
        let started = Instant::now();
        for chunk in &self.commands {
            if should_stop() {
                return Err(LoadError::Stopped);
            }
            outcome.merge(connection.run(chunk, 0..chunk.len()).map_err(LoadError::Connection)?);
        }
        let elapsed = started.elapsed();
        match outcome.first_error {
            None => Ok(elapsed),
            Some(first) => Err(LoadError::Refused {
                refused: outcome.errors,
                commands: self.command_count(),
                first,
            }),
        }
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

    /// So many keys, spread evenly over all of them.
    pub(crate) fn sample(&self, count: u64) -> Vec<&[u8]> {
        let step = self.key_count().div_ceil(count).max(1);
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        self.keys().step_by(step).collect()
    }

    /// Sees that hashes have all their fields.
    pub(crate) fn check_lengths(
        &self,
        connection: &mut Connection,
        keys: &[&[u8]],
    ) -> Result<(), LoadError> {
        if self.plan.layout() != Layout::Hash {
            return Ok(());
        }
        let expected = self.dataset().schema().fields_per_object();
        for key in keys {
            let reply = connection.call(&[b"HLEN", key]).map_err(LoadError::Connection)?;
            if reply != Reply::Integer(i64::try_from(expected).unwrap_or(i64::MAX)) {
                let key = key.escape_ascii().to_string();
                return Err(LoadError::Fields { key, expected, reply: format!("{reply:?}") });
            }
        }
        Ok(())
    }

    /// Every key once: whatever the layout and the pattern, as many commands as there are keys name
    /// them all before the first is named again.
    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let count = usize::try_from(self.key_count()).unwrap_or(usize::MAX);
        self.commands.iter().flatten().filter_map(|command| command.get(1)).take(count)
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
        expected: usize,
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
    /// The run was to stop.
    Stopped,
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
            Self::Stopped => formatter.write_str("the run was stopped"),
        }
    }
}

impl std::error::Error for LoadError {}
