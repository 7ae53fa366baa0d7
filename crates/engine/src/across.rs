//! How does a command run whose keys are on several shards and belong together?
//!
//! `RENAME`, `RENAMENX`, `COPY` and `MSETNX` read one shard and write another, so they have no parts
//! that could be merged. They run while all their shards are held, by commands of each: what the
//! source holds is read by `HGETALL` or `GET`, and written to the destination by `HSET` or `SET`.

use crate::client::Client;
use crate::core::{Alive, Lost};
use crate::native::Reply;
use crate::row::row;
use crate::several::Several;
use crate::wire::{ReplyBuffer, Wire};
use hectare_store::{Args, Command, CommandError, DATABASES, Keys, Request, Span, Spread};

/// Such a command, and what has to be done before it in each of its shards.
#[derive(Debug)]
pub(crate) struct Across {
    command: &'static Command,
    database: u8,
    args: Vec<Vec<u8>>,
    /// A shard, and how many commands of its batch come before this one.
    pub(crate) after: Vec<(usize, usize)>,
}

/// The keys that a command needs at one moment; none if it can be split or has only one.
pub(crate) fn keys_together<'s, 'a>(
    command: &'static Command,
    args: &'s [&'a [u8]],
) -> impl Iterator<Item = &'a [u8]> + use<'s, 'a> {
    let is_whole = command.spread == Spread::One;
    let (count, step) = match command.keys {
        // The keys of COPY are its first two arguments.
        Keys::First if command.name == "copy" => (2, 1),
        Keys::All if is_whole => (args.len(), 1),
        Keys::EverySecond if is_whole && args.len().is_multiple_of(2) => (args.len(), 2),
        Keys::None | Keys::First | Keys::All | Keys::EverySecond => (0, 1),
    };
    args.iter().copied().take(count).step_by(step)
}

impl Across {
    pub(crate) fn new(
        command: &'static Command,
        database: u8,
        args: &[&[u8]],
        after: Vec<(usize, usize)>,
    ) -> Self {
        let args = args.iter().map(|arg| arg.to_vec()).collect();
        Self { command, database, args, after }
    }

    /// Runs it, after what comes before it has been run.
    pub(crate) fn run(
        &self,
        client: &Client,
        several: &mut Several<'_>,
        wire: &'static dyn Wire,
        replies: &mut ReplyBuffer,
    ) -> Result<(), Lost> {
        let answer = Act { across: self, client, several }.run()?;
        wire.lend(replies, &mut |sink| {
            match &answer {
                Answer::Ok => sink.status("OK"),
                Answer::Integer(integer) => sink.integer(*integer),
                Answer::Error(error) => sink.error(error),
            }
            sink.end();
        });
        Ok(())
    }
}

enum Answer {
    Ok,
    Integer(i64),
    Error(CommandError),
}

/// One that is running.
struct Act<'a, 'h> {
    across: &'a Across,
    client: &'a Client,
    several: &'a mut Several<'h>,
}

/// What a key holds, read by commands.
struct Contents {
    object: Object,
    deadline_ms: Option<u64>,
}

enum Object {
    String(Vec<u8>),
    /// Fields and values, alternating; and whether `OBJECT ENCODING` says `hashtable`.
    Hash(Vec<Vec<u8>>, bool),
}

/// What a single command answers, in a form that owns it.
enum Said {
    Nothing,
    Integer(i64),
    Bytes(Vec<u8>),
    List(Vec<Vec<u8>>),
    Error,
}

const NO_SUCH_KEY: &str = "ERR no such key";

/// So many arguments one `HSET` of a large hash has.
const HSET_ARGUMENTS: usize = 1024;

/// A value of so many bytes fits in no listpack.
const LONG_VALUE_BYTES: usize = 1024;

impl Act<'_, '_> {
    fn run(&mut self) -> Result<Answer, Lost> {
        match self.across.command.name {
            "rename" => self.rename(false),
            "renamenx" => self.rename(true),
            "copy" => self.copy(),
            "msetnx" => self.msetnx(),
            other => unreachable!("{other} takes its keys at one moment and is not known here"),
        }
    }

    fn rename(&mut self, only_if_free: bool) -> Result<Answer, Lost> {
        let [from, to] = [&self.across.args[0], &self.across.args[1]];
        let database = self.across.database;
        let Some(contents) = self.read(from)? else { return Ok(error(NO_SUCH_KEY)) };
        if only_if_free && self.is_there(database, to)? {
            return Ok(Answer::Integer(0));
        }
        self.put(database, to, &contents)?;
        self.ask(database, from, row!("del"), &[from])?;
        Ok(if only_if_free { Answer::Integer(1) } else { Answer::Ok })
    }

    fn copy(&mut self) -> Result<Answer, Lost> {
        let [from, to] = [&self.across.args[0], &self.across.args[1]];
        let options = CopyOptions::parse(&self.across.args[2..], self.across.database);
        let options = match options {
            Ok(options) => options,
            Err(error) => return Ok(Answer::Error(error)),
        };
        let (shard, _) = self.client.place(to);
        if self.several.with(shard, |core| core.alive().map(Alive::is_full))? {
            return Ok(Answer::Error(Alive::out_of_memory()));
        }
        let Some(contents) = self.read(from)? else { return Ok(Answer::Integer(0)) };
        if !options.replace && self.is_there(options.database, to)? {
            return Ok(Answer::Integer(0));
        }
        self.put(options.database, to, &contents)?;
        Ok(Answer::Integer(1))
    }

