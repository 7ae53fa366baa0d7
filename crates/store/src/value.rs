//! What does a command see of a stored value?

/// A value as a command reads it: text, or an integer whose text is its canonical decimal form.
///
/// A representation may keep `1024` as two bytes, or a name as a code; a command never learns. The
/// bytes borrowed here may be a scratch copy and are good only until the next call on the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Any bytes at all, the empty string included.
    Bytes(&'a [u8]),
    /// An integer that reads as its shortest decimal form.
    Integer(i64),
}

impl Value<'_> {
    /// The length in bytes of the value's text.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Integer(integer) => itoa::Buffer::new().format(*integer).len(),
        }
    }

    /// Whether the value is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}
