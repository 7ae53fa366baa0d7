//! What can a caller do with a string?

use crate::client::Client;
use crate::error::EngineError;
use crate::read::{bytes, integer, nothing, optional_bytes_list};
use crate::row::row;
use smallvec::SmallVec;

/// Strings.
impl Client {
    /// Sets a key to a string, whatever it held, without a deadline. O(1).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), EngineError> {
        self.call(row!("set"), &[key.as_ref(), value.as_ref()], nothing)
    }

    /// A key's string. O(1).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a hash.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, EngineError> {
        self.call(row!("get"), &[key.as_ref()], bytes)
    }

    /// The strings of several keys, in the order asked; `None` for a key that is not there or holds
    /// a hash. Each key is read atomically, not all of them at one moment. O(keys).
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn mget<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<Vec<u8>>>, EngineError> {
        let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
        let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
        self.call_anywhere(row!("mget"), &args, optional_bytes_list)
    }

    /// Adds to a key that is an integer, or not there (0), and gives the sum. O(1).
    ///
    /// # Errors
    /// [`EngineError`], also if the value is no integer or the sum would not fit.
    pub fn incrby(&self, key: impl AsRef<[u8]>, by: i64) -> Result<i64, EngineError> {
        let mut digits = itoa::Buffer::new();
        self.call(row!("incrby"), &[key.as_ref(), digits.format(by).as_bytes()], integer)
    }
}
