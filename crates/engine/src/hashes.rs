//! What can a caller do with a hash?

use crate::asynchronous::{AsyncClient, Pending};
use crate::client::Client;
use crate::error::Outcome;
use crate::read::{
    FieldValue, bytes, bytes_list, bytes_or_none, count, flag, integer, optional_bytes_list, pairs,
    pairs_page,
};
use crate::row::row;
use smallvec::SmallVec;

/// The same methods for callers that wait and for those that do not.
macro_rules! hashes {
    ($client:ident, $answer:ident) => {
        /// Hashes. `n` is the number of fields given or, for whole-hash reads, in the hash.
        impl $client {
            /// Sets fields, and says how many of them are new. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hset<F: AsRef<[u8]>, V: AsRef<[u8]>>(
                &self,
                key: impl AsRef<[u8]>,
                fields: impl IntoIterator<Item = (F, V)>,
            ) -> $answer<u64> {
                let mut fields = fields.into_iter();
                let (first, second) = (fields.next(), fields.next());
                // One is what there mostly is, and needs no list.
                if let (Some((field, value)), None) = (&first, &second) {
                    let args = [key.as_ref(), field.as_ref(), value.as_ref()];
                    return self.call(row!("hset"), &args, count);
                }
                let fields: SmallVec<[(F, V); 8]> =
                    first.into_iter().chain(second).chain(fields).collect();
                let mut args: SmallVec<[&[u8]; 17]> = SmallVec::with_capacity(1 + 2 * fields.len());
                args.push(key.as_ref());
                for (field, value) in &fields {
                    args.extend([field.as_ref(), value.as_ref()]);
                }
                self.call(row!("hset"), &args, count)
            }

            /// Sets a field if it is not there, and says whether it was set. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hsetnx(
                &self,
                key: impl AsRef<[u8]>,
                field: impl AsRef<[u8]>,
                value: impl AsRef<[u8]>,
            ) -> $answer<bool> {
                self.call(row!("hsetnx"), &[key.as_ref(), field.as_ref(), value.as_ref()], flag)
            }

            /// A field's value. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hget(
                &self,
                key: impl AsRef<[u8]>,
                field: impl AsRef<[u8]>,
            ) -> $answer<Option<Vec<u8>>> {
                self.call(row!("hget"), &[key.as_ref(), field.as_ref()], bytes)
            }

            /// The values of several fields, in the order asked. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hmget<F: AsRef<[u8]>>(
                &self,
                key: impl AsRef<[u8]>,
                fields: impl IntoIterator<Item = F>,
            ) -> $answer<Vec<Option<Vec<u8>>>> {
                self.on_fields(row!("hmget"), key.as_ref(), fields, optional_bytes_list)
            }

            /// All fields with their values. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hgetall(&self, key: impl AsRef<[u8]>) -> $answer<Vec<FieldValue>> {
                self.call(row!("hgetall"), &[key.as_ref()], pairs)
            }

            /// The names of all fields. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hkeys(&self, key: impl AsRef<[u8]>) -> $answer<Vec<Vec<u8>>> {
                self.call(row!("hkeys"), &[key.as_ref()], bytes_list)
            }

            /// The values of all fields. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hvals(&self, key: impl AsRef<[u8]>) -> $answer<Vec<Vec<u8>>> {
                self.call(row!("hvals"), &[key.as_ref()], bytes_list)
            }

            /// Removes fields, and says how many were there. A hash without fields is no key. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hdel<F: AsRef<[u8]>>(
                &self,
                key: impl AsRef<[u8]>,
                fields: impl IntoIterator<Item = F>,
            ) -> $answer<u64> {
                self.on_fields(row!("hdel"), key.as_ref(), fields, count)
            }

            /// Whether a field is there. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hexists(&self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>) -> $answer<bool> {
                self.call(row!("hexists"), &[key.as_ref(), field.as_ref()], flag)
            }

            /// How many fields there are. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hlen(&self, key: impl AsRef<[u8]>) -> $answer<u64> {
                self.call(row!("hlen"), &[key.as_ref()], count)
            }

            /// The length of a field's value in bytes, 0 if there is none. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hstrlen(&self, key: impl AsRef<[u8]>, field: impl AsRef<[u8]>) -> $answer<u64> {
                self.call(row!("hstrlen"), &[key.as_ref(), field.as_ref()], count)
            }

            /// Adds to a field that is an integer, or not there (0), and gives the sum. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError), also if the value is no integer or the sum would not fit.
            pub fn hincrby(
                &self,
                key: impl AsRef<[u8]>,
                field: impl AsRef<[u8]>,
                by: i64,
            ) -> $answer<i64> {
                let mut digits = itoa::Buffer::new();
                let by = digits.format(by).as_bytes();
                self.call(row!("hincrby"), &[key.as_ref(), field.as_ref(), by], integer)
            }

            /// Adds to a field that is a number, or not there (0), and gives the sum as it is stored. O(1).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError), also if the value is no number or the sum is not finite.
            pub fn hincrbyfloat(
                &self,
                key: impl AsRef<[u8]>,
                field: impl AsRef<[u8]>,
                by: f64,
            ) -> $answer<Vec<u8>> {
                let by = by.to_string();
                let args = [key.as_ref(), field.as_ref(), by.as_bytes()];
                self.call(row!("hincrbyfloat"), &args, bytes_or_none)
            }

            /// Some fields at random, all different, at most `count`. O(n).
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hrandfield(&self, key: impl AsRef<[u8]>, count: u32) -> $answer<Vec<Vec<u8>>> {
                let mut digits = itoa::Buffer::new();
                let args = [key.as_ref(), digits.format(count).as_bytes()];
                self.call(row!("hrandfield"), &args, bytes_list)
            }

            /// A page of a hash, and the cursor of the next one; the first and the last cursor is 0. See
            /// [`Client::hscan`] for an iterator.
            ///
            /// # Errors
            /// [`EngineError`](crate::EngineError); `WRONGTYPE` if the key holds a string.
            pub fn hscan_page(
                &self,
                key: impl AsRef<[u8]>,
                cursor: u64,
                count: u32,
            ) -> $answer<(u64, Vec<FieldValue>)> {
                let (mut digits, mut more) = (itoa::Buffer::new(), itoa::Buffer::new());
                let args: [&[u8]; 4] = [
                    key.as_ref(),
                    digits.format(cursor).as_bytes(),
                    b"COUNT",
                    more.format(count).as_bytes(),
                ];
                self.call(row!("hscan"), &args, pairs_page)
            }

            fn on_fields<F: AsRef<[u8]>, R>(
                &self,
                command: &'static hectare_store::Command,
                key: &[u8],
                fields: impl IntoIterator<Item = F>,
                read: fn(crate::Reply<'_>) -> R,
            ) -> $answer<R> {
                let fields: SmallVec<[F; 8]> = fields.into_iter().collect();
                let mut args: SmallVec<[&[u8]; 9]> = SmallVec::with_capacity(1 + fields.len());
                args.push(key);
                args.extend(fields.iter().map(AsRef::as_ref));
                self.call(command, &args, read)
            }
        }
    };
}

hashes!(Client, Outcome);
hashes!(AsyncClient, Pending);

/// In one form only.
impl Client {
    /// Like [`hset`](Self::hset), but fails with [`EngineError::Full`](crate::EngineError::Full) instead of waiting for room.
    /// For other calls, see [`trying`](Self::trying).
    ///
    /// # Errors
    /// As for `hset`.
    pub fn try_hset<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        key: impl AsRef<[u8]>,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Outcome<u64> {
        self.trying().hset(key, fields)
    }
}
