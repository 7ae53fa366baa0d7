//! What did a store answer? A sink that records replies, and a store that is asked in words.

use hectare_store::{
    Args, Command, CommandError, Config, KeyHasher, Keys, ReplySink, Request, Span, Store, Value,
};

/// One reply, as a client of RESP2 sees it: maps and pairs are flat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    /// A status.
    Status(String),
    /// An error.
    Error(String),
    /// An integer.
    Integer(i64),
    /// A string.
    Bytes(Vec<u8>),
    /// No value, or no array.
    Null,
    /// An array.
    Array(Vec<Self>),
}

impl Reply {
    /// `OK`.
    pub(crate) fn ok() -> Self {
        Self::Status("OK".to_owned())
    }

    /// A string.
    pub(crate) fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    /// An array of strings.
    pub(crate) fn texts(texts: &[&str]) -> Self {
        Self::Array(texts.iter().copied().map(Self::text).collect())
    }

    /// The elements of an array.
    pub(crate) fn into_elements(self) -> Vec<Self> {
        match self {
            Self::Array(elements) => elements,
            other => panic!("{other:?} is no array"),
        }
    }

    /// The bytes of a string.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            other => panic!("{other:?} is no string"),
        }
    }
}

/// One call on a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A reply without elements.
    Whole(Reply),
    /// The head of an array of so many.
    Array(usize),
    /// The head of a map of so many pairs.
    Map(usize),
    /// The head of a list of so many pairs.
    Pairs(usize),
    /// The head of a pair.
    Pair,
    /// The end of a reply.
    End,
}

/// Records the calls.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// What was called.
    pub(crate) calls: Vec<Call>,
    /// It is full beyond so many.
    pub(crate) calls_max: usize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { calls: Vec::new(), calls_max: usize::MAX }
    }
}

impl ReplySink for Recorder {
    fn status(&mut self, text: &str) {
        self.calls.push(Call::Whole(Reply::Status(text.to_owned())));
    }

    fn error(&mut self, error: &CommandError) {
        self.calls.push(Call::Whole(Reply::Error(error.to_string())));
    }

    fn integer(&mut self, integer: i64) {
        self.calls.push(Call::Whole(Reply::Integer(integer)));
    }

    fn value(&mut self, value: Value<'_>) {
        let bytes = match value {
            Value::Bytes(bytes) => bytes.to_vec(),
            Value::Integer(integer) => integer.to_string().into_bytes(),
        };
        self.calls.push(Call::Whole(Reply::Bytes(bytes)));
    }

    fn null(&mut self) {
        self.calls.push(Call::Whole(Reply::Null));
    }

    fn null_array(&mut self) {
        self.calls.push(Call::Whole(Reply::Null));
    }

    fn array(&mut self, elements: usize) {
        self.calls.push(Call::Array(elements));
    }

    fn map(&mut self, pairs: usize) {
        self.calls.push(Call::Map(pairs));
    }

    fn pairs(&mut self, pairs: usize) {
        self.calls.push(Call::Pairs(pairs));
    }

    fn pair(&mut self) {
        self.calls.push(Call::Pair);
    }

    fn written(&self) -> usize {
        self.calls.len()
    }

    fn truncate(&mut self, written: usize) {
        self.calls.truncate(written);
    }

    fn is_full(&self) -> bool {
        self.calls.len() > self.calls_max
    }

    fn end(&mut self) {
        self.calls.push(Call::End);
    }
}

impl Recorder {
    /// The replies, each of which must be complete and followed by its end.
    pub(crate) fn replies(&self) -> Vec<Reply> {
        let mut calls = self.calls.iter();
        let mut replies = Vec::new();
        while !calls.as_slice().is_empty() {
            replies.push(read_reply(&mut calls));
            assert_eq!(calls.next(), Some(&Call::End), "after {:?}", replies.last());
        }
        replies
    }
}

fn read_reply<'a>(calls: &mut impl Iterator<Item = &'a Call>) -> Reply {
    let elements = match calls.next().expect("a reply") {
        Call::Whole(reply) => return reply.clone(),
        Call::Pair => return read_reply(calls),
        Call::Array(elements) => *elements,
        Call::Map(pairs) | Call::Pairs(pairs) => pairs * 2,
        Call::End => panic!("a reply ends before it is complete"),
    };
    Reply::Array((0..elements).map(|_| read_reply(calls)).collect())
}

