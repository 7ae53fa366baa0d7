//! Where does a store's memory come from?
//!
//! From the system, page by page, and not from the process' allocator: what is given back is gone
//! from the process at once, a page that nobody has written takes nothing, and a system that has no
//! more is an error to whoever asked, not the end of the process.
//!
//! This is the one file of the crate with `unsafe`. Whoever holds a [`Mapping`] sees a slice.

#![expect(unsafe_code, reason = "memory from the system comes as an address")]

use std::ptr::{self, NonNull};
use std::slice;

use libc::{MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE, c_void};

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

/// What a huge page has, and where one can begin.
pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;

// SAFETY: the memory belongs to this value alone and is reached through it only.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference it can only be read.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// So many bytes, all zero, which take memory only as they are written. They begin at a page.
    pub(crate) fn new(bytes: usize) -> Result<Self, OutOfMemory> {
        let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
        // SAFETY: with no address asked for, a new mapping replaces nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, kind, -1, 0) };
        if start == MAP_FAILED {
            return Err(OutOfMemory);
        }
        let start = NonNull::new(start.cast()).ok_or(OutOfMemory)?;
        Ok(Self { start, bytes })
    }

    /// The same, beginning where a huge page can.
    pub(crate) fn new_aligned(bytes: usize) -> Result<Self, OutOfMemory> {
        let mapping = Self::new(bytes)?;
        if mapping.start.as_ptr().addr().is_multiple_of(HUGE_PAGE_BYTES) {
            return Ok(mapping);
        }
        drop(mapping);
        let mut longer = Self::new(bytes + HUGE_PAGE_BYTES)?;
        let address = longer.start.as_ptr().addr();
        let before = address.next_multiple_of(HUGE_PAGE_BYTES) - address;
        let aligned = longer.split_off(before);
        let mut aligned = aligned.ok_or(OutOfMemory)?;
        drop(aligned.split_off(bytes));
        Ok(aligned)
    }

    /// What begins so many bytes from the start, a whole number of pages, is another mapping from now
    /// on; `None` if that is nothing.
    fn split_off(&mut self, bytes: usize) -> Option<Self> {
        let rest = self.bytes.checked_sub(bytes).filter(|&rest| rest > 0)?;
        // SAFETY: `bytes` is less than the length, so this is inside of the mapping.
        let start = unsafe { self.start.add(bytes) };
        if bytes == 0 {
            // Nothing is left here, and nothing may be given back twice.
            let whole = Self { start: self.start, bytes: rest };
            self.bytes = 0;
            return Some(whole);
        }
        self.bytes = bytes;
        Some(Self { start, bytes: rest })
    }

    /// Asks the system to keep the mapping, which begins where a huge page can, in huge pages from
    /// now on, and waits until it does. What is written stays; all of it is in memory then. Says
    /// whether the system could.
    pub(crate) fn collapse(&mut self) -> bool {
        #[cfg(target_os = "linux")]
        {
            /// Since Linux 6.1.
            const MADV_COLLAPSE: libc::c_int = 25;
            let start: *mut c_void = self.start.as_ptr().cast();
            // SAFETY: address and length are those of a mapping that this value owns, and the advice
            // changes nothing that can be read from it.
            unsafe { libc::madvise(start, self.bytes, MADV_COLLAPSE) == 0 }
        }
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Makes it longer (zeros follow) or shorter. What it holds stays and may move.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        #[cfg(target_os = "linux")]
        {
            let old: *mut c_void = self.start.as_ptr().cast();
            // SAFETY: old address and length are those of a mapping that this value owns, and the
            // borrow is exclusive, so nobody holds a reference into it.
            let start = unsafe { libc::mremap(old, self.bytes, bytes, libc::MREMAP_MAYMOVE) };
            if start == MAP_FAILED {
                return Err(OutOfMemory);
            }
            self.start = NonNull::new(start.cast()).ok_or(OutOfMemory)?;
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

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is so long, readable, and initialized (with zeros); it lives as long
        // as `self`, and is written only through `&mut self`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and the borrow is exclusive.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes) }
    }
}

