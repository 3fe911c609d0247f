//! Where code of the program is not mapped once more, so that pools keep their size.

use core::convert::Infallible;
use core::fmt;
use core::ptr::NonNull;

/// Why code is not mapped again.
#[derive(Clone, Copy)]
pub(crate) struct Refusal;

impl Refusal {
    /// As a number that is not 0.
    pub(crate) fn bits(self) -> u32 {
        1
    }

    /// What has these [`bits`](Self::bits).
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        (bits == 1).then_some(Self)
    }
}

/// Completes "it cannot grow, because".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::system::PROGRAM_IS_MAPPED_ONCE)
    }
}

/// Address space with code in it that was mapped again: there is none.
pub(crate) struct Region(Infallible);

impl Region {
    pub(crate) fn shared(_size: usize) -> Result<Self, Refusal> {
        Err(Refusal)
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        match self.0 {}
    }

    pub(crate) fn leak(self) {
        match self.0 {}
    }

    pub(crate) fn protect(&self) -> Result<(), Refusal> {
        match self.0 {}
    }

    pub(crate) unsafe fn zeros(_start: NonNull<u8>, _size: usize) -> Result<(), Refusal> {
        Err(Refusal)
    }

    pub(crate) unsafe fn duplicate(_from: NonNull<u8>, _size: usize, _start: NonNull<u8>) -> Result<(), Refusal> {
        Err(Refusal)
    }

    pub(crate) unsafe fn give_back(_start: NonNull<u8>, _size: usize) {}
}

/// Maps code of the program once more.
pub(crate) fn map_again(_code: &'static [u8], _data: usize) -> Result<Region, Refusal> {
    Err(Refusal)
}
