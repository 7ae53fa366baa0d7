//! What is one command, once its bytes are found and its key is hashed?

use crate::command::Command;

/// Where one argument lies in the bytes of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Index of the first byte.
    pub start: u32,
    /// Index after the last byte.
    pub end: u32,
}

/// The arguments of a command, without its name: spans over bytes that somebody else owns.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// The arguments that `spans` cut out of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Self {
        debug_assert!(spans.iter().all(|span| span.end as usize <= bytes.len()));
        Self { bytes, spans }
    }

    /// How many arguments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no argument.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The argument at `index`; `None` past the last.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let span = self.spans.get(index)?;
        Some(&self.bytes[span.start as usize..span.end as usize])
    }

    /// The argument at `index`, for commands whose arity says that it is there.
    ///
    /// # Panics
    /// If there is no such argument: whoever made the request did not check its arity.
    #[must_use]
    pub fn at(&self, index: usize) -> &'a [u8] {
        let span = self.spans[index];
        &self.bytes[span.start as usize..span.end as usize]
    }

    /// The arguments from `index` on; none if there are fewer.
    #[must_use]
    pub fn skip(&self, index: usize) -> Self {
        Self { bytes: self.bytes, spans: self.spans.get(index..).unwrap_or(&[]) }
    }

    /// The arguments before `index`; all if there are fewer.
    #[must_use]
    pub fn first(&self, index: usize) -> Self {
        Self { bytes: self.bytes, spans: self.spans.get(..index).unwrap_or(self.spans) }
    }

    /// Every argument in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| &bytes[span.start as usize..span.end as usize])
    }
}

impl std::ops::Index<usize> for Args<'_> {
    type Output = [u8];

    /// # Panics
    /// Like [`Args::at`].
    fn index(&self, index: usize) -> &[u8] {
        self.at(index)
    }
}

/// One command, ready to run: its row, its key's hash (computed once, by whoever routed it) and its
/// arguments.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The row that says how it runs.
    pub command: &'static Command,
    /// Which database it speaks of, from 0.
    pub database: u8,
    /// [`KeyHasher::hash`](crate::KeyHasher::hash) of its first key; 0 if it has none.
    pub hash: u64,
    /// What follows the command's name (and its subcommand's).
    pub args: Args<'a>,
}
