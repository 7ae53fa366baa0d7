//! What do the tables of a keyspace share?

use ahash::RandomState;

use crate::bodies::{BODY_REF_BYTES, Bodies, BodyRef};
use crate::chunks::Chunks;
use crate::class::Classes;
use crate::hasher::KeyHasher;
use crate::mapping::OutOfMemory;
use crate::record::Record;

/// Memory for the tables of a keyspace, and what their records have in common.
#[derive(Debug)]
pub(crate) struct Heap {
    /// Heads and slots of segments.
    pub(crate) heads: Chunks,
    /// Records.
    pub(crate) records: Chunks,
    /// Records that are too long for a chunk.
    pub(crate) bodies: Bodies,
    pub(crate) classes: Classes,
    pub(crate) hasher: KeyHasher,
    /// Bytes of the records in chunks.
    pub(crate) inline_bytes: usize,
    /// Buffers that are used again and again.
    pub(crate) record: Vec<u8>,
    pub(crate) values: Vec<u8>,
}

/// Buffers are not kept for the next use when they are longer.
pub(crate) const BUFFER_BYTES_MAX: usize = 256 << 10;

/// Empties a buffer and makes sure that so many bytes can be put there.
#[inline]
pub(crate) fn reserve(buffer: &mut Vec<u8>, bytes: usize) -> Result<(), OutOfMemory> {
    buffer.clear();
    buffer.try_reserve(bytes).map_err(|_| OutOfMemory)
}

/// The bytes of a record that lies elsewhere: a class that is none, and where.
pub(crate) const STUB_BYTES: usize = 1 + BODY_REF_BYTES;

impl Heap {
    pub(crate) fn new(hasher: &KeyHasher) -> Self {
        let state: &RandomState = hasher.state();
        Self {
            heads: Chunks::default(),
            records: Chunks::default(),
            bodies: Bodies::default(),
            classes: Classes::new(state),
            hasher: hasher.clone(),
            inline_bytes: 0,
            record: Vec::new(),
            values: Vec::new(),
        }
    }

    /// The buffer for a record of up to so many bytes, to be given back with [`give_record`](Self::give_record).
    #[inline]
    pub(crate) fn take_record(&mut self, bytes_max: usize) -> Result<Vec<u8>, OutOfMemory> {
        reserve(&mut self.record, bytes_max)?;
        Ok(std::mem::take(&mut self.record))
    }

    /// Keeps the buffer of a record for the next, unless it is a long one.
    #[inline]
    pub(crate) fn give_record(&mut self, record: Vec<u8>) {
        if record.capacity() <= BUFFER_BYTES_MAX {
            self.record = record;
        }
    }

    /// The record that `bytes`, the end of a chunk, begin with, wherever it lies.
    #[inline]
    pub(crate) fn resolve<'a>(&'a self, bytes: &'a [u8]) -> &'a [u8] {
        match stub_target(bytes) {
            Some(at) => self.bodies.record(at),
            None => bytes,
        }
    }

    /// The hash of the key of a record.
    pub(crate) fn hash_of(&self, record: &[u8], key: &mut Vec<u8>) -> u64 {
        key.clear();
        Record::read(&self.classes, record).write_key(key);
        self.hasher.hash(key)
    }

    /// The bytes that the record at the beginning of `bytes` takes in its chunk.
    #[inline]
    pub(crate) fn inline_len(&self, bytes: &[u8]) -> usize {
        if bytes[0] == 0 { STUB_BYTES } else { Record::read(&self.classes, bytes).len() }
    }
}

/// Where the record lies, if not here.
#[inline]
pub(crate) fn stub_target(bytes: &[u8]) -> Option<BodyRef> {
    if bytes[0] != 0 {
        return None;
    }
    let at: [u8; BODY_REF_BYTES] = bytes[1..STUB_BYTES].try_into().ok()?;
    Some(BodyRef::from_bytes(at))
}

/// What stands in a chunk for a record that lies elsewhere.
pub(crate) fn stub(at: BodyRef) -> [u8; STUB_BYTES] {
    let mut stub = [0; STUB_BYTES];
    stub[1..].copy_from_slice(&at.to_bytes());
    stub
}
