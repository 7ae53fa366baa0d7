//! How much may the other side claim before it is refused?

/// What a client may ask of a [`RequestParser`](crate::RequestParser).
///
/// The defaults are those of Redis 8, but for two: Redis takes up to 2³¹ − 1 arguments, and closes a
/// connection without a word when its whole buffer passes 1 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The longest inline command, and the longest line that announces a count or a length. It cannot be
    /// set below 32.
    pub line_bytes_max: u32,
    /// The longest argument of a request in RESP form (Redis' `proto-max-bulk-len`).
    pub bulk_bytes_max: u32,
    /// The most arguments of a request in RESP form.
    pub args_count_max: u32,
    /// The longest request, all its lines included; that it is a `u32` is what lets a
    /// [`Span`](crate::Span) be two of them.
    pub request_bytes_max: u32,
    /// Whether the client has logged in, or need not. If it has yet to, a request in RESP form also keeps
    /// to [`UNAUTHENTICATED_ARGS_COUNT_MAX`](Self::UNAUTHENTICATED_ARGS_COUNT_MAX) and
    /// [`UNAUTHENTICATED_BULK_BYTES_MAX`](Self::UNAUTHENTICATED_BULK_BYTES_MAX).
    pub authenticated: bool,
}

impl RequestLimits {
    /// The most arguments of a client that has yet to log in.
    pub const UNAUTHENTICATED_ARGS_COUNT_MAX: u32 = 10;
    /// The longest argument of a client that has yet to log in.
    pub const UNAUTHENTICATED_BULK_BYTES_MAX: u32 = 16 * 1024;

    /// The default limits for a client that has yet to log in.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self { authenticated: false, ..Self::default() }
    }
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            line_bytes_max: 64 * 1024,
            bulk_bytes_max: 512 * 1024 * 1024,
            args_count_max: 1024 * 1024,
            request_bytes_max: 1024 * 1024 * 1024,
            authenticated: true,
        }
    }
}

/// What a server may send to a [`Skimmer`](crate::Skimmer) or [`ReplyParser`](crate::ReplyParser).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// The longest line: a status, an error, a number, or what announces a count or a length.
    /// It cannot be set below 32.
    pub line_bytes_max: usize,
    /// The longest reply, with everything in it.
    pub reply_bytes_max: usize,
    /// How deep arrays, maps, sets and attributes may stand in one another where a tree is built; 1 is a
    /// flat array. A [`Skimmer`](crate::Skimmer) only counts what is outstanding, at any depth.
    pub depth_max: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self { line_bytes_max: 64 * 1024, reply_bytes_max: 1024 * 1024 * 1024, depth_max: 32 }
    }
}
