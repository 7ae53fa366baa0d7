//! Who takes part, and how does each run a command?

use hashbrown::HashMap;
use hectare_engine::{Client, Native, ReplyBuffer, Wire};
use hectare_store::{Args, Command, Config, GROUP, KeyHasher, Request, Span, Store};
use hectare_workload::Commands;
use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync::{Mutex, RwLock};

/// One that holds the data.
pub(crate) trait Contender: Sync {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Whether one thread alone may use it.
    fn is_single(&self) -> bool {
        false
    }

    /// Runs so many commands from `first` on, going round.
    fn run(&self, commands: &Commands, first: usize, count: usize);
}

/// How many commands a pipeline has.
const PIPELINE: usize = 64;

/// The engine, by pipelines.
pub(crate) struct Pipelines(Client);

impl Pipelines {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Contender for Pipelines {
    fn name(&self) -> &'static str {
        "hectare, pipelines of 64"
    }

    fn run(&self, commands: &Commands, first: usize, count: usize) {
        let mut pipeline = self.0.pipeline();
        let mut index = first % commands.len();
        let mut left = count;
        while left > 0 {
            let now = left.min(PIPELINE);
            for _ in 0..now {
                let command = commands.get(index).expect("within its length");
                pipeline.command(command.iter()).expect("a workload sends good commands");
                index = if index + 1 == commands.len() { 0 } else { index + 1 };
            }
            let replies = pipeline.run().expect("the engine runs");
            assert_eq!(replies.errors(), 0);
            black_box(&replies);
            left -= now;
        }
    }
}

/// The engine, by one synchronous call at a time.
pub(crate) struct Calls(Client);

impl Calls {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Contender for Calls {
    fn name(&self) -> &'static str {
        "hectare, calls"
    }

    fn run(&self, commands: &Commands, first: usize, count: usize) {
        each(commands, first, count, |command| {
            if &command[0] == b"HSET" {
                let pairs =
                    (2..command.len()).step_by(2).map(|at| (&command[at], &command[at + 1]));
                black_box(self.0.hset(&command[1], pairs).expect("the engine runs"));
            } else {
                black_box(self.0.hget(&command[1], &command[2]).expect("the engine runs"));
            }
        });
    }
}

fn each(
    commands: &Commands,
    first: usize,
    count: usize,
    mut run: impl FnMut(hectare_workload::Command<'_>),
) {
    let mut index = first % commands.len();
    for _ in 0..count {
        run(commands.get(index).expect("within its length"));
        index = if index + 1 == commands.len() { 0 } else { index + 1 };
    }
}

/// One store without an engine, by groups; requests are made as a batch makes them.
pub(crate) struct Bare {
    hasher: KeyHasher,
    store: UnsafeCell<Store>,
}

// SAFETY: `is_single` says that one thread at a time runs it, and the bench keeps to that.
unsafe impl Sync for Bare {}

impl Bare {
    pub(crate) fn new() -> Self {
        let hasher = KeyHasher::with_seed(1);
        Self { store: UnsafeCell::new(Store::new(Config::new(hasher.clone(), 1))), hasher }
    }
}

impl Contender for Bare {
    fn name(&self) -> &'static str {
        "bare store, groups"
    }

    fn is_single(&self) -> bool {
        true
    }

    fn run(&self, commands: &Commands, first: usize, count: usize) {
        // SAFETY: see `Sync`: we are the only thread here.
        let store = unsafe { &mut *self.store.get() };
        let mut replies = ReplyBuffer::default();
        let (mut bytes, mut spans) = (Vec::<u8>::new(), Vec::<Span>::new());
        let mut headers = Vec::new();
        let mut index = first % commands.len();
        let mut left = count;
        while left > 0 {
            let now = left.min(GROUP);
            bytes.clear();
            spans.clear();
            headers.clear();
            for _ in 0..now {
                let command = commands.get(index).expect("within its length");
                index = if index + 1 == commands.len() { 0 } else { index + 1 };
                let (row, _) = Command::find(&command[0], None).expect("there is such a command");
                let start = spans.len();
                for argument in command.iter().skip(1) {
                    let from = offset(bytes.len());
                    bytes.extend_from_slice(argument);
                    spans.push(Span { start: from, end: offset(bytes.len()) });
                }
                headers.push((row, self.hasher.hash(&command[1]), start, spans.len()));
            }
            let request = |&(command, hash, start, end): &(&'static Command, u64, usize, usize)| {
                Request { command, database: 0, hash, args: Args::new(&bytes, &spans[start..end]) }
            };
            let mut group = [request(&headers[0]); GROUP];
            for (place, header) in group.iter_mut().zip(&headers) {
                *place = request(header);
            }
            replies.clear();
            Native.lend(&mut replies, &mut |sink| store.run_group(&group[..now], sink));
            black_box(&replies);
            left -= now;
        }
    }
}

fn offset(length: usize) -> u32 {
    u32::try_from(length).expect("a group is short")
}

/// What a Rust programmer would write first: key → fields with their values, in any concurrent map.
type Fields = Vec<(Box<[u8]>, Vec<u8>)>;
type Key = Box<[u8]>;
type Hasher = ahash::RandomState;

