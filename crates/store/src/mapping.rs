//! Where does a store's memory come from?
//!
//! From the system, page by page, and not from the process' allocator: what is given back is gone
//! from the process at once, a page that nobody has written takes nothing, and a system that has no
//! more is an error to whoever asked, not the end of the process.
//!
//! This is the one file of the crate with `unsafe`. Whoever holds a [`Mapping`] sees a slice.

#![expect(unsafe_code, reason = "memory from the system comes as an address")]

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;

use rustix::mm::{MapFlags, ProtFlags};

/// The system has no more memory for this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

/// Zeroed memory of the system's, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

/// A page of most systems. Where pages are larger, what is said of pages is rounded.
pub(crate) const PAGE_BYTES: usize = 4096;

// SAFETY: the memory belongs to this value alone and is reached through it only.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference it can only be read.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// So many bytes, all zero, which take memory only as they are written.
    pub(crate) fn new(bytes: usize) -> Result<Self, OutOfMemory> {
        let (access, kind) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: with no address asked for, a new mapping replaces nothing.
        let start = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), bytes, access, kind) };
        let start = NonNull::new(start.map_err(|_| OutOfMemory)?.cast()).ok_or(OutOfMemory)?;
        Ok(Self { start, bytes })
    }

    /// Makes it longer (zeros follow) or shorter. What it holds stays and may move.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        #[cfg(target_os = "linux")]
        {
            let flags = rustix::mm::MremapFlags::MAYMOVE;
            let old: *mut c_void = self.start.as_ptr().cast();
            // SAFETY: old address and length are those of a mapping that this value owns, and the
            // borrow is exclusive, so nobody holds a reference into it.
            let start = unsafe { rustix::mm::mremap(old, self.bytes, bytes, flags) };
            self.start = NonNull::new(start.map_err(|_| OutOfMemory)?.cast()).ok_or(OutOfMemory)?;
            self.bytes = bytes;
        }
        #[cfg(not(target_os = "linux"))]
        {
            let mut longer = Self::new(bytes)?;
            let kept = self.bytes.min(bytes);
            longer.bytes_mut()[..kept].copy_from_slice(&self.bytes()[..kept]);
            *self = longer;
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is so long, readable, and initialized (with zeros); it lives as long
        // as `self`, and is written only through `&mut self`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and the borrow is exclusive.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }

    /// The same memory as 32-bit words of this machine.
    pub(crate) fn words(&self) -> &[u32] {
        // SAFETY: as in `bytes`; a mapping begins at a page, so it is aligned, any bits are a
        // number, and the division leaves out an incomplete last word.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast(), self.bytes / 4) }
    }

    pub(crate) fn words_mut(&mut self) -> &mut [u32] {
        // SAFETY: as in `words`, and the borrow is exclusive.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.bytes / 4) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let start: *mut c_void = self.start.as_ptr().cast();
        // SAFETY: address and length are those of a mapping that this value owns, and no reference
        // into it outlives the value.
        let unmapped = unsafe { rustix::mm::munmap(start, self.bytes) };
        debug_assert!(unmapped.is_ok(), "a mapping that was had can be given back");
    }
}

/// Starts to read a byte into the caches without waiting for it.
#[inline]
pub(crate) fn prefetch(byte: &u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction is a hint, on every x86-64, and reads nothing that can be seen.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ptr::from_ref(byte).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::hint::black_box(*byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_zero_and_keeps_what_is_written_when_it_grows_and_shrinks() {
        let mut mapping = Mapping::new(3 * PAGE_BYTES).expect("three pages");
        assert!(mapping.bytes().iter().all(|&byte| byte == 0));
        mapping.bytes_mut()[5] = 7;
        mapping.resize(100 * PAGE_BYTES).expect("a hundred pages");
        assert_eq!((mapping.len(), mapping.bytes()[5], mapping.bytes()[6]), (100 * PAGE_BYTES, 7, 0));
        mapping.resize(PAGE_BYTES).expect("one page");
        assert_eq!((mapping.len(), mapping.bytes()[5]), (PAGE_BYTES, 7));
        mapping.words_mut()[0] = u32::from_ne_bytes([1, 2, 3, 4]);
        assert_eq!(mapping.bytes()[..6], [1, 2, 3, 4, 0, 7]);
        assert_eq!(mapping.words()[0], u32::from_ne_bytes([1, 2, 3, 4]));
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert_eq!(Mapping::new(1 << 60).err(), Some(OutOfMemory));
    }
}
