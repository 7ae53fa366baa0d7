//! Does a store answer like a map of maps that is written down in a few lines?

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model_fields;
use crate::support::{Reply, Shard};

/// A field and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// Limits so small that hashes pass them often.
const LISTPACK_ENTRIES_MAX: usize = 4;
const LISTPACK_VALUE_MAX: usize = 9;

pub(crate) fn shard() -> Shard {
    Shard::with_config(|config| {
        config.hash_max_listpack_entries = LISTPACK_ENTRIES_MAX;
        config.hash_max_listpack_value = LISTPACK_VALUE_MAX;
        config.packed_fields_max = 8;
        config.packed_bytes_max = 100;
    })
}

#[derive(Clone, Debug)]
pub(crate) enum Held {
    Text {
        text: Vec<u8>,
        is_raw: bool,
    },
    Fields {
        pairs: Vec<Pair>,
        deadlines: BTreeMap<Vec<u8>, u64>,
        is_hashtable: bool,
        is_listpackex: bool,
    },
}

/// What stays of a field that is set again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Nothing,
    Deadline,
}

impl Held {
    pub(crate) fn text(text: &[u8]) -> Self {
        Self::Text { text: text.to_vec(), is_raw: false }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Fields { pairs, .. } if pairs.is_empty())
    }
}

/// What a store holds, as a list of plain values.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) keys: BTreeMap<Vec<u8>, (Held, Option<u64>)>,
    pub(crate) now_ms: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Command(Vec<Vec<u8>>),
    Wait { ms: u64 },
    Expire { budget: usize },
}

pub(crate) fn wrong_type() -> Reply {
    let text = "WRONGTYPE Operation against a key holding the wrong kind of value";
    Reply::Error(text.to_owned())
}

fn error(text: &str) -> Reply {
    Reply::Error(format!("ERR {text}"))
}

pub(crate) fn count(count: usize) -> Reply {
    Reply::Integer(i64::try_from(count).expect("a count of a test fits"))
}

pub(crate) fn optional(bytes: Option<&Vec<u8>>) -> Reply {
    bytes.map_or(Reply::Null, |bytes| Reply::Bytes(bytes.clone()))
}

/// An integer if the text is the one that it prints as.
pub(crate) fn canonical(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse::<i64>().ok().filter(|integer| integer.to_string() == text)
}

impl Model {
    pub(crate) fn drop_past(&mut self) {
        let now_ms = self.now_ms;
        self.keys.retain(|_, (held, deadline)| {
            if let Held::Fields { pairs, deadlines, .. } = held {
                pairs.retain(|(field, _)| deadlines.get(field).is_none_or(|&at| at >= now_ms));
                deadlines.retain(|_, at| *at >= now_ms);
            }
            !held.is_empty() && deadline.is_none_or(|deadline| deadline >= now_ms)
        });
    }

    pub(crate) fn drop_empty(&mut self, key: &[u8]) {
        if self.keys.get(key).is_some_and(|(held, _)| held.is_empty()) {
            self.keys.remove(key);
        }
    }

    /// The fields at a key, if it holds a hash or nothing.
    pub(crate) fn pairs(&self, key: &[u8]) -> Result<&[Pair], Reply> {
        match self.keys.get(key) {
            Some((Held::Fields { pairs, .. }, _)) => Ok(pairs),
            Some(_) => Err(wrong_type()),
            None => Ok(&[]),
        }
    }

    pub(crate) fn field(&self, key: &[u8], field: &[u8]) -> Result<Option<&Vec<u8>>, Reply> {
        Ok(self.pairs(key)?.iter().find(|(name, _)| name == field).map(|(_, value)| value))
    }

    pub(crate) fn set_fields(
        &mut self,
        key: &[u8],
        new: &[Pair],
        kept: Kept,
    ) -> Result<usize, Reply> {
        self.pairs(key)?;
        let empty = Held::Fields {
            pairs: Vec::new(),
            deadlines: BTreeMap::new(),
            is_hashtable: false,
            is_listpackex: false,
        };
        let (held, _) = self.keys.entry(key.to_vec()).or_insert((empty, None));
        let Held::Fields { pairs, deadlines, is_hashtable, .. } = held else {
            return Err(wrong_type());
        };
        let before = pairs.len();
        for (field, value) in new {
            if kept == Kept::Nothing {
                deadlines.remove(field);
            }
            match pairs.iter_mut().find(|(name, _)| name == field) {
                Some((_, old)) => old.clone_from(value),
                None => pairs.push((field.clone(), value.clone())),
            }
        }
        let is_long = |text: &Vec<u8>| text.len() > LISTPACK_VALUE_MAX;
        *is_hashtable |= new.len() > LISTPACK_ENTRIES_MAX
            || pairs.len() > LISTPACK_ENTRIES_MAX
            || new.iter().any(|(field, value)| is_long(field) || is_long(value));
        Ok(pairs.len() - before)
    }