/// Mappings of one size, of which pieces of one size are reached by number. A piece is read and
/// written as bytes or as words of this machine.
#[derive(Debug, Default)]
pub(crate) struct Extents {
    /// Where each begins; null where there is none. So that a piece is reached in few steps.
    starts: Vec<*mut u8>,
    mappings: Vec<Option<Mapping>>,
}

/// The bytes of a piece.
pub(crate) const PIECE_BYTES: usize = if cfg!(feature = "tiny") { 256 } else { 1024 };

/// The pieces of an extent, which is as large as a huge page.
pub(crate) const EXTENT_PIECES: usize = EXTENT_BYTES / PIECE_BYTES;
const EXTENT_BYTES: usize = if cfg!(feature = "tiny") { PAGE_BYTES } else { HUGE_PAGE_BYTES };

// SAFETY: the addresses are those of the mappings beside them, which can be sent.
unsafe impl Send for Extents {}
// SAFETY: through a shared reference the mappings can only be read.
unsafe impl Sync for Extents {}

impl Extents {
    /// How many numbers of extents there are, whether there is an extent or not.
    pub(crate) fn len(&self) -> usize {
        self.mappings.len()
    }

    /// Room for the number of one more extent.
    fn reserve(&mut self) -> Result<(), OutOfMemory> {
        self.starts.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.mappings.try_reserve(1).map_err(|_| OutOfMemory)
    }

    /// Gets an extent for a number that has none, or for the next.
    pub(crate) fn add(&mut self, number: usize) -> Result<(), OutOfMemory> {
        let mapping = Mapping::new_aligned(EXTENT_BYTES)?;
        if number == self.len() {
            self.reserve()?;
            self.starts.push(ptr::null_mut());
            self.mappings.push(None);
        }
        self.starts[number] = mapping.start.as_ptr();
        self.mappings[number] = Some(mapping);
        Ok(())
    }

    /// Gives an extent back to the system.
    pub(crate) fn remove(&mut self, number: usize) {
        self.starts[number] = ptr::null_mut();
        self.mappings[number] = None;
        while self.mappings.last().is_some_and(Option::is_none) {
            self.mappings.pop();
            self.starts.pop();
        }
    }

    /// See [`Mapping::collapse`].
    pub(crate) fn collapse(&mut self, number: usize) -> bool {
        self.mappings.get_mut(number).and_then(Option::as_mut).is_some_and(Mapping::collapse)
    }

    /// What of the process' own memory it takes.
    pub(crate) fn book_bytes(&self) -> usize {
        self.starts.capacity() * size_of::<*mut u8>()
            + self.mappings.capacity() * size_of::<Option<Mapping>>()
    }

    /// The address of a piece.
    ///
    /// # Panics
    /// If there is no such extent.
    #[inline(always)]
    fn piece(&self, number: usize, piece: usize) -> *mut u8 {
        let start = self.starts[number];
        assert!(!start.is_null() && piece < EXTENT_PIECES, "a piece in use is in an extent");
        start.wrapping_add(piece * PIECE_BYTES)
    }

    #[inline(always)]
    pub(crate) fn bytes(&self, number: usize, piece: usize) -> &[u8; PIECE_BYTES] {
        // SAFETY: `piece` gives an address inside of a mapping that lives as long as `self` and is
        // written only through `&mut self`; the piece ends inside of it, since the mapping is as
        // long as all its pieces; and it is initialized (with zeros).
        unsafe { &*self.piece(number, piece).cast() }
    }

    #[inline(always)]
    pub(crate) fn bytes_mut(&mut self, number: usize, piece: usize) -> &mut [u8; PIECE_BYTES] {
        // SAFETY: as in `bytes`, and the borrow is exclusive.
        unsafe { &mut *self.piece(number, piece).cast() }
    }

    #[inline(always)]
    pub(crate) fn halves(&self, number: usize, piece: usize) -> &[u16; PIECE_BYTES / 2] {
        // SAFETY: as in `bytes`; pieces begin at multiples of their size in a mapping that begins at
        // a page, so they are aligned, and any bits are a number.
        unsafe { &*self.piece(number, piece).cast() }
    }

