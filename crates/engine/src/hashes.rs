//! What can a caller do with a hash?

use crate::client::Client;
use crate::error::EngineError;
use crate::read::{
    FieldValue, bytes, bytes_list, count, flag, integer, optional_bytes_list, pairs,
};
use crate::row::row;
use smallvec::SmallVec;
use std::time::Duration;

/// Hashes. `n` is the number of fields given or, for whole-hash reads, in the hash.
impl Client {
    /// Sets fields, and says how many of them are new. O(n).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hset<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        key: impl AsRef<[u8]>,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Result<u64, EngineError> {
        let fields: SmallVec<[(F, V); 8]> = fields.into_iter().collect();
        let mut args: SmallVec<[&[u8]; 17]> = SmallVec::with_capacity(1 + 2 * fields.len());
        args.push(key.as_ref());
        for (field, value) in &fields {
            args.extend([field.as_ref(), value.as_ref()]);
        }
        self.call(row!("hset"), &args, count)
    }

    /// Like [`hset`](Self::hset), but fails with [`EngineError::Full`] instead of waiting for room.
    ///
    /// # Errors
    /// As for `hset`.
    pub fn try_hset<F: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        key: impl AsRef<[u8]>,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> Result<u64, EngineError> {
        self.clone().with_room_wait(Duration::ZERO).hset(key, fields)
    }

    /// Sets a field if it is not there, and says whether it was set. O(1).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hsetnx(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<bool, EngineError> {
        self.call(row!("hsetnx"), &[key.as_ref(), field.as_ref(), value.as_ref()], flag)
    }

    /// A field's value. O(1).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hget(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        self.call(row!("hget"), &[key.as_ref(), field.as_ref()], bytes)
    }

    /// The values of several fields, in the order asked. O(n).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hmget<F: AsRef<[u8]>>(
        &self,
        key: impl AsRef<[u8]>,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<Vec<Option<Vec<u8>>>, EngineError> {
        self.on_fields(row!("hmget"), key.as_ref(), fields, optional_bytes_list)
    }

    /// All fields with their values. O(n).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hgetall(&self, key: impl AsRef<[u8]>) -> Result<Vec<FieldValue>, EngineError> {
        self.call(row!("hgetall"), &[key.as_ref()], pairs)
    }

    /// The names of all fields. O(n).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hkeys(&self, key: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, EngineError> {
        self.call(row!("hkeys"), &[key.as_ref()], bytes_list)
    }

    /// The values of all fields. O(n).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hvals(&self, key: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>, EngineError> {
        self.call(row!("hvals"), &[key.as_ref()], bytes_list)
    }

    /// Removes fields, and says how many were there. A hash without fields is no key. O(n).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hdel<F: AsRef<[u8]>>(
        &self,
        key: impl AsRef<[u8]>,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<u64, EngineError> {
        self.on_fields(row!("hdel"), key.as_ref(), fields, count)
    }

    /// Whether a field is there. O(1).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hexists(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
    ) -> Result<bool, EngineError> {
        self.call(row!("hexists"), &[key.as_ref(), field.as_ref()], flag)
    }

    /// How many fields there are. O(1).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hlen(&self, key: impl AsRef<[u8]>) -> Result<u64, EngineError> {
        self.call(row!("hlen"), &[key.as_ref()], count)
    }

    /// The length of a field's value in bytes, 0 if there is none. O(1).
    ///
    /// # Errors
    /// [`EngineError`]; `WRONGTYPE` if the key holds a string.
    pub fn hstrlen(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
    ) -> Result<u64, EngineError> {
        self.call(row!("hstrlen"), &[key.as_ref(), field.as_ref()], count)
    }

    /// Adds to a field that is an integer, or not there (0), and gives the sum. O(1).
    ///
    /// # Errors
    /// [`EngineError`], also if the value is no integer or the sum would not fit.
    pub fn hincrby(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
        by: i64,
    ) -> Result<i64, EngineError> {
        let mut digits = itoa::Buffer::new();
        let by = digits.format(by).as_bytes();
        self.call(row!("hincrby"), &[key.as_ref(), field.as_ref(), by], integer)
    }

    /// Adds to a field that is a number, or not there (0), and gives the sum as it is stored. O(1).
    ///
    /// # Errors
    /// [`EngineError`], also if the value is no number or the sum is not finite.
    pub fn hincrbyfloat(
        &self,
        key: impl AsRef<[u8]>,
        field: impl AsRef<[u8]>,
        by: f64,
    ) -> Result<Vec<u8>, EngineError> {
        let by = by.to_string();
        let args = [key.as_ref(), field.as_ref(), by.as_bytes()];
        let sum = self.call(row!("hincrbyfloat"), &args, bytes)?;
        Ok(sum.unwrap_or_default())
    }

    fn on_fields<F: AsRef<[u8]>, R>(
        &self,
        command: &'static hectare_store::Command,
        key: &[u8],
        fields: impl IntoIterator<Item = F>,
        read: impl FnOnce(crate::Reply<'_>) -> R,
    ) -> Result<R, EngineError> {
        let fields: SmallVec<[F; 8]> = fields.into_iter().collect();
        let mut args: SmallVec<[&[u8]; 9]> = SmallVec::with_capacity(1 + fields.len());
        args.push(key);
        args.extend(fields.iter().map(AsRef::as_ref));
        self.call(command, &args, read)
    }
}
