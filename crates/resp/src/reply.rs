//! What does a reply say?

use crate::number;

/// A reply as a tree that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A status such as `OK`.
    Simple(Vec<u8>),
    /// An error: its code, a blank and what is wrong.
    Error(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// A string of any bytes.
    Bulk(Vec<u8>),
    /// No value.
    Null,
    /// An array.
    Array(Vec<Self>),
    /// A map (RESP3), in the order sent.
    Map(Vec<(Self, Self)>),
    /// A set (RESP3), in the order sent.
    Set(Vec<Self>),
    /// A message that answers no command (RESP3).
    Push(Vec<Self>),
    /// A double (RESP3).
    Double(f64),
    /// A truth value (RESP3).
    Boolean(bool),
    /// The digits of a whole number of any size (RESP3).
    BigNumber(Vec<u8>),
    /// Text for a person to read (RESP3).
    Verbatim {
        /// Its format, such as `txt` or `mkd`.
        format: [u8; 3],
        /// The text.
        text: Vec<u8>,
    },
}

/// What each method reads is what RESP2 and RESP3 give for the same thing, so that a caller need not
/// know which of them is spoken.
///
/// ```
/// use hectare_resp::ReplyParser;
///
/// let config = b"*4\r\n$4\r\nsave\r\n$0\r\n\r\n$9\r\nmaxmemory\r\n$3\r\n100\r\n";
/// let (reply, _consumed) = ReplyParser::default().parse(config)?.expect("the reply is complete");
/// assert_eq!(reply.get("maxmemory").and_then(|value| value.as_integer()), Some(100));
/// # Ok::<(), hectare_resp::ReplyError>(())
/// ```
impl Reply {
    /// The bytes of a string, status or text.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(bytes) | Self::Bulk(bytes) | Self::Verbatim { text: bytes, .. } => {
                Some(bytes)
            }
            _ => None,
        }
    }

    /// [`as_bytes`](Self::as_bytes), if they are UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// An integer, also one that is sent as the digits of a string.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => number::parse_integer(self.as_bytes()?),
        }
    }

    /// A double, also one that is sent as a string or an integer.
    #[must_use]
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Self::Double(double) => Some(*double),
            Self::Integer(integer) => Some(*integer as f64),
            _ => self.as_text()?.parse().ok(),
        }
    }

    /// A truth value, also one that is sent as 0 or 1.
    #[must_use]
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Integer(0) => Some(false),
            Self::Integer(1) => Some(true),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) | Self::Set(elements) | Self::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text of an error.
    #[must_use]
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Self::Error(text) => Some(text),
            _ => None,
        }
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The pairs of a map, also one that is sent as a flat array. Anything else has none.
    pub fn pairs(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let (mapped, flat) = match self {
            Self::Map(pairs) => (&pairs[..], &[][..]),
            Self::Array(elements) if elements.len().is_multiple_of(2) => (&[][..], &elements[..]),
            _ => (&[][..], &[][..]),
        };
        let flat = flat.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
        mapped.iter().map(|(key, value)| (key, value)).chain(flat)
    }

    /// The value of the first of the [`pairs`](Self::pairs) that has this key. Takes time linear in the
    /// pairs.
    #[must_use]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<&Self> {
        let key = Some(key.as_ref());
        self.pairs().find(|(found, _)| found.as_bytes() == key).map(|(_, value)| value)
    }
}