    #[inline(always)]
    pub(crate) fn halves_mut(
        &mut self,
        number: usize,
        piece: usize,
    ) -> &mut [u16; PIECE_BYTES / 2] {
        // SAFETY: as in `halves`, and the borrow is exclusive.
        unsafe { &mut *self.piece(number, piece).cast() }
    }

    #[inline(always)]
    pub(crate) fn words(&self, number: usize, piece: usize) -> &[u32; PIECE_BYTES / 4] {
        // SAFETY: as in `halves`.
        unsafe { &*self.piece(number, piece).cast() }
    }

    #[inline(always)]
    pub(crate) fn words_mut(&mut self, number: usize, piece: usize) -> &mut [u32; PIECE_BYTES / 4] {
        // SAFETY: as in `halves`, and the borrow is exclusive.
        unsafe { &mut *self.piece(number, piece).cast() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let start: *mut c_void = self.start.as_ptr().cast();
        // SAFETY: address and length are those of a mapping that this value owns, and no reference
        // into it outlives the value.
        let unmapped = unsafe { libc::munmap(start, self.bytes) };
        debug_assert!(unmapped == 0, "a mapping that was had can be given back");
    }
}

/// Starts to read something into the caches without waiting for it.
#[inline(always)]
pub(crate) fn prefetch<T: Copy>(thing: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction is a hint, on every x86-64, and reads nothing that can be seen.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ptr::from_ref(thing).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::hint::black_box(*thing);
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
        assert_eq!(
            (mapping.len(), mapping.bytes()[5], mapping.bytes()[6]),
            (100 * PAGE_BYTES, 7, 0)
        );
        mapping.resize(PAGE_BYTES).expect("one page");
        assert_eq!((mapping.len(), mapping.bytes()[5]), (PAGE_BYTES, 7));
    }

    #[test]
    fn a_piece_is_the_same_memory_as_bytes_and_as_words() {
        let mut extents = Extents::default();
        extents.add(0).expect("two megabytes");
        extents.add(1).expect("two megabytes");
        let last = EXTENT_PIECES - 1;
        const END: usize = PIECE_BYTES;
        extents.words_mut(1, last)[END / 4 - 1] = u32::from_ne_bytes([1, 2, 3, 4]);
        assert_eq!(extents.bytes(1, last)[END - 5..], [0, 1, 2, 3, 4]);
        extents.bytes_mut(1, last)[END - 2..].copy_from_slice(&[5, 6]);
        let halves = &extents.halves(1, last)[END / 2 - 2..];
        assert_eq!(halves, [[1, 2], [5, 6]].map(u16::from_ne_bytes));
        extents.halves_mut(1, last)[END / 2 - 1] = 0;
        assert_eq!(extents.words(1, last)[END / 4 - 1], u32::from_ne_bytes([1, 2, 0, 0]));
        extents.remove(0);
        assert_eq!(extents.len(), 2);
        extents.remove(1);
        assert_eq!(extents.len(), 0);
    }

    #[test]
    #[should_panic(expected = "a piece in use is in an extent")]
    fn a_piece_of_an_extent_that_was_given_back_is_not_reached() {
        let mut extents = Extents::default();
        extents.add(0).expect("two megabytes");
        extents.add(1).expect("two megabytes");
        extents.remove(0);
        extents.bytes(0, 0);
    }

    #[test]
    fn an_aligned_mapping_begins_where_a_huge_page_can_and_keeps_what_is_written_in_one() {
        for _ in 0..10 {
            let mut mapping = Mapping::new_aligned(HUGE_PAGE_BYTES).expect("two megabytes");
            assert_eq!(mapping.bytes().as_ptr().addr() % HUGE_PAGE_BYTES, 0);
            for (index, byte) in mapping.bytes_mut().iter_mut().enumerate() {
                *byte = index.to_le_bytes()[0] ^ index.to_le_bytes()[1];
            }
            // Whether the system has huge pages or not.
            mapping.collapse();
            for (index, byte) in mapping.bytes().iter().enumerate() {
                assert_eq!(*byte, index.to_le_bytes()[0] ^ index.to_le_bytes()[1]);
            }
        }
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert_eq!(Mapping::new(1 << 60).err(), Some(OutOfMemory));
    }
}
