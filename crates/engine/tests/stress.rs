//! Does the engine answer as a simple model does, with threads, random commands and an end at any
//! moment?
//!
//! Every thread has keys of its own, whose values it knows, and shares counters with the others,
//! whose sums are known once all have ended. It calls, pipelines, takes several shards, watches and
//! awaits, as dice fall. In every second round the engine is shut down at a random moment: then
//! whatever was answered must have been right, and nobody may hang.
//!
//! | variable | meaning | otherwise |
//! | --- | --- | --- |
//! | `HECTARE_STRESS_SECONDS` | how long | 12 |
//! | `HECTARE_STRESS_SEED` | from which seed | 1 |

use hectare_engine::{Client, Engine, EngineError, Outcome, Pipeline, Reply};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 4;
const OWN_KEYS: u64 = 12;
const SHARED_KEYS: usize = 6;

/// A thread that does not end within this time hangs.
const PATIENCE: Duration = Duration::from_secs(60);

type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    String(Vec<u8>),
    Hash(Fields),
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }
}

/// One thread: what it does and what it knows.
struct Worker {
    number: usize,
    dice: Dice,
    client: Client,
    pipeline: Pipeline,
    model: BTreeMap<Vec<u8>, Value>,
    /// What it has added to each shared counter and was answered for.
    added: [i64; SHARED_KEYS],
}

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect("the variable is a number"))
}

#[test]
fn random_commands_are_answered_as_a_model_answers_them_until_the_end() {
    let end = Instant::now() + Duration::from_secs(number("HECTARE_STRESS_SECONDS", 12));
    let mut seed = number("HECTARE_STRESS_SEED", 1);
    while Instant::now() < end {
        round(seed);
        seed += 1;
    }
}

fn round(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0xd134_2543_de82_ef95));
    let shards = [1, 2, 3, 7][usize::try_from(dice.below(4)).expect("small")];
    let batches = [2, 4, 1024][usize::try_from(dice.below(3)).expect("small")];
    let engine =
        Engine::builder().shards(shards).mailbox_batches(batches).build().expect("threads");
    let steps = 50 + dice.below(1500);
    let (tell, told) = mpsc::channel();
    for number in 0..THREADS {
        let client = engine.client();
        let worker = Worker {
            number,
            dice: Dice(seed << 8 | number as u64),
            pipeline: client.pipeline(),
            client,
            model: BTreeMap::new(),
            added: [0; SHARED_KEYS],
        };
        let tell = tell.clone();
        thread::spawn(move || {
            // Dropped without a word if it panics.
            let _nobody_waits = tell.send(worker.run(steps));
        });
    }
    drop(tell);
    if seed.is_multiple_of(2) {
        thread::sleep(Duration::from_micros(dice.below(20_000)));
        engine.shutdown().expect("no shard has panicked");
        collect(&told, seed);
        return;
    }
    let added = collect(&told, seed);
    let client = engine.client();
    for (key, sum) in added.into_iter().enumerate() {
        let found = client.hincrby(format!("shared:{key}"), "n", 0);
        assert_eq!(found, Ok(sum), "seed {seed}: shared counter {key}");
    }
    engine.shutdown().expect("no shard has panicked");
}

/// Waits for every thread, and sums what they have added.
fn collect(told: &mpsc::Receiver<[i64; SHARED_KEYS]>, seed: u64) -> [i64; SHARED_KEYS] {
    let mut sums = [0; SHARED_KEYS];
    for _ in 0..THREADS {
        let added = told.recv_timeout(PATIENCE);
        let added = added.unwrap_or_else(|_| panic!("seed {seed}: a thread has panicked or hangs"));
        sums.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
    }
    sums
}

impl Worker {
    fn run(mut self, steps: u64) -> [i64; SHARED_KEYS] {
        for step in 0..steps {
            match self.step(step) {
                Ok(()) => {}
                Err(EngineError::Closed) => break,
                Err(error) => panic!("thread {}, step {step}: {error}", self.number),
            }
        }
        self.added
    }

    fn step(&mut self, step: u64) -> Outcome<()> {
        match self.dice.below(14) {
            0..3 => self.write_one(step),
            3..5 => self.read_one(),
            5 => self.remove(),
            6 => self.rename_or_copy(),
            7 => self.many(step),
            8 => self.many_at_once(step),
            9 => self.transact(step),
            10 => self.await_one(step),
            11 => self.set_several(step),
            12 => self.outstanding(),
            _ => self.share(),
        }
    }

