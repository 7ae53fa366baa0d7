//! What comes of sending the commands of one seed to both sides?

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::thread;
use std::time::Instant;

use hectare_engine::Dialect;
use hectare_resp::Protocol;
use hectare_target::Target;

use crate::SEEDS_VARIABLE;
use crate::comparison::Comparison;
use crate::grammar::{self, Grammar};
use crate::line::{Form, Line};
use crate::sides::{Hectare, LISTPACK_LIMITS, Served, Side};
use crate::split::{integer, string};
use crate::state;
use crate::words::{Command, KEYS, Words};

/// How many commands are sent together.
const BATCH_COMMANDS: usize = 500;

/// After how many batches everything that both sides hold is compared.
const BATCHES_PER_STATE: usize = 8;

/// How many commands that touched the same keys are shown where replies differ, and among how many
/// they are looked for.
const SHOWN_COMMANDS: usize = 20;
const REMEMBERED_COMMANDS: usize = 5_000;

/// Random commands that follow from a seed, and who is asked them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    /// Which server says what is right.
    pub(crate) dialect: Dialect,
    pub(crate) way: Way,
    pub(crate) seed: u64,
    pub(crate) commands: usize,
    pub(crate) protocol: Protocol,
    pub(crate) shards: usize,
    /// The databases that the commands are for, now this one and now that.
    pub(crate) databases: [u8; 2],
}

/// How commands come to Hectare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By calls of the engine.
    Calls,
    /// Over a socket, to its server; with commands that only a server has.
    Socket,
}

/// What the commands of trials have reached.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) commands: usize,
    /// How many of them were answered alike to the byte.
    pub(crate) same_bytes: usize,
    pub(crate) rows: BTreeMap<&'static str, Tally>,
    /// What `OBJECT ENCODING` has answered.
    pub(crate) encodings: BTreeSet<String>,
    /// The most fields that a hash had.
    pub(crate) fields_max: i64,
}

/// How many commands of a row were answered, and how many were refused with an error.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: usize,
    pub(crate) refused: usize,
}

impl Trial {
    /// Sends the commands, and panics where replies differ that should not.
    pub(crate) fn run(self, server: &Target, coverage: &mut Coverage) {
        let Self { dialect, way, shards, protocol, .. } = self;
        let (form, hectare): (Form, Box<dyn Side>) = match way {
            Way::Calls => (Form::Plain, Box::new(Hectare::start(dialect, shards, protocol))),
            Way::Socket => {
                let form = Form::Mixed;
                (form, Box::new(Served::start(dialect, shards, protocol, form)))
            }
        };
        let endpoint = server.endpoint().expect("a server has an address");
        let mut run = Run {
            trial: self,
            redis: Line::connect(&endpoint, protocol, form),
            hectare,
            comparison: Comparison::new(),
            remembered: VecDeque::new(),
            coverage,
        };
        let mut grammar = Grammar::with_seed(self.seed, way);
        let mut sent = 0;
        for batch in 1.. {
            let mut commands = Vec::with_capacity(BATCH_COMMANDS + 2);
            while commands.len() < BATCH_COMMANDS {
                grammar.add(&mut commands);
            }
            run.select(self.databases[grammar.words().dice.index(2)]);
            run.limit_listpacks(grammar.words());
            run.compare(&commands);
            sent += commands.len();
            let is_last = sent >= self.commands;
            if is_last || batch % BATCHES_PER_STATE == 0 {
                run.compare_state(grammar.words());
            }
            if is_last {
                return;
            }
        }
    }
}

/// A trial under way.
struct Run<'a> {
    trial: Trial,
    redis: Line,
    hectare: Box<dyn Side>,
    comparison: Comparison,
    remembered: VecDeque<(Command, Vec<u8>)>,
    coverage: &'a mut Coverage,
}

