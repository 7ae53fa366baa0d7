//! Does a store answer like the model in every form that a hash can take, and on every way between?
//!
//! Many keys of few kinds, fields and values of all sizes, deadlines, several databases, groups and
//! background work in between. With the feature `tiny` a sequence passes every limit there is.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{self, Held, Model, extend, sort_pairs};
use crate::support::{Reply, Shard, ask_group_in};

pub(crate) type Words = Vec<Vec<u8>>;

/// Databases that a test uses.
pub(crate) const DATABASES: usize = 3;

/// So often the background work may say that there is more, when nothing else happens.
const TENDED_MAX: usize = 100_000;

#[derive(Clone)]
pub(crate) enum Step {
    /// Alone if it is one, in a group if they are more.
    Commands(Vec<(u8, Words)>),
    /// The same command on keys of one kind, by their numbers.
    Fill {
        kind: usize,
        numbers: std::ops::Range<u32>,
        words: Words,
    },
    /// Fields of one hash, one by one or all at once.
    Grow {
        key: Vec<u8>,
        fields: std::ops::Range<u32>,
        value: Vec<u8>,
        at_once: bool,
    },
    Shrink {
        key: Vec<u8>,
        fields: std::ops::Range<u32>,
    },
    Wait {
        ms: u64,
    },
    Expire {
        budget: usize,
    },
    Tend {
        times: usize,
    },
}

impl std::fmt::Debug for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commands(commands) => {
                for (database, words) in commands {
                    write!(formatter, "{database}> {}; ", spell(words))?;
                }
                Ok(())
            }
            Self::Fill { kind, numbers, words } => {
                write!(formatter, "of kind {kind} {numbers:?}: {}", spell(words))
            }
            Self::Grow { key, fields, value, at_once } => {
                let words = [key.clone(), value.clone()];
                write!(formatter, "grow by {fields:?}, at once {at_once}: {}", spell(&words))
            }
            Self::Shrink { key, fields } => {
                write!(formatter, "shrink by {fields:?}: {}", spell(std::slice::from_ref(key)))
            }
            Self::Wait { ms } => write!(formatter, "wait {ms} ms"),
            Self::Expire { budget } => write!(formatter, "expire {budget}"),
            Self::Tend { times } => write!(formatter, "tend {times} times"),
        }
    }
}