    fn key(&mut self) -> Vec<u8> {
        format!("own:{}:{}", self.number, self.dice.below(OWN_KEYS)).into_bytes()
    }

    fn field(&mut self) -> Vec<u8> {
        format!("f{}", self.dice.below(5)).into_bytes()
    }

    /// The hash that is known to be at a key; a string is overwritten first.
    fn fields(&mut self, key: &[u8]) -> Outcome<&mut Fields> {
        if let Some(Value::String(_)) = self.model.get(key) {
            assert_eq!(self.client.del([key])?, 1);
            self.model.remove(key);
        }
        let value = self.model.entry(key.to_vec()).or_insert_with(|| Value::Hash(Fields::new()));
        let Value::Hash(fields) = value else { unreachable!("strings were removed") };
        Ok(fields)
    }

    fn write_one(&mut self, step: u64) -> Outcome<()> {
        let (key, field, value) = (self.key(), self.field(), format!("v{step}").into_bytes());
        let client = self.client.clone();
        let fields = self.fields(&key)?;
        let is_new = fields.insert(field.clone(), value.clone()).is_none();
        assert_eq!(client.hset(&key, [(&field, &value)])?, u64::from(is_new));
        Ok(())
    }

    fn read_one(&mut self) -> Outcome<()> {
        let key = self.key();
        match self.model.get(&key) {
            Some(Value::String(value)) => assert_eq!(self.client.get(&key)?.as_ref(), Some(value)),
            Some(Value::Hash(fields)) => {
                let mut found = self.client.hgetall(&key)?;
                found.sort();
                assert_eq!(found, fields.clone().into_iter().collect::<Vec<_>>());
            }
            None => assert!(!self.client.exists(&key)?),
        }
        Ok(())
    }

    fn remove(&mut self) -> Outcome<()> {
        let keys: Vec<_> = (0..=self.dice.below(3)).map(|_| self.key()).collect();
        let known = keys.iter().filter(|key| self.model.remove(*key).is_some()).count();
        assert_eq!(self.client.del(&keys)?, known as u64);
        Ok(())
    }

    fn rename_or_copy(&mut self) -> Outcome<()> {
        let (from, to) = (self.key(), self.key());
        let Some(value) = self.model.get(&from).cloned() else {
            let missing = EngineError::Failed("ERR no such key".into());
            return match self.client.rename(&from, &to) {
                Err(EngineError::Closed) => Err(EngineError::Closed),
                other => {
                    assert_eq!(other, Err(missing));
                    Ok(())
                }
            };
        };
        if self.dice.below(2) == 0 {
            self.client.rename(&from, &to)?;
            self.model.remove(&from);
            self.model.insert(to, value);
        } else if from != to {
            let is_free = !self.model.contains_key(&to);
            assert_eq!(self.client.copy(&from, &to, false)?, is_free);
            if is_free {
                self.model.insert(to, value);
            }
        }
        Ok(())
    }

    /// Adds to a field by a pipeline, again and again: the sums show the order.
    fn many(&mut self, step: u64) -> Outcome<()> {
        let commands = 1 + self.dice.below(80);
        let by = 1 + step % 9;
        self.count_up(commands, by, |pipeline| pipeline.run().map(sums_of))
    }

    fn many_at_once(&mut self, step: u64) -> Outcome<()> {
        let commands = 1 + self.dice.below(10);
        let by = 1 + step % 9;
        self.count_up(commands, by, |pipeline| pipeline.run_atomically().map(sums_of))
    }

    fn count_up(
        &mut self,
        commands: u64,
        by: u64,
        run: impl Fn(&mut Pipeline) -> Outcome<Vec<i64>>,
    ) -> Outcome<()> {
        let by_text = by.to_string();
        let mut expected = Vec::new();
        for _ in 0..commands {
            let key = self.key();
            let fields = self.fields(&key)?;
            let sum = fields.get(b"sum".as_slice()).map_or(0, |text| parse(text));
            let sum = sum + i64::try_from(by).expect("small");
            fields.insert(b"sum".to_vec(), sum.to_string().into_bytes());
            expected.push((key, sum));
        }
        for (key, _) in &expected {
            self.pipeline
                .command([b"HINCRBY".as_slice(), key, b"sum", by_text.as_bytes()])
                .expect("a good command");
        }
        let sums = run(&mut self.pipeline)?;
        assert_eq!(sums, expected.iter().map(|(_, sum)| *sum).collect::<Vec<_>>());
        Ok(())
    }

