//! `Window`: the part of a stream that is looked at, refilled as it is used up.

use std::io::{self, Read};
use std::sync::Arc;

use super::ahead::{Ahead, Batch, Block, Context, Halt, Text, What, boundary};
use super::objects::Expected;
use crate::Str;
use crate::json::Strings;
use crate::object::ObjectType;

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

/// How a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// How much is read at first, in bytes.
    pub(crate) first: usize,
    /// How much is read at a time, in bytes.
    pub(crate) block: usize,
    /// How many threads decode ahead, the caller's among them; 0 to decode nothing before it is its turn.
    pub(crate) threads: usize,
}

impl Pace {
    /// So many threads; most of what is not a dump is small, and a block of a dump stays in a core's cache.
    pub(crate) const fn of_threads(threads: usize) -> Self {
        Self { first: 1 << 14, block: 1 << 20, threads }
    }
}

/// A window on a stream of bytes.
pub(crate) struct Window<'r> {
    input: Box<dyn Read + 'r>,
    pace: Pace,
    /// From when on it is known where objects start.
    ahead: Option<Box<Ahead>>,
    /// What was decoded of the buffer ahead; offsets count from the buffer's start.
    batch: Batch,
    /// Line ends in the buffer and characters behind the last one, if they are known.
    block_lines: Option<(u64, u64)>,
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
    pub(crate) fn new(input: Box<dyn Read + 'r>, pace: Pace) -> Self {
        Self {
            input,
            pace,
            ahead: None,
            batch: Batch::default(),
            block_lines: None,
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
            ..Self::new(Box::new(io::Cursor::new(bytes)), Pace::of_threads(0))
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

    /// Says that an object is to start at the next byte, and what is expected there, for objects to be decoded ahead.
    pub(super) fn learn(&mut self, expected: &Expected, namespace: &Str) {
        if self.pace.threads == 0 {
            return;
        }
        let text = self.buffer.get(..self.end).unwrap_or_default();
        let Some(boundary) = boundary(text, self.start) else { return };
        let context = || Context { expected: expected.clone(), namespace: namespace.clone() };
        match &mut self.ahead {
            Some(ahead) => ahead.learn(expected, context, boundary),
            None => {
                self.ahead = Some(Box::new(Ahead::new(self.pace, Arc::new(context()), boundary)));
            }
        }
    }

    /// What was decoded ahead of the object that starts at the next byte, and where it ends, counted from there.
    #[inline]
    pub(super) fn take_found(&mut self, expected: &Expected) -> Option<(What, usize)> {
        let (what, end) = self.batch.take(self.start, expected)?;
        Some((what, end - self.start))
    }

    /// The object that [`Window::take_found`] told of.
    #[inline]
    pub(super) fn take_object<T: ObjectType>(&mut self) -> Option<T> {
        self.batch.object()
    }

    /// Reads on, keeping what is not used up. `stop` is asked before each call of the stream.
    pub(crate) fn refill(
        &mut self,
        stop: &mut dyn FnMut() -> bool,
        strings: &mut Strings,
    ) -> io::Result<Refill> {
        if self.ended {
            return Ok(Refill::End);
        }
        if let Some(mut ahead) = self.ahead.take() {
            let refilled = self.refill_from(&mut ahead, stop, strings);
            self.ended = ahead.is_over();
            self.ahead = Some(ahead);
            return refilled;
        }
        let kept = self.end - self.start;
        self.drop_used();
        // an object that does not fit: twice the room, so that reading it again and again stays linear
        let Pace { first, block, .. } = self.pace;
        if kept * 2 >= self.buffer.len() || self.buffer.len() < block {
            let size = match self.buffer.len() {
                0 => first,
                len => (len * 2).clamp(block, MAX_OBJECT),
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

    /// The same where objects are decoded ahead.
    fn refill_from(
        &mut self,
        ahead: &mut Ahead,
        stop: &mut dyn FnMut() -> bool,
        strings: &mut Strings,
    ) -> io::Result<Refill> {
        let kept = self.end - self.start;
        if kept >= MAX_OBJECT {
            return Ok(Refill::TooLarge);
        }
        self.drop_used();
        // what does not fit a block gets twice the room each time, as above
        while self.end == kept || self.end < 2 * kept {
            let block = match ahead.next(&mut *self.input, stop, strings) {
                Ok(Some(block)) => block,
                Ok(None) => break,
                Err(Halt::Interrupted) => return Ok(Refill::Interrupted),
                Err(Halt::Failed(error)) => return Err(error),
            };
            let Block { mut text, batch, lines } = block;
            if self.end == 0 {
                self.end = text.end;
                ahead.reuse(std::mem::replace(&mut self.buffer, text.buffer));
                self.batch = batch;
                self.block_lines = lines;
                continue;
            }
            let room = MAX_OBJECT - self.end;
            if text.end > room {
                let rest = text.bytes().get(room..).unwrap_or_default().to_vec();
                ahead.put_back(Text { end: rest.len(), buffer: rest });
                text.end = room;
            }
            self.buffer.truncate(self.end);
            self.buffer.extend_from_slice(text.bytes());
            self.batch = batch.behind(self.end);
            self.block_lines = None;
            self.end += text.end;
            ahead.reuse(text.buffer);
            if self.end == MAX_OBJECT {
                break;
            }
        }
        Ok(if self.end > kept { Refill::More } else { Refill::End })
    }

    fn drop_used(&mut self) {
        self.count_lines();
        self.block_lines = None;
        self.batch = Batch::default();
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.counted = 0;
    }

    /// Counts the lines up to the next byte, each byte once however often this is asked.
    fn count_lines(&mut self) {
        let block = self.block_lines.filter(|_| self.counted == 0 && self.start == self.end);
        if let Some((lines, characters)) = block {
            self.lines += lines;
            self.characters = if lines == 0 { self.characters + characters } else { characters };
        } else {
            let used = self.buffer.get(self.counted..self.start).unwrap_or_default();
            (self.lines, self.characters) = count(used, self.lines, self.characters);
        }
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
pub(super) fn count(bytes: &[u8], lines: u64, characters: u64) -> (u64, u64) {
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
