//! What would plain lists answer to commands about the deadlines of fields?

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Held, Kept, Model, count, extend, field, optional, value, with_key};
use crate::support::Reply;

/// Commands about the deadlines of fields, all of them well formed.
pub(crate) fn command() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let fields = || vec(field(), 1..5).prop_map(named);
    let pairs = vec((field(), value()), 1..5).prop_map(|pairs| {
        let count = pairs.len().to_string().into_bytes();
        let pairs = pairs.into_iter().flat_map(|(field, value)| [field, value]);
        [b"FIELDS".to_vec(), count].into_iter().chain(pairs).collect::<Vec<_>>()
    });
    let condition = || prop_oneof![4 => Just(vec![]), 1 => word("NX"), 1 => word("XX"), 1 => word("GT"), 1 => word("LT")];
    let reading = prop::sample::select(vec!["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME"]);
    let expire = (expire_and_time(), condition(), fields())
        .prop_map(|(words, condition, fields)| [words, condition, fields].concat());
    let hgetex = prop_oneof![1 => Just(vec![]), 1 => word("PERSIST"), 4 => option_and_time()];
    let hsetex = prop_oneof![1 => Just(vec![]), 1 => word("KEEPTTL"), 4 => option_and_time()];
    let must = prop_oneof![3 => Just(vec![]), 1 => word("FNX"), 1 => word("FXX")];
    prop_oneof![
        6 => expire,
        3 => (reading.prop_flat_map(with_key), fields()).prop_map(extend),
        2 => (with_key("HPERSIST"), fields()).prop_map(extend),
        2 => (with_key("HGETDEL"), fields()).prop_map(extend),
        4 => (with_key("HGETEX"), hgetex, fields()).prop_map(|(a, b, c)| [a, b, c].concat()),
        6 => (with_key("HSETEX"), must, hsetex, pairs)
            .prop_map(|(words, must, option, pairs)| [words, must, option, pairs].concat()),
    ]
}

fn word(word: &'static str) -> impl Strategy<Value = Vec<Vec<u8>>> + Clone {
    Just(vec![word.as_bytes().to_vec()])
}

fn named(fields: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let count = fields.len().to_string().into_bytes();
    [b"FIELDS".to_vec(), count].into_iter().chain(fields).collect()
}

/// A time in one of four forms, past, near and far.
fn time() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let time = prop_oneof![
        1 => (Just(0), 0_u64..3),
        4 => (Just(1), 0_u64..60),
        1 => (Just(2), 0_u64..4),
        3 => (Just(3), 950_u64..1_500),
    ];
    time.prop_map(|(form, time)| (form, time.to_string().into_bytes()))
}

fn option_and_time() -> impl Strategy<Value = Vec<Vec<u8>>> {
    time().prop_map(|(form, time)| vec![OPTIONS[form].as_bytes().to_vec(), time])
}

fn expire_and_time() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let names = ["HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"];
    time().prop_flat_map(move |(form, time)| {
        with_key(names[form]).prop_map(move |words| extend((words, vec![time.clone()])))
    })
}

const OPTIONS: [&str; 4] = ["EX", "PX", "EXAT", "PXAT"];

impl Model {
    /// The deadline that a time in one of the forms of [`OPTIONS`] means.
    fn deadline(&self, form: &str, time: &[u8]) -> u64 {
        let text = std::str::from_utf8(time).expect("a time is ASCII");
        let time = text.parse::<u64>().expect("what a test sends is good");
        match form {
            "EX" => self.now_ms + time * 1_000,
            "PX" => self.now_ms + time,
            "EXAT" => time * 1_000,
            _ => time,
        }
    }

    /// The options before `FIELDS`, as text, and what follows the count.
    fn split(arguments: &[Vec<u8>]) -> (Vec<&str>, &[Vec<u8>]) {
        let place = arguments.iter().position(|word| word == b"FIELDS").expect("there are fields");
        let option = |word| std::str::from_utf8(word).expect("an option is ASCII");
        let options = arguments[..place].iter().map(|word| option(word)).collect();
        (options, &arguments[place + 2..])
    }

    /// The deadline of a field that is there.
    fn field_deadline(&self, key: &[u8], field: &[u8]) -> Option<Option<u64>> {
        match self.keys.get(key) {
            Some((Held::Fields { pairs, deadlines, .. }, _)) => {
                let is_there = pairs.iter().any(|(name, _)| name == field);
                is_there.then(|| deadlines.get(field).copied())
            }
            _ => None,
        }
    }

    /// Lets a field have another deadline; one that is not in the future removes it.
    fn put_field_deadline(&mut self, key: &[u8], field: &[u8], deadline: Option<u64>) {
        let now_ms = self.now_ms;
        let Some((Held::Fields { pairs, deadlines, .. }, _)) = self.keys.get_mut(key) else {
            return;
        };
        deadlines.remove(field);
        match deadline {
            Some(deadline) if deadline <= now_ms => pairs.retain(|(name, _)| name != field),
            Some(deadline) => {
                deadlines.insert(field.to_vec(), deadline);
            }
            None => {}
        }
    }

    fn mark_listpackex(&mut self, key: &[u8]) {
        if let Some((Held::Fields { is_listpackex, .. }, _)) = self.keys.get_mut(key) {
            *is_listpackex = true;
        }
    }

