//! How many bytes of replies may wait for a client that does not read them?

use super::value::{self, Refusal};

/// What may wait for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferLimit {
    /// A client for which more bytes wait is disconnected; 0 for no limit.
    pub hard_bytes: u64,
    /// A client for which more bytes wait for some time likewise; 0 for no limit.
    pub soft_bytes: u64,
    /// How long that time is.
    pub soft_seconds: u32,
}

/// What may wait for clients of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimits {
    /// For those that send commands. Redis sets no limit for them; here one client cannot take all
    /// memory.
    pub normal: BufferLimit,
    /// For replicas.
    pub replica: BufferLimit,
    /// For those that listen to messages.
    pub pubsub: BufferLimit,
}

const MIB: u64 = 1 << 20;

impl Default for BufferLimits {
    fn default() -> Self {
        let limit = |hard_mib, soft_mib, soft_seconds| BufferLimit {
            hard_bytes: hard_mib * MIB,
            soft_bytes: soft_mib * MIB,
            soft_seconds,
        };
        Self { normal: limit(1024, 0, 0), replica: limit(256, 64, 60), pubsub: limit(32, 8, 60) }
    }
}

impl BufferLimits {
    /// Takes over `class hard soft seconds`, for one class or several; all or none.
    pub(super) fn read(&mut self, words: &[&[u8]]) -> Result<(), Refusal> {
        if !words.len().is_multiple_of(4) {
            return Err("Wrong number of arguments in buffer limit configuration.".into());
        }
        let mut limits = *self;
        for class in words.chunks_exact(4) {
            let limit = match class[0].to_ascii_lowercase().as_slice() {
                b"normal" => &mut limits.normal,
                b"slave" | b"replica" => &mut limits.replica,
                b"pubsub" => &mut limits.pubsub,
                _ => {
                    return Err(
                        "Invalid client class specified in buffer limit configuration.".into()
                    );
                }
            };
            let seconds = value::integer(class[3], 0, i64::MAX).map(u32::try_from);
            let bytes = [class[1], class[2]].map(value::bytes);
            let ([Some(hard_bytes), Some(soft_bytes)], Ok(Ok(soft_seconds))) = (bytes, seconds)
            else {
                let refusal = "Error in hard, soft or soft_seconds setting in buffer limit \
                               configuration.";
                return Err(refusal.into());
            };
            *limit = BufferLimit { hard_bytes, soft_bytes, soft_seconds };
        }
        *self = limits;
        Ok(())
    }

    /// As `CONFIG GET` shows them.
    pub(super) fn show(&self) -> String {
        let classes = [("normal", self.normal), ("slave", self.replica), ("pubsub", self.pubsub)];
        let class = |(name, limit): (&str, BufferLimit)| {
            format!("{name} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
        };
        classes.map(class).join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Refusal> {
        let mut limits = BufferLimits::default();
        let words: Vec<&[u8]> =
            text.split(' ').filter(|word| !word.is_empty()).map(str::as_bytes).collect();
        let outcome = limits.read(&words).map(|()| limits.show());
        assert!(outcome.is_ok() || limits == BufferLimits::default(), "all or none");
        outcome
    }

    #[test]
    fn classes_are_set_one_by_one() {
        let shown = read("normal 1mb 2mb 3 replica 1 2 3").unwrap();
        assert_eq!(shown, "normal 1048576 2097152 3 slave 1 2 3 pubsub 33554432 8388608 60");
        assert_eq!(read("").unwrap(), BufferLimits::default().show());
        assert!(
            read("").unwrap().starts_with("normal 1073741824 0 0 slave 268435456 67108864 60 ")
        );
    }

    #[test]
    fn what_is_wrong_is_told_as_redis_tells_it() {
        for (text, refusal) in [
            ("normal 0", "Wrong number of arguments in buffer limit configuration."),
            ("foo 0 0 0", "Invalid client class specified in buffer limit configuration."),
            (
                "normal a 0 0",
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            ),
            (
                "normal 1 2 3 slave 1 2 -3",
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), refusal, "{text}");
        }
    }
}
