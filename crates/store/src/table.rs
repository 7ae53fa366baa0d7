//! How are the fields of a large hash kept?
//!
//! Each as a record of its own, laid out like one field of a packed hash, behind an
//! [`Index`] by the hash of its name. No operation takes longer for a larger hash than that index.

use crate::accounting::Weight;
use crate::hasher::KeyHasher;
use crate::index::{Index, Ranking};
use crate::packed::{self, Change, Element, elements};
use crate::value::Value;

/// A cursor over a large hash has so many bits: the most that a double can hold, since that is what
/// clients in JavaScript read it as.
const CURSOR_BITS: u32 = 53;

/// The fields of a large hash, in the order of their hashes.
#[derive(Debug, Default)]
pub(crate) struct Table {
    index: Index<Box<[u8]>>,
    payload_bytes: usize,
    record_bytes: usize,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// What fields and values hold and take.
    pub(crate) fn weight(&self) -> Weight {
        Weight {
            fields: self.index.len(),
            payload_bytes: self.payload_bytes,
            record_bytes: self.record_bytes,
            index_bytes: self.index.bytes(),
        }
    }

    pub(crate) fn get(&self, hasher: &KeyHasher, field: &[u8]) -> Option<Value<'_>> {
        let position =
            self.index.locate(hasher.hash(field), |record| element(record).field == field)?;
        Some(element(self.index.get(position)).value)
    }

    pub(crate) fn set(&mut self, hasher: &KeyHasher, field: &[u8], value: Value<'_>) -> Change {
        let hash = hasher.hash(field);
        let mut record = Vec::new();
        packed::append(&mut record, field, value);
        let record = record.into_boxed_slice();
        self.record_bytes += record.len();
        match self.index.locate(hash, |record| element(record).field == field) {
            Some(position) => {
                let old = std::mem::replace(self.index.get_mut(position), record);
                let old_value_bytes = element(&old).value.len();
                self.record_bytes -= old.len();
                self.payload_bytes = self.payload_bytes + value.len() - old_value_bytes;
                Change::Replaced { old_value_bytes }
            }
            None => {
                let fields_before = self.index.len();
                self.payload_bytes += field.len() + value.len();
                self.index.insert(hash, record);
                Change::Added { fields_before }
            }
        }
    }

    /// Takes a field out; returns the length of its value's text.
    pub(crate) fn remove(&mut self, hasher: &KeyHasher, field: &[u8]) -> Option<usize> {
        let position =
            self.index.locate(hasher.hash(field), |record| element(record).field == field)?;
        let record = self.index.remove(position);
        let value_bytes = element(&record).value.len();
        self.record_bytes -= record.len();
        self.payload_bytes -= field.len() + value_bytes;
        Some(value_bytes)
    }

    /// The fields' records one after another, as a packed hash keeps them.
    pub(crate) fn pack_into(&self, record: &mut Vec<u8>) {
        record.reserve_exact(self.record_bytes);
        self.index.iter().for_each(|element| record.extend_from_slice(element));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        self.index.iter().map(|record| element(record))
    }

    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        mut visit: impl FnMut(&[u8], Value<'_>),
    ) -> u64 {
        self.index.scan(cursor, CURSOR_BITS, count, |record| {
            let element = element(record);
            visit(element.field, element.value);
        })
    }

    pub(crate) fn ranking(&self) -> Ranking<'_, Box<[u8]>> {
        self.index.ranking()
    }
}

/// The one field in a table's record.
pub(crate) fn element(record: &[u8]) -> Element<'_> {
    elements(record).next().expect("a table's record holds one field")
}
