//! `Window`: the part of a capture that is in memory.

use std::io::Read;

use super::CaptureError;
use super::source::Source;
use crate::bytes;

/// Some of it fits the second-level cache, and a read is long enough to cost little.
const ROOM: usize = 256 << 10;

pub(super) struct Window<R: Read> {
    source: Source<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `start` is in the capture.
    offset: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: Source<R>) -> Self {
        Self { source, buffer: vec![0; ROOM], start: 0, end: 0, offset: 0 }
    }

    /// What is in memory and not consumed.
    #[inline]
    pub(super) fn available(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Where that starts in the capture.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Makes `needed` bytes available; `false` when the capture ends before.
    ///
    /// The buffer grows with the bytes that come, not with what a length field promises.
    pub(super) fn fill(&mut self, needed: usize) -> Result<bool, CaptureError> {
        while self.end - self.start < needed {
            if self.end == self.buffer.len() {
                if self.start == 0 {
                    let longer = self.buffer.len().saturating_mul(2);
                    self.buffer.resize(longer, 0);
                } else {
                    self.buffer.copy_within(self.start..self.end, 0);
                    self.end -= self.start;
                    self.start = 0;
                }
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let read = self.source.read(room)?;
            if read == 0 {
                return Ok(false);
            }
            self.end = self.end.saturating_add(read).min(self.buffer.len());
        }
        Ok(true)
    }

    /// Lets go of bytes at the start.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Passes over bytes that need not be in memory together; how many are missing at the end of the capture.
    pub(super) fn skip(&mut self, mut count: usize) -> Result<usize, CaptureError> {
        loop {
            let here = bytes::at_most(self.available(), count).len();
            self.consume(here);
            count -= here;
            if count == 0 || !self.fill(1)? {
                return Ok(count);
            }
        }
    }
}