    pub(crate) fn run_on_fields(
        &mut self,
        name: &str,
        key: &[u8],
        arguments: &[Vec<u8>],
    ) -> Result<Reply, Reply> {
        self.pairs(key)?;
        let (options, fields) = Self::split(arguments);
        let form = OPTIONS.iter().find(|form| options.contains(form));
        let reply = match name {
            "HEXPIRE" | "HPEXPIRE" | "HEXPIREAT" | "HPEXPIREAT" => {
                let form = match name.trim_start_matches('H') {
                    "EXPIRE" => "EX",
                    "PEXPIRE" => "PX",
                    "EXPIREAT" => "EXAT",
                    _ => "PXAT",
                };
                let deadline = self.deadline(form, &arguments[0]);
                self.expire(key, deadline, options.get(1).copied(), fields)
            }
            "HTTL" | "HPTTL" | "HEXPIRETIME" | "HPEXPIRETIME" => self.tell(name, key, fields),
            "HPERSIST" => {
                let persist = |field: &Vec<u8>| match self.field_deadline(key, field) {
                    None => Reply::Integer(-2),
                    Some(None) => Reply::Integer(-1),
                    Some(Some(_)) => {
                        self.put_field_deadline(key, field, None);
                        Reply::Integer(1)
                    }
                };
                Reply::Array(fields.iter().map(persist).collect())
            }
            "HGETDEL" => self.take(key, Some(Some(0)), fields),
            "HGETEX" => {
                let time = arguments.get(1).filter(|_| form.is_some());
                let deadline = time.map(|time| self.deadline(options[0], time));
                let change = (!options.is_empty()).then_some(deadline);
                if change.is_some() {
                    self.mark_listpackex(key);
                }
                self.take(key, change, fields)
            }
            "HSETEX" => {
                let place = options.iter().position(|option| OPTIONS.contains(option));
                let deadline =
                    place.map(|place| self.deadline(options[place], &arguments[place + 1]));
                self.set_until(key, &options, deadline, fields)?
            }
            _ => unreachable!("{name}"),
        };
        self.drop_empty(key);
        Ok(reply)
    }

    fn expire(
        &mut self,
        key: &[u8],
        deadline: u64,
        condition: Option<&str>,
        fields: &[Vec<u8>],
    ) -> Reply {
        self.mark_listpackex(key);
        let expire = |field: &Vec<u8>| {
            let Some(old) = self.field_deadline(key, field) else { return Reply::Integer(-2) };
            let is_met = match condition {
                None => true,
                Some("NX") => old.is_none(),
                Some("XX") => old.is_some(),
                Some("GT") => old.is_some_and(|old| deadline > old),
                Some(_) => old.is_none_or(|old| deadline < old),
            };
            if !is_met {
                return Reply::Integer(0);
            }
            self.put_field_deadline(key, field, Some(deadline));
            Reply::Integer(if deadline <= self.now_ms { 2 } else { 1 })
        };
        Reply::Array(fields.iter().map(expire).collect())
    }

    fn tell(&self, name: &str, key: &[u8], fields: &[Vec<u8>]) -> Reply {
        let tell = |field: &Vec<u8>| {
            let time = match self.field_deadline(key, field) {
                None => return Reply::Integer(-2),
                Some(None) => return Reply::Integer(-1),
                Some(Some(deadline)) if name.ends_with("TTL") => deadline - self.now_ms,
                Some(Some(deadline)) => deadline,
            };
            let unit = if name.starts_with("HP") { 1 } else { 1_000 };
            Reply::Integer(i64::try_from(time.div_ceil(unit)).expect("a test stays in range"))
        };
        Reply::Array(fields.iter().map(tell).collect())
    }

    /// Answers values and changes the deadlines of their fields, if at all.
    fn take(&mut self, key: &[u8], change: Option<Option<u64>>, fields: &[Vec<u8>]) -> Reply {
        let take = |name: &Vec<u8>| {
            let value = self.field(key, name).ok().flatten().cloned();
            if let (Some(deadline), Some(_)) = (change, &value) {
                self.put_field_deadline(key, name, deadline);
            }
            optional(value.as_ref())
        };
        Reply::Array(fields.iter().map(take).collect())
    }

    fn set_until(
        &mut self,
        key: &[u8],
        options: &[&str],
        deadline: Option<u64>,
        pairs: &[Vec<u8>],
    ) -> Result<Reply, Reply> {
        let pairs: Vec<_> =
            pairs.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let mut there = pairs.iter().map(|(field, _)| self.field_deadline(key, field).is_some());
        let is_refused = (options.contains(&"FNX") && there.clone().any(|is_there| is_there))
            || (options.contains(&"FXX") && !there.all(|is_there| is_there));
        if is_refused {
            return Ok(count(0));
        }
        let keeps = deadline.is_some() || options.contains(&"KEEPTTL");
        self.set_fields(key, &pairs, if keeps { Kept::Deadline } else { Kept::Nothing })?;
        if deadline.is_some() {
            self.mark_listpackex(key);
            for (field, _) in &pairs {
                self.put_field_deadline(key, field, deadline);
            }
        }
        Ok(count(1))
    }
}
