//! Address space, and what is mapped there.

use core::ptr::NonNull;

use super::file::File;
use super::{Errno, MMAP_UNIT, Refusal, number, syscall, syscall_of_six};

const SHARED: usize = 1;
const PRIVATE: usize = 2;
const FIXED: usize = 0x10;
const ANONYMOUS: usize = 0x20;
/// Not counted as memory that the process may come to use.
const NORESERVE: usize = 0x4000;
const DONTNEED: usize = 4;
const MAYMOVE: usize = 1;
const REMAP_FIXED: usize = 2;

/// What may be done with memory. There is no way to write and to execute it.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(crate) enum Access {
    None = 0,
    Read = 1,
    ReadWrite = 3,
    ReadExecute = 5,
}

/// A range of addresses that is given back when dropped.
pub(crate) struct Region {
    start: NonNull<u8>,
    size: usize,
}

impl Region {
    /// `size` bytes of address space at a multiple of `align`, with nothing there yet. Both are multiples of the page size.
    pub(crate) fn reserve(size: usize, align: usize) -> Result<Self, Refusal> {
        let mut region = Self::anonymous(size + align, Access::None, PRIVATE | NORESERVE)?;
        let before = region.start.as_ptr().align_offset(align);
        drop(region.split_off(before + size));
        let aligned = region.split_off(before);
        drop(region);
        Ok(aligned)
    }

    /// `size` bytes of memory that children of the process share.
    pub(crate) fn shared(size: usize) -> Result<Self, Refusal> {
        Self::anonymous(size, Access::ReadWrite, SHARED)
    }

    fn anonymous(size: usize, access: Access, flags: usize) -> Result<Self, Refusal> {
        // SAFETY: a new mapping, of no file, where the kernel likes.
        let result =
            unsafe { syscall_of_six(number::MMAP, [0, size, access as usize, flags | ANONYMOUS, usize::MAX, 0]) };
        let start = Errno::check(result).map_err(Refusal::Memory)?;
        let start = NonNull::new(core::ptr::with_exposed_provenance_mut(start)).ok_or(Refusal::Memory(Errno(12)))?;
        Ok(Self { start, size })
    }

    /// What begins `at` bytes into the region.
    fn split_off(&mut self, at: usize) -> Self {
        // SAFETY: within the region, or its end.
        let behind = Self { start: unsafe { self.start.add(at) }, size: self.size - at };
        self.size = at;
        behind
    }

    /// The first byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Keeps the region mapped for ever.
    pub(crate) fn leak(self) {
        core::mem::forget(self);
    }

    /// Replaces what is mapped at `start` by memory that holds zeros.
    ///
    /// # Safety
    ///
    /// The range is the caller's, and nobody expects its content to stay.
    pub(crate) unsafe fn zeros(start: NonNull<u8>, size: usize) -> Result<(), Refusal> {
        let arguments =
            [start.addr().get(), size, Access::ReadWrite as usize, PRIVATE | ANONYMOUS | FIXED, usize::MAX, 0];
        // SAFETY: the caller's promise.
        Errno::check(unsafe { syscall_of_six(number::MMAP, arguments) }).map(drop).map_err(Refusal::Memory)
    }

    /// Replaces what is mapped at `start` by `size` bytes of a file from `offset` on.
    ///
    /// # Safety
    ///
    /// As for [`zeros`](Self::zeros).
    pub(crate) unsafe fn file(
        start: NonNull<u8>,
        size: usize,
        access: Access,
        file: &File,
        offset: usize,
    ) -> Result<(), Refusal> {
        let arguments =
            [start.addr().get(), size, access as usize, PRIVATE | FIXED, file.descriptor(), offset / MMAP_UNIT];
        // SAFETY: the caller's promise.
        Errno::check(unsafe { syscall_of_six(number::MMAP, arguments) }).map(drop).map_err(Refusal::Map)
    }

    /// Replaces what is mapped at `start` by another mapping of what is mapped at `from`, which is
    /// [`shared`](Self::shared).
    ///
    /// # Safety
    ///
    /// As for [`zeros`](Self::zeros).
    pub(crate) unsafe fn duplicate(from: NonNull<u8>, size: usize, start: NonNull<u8>) -> Result<(), Refusal> {
        let arguments = [from.addr().get(), 0, size, MAYMOVE | REMAP_FIXED, start.addr().get(), 0];
        // SAFETY: the caller's promise. An old size of 0 maps shared memory once more and leaves the first mapping alone.
        Errno::check(unsafe { syscall_of_six(number::MREMAP, arguments) }).map(drop).map_err(Refusal::Memory)
    }

    /// Gives the memory of a private mapping back: it holds zeros then. Where that cannot be, for memory that is locked
    /// (`mlockall`), all is left as it is.
    ///
    /// # Safety
    ///
    /// As for [`zeros`](Self::zeros).
    pub(crate) unsafe fn give_back(start: NonNull<u8>, size: usize) {
        // SAFETY: the caller's promise.
        unsafe { syscall(number::MADVISE, start.addr().get(), size, DONTNEED) };
    }

    /// Whether memory is mapped in pages of this size, or of smaller ones; the region is of at least three, and only reserved.
    pub(crate) fn has_pages_of(&self, size: usize) -> bool {
        // SAFETY: this changes nothing, for nothing can be accessed. The kernel refuses an address within a page.
        unsafe { syscall(number::MPROTECT, self.start.addr().get() + size, size, Access::None as usize) == 0 }
    }

    /// Makes the region readable only.
    pub(crate) fn protect(&self) -> Result<(), Refusal> {
        // SAFETY: nobody has a reference to a region's memory that this would break.
        Errno::check(unsafe { syscall(number::MPROTECT, self.start.addr().get(), self.size, Access::Read as usize) })
            .map(drop)
            .map_err(Refusal::Memory)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.size > 0 {
            // SAFETY: the region is this process's, and nothing refers to it any more.
            unsafe { syscall(number::MUNMAP, self.start.addr().get(), self.size, 0) };
        }
    }
}
