//! How much memory does a target take?

/// Memory of a target at one moment, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryReading {
    /// By the target's own accounting: `used_memory` of a server, everything that the engine's
    /// [`Books`] count.
    pub used_memory_bytes: u64,
    /// What the engine needs it for; `None` for a server.
    pub books: Option<Books>,
    /// What its process has in memory. For the embedded engine that is this whole process, so only
    /// differences between two readings speak of the engine.
    pub rss_bytes: u64,
    /// The most that the process had in memory since it started or since the peak was last reset;
    /// `None` when it is not a process of this machine.
    pub rss_peak_bytes: Option<u64>,
    /// Who says so.
    pub rss_source: RssSource,
}

/// What the embedded engine needs its memory for, by its own accounting, summed over its shards. All
/// but the payload add up to what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// Bytes of keys, field names and values, as a client sends them.
    pub payload_bytes: u64,
    /// What they are kept in.
    pub record_bytes: u64,
    /// What leads to the records.
    pub index_bytes: u64,
    /// What records have in common.
    pub shape_bytes: u64,
    /// What holds nothing at the moment.
    pub slack_bytes: u64,
}

/// Where a figure of resident memory comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RssSource {
    /// The kernel, asked for the process: up to date.
    Kernel,
    /// The server, `used_memory_rss` in its `INFO`: refreshed ten times a second or so, and the
    /// only source for a server on another machine or of another user.
    Server,
}

/// Whether the peak of resident memory began again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeakReset {
    /// It counts from now.
    Reset,
    /// It still counts from the start of the process.
    Refused {
        /// Why, as a clause.
        reason: String,
    },
}
