//! What can a caller do with keys, whatever they hold?

use crate::asynchronous::{AsyncClient, Pending};
use crate::client::Client;
use crate::error::Outcome;
use crate::read::{
    bytes, count, flag, keys_page, nothing, optional_count, optional_duration, text,
};
use crate::row::row;
use smallvec::SmallVec;
use std::time::Duration;

/// The same methods for callers that wait and for those that do not.
macro_rules! keys {
    ($client:ident, $answer:ident) => {
        /// Keys of any type.
        impl $client {
            /// Removes keys of any type, and says how many were there; all at one moment. O(keys).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn del<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> $answer<u64> {
                let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
                let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
                self.call_anywhere(row!("del"), &args, count)
            }

            /// The same as [`del`](Self::del).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn unlink<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> $answer<u64> {
                let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
                let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
                self.call_anywhere(row!("unlink"), &args, count)
            }

            /// How many of the keys are there at one moment, each counted as often as it is named. O(keys).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn count_existing<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> $answer<u64> {
                let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
                let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
                self.call_anywhere(row!("exists"), &args, count)
            }

            /// How many of the keys are there; nothing else, since no idle time is kept. O(keys).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn touch<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> $answer<u64> {
                let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
                let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
                self.call_anywhere(row!("touch"), &args, count)
            }

            /// What type of value a key holds: `hash`, `string` or `none`. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn type_of(&self, key: impl AsRef<[u8]>) -> $answer<String> {
                self.call(row!("type"), &[key.as_ref()], text)
            }

            /// Gives a key another name, whatever was called so before. O(n) of what it holds.
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError), also if there is no such key.
            pub fn rename(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> $answer<()> {
                self.call_anywhere(row!("rename"), &[from.as_ref(), to.as_ref()], nothing)
            }

            /// Gives a key another name if nothing is called so, and says whether it did. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError), also if there is no such key.
            pub fn renamenx(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> $answer<bool> {
                self.call_anywhere(row!("renamenx"), &[from.as_ref(), to.as_ref()], flag)
            }

            /// Copies what a key holds to another key, which is replaced only if so said; says whether it
            /// did. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn copy(
                &self,
                from: impl AsRef<[u8]>,
                to: impl AsRef<[u8]>,
                replace: bool,
            ) -> $answer<bool> {
                let args: [&[u8]; 3] = [from.as_ref(), to.as_ref(), b"REPLACE"];
                self.call_anywhere(row!("copy"), &args[..if replace { 3 } else { 2 }], flag)
            }

            /// Lets a key go at a time, in milliseconds since 1970, and says whether there is such a key.
            /// O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn expire_at_ms(&self, key: impl AsRef<[u8]>, unix_ms: u64) -> $answer<bool> {
                let mut digits = itoa::Buffer::new();
                self.call(
                    row!("pexpireat"),
                    &[key.as_ref(), digits.format(unix_ms).as_bytes()],
                    flag,
                )
            }

            /// When a key goes, in milliseconds since 1970; `None` if it has no deadline or is not there.
            /// O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn expires_at_ms(&self, key: impl AsRef<[u8]>) -> $answer<Option<u64>> {
                self.call(row!("pexpiretime"), &[key.as_ref()], optional_count)
            }

            /// How a key is kept, in Redis' words. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn object_encoding(&self, key: impl AsRef<[u8]>) -> $answer<Option<Vec<u8>>> {
                self.call(row!("object|encoding"), &[key.as_ref()], bytes)
            }

            /// How many bytes a key takes; `None` if it is not there. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn memory_usage(&self, key: impl AsRef<[u8]>) -> $answer<Option<u64>> {
                self.call(row!("memory|usage"), &[key.as_ref()], optional_count)
            }

            /// A page of the keys, and the cursor of the next one; the first and the last cursor is 0. See
            /// [`Client::scan`] for an iterator.
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn scan_page(
                &self,
                cursor: u64,
                options: &[&[u8]],
            ) -> $answer<(u64, Vec<Vec<u8>>)> {
                let mut digits = itoa::Buffer::new();
                let mut args: SmallVec<[&[u8]; 8]> = SmallVec::new();
                args.push(digits.format(cursor).as_bytes());
                args.extend_from_slice(options);
                self.call_anywhere(row!("scan"), &args, keys_page)
            }

            /// Whether a key is there. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn exists(&self, key: impl AsRef<[u8]>) -> $answer<bool> {
                self.call(row!("exists"), &[key.as_ref()], flag)
            }

            /// Lets a key go after a time, and says whether there is such a key. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn expire(&self, key: impl AsRef<[u8]>, after: Duration) -> $answer<bool> {
                let mut digits = itoa::Buffer::new();
                let ms = digits.format(after.as_millis()).as_bytes();
                self.call(row!("pexpire"), &[key.as_ref(), ms], flag)
            }

            /// The time that a key has left; `None` if it has no deadline or is not there. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn ttl(&self, key: impl AsRef<[u8]>) -> $answer<Option<Duration>> {
                self.call(row!("pttl"), &[key.as_ref()], optional_duration)
            }

            /// Takes a key's deadline away, and says whether it had one. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn persist(&self, key: impl AsRef<[u8]>) -> $answer<bool> {
                self.call(row!("persist"), &[key.as_ref()], flag)
            }

            /// How many keys there are in this database. Asks every shard.
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn dbsize(&self) -> $answer<u64> {
                self.call_anywhere(row!("dbsize"), &[], count)
            }

            /// Removes every key of this database at one moment.
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn flushdb(&self) -> $answer<()> {
                self.call_anywhere(row!("flushdb"), &[], nothing)
            }

            /// Removes every key of every database at one moment.
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn flushall(&self) -> $answer<()> {
                self.call_anywhere(row!("flushall"), &[], nothing)
            }
        }
    };
}

keys!(Client, Outcome);
keys!(AsyncClient, Pending);
