//! What can a caller do with a string?

use crate::asynchronous::{AsyncClient, Pending};
use crate::client::Client;
use crate::error::Outcome;
use crate::read::{bytes, flag, integer, is_ok, nothing, optional_bytes_list};
use crate::row::row;
use smallvec::SmallVec;

/// The same methods for callers that wait and for those that do not.
macro_rules! strings {
    ($client:ident, $answer:ident) => {
        /// Strings.
        impl $client {
            /// Sets a key to a string, whatever it held, without a deadline. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn set(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> $answer<()> {
                self.call(row!("set"), &[key.as_ref(), value.as_ref()], nothing)
            }

            /// A key's string. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a hash.
            pub fn get(&self, key: impl AsRef<[u8]>) -> $answer<Option<Vec<u8>>> {
                self.call(row!("get"), &[key.as_ref()], bytes)
            }

            /// Sets a key to a string, on conditions, with a deadline; says whether it was set. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn set_with(
                &self,
                key: impl AsRef<[u8]>,
                value: impl AsRef<[u8]>,
                options: SetOptions,
            ) -> $answer<bool> {
                let mut digits = itoa::Buffer::new();
                let mut args: SmallVec<[&[u8]; 8]> = SmallVec::new();
                args.extend([key.as_ref(), value.as_ref()]);
                options.append(&mut digits, &mut args);
                self.call(row!("set"), &args, is_ok)
            }

            /// Sets a key to a string, and gives the string that it held. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key held a hash, which it then still does.
            pub fn set_and_get(
                &self,
                key: impl AsRef<[u8]>,
                value: impl AsRef<[u8]>,
            ) -> $answer<Option<Vec<u8>>> {
                self.call(row!("set"), &[key.as_ref(), value.as_ref(), b"GET"], bytes)
            }

            /// The strings of several keys at one moment, in the order asked; `None` for a key that is not
            /// there or holds a hash. O(keys).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn mget<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> $answer<Vec<Option<Vec<u8>>>> {
                let keys: SmallVec<[K; 8]> = keys.into_iter().collect();
                let args: SmallVec<[&[u8]; 8]> = keys.iter().map(AsRef::as_ref).collect();
                self.call_anywhere(row!("mget"), &args, optional_bytes_list)
            }

            /// Sets several keys to strings at one moment, whatever they held. O(keys).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn mset<K: AsRef<[u8]>, V: AsRef<[u8]>>(
                &self,
                pairs: impl IntoIterator<Item = (K, V)>,
            ) -> $answer<()> {
                let pairs: SmallVec<[(K, V); 8]> = pairs.into_iter().collect();
                let args: SmallVec<[&[u8]; 16]> =
                    pairs.iter().flat_map(|(key, value)| [key.as_ref(), value.as_ref()]).collect();
                self.call_anywhere(row!("mset"), &args, nothing)
            }

            /// Sets several keys to strings at one moment if none of them is there, and says whether they
            /// were set. O(keys).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError).
            pub fn msetnx<K: AsRef<[u8]>, V: AsRef<[u8]>>(
                &self,
                pairs: impl IntoIterator<Item = (K, V)>,
            ) -> $answer<bool> {
                let pairs: SmallVec<[(K, V); 8]> = pairs.into_iter().collect();
                let args: SmallVec<[&[u8]; 16]> =
                    pairs.iter().flat_map(|(key, value)| [key.as_ref(), value.as_ref()]).collect();
                self.call_anywhere(row!("msetnx"), &args, flag)
            }

            /// Adds one. See [`incrby`](Self::incrby).
            ///
            /// # Errors
            /// As for `incrby`.
            pub fn incr(&self, key: impl AsRef<[u8]>) -> $answer<i64> {
                self.call(row!("incr"), &[key.as_ref()], integer)
            }

            /// Takes one away. See [`incrby`](Self::incrby).
            ///
            /// # Errors
            /// As for `incrby`.
            pub fn decr(&self, key: impl AsRef<[u8]>) -> $answer<i64> {
                self.call(row!("decr"), &[key.as_ref()], integer)
            }

            /// Takes away. See [`incrby`](Self::incrby).
            ///
            /// # Errors
            /// As for `incrby`.
            pub fn decrby(&self, key: impl AsRef<[u8]>, by: i64) -> $answer<i64> {
                let mut digits = itoa::Buffer::new();
                self.call(row!("decrby"), &[key.as_ref(), digits.format(by).as_bytes()], integer)
            }

            /// Adds to a key that is an integer, or not there (0), and gives the sum. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError), also if the value is no integer or the sum would not fit.
            pub fn incrby(&self, key: impl AsRef<[u8]>, by: i64) -> $answer<i64> {
                let mut digits = itoa::Buffer::new();
                self.call(row!("incrby"), &[key.as_ref(), digits.format(by).as_bytes()], integer)
            }
        }
    };
}

strings!(Client, Outcome);
strings!(AsyncClient, Pending);

/// On which conditions a key is set, and for how long. Without any, always and for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    /// Only if the key is there (`true`), or is not there (`false`).
    pub only_if_there: Option<bool>,
    /// When the key goes again.
    pub deadline: Deadline,
}

/// When a key goes that is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deadline {
    /// Never.
    #[default]
    Never,
    /// When it would have gone before it was set.
    Kept,
    /// After a time, in milliseconds.
    AfterMs(u64),
    /// At a time, in milliseconds since 1970.
    AtMs(u64),
}

impl SetOptions {
    fn append<'a>(self, digits: &'a mut itoa::Buffer, args: &mut SmallVec<[&'a [u8]; 8]>) {
        match self.only_if_there {
            Some(true) => args.push(b"XX"),
            Some(false) => args.push(b"NX"),
            None => {}
        }
        match self.deadline {
            Deadline::Never => {}
            Deadline::Kept => args.push(b"KEEPTTL"),
            Deadline::AfterMs(ms) => args.extend([b"PX", digits.format(ms).as_bytes()]),
            Deadline::AtMs(ms) => args.extend([b"PXAT", digits.format(ms).as_bytes()]),
        }
    }
}