/// A store that is asked in words.
#[derive(Debug)]
pub(crate) struct Shard {
    /// The store.
    pub(crate) store: Store,
    /// The database that requests name.
    pub(crate) database: u8,
    hasher: KeyHasher,
}

impl Default for Shard {
    fn default() -> Self {
        Self::with_config(|_| {})
    }
}

impl Shard {
    /// A store with another configuration than the default.
    pub(crate) fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        let hasher = KeyHasher::with_seed(7);
        let mut config = Config::new(hasher.clone(), 11);
        change(&mut config);
        Self { hasher: config.hasher.clone(), store: Store::new(config), database: 0 }
    }

    /// The one reply to a command.
    pub(crate) fn ask<T: AsRef<[u8]>>(&mut self, words: &[T]) -> Reply {
        let mut recorder = Recorder::default();
        self.ask_into(words, &mut recorder);
        let mut replies = recorder.replies();
        assert_eq!(replies.len(), 1, "one reply to one command");
        replies.remove(0)
    }

    /// The one reply to a command, written into `sink`.
    pub(crate) fn ask_into<T: AsRef<[u8]>>(&mut self, words: &[T], sink: &mut dyn ReplySink) {
        let (bytes, spans) = lay_out(words);
        match Command::resolve(Args::new(&bytes, &spans)) {
            Ok((command, args)) => {
                let key = if command.keys == Keys::None { None } else { args.get(0) };
                let hash = key.map_or(0, |key| self.hasher.hash(key));
                let database = self.database;
                self.store.run(&Request { command, database, hash, args }, sink);
            }
            Err(error) => {
                sink.error(&error);
                sink.end();
            }
        }
    }

    /// The reply to a command that is words with spaces between them.
    pub(crate) fn say(&mut self, line: &str) -> Reply {
        self.ask(&line.split(' ').collect::<Vec<_>>())
    }

    /// Whether nothing is held: no key, no field, no byte of a record.
    pub(crate) fn holds_nothing(&self) -> bool {
        let accounting = self.store.accounting();
        accounting.keys == 0
            && accounting.keys_with_deadline == 0
            && accounting.fields == 0
            && accounting.payload_bytes == 0
            && accounting.record_bytes == 0
    }

    /// The text of the error that a command fails with.
    pub(crate) fn fail(&mut self, line: &str) -> String {
        match self.say(line) {
            Reply::Error(text) => text,
            other => panic!("{line} answers {other:?}"),
        }
    }

    /// The integer that a command answers.
    pub(crate) fn count(&mut self, line: &str) -> i64 {
        match self.say(line) {
            Reply::Integer(integer) => integer,
            other => panic!("{line} answers {other:?}"),
        }
    }
}

/// The replies to commands that are run as one group; all must be such that there is a row for them.
pub(crate) fn ask_group(shard: &mut Shard, commands: &[Vec<Vec<u8>>]) -> Vec<Reply> {
    let database = shard.database;
    let commands = commands.iter().map(|words| (database, words.clone())).collect::<Vec<_>>();
    ask_group_in(shard, &commands)
}

/// The same, each in a database of its own.
pub(crate) fn ask_group_in(shard: &mut Shard, commands: &[(u8, Vec<Vec<u8>>)]) -> Vec<Reply> {
    let laid_out =
        commands.iter().map(|(database, words)| (*database, lay_out(words))).collect::<Vec<_>>();
    let requests = laid_out.iter().map(|(database, (bytes, spans))| {
        let (command, args) = Command::resolve(Args::new(bytes, spans)).expect("a row");
        let key = args.get(0).filter(|_| command.keys != Keys::None);
        let hash = key.map_or(0, |key| shard.hasher.hash(key));
        Request { command, database: *database, hash, args }
    });
    let requests = requests.collect::<Vec<_>>();
    let mut recorder = Recorder::default();
    shard.store.run_group(&requests, &mut recorder);
    recorder.replies()
}

/// Words one after another, and where each lies.
pub(crate) fn lay_out<T: AsRef<[u8]>>(words: &[T]) -> (Vec<u8>, Vec<Span>) {
    let mut bytes = Vec::with_capacity(words.iter().map(|word| word.as_ref().len()).sum());
    let spans = words.iter().map(|word| {
        let start = u32::try_from(bytes.len()).expect("a test's commands are short");
        bytes.extend_from_slice(word.as_ref());
        Span { start, end: u32::try_from(bytes.len()).expect("a test's commands are short") }
    });
    let spans = spans.collect();
    (bytes, spans)
}
