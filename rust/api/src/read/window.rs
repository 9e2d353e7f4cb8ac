//! `Window`: the part of a stream that is looked at, refilled as it is used up.

use std::io::{self, Read};

/// How much is read at a time. Small enough to stay in a core's cache.
const SIZE: usize = 1 << 20;

/// The largest object that is taken, in bytes of JSON; etcd takes 1.5 MiB.
pub(crate) const MAX_OBJECT: usize = 64 << 20;

/// What happened on [`Window::refill`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refill {
    /// There are more bytes than before.
    More,
    /// The stream is over.
    End,
    /// The window is full, with nothing used up, and may not grow.
    TooLarge,
    /// `stop` said so.
    Interrupted,
}

/// A window on a stream of bytes.
pub(crate) struct Window<'r> {
    input: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    /// What is not used up yet is `buffer[start..end]`.
    start: usize,
    end: usize,
    ended: bool,
    /// Line ends before the buffer, and bytes between the last of them and the buffer.
    lines: u64,
    line_bytes: u64,
}

impl<'r> Window<'r> {
    pub(crate) fn new(input: Box<dyn Read + 'r>) -> Self {
        Self { input, buffer: Vec::new(), start: 0, end: 0, ended: false, lines: 0, line_bytes: 0 }
    }

    /// A window on `bytes`, which stood at this line and column of a stream.
    pub(crate) fn at(bytes: Vec<u8>, (line, column): (u64, u64)) -> Self {
        Self {
            lines: line.saturating_sub(1),
            line_bytes: column.saturating_sub(1),
            ..Self::new(Box::new(io::Cursor::new(bytes)))
        }
    }

    /// What is there and not used up.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the stream has no more than [`Window::bytes`].
    pub(crate) fn is_last(&self) -> bool {
        self.ended
    }

    /// Uses up `count` bytes.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Reads on, keeping what is not used up. `stop` is asked before each call of the stream.
    pub(crate) fn refill(&mut self, stop: &mut dyn FnMut() -> bool) -> io::Result<Refill> {
        if self.ended {
            return Ok(Refill::End);
        }
        let kept = self.end - self.start;
        self.drop_used();
        // an object that does not fit: twice the room, so that reading it again and again stays linear
        if kept * 2 >= self.buffer.len() {
            let size = (self.buffer.len() * 2).clamp(SIZE, MAX_OBJECT);
            if size <= kept {
                return Ok(Refill::TooLarge);
            }
            self.buffer.resize(size, 0);
        }
        while self.end < self.buffer.len() {
            if stop() {
                return Ok(Refill::Interrupted);
            }
            match self.input.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.end = self.buffer.len().min(self.end + count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if self.end > kept { Refill::More } else { Refill::End })
    }

    fn drop_used(&mut self) {
        let used = self.buffer.get(..self.start).unwrap_or_default();
        let count = memchr::memchr_iter(b'\n', used).count();
        let tail = match memchr::memrchr(b'\n', used) {
            Some(last) => {
                self.line_bytes = 0;
                used.len() - last - 1
            }
            None => used.len(),
        };
        self.lines += to_u64(count);
        self.line_bytes += to_u64(tail);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    /// Line and column, both from 1, of the byte `offset` after the next one; columns count characters.
    pub(crate) fn line_and_column(&self, offset: usize) -> (u64, u64) {
        let before = self.buffer.get(..self.end.min(self.start + offset)).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', before).count();
        let (line, from) = match memchr::memrchr(b'\n', before) {
            Some(last) => (before.get(last + 1..).unwrap_or_default(), 0),
            None => (before, self.line_bytes),
        };
        let column = from + to_u64(String::from_utf8_lossy(line).chars().count()) + 1;
        (self.lines + to_u64(lines) + 1, column)
    }

    /// What is left, as a stream: for an input that turns out to be packed or not JSON.
    pub(crate) fn into_rest(mut self) -> Box<dyn Read + 'r> {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.start);
        let rest = io::Cursor::new(self.buffer);
        if self.ended { Box::new(rest) } else { Box::new(rest.chain(self.input)) }
    }
}

pub(crate) fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