/// Words as a reader of a failed test wants them.
fn spell(words: &[Vec<u8>]) -> String {
    let words = words.iter().map(|word| match word.len() {
        0 => "''".to_owned(),
        1..80 => word.escape_ascii().to_string(),
        length => format!("{}… ({length} bytes)", word[..8].escape_ascii()),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A store, and the models of its databases.
pub(crate) struct World {
    shard: Shard,
    models: [Model; DATABASES],
    now_ms: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            shard: model::shard(),
            models: std::array::from_fn(|_| Model::default()),
            now_ms: 0,
        };
        world.wait(1_000);
        world
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.shard.store.set_now(self.now_ms);
        for model in &mut self.models {
            model.now_ms = self.now_ms;
        }
    }

    /// What the model answers, and whether that has an order.
    fn expect(&mut self, database: u8, words: &Words) -> (Reply, bool) {
        let model = &mut self.models[usize::from(database)];
        match words[0].as_slice() {
            b"FLUSHDB" => model.keys.clear(),
            b"FLUSHALL" => self.models.iter_mut().for_each(|model| model.keys.clear()),
            name => {
                let reply = model.run(words);
                let is_ordered = name != b"HGETALL" || model.is_ordered(&words[1]);
                return (reply, is_ordered);
            }
        }
        (Reply::ok(), true)
    }

    fn ask(&mut self, commands: &[(u8, Words)]) -> Result<(), TestCaseError> {
        let sent = commands.iter().map(|(database, words)| {
            let prefix = (words[0] == b"ENCODING").then(|| b"OBJECT".to_vec());
            (*database, prefix.into_iter().chain(words.iter().cloned()).collect())
        });
        let sent = sent.collect::<Vec<(u8, Words)>>();
        let replies = if let [(database, words)] = &sent[..] {
            self.shard.database = *database;
            vec![self.shard.ask(words)]
        } else {
            ask_group_in(&mut self.shard, &sent)
        };
        for (reply, (database, words)) in replies.into_iter().zip(commands) {
            let (expected, is_ordered) = self.expect(*database, words);
            let is_hash = matches!(reply, Reply::Array(_)) && matches!(expected, Reply::Array(_));
            if is_ordered || !is_hash {
                prop_assert_eq!(reply, expected, "{} {:?}", database, words);
            } else {
                prop_assert_eq!(sort_pairs(reply), sort_pairs(expected), "{:?}", words);
            }
        }
        Ok(())
    }

    pub(crate) fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Commands(commands) => self.ask(commands)?,
            Step::Fill { kind, numbers, words } => {
                let mut numbers = numbers.clone();
                loop {
                    let keys = numbers.by_ref().take(20).map(|number| key_of(*kind, number));
                    let commands = keys.map(|key| (0, with_key(words, &key))).collect::<Vec<_>>();
                    if commands.is_empty() {
                        break;
                    }
                    self.ask(&commands)?;
                }
            }
            Step::Grow { key, fields, value, at_once } => {
                let pairs = fields.clone().flat_map(|number| [field_of(number), value.clone()]);
                let pairs = pairs.collect::<Vec<_>>();
                let size = if *at_once { pairs.len() } else { 2 };
                for pairs in pairs.chunks(size) {
                    let words = vec![b"HSET".to_vec(), key.clone()];
                    self.ask(&[(0, extend((words, pairs.to_vec())))])?;
                }
            }
            Step::Shrink { key, fields } => {
                for number in fields.clone() {
                    let words = vec![b"HDEL".to_vec(), key.clone(), field_of(number)];
                    self.ask(&[(0, words)])?;
                }
            }
            Step::Wait { ms } => self.wait(*ms),
            Step::Expire { budget } => {
                prop_assert!(self.shard.store.expire_some(*budget) <= *budget);
            }
            Step::Tend { times } => {
                for _ in 0..*times {
                    self.shard.store.tend();
                }
            }
        }
        Ok(())
    }

    /// Everything that is there is shown, by every command that shows it, and nothing else.
    pub(crate) fn check_content(&mut self) -> Result<(), TestCaseError> {
        for database in 0..DATABASES {
            self.shard.database = u8::try_from(database).expect("they are few");
            self.models[database].drop_past();
            let model = &self.models[database];
            let keys = model.keys.keys().cloned().collect::<Vec<_>>();
            prop_assert_eq!(scan(&mut self.shard, &[b"SCAN"]), keys);
            for (key, (held, deadline)) in &model.keys {
                let rest = deadline.map_or(-1, |deadline| (deadline - self.now_ms).cast_signed());
                prop_assert_eq!(self.shard.ask(&[b"PTTL", &key[..]]), Reply::Integer(rest));
                match held {
                    Held::Text { text, .. } => {
                        let reply = self.shard.ask(&[b"GET", &key[..]]);
                        prop_assert_eq!(reply, Reply::Bytes(text.clone()));
                    }
                    Held::Fields { pairs, deadlines, .. } => {
                        check_hash(&mut self.shard, key, pairs, |name| {
                            deadlines.get(name).map_or(-1, |&at| (at - self.now_ms).cast_signed())
                        })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The books are right, once nothing is left that is past.
    pub(crate) fn check_books(&mut self) -> Result<(), TestCaseError> {
        self.models.iter_mut().for_each(Model::drop_past);
        self.shard.store.expire_some(usize::MAX);
        let accounting = self.shard.store.accounting();
        let models = self.models.iter();
        let held = || models.clone().flat_map(|model| model.keys.values());
        let with_deadline = held().filter(|(_, deadline)| deadline.is_some()).count();
        let fields = models.clone().map(Model::fields).sum::<usize>();
        let payload = models.clone().map(Model::payload_bytes).sum::<usize>();
        prop_assert_eq!(accounting.keys, held().count() as u64);
        prop_assert_eq!(accounting.keys_with_deadline, with_deadline as u64);
        prop_assert_eq!(accounting.fields, fields as u64);
        prop_assert_eq!(accounting.payload_bytes, payload as u64);
        prop_assert!(accounting.total_bytes() < 1 << 40, "{:?}", accounting);
        Ok(())
    }

    pub(crate) fn tend_all(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..TENDED_MAX {
            if !self.shard.store.tend() {
                return Ok(());
            }
        }
        Err(TestCaseError::fail("the background work does not end"))
    }

    /// With the last key goes everything.
    pub(crate) fn empty(&mut self) -> Result<(), TestCaseError> {
        for database in 0..DATABASES {
            self.shard.database = u8::try_from(database).expect("they are few");
            for key in std::mem::take(&mut self.models[database].keys).keys() {
                prop_assert_eq!(self.shard.ask(&[b"DEL", &key[..]]), Reply::Integer(1));
            }
        }
        self.tend_all()?;
        let accounting = self.shard.store.accounting();
        prop_assert!(self.shard.holds_nothing(), "{:?}", accounting);
        prop_assert_eq!(accounting.slack_bytes, 0);
        prop_assert!(accounting.index_bytes < 64 << 10, "{:?}", accounting);
        Ok(())
    }
}

fn check_hash(
    shard: &mut Shard,
    key: &[u8],
    pairs: &[model::Pair],
    rest_ms: impl Fn(&Vec<u8>) -> i64,
) -> Result<(), TestCaseError> {
    let flat = pairs.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
    let flat = sort_pairs(Reply::Array(flat.map(Reply::Bytes).collect()));
    prop_assert_eq!(sort_pairs(shard.ask(&[b"HGETALL", key])), flat);
    let mut names = pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let count = names.len().to_string().into_bytes();
    let words = [&b"HPTTL"[..], key, b"FIELDS", &count];
    let words = words.into_iter().chain(names.iter().map(|name| &name[..])).collect::<Vec<_>>();
    let rests = names.iter().map(|name| Reply::Integer(rest_ms(name))).collect();
    prop_assert_eq!(shard.ask(&words), Reply::Array(rests));
    for name in shard.ask(&[b"HRANDFIELD", key, b"-5"]).into_elements() {
        prop_assert!(names.contains(&name.into_bytes()));
    }
    names.sort();
    prop_assert_eq!(scan(shard, &[b"HSCAN", key, b"NOVALUES"]), names);
    Ok(())
}

/// All elements of a scan, in order, each once.
fn scan(shard: &mut Shard, words: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut cursor = b"0".to_vec();
    let mut all = Vec::new();
    let place = if words[0] == b"SCAN" { 1 } else { 2 };
    loop {
        let mut words = words.to_vec();
        words.insert(place, &cursor);
        let mut reply = shard.ask(&words).into_elements();
        let elements = reply.remove(1).into_elements();
        all.extend(elements.into_iter().map(Reply::into_bytes));
        cursor = reply.remove(0).into_bytes();
        if cursor == b"0" {
            break;
        }
    }
    all.sort();
    all.dedup();
    all
}

fn with_key(words: &Words, key: &[u8]) -> Words {
    let mut words = words.clone();
    if words.len() > 1 {
        words[1] = key.to_vec();
    }
    words
}

pub(crate) const KINDS: usize = 10;

/// Keys of some kinds: those that a template takes, in every way, and those that none does.
pub(crate) fn key_of(kind: usize, number: u32) -> Vec<u8> {
    let text = match kind % KINDS {
        0 => format!("user:{number}"),
        1 => format!("user:{number}:email"),
        2 => format!("obj:{number:08}"),
        3 => format!("{number}"),
        4 => format!("a{number}\0b"),
        5 => format!("a\0{number}b"),
        6 => format!("1:{number}:1"),
        7 => format!("{}:{number}", 18_446_744_073_709_551_000 + u128::from(number)),
        8 => "x".repeat(1 + number as usize % 70),
        _ => format!("{}{number}", "a long prefix of a key ".repeat(3)),
    };
    text.into_bytes()
}

pub(crate) fn field_of(number: u32) -> Vec<u8> {
    match number % 4 {
        0 => format!("f{}", number / 4),
        1 => format!("{number}"),
        2 => format!("name:{number}:of a field"),
        _ => format!("0{number}"),
    }
    .into_bytes()
}

fn wide_key() -> impl Strategy<Value = Vec<u8>> {
    let long = (1_usize..3).prop_map(|size| vec![b'k'; size * 40_000]);
    prop_oneof![
        40 => (0..KINDS, 0_u32..40).prop_map(|(kind, number)| key_of(kind, number)),
        1 => long,
    ]
}

/// Values of lengths around every limit.
fn sized_value() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        8 => 0_usize..70,
        4 => 70_usize..500,
        2 => 500_usize..5_000,
        1 => 65_000_usize..70_000,
    ];
    (length, any::<u8>()).prop_map(|(length, byte)| vec![byte; length])
}

fn wide_command() -> impl Strategy<Value = (u8, Words)> {
    let sized = || sized_value();
    let words = |name: &'static str| vec![name.as_bytes().to_vec(), Vec::new()];
    let command = prop_oneof![
        30 => model::command(),
        4 => sized().prop_map(move |value| extend((words("SET"), vec![value]))),
        4 => (model::field(), sized()).prop_map(move |(f, v)| extend((words("HSET"), vec![f, v]))),
        4 => (0_u32..40, sized()).prop_map(move |(f, v)| extend((words("HSET"), vec![field_of(f), v]))),
        2 => (0_u32..40).prop_map(move |f| extend((words("HDEL"), vec![field_of(f)]))),
        2 => sized().prop_map(move |value| extend((words("APPEND"), vec![value]))),
        4 => Just(words("DEL")),
        1 => prop::sample::select(vec!["FLUSHDB", "FLUSHDB", "FLUSHALL"])
            .prop_map(|name| vec![name.as_bytes().to_vec()]),
    ];
    let few = prop::sample::select(vec!["", "a", "b"]).prop_map(Vec::from);
    let key = prop_oneof![1 => few, 2 => wide_key()];
    let database = prop_oneof![6 => Just(0), 1 => Just(1), 1 => Just(2)];
    (database, command, key).prop_map(|(database, words, key)| (database, with_key(&words, &key)))
}

fn step() -> impl Strategy<Value = Step> {
    let fill = (0..KINDS, 0_u32..200, 1_u32..200, model::command());
    let drop = (0..KINDS, 0_u32..200, 1_u32..200);
    let grow = (wide_key(), 0_u32..60, 1_u32..60, model::value(), any::<bool>());
    let shrink = (wide_key(), 0_u32..60, 1_u32..60);
    let of_many =
        |words: &Words| matches!(&words[0][..], b"HSET" | b"SET" | b"HSETEX" | b"PEXPIRE");
    prop_oneof![
        30 => wide_command().prop_map(|command| Step::Commands(vec![command])),
        8 => vec(wide_command(), 2..32).prop_map(Step::Commands),
        4 => fill.prop_map(move |(kind, first, count, words)| {
            let words = if of_many(&words) { words } else { vec![b"SET".to_vec(), vec![], b"v".to_vec()] };
            Step::Fill { kind, numbers: first..first + count, words }
        }),
        3 => drop.prop_map(|(kind, first, count)| {
            let words = vec![b"DEL".to_vec(), vec![]];
            Step::Fill { kind, numbers: first..first + count, words }
        }),
        2 => grow.prop_map(|(key, first, count, value, at_once)| {
            Step::Grow { key, fields: first..first + count, value, at_once }
        }),
        2 => shrink.prop_map(|(key, first, count)| {
            Step::Shrink { key, fields: first..first + count }
        }),
        2 => (0_u64..30).prop_map(|ms| Step::Wait { ms }),
        1 => (0_usize..10).prop_map(|budget| Step::Expire { budget }),
        6 => (1_usize..40).prop_map(|times| Step::Tend { times }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn every_form_and_every_way_between_answers_like_the_model(steps in vec(step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step)?;
        }
        world.check_books()?;
        world.check_content()?;
        world.tend_all()?;
        world.check_books()?;
        world.check_content()?;
        world.empty()?;
    }
}