    pub(crate) fn add(
        old: Option<&Vec<u8>>,
        increment: &[u8],
        not_a_number: &str,
    ) -> Result<i64, Reply> {
        let invalid = || error("value is not an integer or out of range");
        let increment = canonical(increment).ok_or_else(invalid)?;
        let old = match old {
            Some(text) => canonical(text).ok_or_else(|| error(not_a_number))?,
            None => 0,
        };
        old.checked_add(increment).ok_or_else(|| error("increment or decrement would overflow"))
    }

    pub(crate) fn run(&mut self, words: &[Vec<u8>]) -> Reply {
        self.drop_past();
        let name = String::from_utf8(words[0].clone()).expect("a name is ASCII");
        let key = words.get(1).cloned().unwrap_or_default();
        let arguments = words.get(2..).unwrap_or_default();
        let result = match name.as_str() {
            "HSET" | "HSETNX" | "HGET" | "HMGET" | "HDEL" | "HGETALL" | "HLEN" | "HINCRBY" => {
                self.run_on_hash(&name, &key, arguments)
            }
            "SET" | "GET" | "INCRBY" | "APPEND" | "SETRANGE" => {
                self.run_on_string(&name, &key, arguments)
            }
            _ if arguments.contains(&b"FIELDS".to_vec()) => {
                self.run_on_fields(&name, &key, arguments)
            }
            _ => Ok(self.run_on_key(&name, &key, arguments)),
        };
        result.unwrap_or_else(|reply| reply)
    }

    fn run_on_hash(
        &mut self,
        name: &str,
        key: &[u8],
        arguments: &[Vec<u8>],
    ) -> Result<Reply, Reply> {
        match name {
            "HSET" => {
                let pairs = arguments.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
                Ok(count(self.set_fields(key, &pairs.collect::<Vec<_>>(), Kept::Nothing)?))
            }
            "HSETNX" => {
                if self.field(key, &arguments[0])?.is_some() {
                    return Ok(count(0));
                }
                self.set_fields(
                    key,
                    &[(arguments[0].clone(), arguments[1].clone())],
                    Kept::Nothing,
                )?;
                Ok(count(1))
            }
            "HGET" => Ok(optional(self.field(key, &arguments[0])?)),
            "HMGET" => {
                let values = arguments.iter().map(|field| Ok(optional(self.field(key, field)?)));
                Ok(Reply::Array(values.collect::<Result<_, _>>()?))
            }
            "HDEL" => {
                let before = self.pairs(key)?.len();
                let Some((Held::Fields { pairs, deadlines, .. }, _)) = self.keys.get_mut(key)
                else {
                    return Ok(count(0));
                };
                pairs.retain(|(field, _)| !arguments.contains(field));
                deadlines.retain(|field, _| !arguments.contains(field));
                let after = pairs.len();
                self.drop_empty(key);
                Ok(count(before - after))
            }
            "HGETALL" => {
                let pairs = self.pairs(key)?.iter().cloned();
                let both = pairs.flat_map(|(field, value)| [field, value]).map(Reply::Bytes);
                Ok(Reply::Array(both.collect()))
            }
            "HLEN" => Ok(count(self.pairs(key)?.len())),
            "HINCRBY" => {
                Self::add(None, &arguments[1], "")?;
                let old = self.field(key, &arguments[0])?;
                let sum = Self::add(old, &arguments[1], "hash value is not an integer")?;
                let value = sum.to_string().into_bytes();
                self.set_fields(key, &[(arguments[0].clone(), value)], Kept::Deadline)?;
                Ok(Reply::Integer(sum))
            }
            _ => unreachable!("{name}"),
        }
    }

