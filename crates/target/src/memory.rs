//! How much memory does a target take?

/// Memory of a target at one moment, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryReading {
    /// By the target's own accounting: `used_memory` of a server, records and index of the engine.
    pub used_memory_bytes: u64,
    /// What its process has in memory. For the embedded engine that is this whole process, so only
    /// differences between two readings speak of the engine.
    pub rss_bytes: u64,
    /// The most that the process had in memory since it started or since the peak was last reset;
    /// `None` when it is not a process of this machine.
    pub rss_peak_bytes: Option<u64>,
    /// Who says so.
    pub rss_source: RssSource,
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