impl Run<'_> {
    fn select(&mut self, database: u8) {
        self.redis.select(database);
        self.hectare.select(database);
        self.remember(vec![b"SELECT".to_vec(), vec![b'0' + database]], b"+OK\r\n".to_vec());
    }

    /// Now and then, listpacks may be longer or shorter from now on.
    fn limit_listpacks(&mut self, words: &mut Words) {
        let (entries, value_bytes) = match words.dice.below(20) {
            0..3 => LISTPACK_LIMITS,
            3..5 => {
                let entries = words.dice.pick(&[&0_usize, &1, &3, &8, &100, &1000]);
                (*entries, *words.dice.pick(&[&0_usize, &1, &4, &20, &64, &600]))
            }
            _ => return,
        };
        self.redis.limit_listpacks(entries, value_bytes);
        self.hectare.limit_listpacks(entries, value_bytes);
        let change = format!("CONFIG SET hash-max-listpack-… {entries} {value_bytes}");
        self.remember(vec![b"SELECT".to_vec(), change.into_bytes()], b"+OK\r\n".to_vec());
    }

    fn compare_state(&mut self, words: &mut Words) {
        for database in self.trial.databases {
            self.select(database);
            self.compare(&state::questions());
            state::walks(words).iter().for_each(|walk| self.compare_walk(walk));
        }
    }

    fn compare(&mut self, commands: &[Command]) {
        let started = Instant::now();
        let (redis, hectare) = thread::scope(|scope| {
            let redis = scope.spawn(|| self.redis.ask(commands));
            let hectare = self.hectare.ask(commands);
            (redis.join().expect("the server answers"), hectare)
        });
        self.comparison.took(started.elapsed());
        for ((command, redis), hectare) in commands.iter().zip(redis).zip(hectare) {
            let name = grammar::name(command);
            let verdict = self.comparison.compare(name, command, &redis, &hectare);
            if let Err(why) = verdict {
                panic!("{}", self.report(why, command, &redis, &hectare));
            }
            self.coverage.note(name, &redis);
            self.coverage.same_bytes += usize::from(redis == hectare);
            self.remember(command.clone(), redis);
        }
    }

    fn remember(&mut self, command: Command, reply: Vec<u8>) {
        self.remembered.push_back((command, reply));
        if self.remembered.len() > REMEMBERED_COMMANDS {
            self.remembered.pop_front();
        }
    }

    fn compare_walk(&mut self, walk: &Command) {
        let redis = state::walk(&mut self.redis, walk);
        let hectare = state::walk(&mut *self.hectare, walk);
        if redis != hectare {
            let why = "the whole scan should show the same";
            panic!("{}", self.report(why, walk, &show(&redis), &show(&hectare)));
        }
    }

    /// What a person needs to find out why.
    fn report(&self, why: &str, command: &Command, redis: &[u8], hectare: &[u8]) -> String {
        let Trial { dialect, way, seed, protocol, shards, .. } = self.trial;
        let keys: Vec<&Vec<u8>> =
            command[1..].iter().filter(|word| KEYS.contains(&word.as_slice())).collect();
        let touches = |(past, _): &&(Command, Vec<u8>)| {
            let is_about_key = past.iter().skip(1).any(|word| keys.contains(&word));
            keys.is_empty() || is_about_key || is_about_all_keys(past)
        };
        let mut report = format!(
            "{why}\n\n{dialect:?}, {way:?}, seed {seed}, {protocol:?}, shards: {shards} (again with \
             {SEEDS_VARIABLE}={seed}..{})\ncommand  {}\nserver   {}\nHectare  {}\n\n\
             before it, on the same keys:\n",
            seed + 1,
            spell(command),
            quote(redis),
            quote(hectare)
        );
        let past: Vec<_> =
            self.remembered.iter().rev().filter(touches).take(SHOWN_COMMANDS).collect();
        for (command, reply) in past.into_iter().rev() {
            let _ = writeln!(report, "  {} -> {}", spell(command), quote(reply));
        }
        report
    }
}

impl Coverage {
    fn note(&mut self, row: &'static str, reply: &[u8]) {
        self.commands += 1;
        let tally = self.rows.entry(row).or_default();
        if reply.starts_with(b"-") {
            tally.refused += 1;
        } else {
            tally.answered += 1;
        }
        if row == "hlen" {
            self.fields_max = self.fields_max.max(integer(reply).unwrap_or(0));
        }
        if let Some(encoding) = string(reply).filter(|_| row == "object|encoding") {
            self.encodings.insert(String::from_utf8_lossy(encoding).into_owned());
        }
    }
}

/// Whether a command says which database is meant, or removes every key of it.
fn is_about_all_keys(command: &Command) -> bool {
    let is = |name: &&str| command[0].eq_ignore_ascii_case(name.as_bytes());
    ["select", "swapdb", "reset", "config", "flushdb", "flushall"].iter().any(is)
}

/// What a walk has found, or why it found nothing.
fn show(found: &state::Found) -> Vec<u8> {
    match found {
        Ok(found) => {
            let entries = found.iter().map(|(name, value)| spell(&[name.clone(), value.clone()]));
            entries.collect::<Vec<_>>().join("; ").into_bytes()
        }
        Err(error) => error.clone(),
    }
}

/// A command as one would type it.
fn spell(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| format!("\"{}\"", quote(word))).collect::<Vec<_>>().join(" ")
}

/// Bytes as they may be printed, and no more of them than a person reads.
fn quote(bytes: &[u8]) -> String {
    const QUOTED_BYTES: usize = 600;
    match bytes.get(..QUOTED_BYTES) {
        Some(beginning) => format!("{}... ({} bytes)", beginning.escape_ascii(), bytes.len()),
        None => bytes.escape_ascii().to_string(),
    }
}