    fn run_on_key(&mut self, name: &str, key: &[u8], arguments: &[Vec<u8>]) -> Reply {
        let now_ms = self.now_ms;
        match (name, self.keys.get_mut(key)) {
            ("DEL", _) => count(usize::from(self.keys.remove(key).is_some())),
            ("EXISTS", held) => count(usize::from(held.is_some())),
            ("DBSIZE", _) => count(self.keys.len()),
            ("PEXPIRE", None) | ("PERSIST", None | Some((_, None))) => count(0),
            ("PEXPIRE", Some((_, deadline))) => {
                let ms = canonical(&arguments[0]).expect("what a test sends is good");
                *deadline = now_ms.checked_add_signed(ms);
                if ms <= 0 {
                    self.keys.remove(key);
                }
                count(1)
            }
            ("PERSIST", Some((_, deadline))) => {
                *deadline = None;
                count(1)
            }
            ("PTTL", None) => Reply::Integer(-2),
            ("PTTL", Some((_, None))) => Reply::Integer(-1),
            ("PTTL", Some((_, Some(deadline)))) => Reply::Integer(
                i64::try_from(*deadline - now_ms).expect("what a test sends is good"),
            ),
            ("ENCODING", None) => Reply::Null,
            ("ENCODING", Some((held, _))) => Reply::text(match held {
                Held::Text { is_raw: true, .. } => "raw",
                Held::Text { text, .. } if canonical(text).is_some() => "int",
                Held::Text { text, .. } if text.len() <= 44 => "embstr",
                Held::Text { .. } => "raw",
                Held::Fields { is_hashtable: true, .. } => "hashtable",
                Held::Fields { is_listpackex: true, .. } => "listpackex",
                Held::Fields { .. } => "listpack",
            }),
            (name, _) => unreachable!("{name}"),
        }
    }

    /// Whether the order of the fields at `key` is promised.
    pub(crate) fn is_ordered(&self, key: &[u8]) -> bool {
        let held = self.keys.get(key).map(|(held, _)| held);
        !matches!(held, Some(Held::Fields { is_hashtable: true, .. }))
    }

    pub(crate) fn payload_bytes(&self) -> usize {
        let held_bytes = |held: &Held| match held {
            Held::Text { text, .. } => text.len(),
            Held::Fields { pairs, .. } => {
                pairs.iter().map(|(field, value)| field.len() + value.len()).sum()
            }
        };
        self.keys.iter().map(|(key, (held, _))| key.len() + held_bytes(held)).sum()
    }

    pub(crate) fn fields(&self) -> usize {
        let fields = |held: &Held| match held {
            Held::Text { .. } => 0,
            Held::Fields { pairs, .. } => pairs.len(),
        };
        self.keys.values().map(|(held, _)| fields(held)).sum()
    }
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec!["", "a", "b", "key", "a longer key"]).prop_map(Vec::from)
}

pub(crate) fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => (0..14).prop_map(|field| format!("f{field}").into_bytes()),
        1 => Just(Vec::new()),
        1 => Just(b"a longer field".to_vec()),
        1 => Just(vec![0, 0xff, b'\r', b'\n']),
    ]
}

fn integer() -> impl Strategy<Value = Vec<u8>> {
    let border = prop::sample::select(vec![
        0,
        1,
        -1,
        127,
        128,
        -128,
        -129,
        255,
        32_767,
        -32_769,
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
    ]);
    prop_oneof![border, -100_i64..100].prop_map(|integer| integer.to_string().into_bytes())
}

pub(crate) fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => integer(),
        1 => prop::sample::select(vec!["", "007", "-0", "1.5", " 1", "text"]).prop_map(Vec::from),
        2 => vec(any::<u8>(), 0..8),
        1 => vec(any::<u8>(), 9..90),
    ]
}

pub(crate) fn with_key(name: &'static str) -> impl Strategy<Value = Vec<Vec<u8>>> {
    key().prop_map(move |key| vec![name.as_bytes().to_vec(), key])
}

/// Commands that the model knows, on few keys.
pub(crate) fn command() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let pairs = vec((field(), value()), 1..7)
        .prop_map(|pairs| pairs.into_iter().flat_map(|(field, value)| [field, value]).collect());
    let ms = (-1_i64..40).prop_map(|ms| ms.to_string().into_bytes());
    prop_oneof![
        6 => (with_key("HSET"), pairs).prop_map(extend),
        2 => (with_key("HSETNX"), field(), value()).prop_map(|(words, f, v)| extend((words, vec![f, v]))),
        2 => (with_key("HGET"), field()).prop_map(join),
        1 => (with_key("HMGET"), vec(field(), 1..4)).prop_map(extend),
        6 => (with_key("HDEL"), vec(field(), 1..5)).prop_map(extend),
        3 => with_key("HGETALL"),
        1 => with_key("HLEN"),
        3 => (with_key("HINCRBY"), field(), value()).prop_map(|(words, f, v)| extend((words, vec![f, v]))),
        1 => (with_key("SET"), value()).prop_map(join),
        1 => (with_key("SET"), value(), 1_i64..40).prop_map(|(words, value, ms)| {
            extend((words, vec![value, b"PX".to_vec(), ms.to_string().into_bytes()]))
        }),
        1 => with_key("GET"),
        1 => (with_key("INCRBY"), value()).prop_map(join),
        1 => (with_key("APPEND"), value()).prop_map(join),
        1 => (with_key("SETRANGE"), 0_usize..60, value()).prop_map(|(words, offset, value)| {
            extend((words, vec![offset.to_string().into_bytes(), value]))
        }),
        1 => with_key("DEL"),
        1 => with_key("EXISTS"),
        1 => Just(vec![b"DBSIZE".to_vec()]),
        2 => (with_key("PEXPIRE"), ms).prop_map(join),
        1 => with_key("PTTL"),
        1 => with_key("PERSIST"),
        2 => with_key("ENCODING"),
        20 => model_fields::command(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => command().prop_map(Step::Command),
        2 => (0_u64..30).prop_map(|ms| Step::Wait { ms }),
        1 => (0_usize..3).prop_map(|budget| Step::Expire { budget }),
    ]
}

