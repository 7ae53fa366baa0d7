//! Which requests are sent?
//!
//! Keys are `user:1000000` and up, the fields and values those of the `user` data, each cut or repeated
//! to one length: so all requests of a command have the same length, and all replies, and the sink can
//! count them without reading them. Pipelines are made before the clock starts; before one is sent, the
//! numbers in its keys are written over with new ones.

use hectare_resp::{encode_argument, encode_command};
use hectare_workload::{Dataset, Layout, LoadPlan, Schema, WritePattern};

/// The number of the first key; all have as many digits.
const KEY_FIRST: u32 = 1_000_000;
const KEY_DIGITS: usize = 7;
/// More would need one digit more.
pub(crate) const OBJECTS_MAX: u32 = 9 * KEY_FIRST;
/// What comes in front of the digits.
const KEY_PREFIX: &[u8] = b"user:";

/// Fields of a user and how long their values are made.
const FIELDS: [(&[u8], usize); 5] =
    [(b"name", 13), (b"email", 24), (b"age", 2), (b"city", 8), (b"last_login", 10)];
/// The field that commands of one field are about.
const FIELD: usize = 1;
/// So many users lend their values.
const USERS: u64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    HsetOf5,
    HsetOf1,
    Hget,
    Hgetall,
    HmgetOf5,
}

impl Asked {
    pub(crate) const ALL: [Self; 5] =
        [Self::HsetOf5, Self::HsetOf1, Self::Hget, Self::Hgetall, Self::HmgetOf5];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HsetOf5 => "HSET of 5",
            Self::HsetOf1 => "HSET of 1",
            Self::Hget => "HGET",
            Self::Hgetall => "HGETALL",
            Self::HmgetOf5 => "HMGET of 5",
        }
    }
}

/// What is asked, and by how many commands at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) asked: Asked,
    pub(crate) pipeline: usize,
}

/// The values of some users.
pub(crate) struct Values(Vec<[Vec<u8>; FIELDS.len()]>);

impl Values {
    pub(crate) fn new() -> Self {
        let dataset = Dataset::new(Schema::preset("user").expect("a preset"));
        let dataset = dataset.with_objects(USERS).expect("so many are allowed");
        let plan = LoadPlan::new(&dataset, Layout::Hash, WritePattern::Bulk).expect("hashes are");
        let commands = plan.all();
        let users = commands.iter().flat_map(|commands| commands.iter());
        let of_user = |command: hectare_workload::Command<'_>| {
            FIELDS.map(|(field, length)| {
                let arguments: Vec<&[u8]> = command.iter().collect();
                let value = arguments[2..].chunks(2).find(|pair| pair[0] == field);
                let value = value.expect("a user has all of them")[1];
                value.iter().copied().cycle().take(length).collect()
            })
        };
        Self(users.map(of_user).collect())
    }

    fn get(&self, index: usize) -> &[Vec<u8>; FIELDS.len()] {
        &self.0[index % self.0.len()]
    }
}

impl Work {
    pub(crate) fn name(self) -> String {
        if self.pipeline == 1 {
            format!("{}, no pipeline", self.asked.name())
        } else {
            format!("{}, pipeline {}", self.asked.name(), self.pipeline)
        }
    }

    /// What a server answers to one of them, but for the values.
    pub(crate) fn reply(self, values: &Values) -> Vec<u8> {
        let values = values.get(0);
        let mut reply = Vec::new();
        match self.asked {
            Asked::HsetOf5 | Asked::HsetOf1 => reply.extend_from_slice(b":0\r\n"),
            Asked::Hget => encode_argument(&mut reply, &values[FIELD]),
            Asked::Hgetall => encode_command(&mut reply, &pairs(values)[..]),
            Asked::HmgetOf5 => encode_command(&mut reply, values.each_ref().map(Vec::as_slice)),
        }
        reply
    }

    /// One pipeline, with the values of as many users from `first` on.
    pub(crate) fn pipeline(self, values: &Values, first: usize) -> Pipeline {
        let key = [KEY_PREFIX, &[b'0'; KEY_DIGITS]].concat();
        let mut pipeline = Pipeline { bytes: Vec::new(), digits: Vec::new() };
        for index in first..first + self.pipeline {
            let values = values.get(index);
            let start = pipeline.bytes.len();
            let (field, value) = (FIELDS[FIELD].0, &values[FIELD][..]);
            let fields = FIELDS.map(|(field, _)| field);
            let arguments: Vec<&[u8]> = match self.asked {
                Asked::HsetOf5 => [&[b"HSET", &key[..]], &pairs(values)[..]].concat(),
                Asked::HsetOf1 => vec![b"HSET", &key, field, value],
                Asked::Hget => vec![b"HGET", &key, field],
                Asked::Hgetall => vec![b"HGETALL", &key],
                Asked::HmgetOf5 => [&[b"HMGET", &key[..]], &fields[..]].concat(),
            };
            encode_command(&mut pipeline.bytes, arguments.iter().copied());
            let request = &pipeline.bytes[start..];
            let at = request.windows(key.len()).position(|window| window == key);
            pipeline.digits.push(start + at.expect("the key is in it") + KEY_PREFIX.len());
        }
        pipeline
    }
}

fn pairs(values: &[Vec<u8>; FIELDS.len()]) -> [&[u8]; 2 * FIELDS.len()] {
    std::array::from_fn(|index| match index % 2 {
        0 => FIELDS[index / 2].0,
        _ => &values[index / 2][..],
    })
}

/// Requests that are sent together.
pub(crate) struct Pipeline {
    bytes: Vec<u8>,
    /// Where the digits of each key begin.
    digits: Vec<usize>,
}

impl Pipeline {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn commands(&self) -> usize {
        self.digits.len()
    }

    /// Every request has the same length.
    pub(crate) fn request_bytes(&self) -> usize {
        self.bytes.len() / self.digits.len()
    }

    /// Asks for other keys.
    pub(crate) fn renew(&mut self, keys: &mut Keys) {
        for start in &self.digits {
            let mut rest = keys.next();
            for digit in self.bytes[*start..*start + KEY_DIGITS].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }
}

/// Which keys are asked for.
pub(crate) struct Keys {
    objects: u32,
    order: Order,
}

enum Order {
    /// One after the other, going round.
    Next(u32),
    /// At random, all alike: the state of an xorshift generator.
    Uniform(u64),
}

impl Keys {
    pub(crate) fn in_order(objects: u32) -> Self {
        Self { objects, order: Order::Next(0) }
    }

    pub(crate) fn uniform(objects: u32, seed: u64) -> Self {
        Self { objects, order: Order::Uniform(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1) }
    }

    fn next(&mut self) -> u32 {
        let index = match &mut self.order {
            Order::Next(next) => {
                let now = *next;
                *next = if now + 1 == self.objects { 0 } else { now + 1 };
                now
            }
            Order::Uniform(state) => {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                // The upper half of it, as a share of all objects.
                (((*state >> 32) * u64::from(self.objects)) >> 32) as u32
            }
        };
        KEY_FIRST + index
    }
}
