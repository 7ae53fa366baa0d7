//! In which form are a batch's replies written, and who can read them?

use hectare_store::ReplySink;

/// A form in which replies are written, chosen by who will read them: the engine's own callers
/// ([`Native`](crate::Native)), or a protocol's clients.
pub trait Wire: std::fmt::Debug + Sync {
    /// Lends a sink that appends to `replies`.
    fn lend(&self, replies: &mut ReplyBuffer, run: &mut dyn FnMut(&mut dyn ReplySink));

    /// The integer that a reply is, or begins with; `None` if that is something else.
    fn integer(&self, reply: &[u8]) -> Option<i64>;

    /// How many elements a reply has that is an array, and at which byte the first of them begins;
    /// `None` if it is something else.
    fn array(&self, reply: &[u8]) -> Option<(usize, usize)>;

    /// Whether a reply is an error.
    fn is_error(&self, reply: &[u8]) -> bool;
}

/// Replies one after another, in wire form.
#[derive(Debug, Default)]
pub struct ReplyBuffer {
    /// Every reply's bytes.
    pub bytes: Vec<u8>,
    /// Where each reply ends.
    pub ends: Vec<usize>,
    /// How many of them are errors.
    pub errors: usize,
}

impl ReplyBuffer {
    /// How many bytes one reply may take before a command that could go on for ever is stopped:
    /// twice the largest value, so that no honest reply is.
    pub const REPLY_BYTES_MAX: usize = 1 << 30;

    /// How many replies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of one reply.
    ///
    /// # Panics
    /// If there is no such reply.
    #[must_use]
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    /// How many bytes the reply has that is being written.
    #[must_use]
    pub fn unfinished_bytes(&self) -> usize {
        self.bytes.len() - self.ends.last().copied().unwrap_or(0)
    }

    /// How many bytes the reply that is being written may still take.
    #[must_use]
    pub fn bytes_left(&self) -> usize {
        Self::REPLY_BYTES_MAX.saturating_sub(self.unfinished_bytes())
    }

    /// The reply that is being written is complete.
    pub fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Forgets all, and gives memory back that an unusual batch needed.
    pub fn clear(&mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > crate::batch::KEPT_BYTES_MAX {
            self.bytes.shrink_to(crate::batch::KEPT_BYTES_MAX);
        }
        self.ends.clear();
        self.errors = 0;
    }
}