/// A map that threads share.
trait Map: Sync {
    const NAME: &'static str;
    fn new() -> Self;
    /// Changes the fields of a key, which are made if there are none.
    fn edit(&self, key: &[u8], edit: impl FnOnce(&mut Fields));
    /// Reads the fields of a key.
    fn read(&self, key: &[u8], read: impl FnOnce(&Fields));
}

/// A rival.
struct Rival<M>(M);

/// All of them.
pub(crate) fn rivals() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Rival(Dash::new())),
        Box::new(Rival(Papaya::new())),
        Box::new(Rival(Scc::new())),
        Box::new(Rival(Locks::new())),
    ]
}

impl<M: Map> Contender for Rival<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn run(&self, commands: &Commands, first: usize, count: usize) {
        let mut answer = Vec::new();
        each(commands, first, count, |command| {
            let key = &command[1];
            if &command[0] == b"HSET" {
                self.0.edit(key, |fields| {
                    for at in (2..command.len()).step_by(2) {
                        set(fields, &command[at], &command[at + 1]);
                    }
                });
            } else {
                self.0.read(key, |fields| {
                    answer.clear();
                    let found = fields.iter().find(|(name, _)| **name == command[2]);
                    answer.extend_from_slice(found.map_or(b"", |(_, value)| value));
                });
                black_box(&answer);
            }
        });
    }
}

fn set(fields: &mut Fields, name: &[u8], value: &[u8]) {
    match fields.iter_mut().find(|(field, _)| **field == *name) {
        Some((_, old)) => {
            old.clear();
            old.extend_from_slice(value);
        }
        None => fields.push((name.into(), value.into())),
    }
}

struct Dash(dashmap::DashMap<Key, Fields, Hasher>);

impl Map for Dash {
    const NAME: &'static str = "dashmap";

    fn new() -> Self {
        Self(dashmap::DashMap::with_hasher(Hasher::with_seed(1)))
    }

    fn edit(&self, key: &[u8], edit: impl FnOnce(&mut Fields)) {
        match self.0.get_mut(key) {
            Some(mut fields) => edit(&mut fields),
            None => edit(&mut self.0.entry(key.into()).or_default()),
        }
    }

    fn read(&self, key: &[u8], read: impl FnOnce(&Fields)) {
        if let Some(fields) = self.0.get(key) {
            read(&fields);
        }
    }
}

struct Papaya(papaya::HashMap<Key, Mutex<Fields>, Hasher>);

impl Map for Papaya {
    const NAME: &'static str = "papaya + mutex";

    fn new() -> Self {
        // With its incremental resizing every access goes on helping with the last growth.
        let builder = papaya::HashMap::builder().hasher(Hasher::with_seed(1));
        Self(builder.resize_mode(papaya::ResizeMode::Blocking).build())
    }

    fn edit(&self, key: &[u8], edit: impl FnOnce(&mut Fields)) {
        let map = self.0.pin();
        let fields = match map.get(key) {
            Some(fields) => fields,
            None => map.get_or_insert_with(key.into(), Mutex::default),
        };
        edit(&mut fields.lock().expect("nobody panics"));
    }

    fn read(&self, key: &[u8], read: impl FnOnce(&Fields)) {
        if let Some(fields) = self.0.pin().get(key) {
            read(&fields.lock().expect("nobody panics"));
        }
    }
}

struct Scc(scc::HashMap<Key, Fields, Hasher>);

impl Map for Scc {
    const NAME: &'static str = "scc";

    fn new() -> Self {
        Self(scc::HashMap::with_hasher(Hasher::with_seed(1)))
    }

    fn edit(&self, key: &[u8], edit: impl FnOnce(&mut Fields)) {
        let mut edit = Some(edit);
        let done = self.0.update_sync(key, |_, fields| {
            if let Some(edit) = edit.take() {
                edit(fields);
            }
        });
        if let (None, Some(edit)) = (done, edit) {
            edit(self.0.entry_sync(key.into()).or_default().get_mut());
        }
    }

    fn read(&self, key: &[u8], read: impl FnOnce(&Fields)) {
        self.0.read_sync(key, |_, fields| read(fields));
    }
}

/// 64 maps, each behind a lock of its own.
struct Locks {
    hasher: Hasher,
    maps: Vec<crossbeam::utils::CachePadded<RwLock<HashMap<Key, Fields, Hasher>>>>,
}

impl Locks {
    fn map(&self, key: &[u8]) -> &RwLock<HashMap<Key, Fields, Hasher>> {
        // The top seven bits and the low ones are the map's own.
        &self.maps[(self.hasher.hash_one(key) >> 32) as usize % self.maps.len()]
    }
}

impl Map for Locks {
    const NAME: &'static str = "64 × RwLock<hashbrown>";

    fn new() -> Self {
        let hasher = Hasher::with_seed(1);
        let map = || RwLock::new(HashMap::with_hasher(hasher.clone())).into();
        Self { maps: (0..64).map(|_| map()).collect(), hasher }
    }

    fn edit(&self, key: &[u8], edit: impl FnOnce(&mut Fields)) {
        let mut map = self.map(key).write().expect("nobody panics");
        match map.get_mut(key) {
            Some(fields) => edit(fields),
            None => edit(map.entry(key.into()).or_default()),
        }
    }

    fn read(&self, key: &[u8], read: impl FnOnce(&Fields)) {
        if let Some(fields) = self.map(key).read().expect("nobody panics").get(key) {
            read(fields);
        }
    }
}
