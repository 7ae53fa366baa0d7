//! How much memory can bytes from outside make the parsers take?

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hectare_resp::{Parsed, ReplyParser, RequestParser, Skimmer, encode_command};
use proptest::prelude::*;

/// Counts what the thread that asks has allocated and not given back, and the most it ever was.
struct Counting;

thread_local! {
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator as it came; the counters are thread-local
// cells that are initialised without allocating.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE_BYTES.get() + layout.size();
        LIVE_BYTES.set(live);
        PEAK_BYTES.set(PEAK_BYTES.get().max(live));
        // SAFETY: the caller keeps `alloc`'s contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.set(LIVE_BYTES.get().saturating_sub(layout.size()));
        // SAFETY: the caller keeps `dealloc`'s contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most memory that `work` held at a time beyond what was held before.
fn peak_bytes(work: impl FnOnce()) -> usize {
    let before = LIVE_BYTES.get();
    PEAK_BYTES.set(before);
    work();
    PEAK_BYTES.get() - before
}

/// Reads all requests in `bytes`, until an error or the end.
fn read_requests(parser: &mut RequestParser, bytes: &[u8]) {
    let mut position = 0;
    while let Ok(parsed) = parser.parse(&bytes[position..]) {
        match parsed {
            Parsed::Request(request) => position += request.consumed(),
            Parsed::Empty { consumed } => position += consumed,
            Parsed::Partial { .. } => break,
        }
    }
}

fn read_replies(parser: &mut ReplyParser, bytes: &[u8]) {
    let mut position = 0;
    while let Ok(Some((_, consumed))) = parser.parse(&bytes[position..]) {
        position += consumed;
    }
}

#[test]
fn a_claim_takes_no_memory() {
    let claims: [&[u8]; 4] = [
        b"*1048576\r\n",
        b"*1048576\r\n$0\r\n\r\n",
        b"*1\r\n$536870912\r\n",
        b"*2\r\n$536870912\r\nx",
    ];
    for claim in claims {
        let mut parser = RequestParser::default();
        let peak = peak_bytes(|| read_requests(&mut parser, claim));
        assert!(peak <= 256, "{}: {peak} bytes", claim.escape_ascii());
    }
    let claims: [&[u8]; 4] =
        [b"*300000000\r\n", b"%100000000\r\n+a\r\n", b"$1000000000\r\nx", b"|100000000\r\n"];
    for claim in claims {
        let mut parser = ReplyParser::default();
        let peak = peak_bytes(|| read_replies(&mut parser, claim));
        assert_eq!(peak, 0, "{}", claim.escape_ascii());
    }
}

#[test]
fn requests_of_usual_size_take_no_memory_once_the_first_is_read() {
    let mut bytes = Vec::new();
    encode_command(&mut bytes, ["HSET", "user:1", "name", "Ada", "age", "36"]);
    bytes.extend_from_slice(b"HGET user:1 'name'\r\n");
    let mut parser = RequestParser::default();
    read_requests(&mut parser, &bytes);
    assert_eq!(peak_bytes(|| read_requests(&mut parser, &bytes)), 0);
}

#[test]
fn the_room_of_a_large_request_is_given_back_at_the_next() {
    let mut parser = RequestParser::default();
    let before = LIVE_BYTES.get();
    {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &vec![""; 100_000]);
        read_requests(&mut parser, &bytes);
    }
    read_requests(&mut parser, b"PING\r\n");
    assert!(LIVE_BYTES.get() - before < 4_096);
}

#[test]
fn a_skimmer_takes_no_memory_at_all() {
    let bytes = [b"*2\r\n".repeat(1_000), b":1\r\n".repeat(1_001)].concat();
    let mut skimmer = Skimmer::default();
    let peak = peak_bytes(|| {
        let skimmed = skimmer.skim(&bytes);
        assert_eq!(skimmed.unwrap().unwrap().consumed, bytes.len());
    });
    assert_eq!(peak, 0);
}

/// Pieces that make much of few bytes: many empty arguments or elements, nested and not, mostly the same
/// many times over.
fn dense() -> impl Strategy<Value = Vec<u8>> {
    let piece = proptest::sample::select(vec![
        &b"$0\r\n\r\n"[..],
        b"*0\r\n",
        b"*1\r\n",
        b"*9\r\n",
        b"%2\r\n",
        b"|1\r\n",
        b"_\r\n",
        b"+\r\n",
        b"*1000\r\n",
        b"a b c d e f g h\r\n",
        b"'' '' \"\" ''\r\n",
    ]);
    let run = (piece, 1_usize..300).prop_map(|(piece, times)| piece.repeat(times));
    proptest::collection::vec(run, 1..6).prop_map(|runs| runs.concat())
}

/// What a parser may take for each byte it has read: a span of 8 bytes for an argument of one byte and a
/// blank, in a `Vec` that doubles while its half is still there, makes 12; a reply's node of 40 bytes or
/// less for an element of three, once more while a map is paired, makes 27. At the start there are the
/// stack for 32 open arrays and a few spans.
const BYTES_PER_BYTE_MAX: usize = 32;
const BYTES_AT_START_MAX: usize = 4_096;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn memory_is_bounded_by_the_bytes_read(bytes in dense()) {
        let bound = bytes.len() * BYTES_PER_BYTE_MAX + BYTES_AT_START_MAX;
        let mut parser = RequestParser::default();
        let peak = peak_bytes(|| read_requests(&mut parser, &bytes));
        prop_assert!(peak <= bound, "{} bytes of requests took {}", bytes.len(), peak);
        let mut parser = ReplyParser::default();
        let peak = peak_bytes(|| read_replies(&mut parser, &bytes));
        prop_assert!(peak <= bound, "{} bytes of replies took {}", bytes.len(), peak);
    }
}
