//! What can a caller do with keys, whatever they hold?

use crate::client::Client;
use crate::error::EngineError;
use crate::read::{count, flag, integer, nothing};
use crate::row::row;
use smallvec::SmallVec;
use std::time::Duration;

/// Keys of any type.
impl Client {
    /// Removes keys of any type, and says how many were there. Atomic for each key. O(keys).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn del<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<u64, EngineError> {
        let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
        let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
        self.call_anywhere(row!("del"), &args, count)
    }

    /// Whether a key is there. O(1).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn exists(&self, key: impl AsRef<[u8]>) -> Result<bool, EngineError> {
        self.call(row!("exists"), &[key.as_ref()], flag)
    }

    /// Lets a key go after a time, and says whether there is such a key. O(1).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn expire(&self, key: impl AsRef<[u8]>, after: Duration) -> Result<bool, EngineError> {
        let mut digits = itoa::Buffer::new();
        let ms = digits.format(after.as_millis()).as_bytes();
        self.call(row!("pexpire"), &[key.as_ref(), ms], flag)
    }

    /// The time that a key has left; `None` if it has no deadline or is not there. O(1).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn ttl(&self, key: impl AsRef<[u8]>) -> Result<Option<Duration>, EngineError> {
        let ms = self.call(row!("pttl"), &[key.as_ref()], integer)?;
        Ok(u64::try_from(ms).ok().map(Duration::from_millis))
    }

    /// Takes a key's deadline away, and says whether it had one. O(1).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn persist(&self, key: impl AsRef<[u8]>) -> Result<bool, EngineError> {
        self.call(row!("persist"), &[key.as_ref()], flag)
    }

    /// How many keys there are in this database. Asks every shard.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn dbsize(&self) -> Result<u64, EngineError> {
        self.call_anywhere(row!("dbsize"), &[], count)
    }

    /// Removes every key of every database, shard by shard.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn flushall(&self) -> Result<(), EngineError> {
        self.call_anywhere(row!("flushall"), &[], nothing)
    }
}