    fn msetnx(&mut self) -> Result<Answer, Lost> {
        let (args, database) = (&self.across.args, self.across.database);
        for key in args.iter().step_by(2) {
            let (shard, _) = self.client.place(key);
            if self.several.with(shard, |core| core.alive().map(Alive::is_full))? {
                return Ok(Answer::Error(Alive::out_of_memory()));
            }
            if self.is_there(database, key)? {
                return Ok(Answer::Integer(0));
            }
        }
        for pair in args.chunks_exact(2) {
            self.ask(database, &pair[0], row!("set"), &[&pair[0], &pair[1]])?;
        }
        Ok(Answer::Integer(1))
    }

    fn is_there(&mut self, database: u8, key: &[u8]) -> Result<bool, Lost> {
        Ok(matches!(self.ask(database, key, row!("exists"), &[key])?, Said::Integer(1)))
    }

    fn read(&mut self, key: &[u8]) -> Result<Option<Contents>, Lost> {
        let database = self.across.database;
        let said = self.ask(database, key, row!("pexpiretime"), &[key])?;
        let Said::Integer(deadline_ms @ -1..) = said else { return Ok(None) };
        let deadline_ms = u64::try_from(deadline_ms).ok();
        let object = match self.ask(database, key, row!("hgetall"), &[key])? {
            Said::List(pairs) => {
                let encoding = self.ask(database, key, row!("object|encoding"), &[key])?;
                let is_hashtable = matches!(encoding, Said::Bytes(name) if name == b"hashtable");
                Object::Hash(pairs, is_hashtable)
            }
            // A string.
            _ => match self.ask(database, key, row!("get"), &[key])? {
                Said::Bytes(bytes) => Object::String(bytes),
                _ => return Ok(None),
            },
        };
        Ok(Some(Contents { object, deadline_ms }))
    }

    /// Puts contents in the place of whatever the key held.
    fn put(&mut self, database: u8, key: &[u8], contents: &Contents) -> Result<(), Lost> {
        match &contents.object {
            Object::String(bytes) => {
                self.ask(database, key, row!("set"), &[key, bytes])?;
            }
            Object::Hash(pairs, is_hashtable) => {
                self.ask(database, key, row!("del"), &[key])?;
                if *is_hashtable {
                    // Once a value was too long for a listpack, it is none for good.
                    self.ask(database, key, row!("hset"), &[key, b"", &[0; LONG_VALUE_BYTES]])?;
                }
                for pairs in pairs.chunks(HSET_ARGUMENTS) {
                    let mut args: Vec<&[u8]> = vec![key];
                    args.extend(pairs.iter().map(Vec::as_slice));
                    self.ask(database, key, row!("hset"), &args)?;
                }
                if *is_hashtable && pairs.iter().step_by(2).all(|name| !name.is_empty()) {
                    self.ask(database, key, row!("hdel"), &[key, b""])?;
                }
                self.carry_field_deadlines();
            }
        }
        if let Some(deadline_ms) = contents.deadline_ms {
            let digits = deadline_ms.to_string();
            self.ask(database, key, row!("pexpireat"), &[key, digits.as_bytes()])?;
        }
        Ok(())
    }

    /// Fields have no deadlines yet. Once they do, this is where they come along: `HPEXPIRETIME` of
    /// the source's fields in [`read`](Self::read), `HPEXPIREAT` of each here.
    #[expect(clippy::unused_self, reason = "the place for what is to come")]
    fn carry_field_deadlines(&self) {}

    /// Runs one command in the shard of a key, whatever the memory limit says: what is moved was
    /// there before.
    fn ask(
        &mut self,
        database: u8,
        key: &[u8],
        command: &'static Command,
        args: &[&[u8]],
    ) -> Result<Said, Lost> {
        let (shard, hash) = self.client.place(key);
        let mut bytes = Vec::new();
        let spans: Vec<Span> = args
            .iter()
            .map(|arg| {
                let start = bytes.len();
                bytes.extend_from_slice(arg);
                [start, bytes.len()].map(|place| u32::try_from(place).unwrap_or(u32::MAX))
            })
            .map(|[start, end]| Span { start, end })
            .collect();
        let request = Request { command, database, hash, args: Args::new(&bytes, &spans) };
        self.several.with(shard, |core| core.run_regardless(&request, Said::of))
    }
}

impl Said {
    fn of(reply: Reply<'_>) -> Self {
        match reply {
            Reply::Status(_) | Reply::Null => Self::Nothing,
            Reply::Integer(integer) => Self::Integer(integer),
            Reply::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Reply::Error(_) => Self::Error,
            Reply::Array(elements) | Reply::Map(elements) => Self::List(
                elements
                    .filter_map(|element| match element {
                        Reply::Bytes(bytes) => Some(bytes.to_vec()),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }
}

struct CopyOptions {
    database: u8,
    replace: bool,
}

impl CopyOptions {
    fn parse(options: &[Vec<u8>], here: u8) -> Result<Self, CommandError> {
        let mut parsed = Self { database: here, replace: false };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            if option.eq_ignore_ascii_case(b"replace") {
                parsed.replace = true;
            } else if option.eq_ignore_ascii_case(b"db") {
                let text = options.next().ok_or(CommandError::Syntax)?;
                let text = std::str::from_utf8(text).unwrap_or_default();
                let number: i64 = text.parse().map_err(|_| CommandError::NotAnInteger)?;
                let known = u8::try_from(number).ok().filter(|n| usize::from(*n) < DATABASES);
                parsed.database = known.ok_or(CommandError::Other(OUT_OF_RANGE.into()))?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(parsed)
    }
}

const OUT_OF_RANGE: &str = "ERR DB index is out of range";

fn error(text: &'static str) -> Answer {
    Answer::Error(CommandError::Other(text.into()))
}