fn join((words, word): (Vec<Vec<u8>>, Vec<u8>)) -> Vec<Vec<u8>> {
    extend((words, vec![word]))
}

pub(crate) fn extend((mut words, more): (Vec<Vec<u8>>, Vec<Vec<u8>>)) -> Vec<Vec<u8>> {
    words.extend(more);
    words
}

/// Pairs in the order of their fields.
pub(crate) fn sort_pairs(reply: Reply) -> Reply {
    let elements = reply.into_elements();
    let mut pairs = elements.chunks(2).collect::<Vec<_>>();
    pairs.sort();
    Reply::Array(pairs.concat())
}

fn check_step(shard: &mut Shard, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    match step {
        Step::Wait { ms } => {
            model.now_ms += ms;
            shard.store.set_now(model.now_ms);
        }
        Step::Expire { budget } => {
            prop_assert!(shard.store.expire_some(*budget) <= *budget);
        }
        Step::Command(words) => {
            let mut expected = model.run(words);
            let mut sent = words.clone();
            if sent[0] == b"ENCODING" {
                sent.insert(0, b"OBJECT".to_vec());
            }
            let mut reply = shard.ask(&sent);
            if words[0] == b"HGETALL" && !model.is_ordered(&words[1]) {
                (expected, reply) = (sort_pairs(expected), sort_pairs(reply));
            }
            prop_assert_eq!(reply, expected, "{:?}", words);
        }
    }
    Ok(())
}

/// The books, once nothing is left that is past.
fn check_books(shard: &mut Shard, model: &mut Model) -> Result<(), TestCaseError> {
    model.drop_past();
    shard.store.expire_some(usize::MAX);
    let accounting = shard.store.accounting();
    let deadlines = || model.keys.values().filter_map(|(_, deadline)| *deadline);
    let of_fields = model.keys.values().flat_map(|(held, _)| match held {
        Held::Fields { deadlines, .. } => deadlines.values().copied().collect::<Vec<_>>(),
        Held::Text { .. } => Vec::new(),
    });
    let first_deadline = deadlines().chain(of_fields).min();
    prop_assert_eq!(accounting.keys, model.keys.len() as u64);
    prop_assert_eq!(accounting.keys_with_deadline, deadlines().count() as u64);
    prop_assert_eq!(accounting.fields, model.fields() as u64);
    prop_assert_eq!(accounting.payload_bytes, model.payload_bytes() as u64);
    if let Some(first) = first_deadline {
        prop_assert!(shard.store.next_deadline_ms().is_some_and(|next| next <= first + 1));
    }
    let mut keys_bytes = 0;
    for key in model.keys.keys() {
        let Reply::Integer(bytes) = shard.ask(&[&b"MEMORY"[..], b"USAGE", key]) else { panic!() };
        keys_bytes += bytes.unsigned_abs();
    }
    prop_assert!(accounting.total_bytes() >= keys_bytes, "{} of {:?}", keys_bytes, accounting);
    for key in std::mem::take(&mut model.keys).keys() {
        shard.ask(&[b"DEL", &key[..]]);
    }
    prop_assert!(shard.holds_nothing());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_store_answers_like_the_model(steps in vec(step(), 1..400)) {
        let (mut shard, mut model) = (shard(), Model::default());
        model.now_ms = 1_000;
        shard.store.set_now(model.now_ms);
        for step in &steps {
            check_step(&mut shard, &mut model, step)?;
        }
        check_books(&mut shard, &mut model)?;
    }
}
