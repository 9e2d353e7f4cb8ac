//! Taking fixed and variable parts off the front of a slice, and putting them there, with the errors that headers give.

use crate::error::{DecodeError, EncodeError, Layer};

/// The first `N` bytes and the rest.
#[inline]
pub(crate) fn take<const N: usize>(
    bytes: &[u8],
    layer: Layer,
    offset: usize,
) -> Result<(&[u8; N], &[u8]), DecodeError> {
    bytes.split_first_chunk::<N>().ok_or(DecodeError::truncated(layer, offset, N, bytes.len()))
}

/// The first `length` bytes and the rest.
#[inline]
pub(crate) fn take_slice(
    bytes: &[u8],
    length: usize,
    layer: Layer,
    offset: usize,
) -> Result<(&[u8], &[u8]), DecodeError> {
    bytes.split_at_checked(length).ok_or(DecodeError::truncated(layer, offset, length, bytes.len()))
}

/// The part of `bytes` from `from` on; empty beyond its end.
#[inline]
pub(crate) fn from(bytes: &[u8], from: usize) -> &[u8] {
    bytes.get(from..).unwrap_or_default()
}

/// The first `length` bytes, or as many as there are.
#[inline]
pub(crate) fn at_most(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(..length).unwrap_or(bytes)
}

/// Writes slices one after another.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// A writer that has room for `needed` bytes.
    pub(crate) fn new(out: &'a mut [u8], needed: usize) -> Result<Self, EncodeError> {
        if out.len() < needed {
            return Err(EncodeError::BufferTooShort { needed, available: out.len() });
        }
        Ok(Self { out, at: 0 })
    }

    /// Appends bytes; beyond the room that `new` made sure of, nothing happens.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        if let Some(place) = self.out.get_mut(self.at..end) {
            place.copy_from_slice(bytes);
            self.at = end;
        }
    }

    /// How many bytes were written.
    pub(crate) fn written(&self) -> usize {
        self.at
    }
}
