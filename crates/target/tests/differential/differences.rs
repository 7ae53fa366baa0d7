//! Where shall the engine answer otherwise than Redis 8, or Valkey 9.1 in its dialect, and why?

use hectare_engine::Dialect;

use crate::sides::Side;
use crate::split::{elements, integer};
use crate::words::Command;

/// A case in which the replies differ, and are meant to.
pub(crate) struct Difference {
    pub(crate) reason: &'static str,
    /// What goes before; Redis runs it and `command` as one transaction, so that nothing comes between.
    before: &'static [&'static [&'static [u8]]],
    command: &'static [&'static [u8]],
    /// Whether the reply is the one that Redis gives.
    pub(crate) is_redis: fn(&[u8]) -> bool,
    /// Whether the reply is the one that the engine is to give.
    pub(crate) is_wanted: fn(&[u8]) -> bool,
}

/// Every wanted difference. Besides these, a negative count of `HRANDFIELD` makes Redis write a reply
/// without bound, until it dies; the engine refuses a reply beyond its bound. And a field whose deadline
/// has passed is gone at once; `HLEN`, `EXISTS` and others that do not look at fields find it in Redis
/// until it is removed in the background.
pub(crate) const WANTED: &[Difference] = &[
    Difference {
        reason: "a key whose deadline has passed is gone, whether or not somebody has looked for it",
        before: &[&[b"FLUSHALL"], &[b"SET", b"k", b"v", b"PXAT", b"1"]],
        command: &[b"DBSIZE"],
        is_redis: |reply| reply == b":1\r\n",
        is_wanted: |reply| reply == b":0\r\n",
    },
    Difference {
        reason: "a key whose deadline has passed weighs nothing",
        before: &[&[b"FLUSHALL"], &[b"SET", b"k", b"v", b"PXAT", b"1"]],
        command: &[b"MEMORY", b"USAGE", b"k"],
        is_redis: |reply| integer(reply).is_some_and(|bytes| bytes > 0),
        is_wanted: |reply| reply == b"$-1\r\n",
    },
    Difference {
        reason: "fields keep their order when they get deadlines; Redis sorts a listpack by them",
        before: &[
            &[b"FLUSHALL"],
            &[b"HSET", b"k", b"a", b"1", b"b", b"2", b"c", b"3"],
            &[b"HEXPIREAT", b"k", b"5000000000", b"FIELDS", b"1", b"c"],
        ],
        command: &[b"HVALS", b"k"],
        is_redis: |reply| reply == b"*3\r\n$1\r\n3\r\n$1\r\n1\r\n$1\r\n2\r\n",
        is_wanted: |reply| reply == b"*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n",
    },
    Difference {
        reason: "a small integer is no object of its own, also after a COPY",
        before: &[&[b"FLUSHALL"], &[b"SET", b"k", b"7"], &[b"COPY", b"k", b"copy"]],
        command: &[b"OBJECT", b"REFCOUNT", b"copy"],
        is_redis: |reply| reply == b":1\r\n",
        is_wanted: |reply| reply == SHARED,
    },
    MANY_STARS_MATCH,
];

/// The same for Valkey. Besides these, it counts a long string twice while a reply with it is under way.
pub(crate) const WANTED_OF_VALKEY: &[Difference] = &[MANY_STARS_MATCH];

const MANY_STARS_MATCH: Difference = Difference {
    reason: "a pattern matches however many stars it has; Redis and Valkey give up after a thousand",
    before: &[&[b"FLUSHALL"], &[b"HSET", b"k", &[b'a'; STARS], b"v"]],
    command: &[b"HSCAN", b"k", b"0", b"NOVALUES", b"MATCH", &MANY_STARS],
    is_redis: |reply| reply == b"*2\r\n$1\r\n0\r\n*0\r\n",
    is_wanted: |reply| reply.starts_with(b"*2\r\n$1\r\n0\r\n*1\r\n$1100\r\naaa"),
};

/// What `OBJECT REFCOUNT` answers of an object that all may share.
pub(crate) const SHARED: &[u8] = b":2147483647\r\n";

const STARS: usize = 1100;

/// `a*a*a*` and so on.
const MANY_STARS: [u8; 2 * STARS] = {
    let mut pattern = [b'*'; 2 * STARS];
    let mut index = 0;
    while index < pattern.len() {
        pattern[index] = b'a';
        index += 2;
    }
    pattern
};

impl Difference {
    /// Redis' reply.
    pub(crate) fn ask_redis(&self, redis: &mut dyn Side) -> Vec<u8> {
        if self.before.is_empty() {
            return self.ask_engine(redis);
        }
        let mut commands = self.commands();
        commands.insert(0, vec![b"MULTI".to_vec()]);
        commands.push(vec![b"EXEC".to_vec()]);
        let executed = redis.ask(&commands).pop().expect("EXEC is answered");
        let (_, replies) = elements(&executed).expect("EXEC answers with all replies");
        replies.last().expect("there is at least one command").to_vec()
    }

    /// The engine's reply.
    pub(crate) fn ask_engine(&self, engine: &mut dyn Side) -> Vec<u8> {
        engine.ask(&self.commands()).pop().expect("every command is answered")
    }

    fn commands(&self) -> Vec<Command> {
        let commands = self.before.iter().copied().chain([self.command]);
        commands.map(|words| words.iter().map(|word| word.to_vec()).collect()).collect()
    }
}

/// Bytes that are answered otherwise over a socket, and are meant to be.
pub(crate) struct DifferenceOfBytes {
    pub(crate) reason: &'static str,
    pub(crate) dialects: &'static [Dialect],
    pub(crate) said: &'static [u8],
}

const BOTH: &[Dialect] = &[Dialect::Redis8, Dialect::Valkey9];
const VALKEY: &[Dialect] = &[Dialect::Valkey9];

const COUNTS: &str =
    "a request has at most a million arguments; Redis waits for two thousand million";
const QUOTES: &str = "quotes are read as Redis reads them; Valkey takes what is behind them";
const ENDS: &str = "the two bytes behind an argument are not looked at, as in Redis; Valkey does";

/// Every one of them. Besides these, Redis says nothing of a login in vain if replies are on their way;
/// Valkey forgets the byte 255 in what is typed, and calls a number beyond 64 bits none in `CONFIG SET`;
/// the master's offset in `ROLE` is 0; and arguments too many for `CLIENT PAUSE`, `CLIENT UNBLOCK` and
/// `FUNCTION FLUSH` are a plain syntax error.
pub(crate) const WANTED_OF_BYTES: &[DifferenceOfBytes] = &[
    DifferenceOfBytes { reason: COUNTS, dialects: BOTH, said: b"*2147483647\r\n" },
    DifferenceOfBytes { reason: ENDS, dialects: VALKEY, said: b"*1\r\n$4\r\nPINGxx" },
    DifferenceOfBytes { reason: ENDS, dialects: VALKEY, said: b"*1\rx$4\rxPING\rx" },
    DifferenceOfBytes { reason: QUOTES, dialects: VALKEY, said: b"ECHO \"a\"b\r\n" },
    DifferenceOfBytes { reason: QUOTES, dialects: VALKEY, said: b"ECHO 'a'b\r\n" },
    DifferenceOfBytes { reason: QUOTES, dialects: VALKEY, said: b"ECHO \"a\\\"\r\n" },
];
