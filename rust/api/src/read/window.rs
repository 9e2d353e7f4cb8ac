//! `Window`: the part of a stream that is looked at, refilled as it is used up.

use std::io::{self, Read};

/// How much is read at a time. Small enough to stay in a core's cache.
const SIZE: usize = 1 << 20;

/// How much is read at first: most of what is not a dump is small, and a page not touched costs nothing.
const FIRST: usize = 1 << 14;

/// The largest object that is taken, in bytes of JSON; etcd takes 1.5 MiB, indented that is some 5.
pub(crate) const MAX_OBJECT: usize = 16 << 20;

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
    /// Line ends before `buffer[counted]`, and characters between the last of them and it.
    counted: usize,
    lines: u64,
    characters: u64,
}

impl<'r> Window<'r> {
    pub(crate) fn new(input: Box<dyn Read + 'r>) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
            counted: 0,
            lines: 0,
            characters: 0,
        }
    }

    /// A window on `bytes`, which stood at this line and column of a stream.
    pub(crate) fn at(bytes: Vec<u8>, (line, column): (u64, u64)) -> Self {
        Self {
            lines: line.saturating_sub(1),
            characters: column.saturating_sub(1),
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
        if kept * 2 >= self.buffer.len() || self.buffer.len() < SIZE {
            let size = match self.buffer.len() {
                0 => FIRST,
                len => (len * 2).clamp(SIZE, MAX_OBJECT),
            };
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
        self.count_lines();
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.counted = 0;
    }

    /// Counts the lines up to the next byte, each byte once however often this is asked.
    fn count_lines(&mut self) {
        let used = self.buffer.get(self.counted..self.start).unwrap_or_default();
        (self.lines, self.characters) = count(used, self.lines, self.characters);
        self.counted = self.start;
    }

    /// Line and column, both from 1, of the next byte; columns count characters.
    pub(crate) fn here(&mut self) -> (u64, u64) {
        self.count_lines();
        (self.lines + 1, self.characters + 1)
    }

    /// The same of the byte `offset` after it.
    pub(crate) fn line_and_column(&self, offset: usize) -> (u64, u64) {
        let end = self.end.min(self.start + offset);
        let before = self.buffer.get(self.counted..end).unwrap_or_default();
        let (lines, characters) = count(before, self.lines, self.characters);
        (lines + 1, characters + 1)
    }

    /// What is left, as a stream: for an input that turns out to be packed or not JSON.
    pub(crate) fn into_rest(mut self) -> Box<dyn Read + 'r> {
        self.buffer.truncate(self.end);
        self.buffer.drain(..self.start);
        let rest = io::Cursor::new(self.buffer);
        if self.ended { Box::new(rest) } else { Box::new(rest.chain(self.input)) }
    }
}

/// Line ends, and characters after the last of them, when `bytes` follow.
fn count(bytes: &[u8], lines: u64, characters: u64) -> (u64, u64) {
    let ends = memchr::memchr_iter(b'\n', bytes).count();
    let (line, before) = match memchr::memrchr(b'\n', bytes) {
        Some(last) => (bytes.get(last + 1..).unwrap_or_default(), 0),
        None => (bytes, characters),
    };
    // all bytes but those that continue a character
    let more = line.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    (lines + to_u64(ends), before + to_u64(more))
}

pub(crate) fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
