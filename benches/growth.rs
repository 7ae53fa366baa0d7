//! How long does the slowest write of one field take while a hash grows to ten million?
//!
//! One hash; one `HSET` of one new field after another, then, from the largest on, one `HDEL` after
//! another; each is timed by the processor time of this thread, so that waiting to run does not
//! count (reading that clock takes about 0.3 µs of each time shown). Between the commands the store
//! is tended as an owner tends it, and that is timed too. Prints percentiles in microseconds and the
//! slowest steps by the number of fields at which they came.
//!
//! `cargo bench --bench growth` runs it in full, with `-- --test` for 20,000 fields.

use std::hint::black_box;

use hectare_engine::{Native, ReplyBuffer, Wire};
use hectare_store::{Args, Command, Config, KeyHasher, Request, Span, Store};
use rustix::time::{ClockId, clock_gettime};

const FIELDS: usize = 10_000_000;
const FIELDS_IN_A_TEST: usize = 20_000;

/// So many of the slowest steps are shown.
const SHOWN: usize = 8;

/// Times of steps in nanoseconds, in the order of the steps.
struct Times(Vec<u32>);

impl Times {
    fn with_room_for(steps: usize) -> Self {
        // Written once, so that no page is touched for the first time within a step.
        let mut times = vec![1; steps];
        times.clear();
        Self(times)
    }

    fn note<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = now_ns();
        let result = work();
        self.0.push(u32::try_from(now_ns() - start).unwrap_or(u32::MAX));
        result
    }

    #[expect(clippy::print_stdout, reason = "it is what this program is for")]
    fn print(&self, what: &str) {
        let mut sorted: Vec<(u32, usize)> =
            self.0.iter().enumerate().map(|(step, &ns)| (ns, step)).collect();
        sorted.sort_unstable();
        let Some(last) = sorted.len().checked_sub(1) else { return };
        let at = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place in a list"
            )]
            let place = (last as f64 * share) as usize;
            f64::from(sorted[place].0) / 1_000.0
        };
        println!(
            "{what:<10} p50 {:.2} µs   p99 {:.2} µs   p99.99 {:.2} µs   max {:.2} µs",
            at(0.5),
            at(0.99),
            at(0.9999),
            at(1.0)
        );
        let over = sorted.iter().filter(|(ns, _)| *ns > 50_000).count();
        println!("{:<10} {over} of {} took more than 50 µs; the slowest:", "", sorted.len());
        for (ns, step) in sorted.iter().rev().take(SHOWN) {
            println!("{:<10} {:>10.2} µs at step {step}", "", f64::from(*ns) / 1_000.0);
        }
    }
}

/// The processor time of this thread.
fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// A command in one buffer that is filled again and again.
#[derive(Default)]
struct Words {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl Words {
    fn set(&mut self, words: &[&[u8]]) {
        self.bytes.clear();
        self.spans.clear();
        for word in words {
            let start = u32::try_from(self.bytes.len()).expect("it is short");
            self.bytes.extend_from_slice(word);
            let end = u32::try_from(self.bytes.len()).expect("it is short");
            self.spans.push(Span { start, end });
        }
    }

    fn request(&self, hasher: &KeyHasher) -> Request<'_> {
        let args = Args::new(&self.bytes, &self.spans);
        let (command, args) = Command::resolve(args).expect("a good command");
        Request { command, database: 0, hash: hasher.hash(args.at(0)), args }
    }
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let fields = if is_test { FIELDS_IN_A_TEST } else { FIELDS };
    let hasher = KeyHasher::with_seed(1);
    let mut store = Store::new(Config::new(hasher.clone(), 1));
    let (mut words, mut replies) = (Words::default(), ReplyBuffer::default());
    let (mut steps, mut tended) =
        (Times::with_room_for(fields), Times::with_room_for(fields / 16 + 1));
    for name in [&b"HSET"[..], b"HDEL"] {
        for step in 0..fields {
            let field =
                format!("field:{:08}", if name == b"HSET" { step } else { fields - step - 1 });
            let value = format!("value:{:010}", step.wrapping_mul(2_654_435_769) % 9_999_999_999);
            let all = [name, b"large", field.as_bytes(), value.as_bytes()];
            words.set(&all[..if name == b"HSET" { 4 } else { 3 }]);
            let request = words.request(&hasher);
            replies.clear();
            Native.lend(&mut replies, &mut |sink| steps.note(|| store.run(&request, sink)));
            black_box(&replies);
            if step % 16 == 0 {
                tended.note(|| store.tend());
            }
        }
        steps.print(std::str::from_utf8(name).expect("it is ASCII"));
        tended.print("tend");
        steps.0.clear();
        tended.0.clear();
    }
}