    /// Sends a pipeline, does not wait for it, and calls: the call must come after it.
    fn outstanding(&mut self) -> Outcome<()> {
        let key = self.key();
        let sum = self.fields(&key)?.get(b"sum".as_slice()).map_or(0, |text| parse(text));
        // Long ones go to the shard's thread, short ones wherever there is room.
        let commands = if self.dice.below(20) == 0 { 2500 } else { 1 + self.dice.below(30) };
        for _ in 0..commands {
            let command = [b"HINCRBY".as_slice(), &key, b"sum", b"1"];
            self.pipeline.command(command).expect("a good command");
        }
        self.pipeline.submit()?;
        let expected = sum + i64::try_from(commands).expect("small");
        let at_once = self.dice.below(2) == 0;
        let found = if at_once {
            let mut later = self.client.pipeline();
            later.command([b"HGET".as_slice(), &key, b"sum"]).expect("a good command");
            later.command([b"EXISTS".as_slice(), b"a", b"b", b"c"]).expect("a good command");
            let replies = later.run_atomically();
            replies.map(|replies| match replies.get(0) {
                Reply::Bytes(text) => parse(text),
                other => panic!("a sum, not {other:?}"),
            })
        } else {
            self.client.hincrby(&key, "sum", 0)
        };
        let waited = self.pipeline.wait().map(|replies| replies.len());
        assert_eq!(found?, expected);
        assert_eq!(waited?, usize::try_from(commands).expect("small"));
        self.fields(&key)?.insert(b"sum".to_vec(), expected.to_string().into_bytes());
        Ok(())
    }

    fn transact(&mut self, step: u64) -> Outcome<()> {
        let (own, shared) = (self.key(), self.dice.below(SHARED_KEYS as u64));
        let shared_key = format!("shared:{shared}");
        self.fields(&own)?;
        let client = self.client.clone();
        let value = format!("t{step}").into_bytes();
        let committed = client.transaction(|transaction| {
            transaction.watch([own.as_slice(), shared_key.as_bytes()])?;
            let sum = transaction.client().hget(&shared_key, "n")?;
            let sum = (sum.map_or(0, |text| parse(&text)) + 5).to_string();
            transaction.command([b"HSET", shared_key.as_bytes(), b"n", sum.as_bytes()])?;
            transaction.command([b"HSET".as_slice(), &own, b"last", &value])?;
            Ok(())
        })?;
        assert_eq!(committed.replies().errors(), 0);
        self.added[usize::try_from(shared).expect("small")] += 5;
        self.fields(&own)?.insert(b"last".to_vec(), value);
        Ok(())
    }

    fn await_one(&mut self, step: u64) -> Outcome<()> {
        let (key, field, value) = (self.key(), self.field(), format!("a{step}").into_bytes());
        self.fields(&key)?.insert(field.clone(), value.clone());
        let task = self.client.asynchronous();
        let found = block_on(async {
            task.hset(&key, [(&field, &value)]).await?;
            task.hget(&key, &field).await
        })?;
        assert_eq!(found, Some(value));
        Ok(())
    }

    fn set_several(&mut self, step: u64) -> Outcome<()> {
        let value = format!("s{step}").into_bytes();
        let mut keys: Vec<_> = (0..=self.dice.below(4)).map(|_| self.key()).collect();
        keys.sort();
        keys.dedup();
        let are_free = keys.iter().all(|key| !self.model.contains_key(key));
        let pairs = keys.iter().map(|key| (key, &value));
        let is_set = match self.dice.below(2) {
            0 => self.client.mset(pairs).map(|()| true)?,
            _ => {
                let is_set = self.client.msetnx(pairs)?;
                assert_eq!(is_set, are_free);
                is_set
            }
        };
        if is_set {
            let all = vec![Some(value.clone()); keys.len()];
            assert_eq!(self.client.mget(&keys)?, all);
            for key in keys {
                self.model.insert(key, Value::String(value.clone()));
            }
        }
        Ok(())
    }

    fn share(&mut self) -> Outcome<()> {
        let shared = self.dice.below(SHARED_KEYS as u64);
        self.client.hincrby(format!("shared:{shared}"), "n", 1)?;
        self.added[usize::try_from(shared).expect("small")] += 1;
        Ok(())
    }
}

fn sums_of(replies: hectare_engine::Replies<'_>) -> Vec<i64> {
    replies
        .iter()
        .map(|reply| match reply {
            Reply::Integer(sum) => sum,
            other => panic!("a sum, not {other:?}"),
        })
        .collect()
}

fn parse(text: &[u8]) -> i64 {
    std::str::from_utf8(text).expect("ASCII").parse().expect("digits")
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
