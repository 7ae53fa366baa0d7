//! How does a command run whose keys are on several shards and belong together?
//!
//! `RENAME`, `RENAMENX`, `COPY` and `MSETNX` read one shard and write another, so they have no parts
//! that could be merged. They run while all their shards are held, by commands of each, and by moving
//! the whole [`Contents`] of a key from store to store.

use crate::client::Client;
use crate::core::{Alive, Lost};
use crate::native::Reply;
use crate::row::row;
use crate::several::Several;
use crate::wire::{ReplyBuffer, Wire};
use hectare_store::{
    Args, Command, CommandError, Contents, CopyOptions, Keys, Request, Span, Spread,
};

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

const NO_SUCH_KEY: &str = "ERR no such key";

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
        if let Err(error) = self.put(database, to, &contents)? {
            return Ok(Answer::Error(error));
        }
        self.ask(database, from, row!("del"), &[from])?;
        Ok(if only_if_free { Answer::Integer(1) } else { Answer::Ok })
    }

    fn copy(&mut self) -> Result<Answer, Lost> {
        let [from, to] = [&self.across.args[0], &self.across.args[1]];
        let options = self.across.args[2..].iter().map(Vec::as_slice);
        let options = match CopyOptions::parse(options, usize::from(self.across.database)) {
            Ok(options) => options,
            Err(error) => return Ok(Answer::Error(error)),
        };
        let database = u8::try_from(options.database).expect("a database's number is small");
        let (shard, _) = self.client.place(to);
        if self.several.with(shard, |core| core.alive().map(Alive::is_full))? {
            return Ok(Answer::Error(Alive::out_of_memory()));
        }
        let Some(contents) = self.read(from)? else { return Ok(Answer::Integer(0)) };
        if !options.replace && self.is_there(database, to)? {
            return Ok(Answer::Integer(0));
        }
        Ok(match self.put(database, to, &contents)? {
            Ok(()) => Answer::Integer(1),
            Err(error) => Answer::Error(error),
        })
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
        Ok(self.ask(database, key, row!("exists"), &[key])? == Some(1))
    }

    fn read(&mut self, key: &[u8]) -> Result<Option<Contents>, Lost> {
        let (shard, _) = self.client.place(key);
        let database = self.across.database;
        self.several.with(shard, |core| core.contents(database, key))
    }

    /// Puts contents in the place of whatever the key held.
    fn put(
        &mut self,
        database: u8,
        key: &[u8],
        contents: &Contents,
    ) -> Result<Result<(), CommandError>, Lost> {
        let (shard, _) = self.client.place(key);
        self.several.with(shard, |core| core.put_contents(database, key, contents))
    }

    /// Runs one command in the shard of a key, whatever the memory limit says: what is moved was
    /// there before. Returns the integer that it answers, if it is one.
    fn ask(
        &mut self,
        database: u8,
        key: &[u8],
        command: &'static Command,
        args: &[&[u8]],
    ) -> Result<Option<i64>, Lost> {
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
        self.several.with(shard, |core| {
            core.run_regardless(&request, |reply| match reply {
                Reply::Integer(integer) => Some(integer),
                _ => None,
            })
        })
    }
}

fn error(text: &'static str) -> Answer {
    Answer::Error(CommandError::Other(text.into()))
}
