//! The lexical layer: from a position in the bytes to the end of a token, without making values.
//!
//! kubectl prints a dump with four blanks a level, and most of it is fields that nobody reads
//! (`managedFields`, `status`, `env`). So runs of blanks and the bodies of strings are looked at
//! eight bytes at a time, and a value can be passed over without recursion or allocation; the syntax
//! of what is passed over is checked all the same (RFC 8259).

#![expect(clippy::inline_always, reason = "a call a token costs more than the token")]

/// Nesting beyond this is an error; the API itself stays below 30.
pub(crate) const MAX_DEPTH: usize = 512;

/// Why a token ended badly, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Offset of the byte that does not fit, or of the end of the input.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) why: Syntax,
}

/// What is wrong with the text as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Syntax {
    /// The text ends inside a value.
    #[error("the text ends in the middle of a value")]
    End,
    /// No JSON value starts like this.
    #[error("expected a value")]
    Value,
    /// A member of an object does not start with a quoted name.
    #[error("expected a field name in double quotes")]
    Key,
    /// A field name without a colon.
    #[error("expected a colon after the field name")]
    Colon,
    /// After an element of an array stands neither a comma nor the closing bracket.
    #[error("expected a comma or a closing bracket")]
    CommaOrBracket,
    /// After a member of an object stands neither a comma nor the closing brace.
    #[error("expected a comma or a closing brace")]
    CommaOrBrace,
    /// Something that starts like a number is none.
    #[error("not a number")]
    Number,
    /// A word other than `true`, `false` and `null`.
    #[error("expected true, false or null")]
    Word,
    /// A control character in a string.
    #[error("a control character in a string must be escaped")]
    Control,
    /// An escape that JSON does not know.
    #[error("unknown escape in a string")]
    Escape,
    /// `\ud800` to `\udfff` without its other half.
    #[error("half of a surrogate pair in a string")]
    Surrogate,
    /// A byte sequence that is not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// More than 512 levels.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
    /// More text after the end of the value.
    #[error("unexpected text after the value")]
    Trailing,
}

type Scan<T> = Result<T, Stop>;

#[cold]
fn stop<T>(at: usize, why: Syntax) -> Scan<T> {
    Err(Stop { at, why })
}

const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Which of eight bytes, from the lowest on, is the first with a mark in its high bit.
#[inline(always)]
const fn first_mark(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// Marks bytes that are zero. Above the lowest mark there may be false ones.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(repeat(1)) & !word & repeat(0x80)
}

/// Marks quotes, backslashes, control characters and bytes outside ASCII, false marks as above.
#[inline(always)]
const fn special_bytes(word: u64) -> u64 {
    let control = word.wrapping_sub(repeat(0x20)) & !word & repeat(0x80);
    zero_bytes(word ^ repeat(b'"'))
        | zero_bytes(word ^ repeat(b'\\'))
        | control
        | (word & repeat(0x80))
}

/// The first byte from `at` on that is not white space, or the end.
#[inline(always)]
pub(crate) fn space(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(&byte) if byte <= b' ' => space_run(bytes, at),
        _ => at,
    }
}

#[inline]
fn space_run(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b'\n') => {
                at += 1;
                while let Some(word) = word_at(bytes, at) {
                    let other = word ^ repeat(b' ');
                    if other != 0 {
                        at += first_mark(other);
                        break;
                    }
                    at += 8;
                }
            }
            Some(b' ' | b'\r' | b'\t') => at += 1,
            _ => return at,
        }
    }
}

/// A string's extent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StringEnd {
    /// Offset of the closing quote.
    pub(crate) quote: usize,
    /// Whether there are escapes in it.
    pub(crate) escaped: bool,
}

/// The end of the string whose first byte after the opening quote is at `start`.
#[inline(always)]
pub(crate) fn string(bytes: &[u8], start: usize) -> Scan<StringEnd> {
    let mut at = start;
    while let Some(word) = word_at(bytes, at) {
        let marks = special_bytes(word);
        if marks != 0 {
            at += first_mark(marks);
            break;
        }
        at += 8;
    }
    if bytes.get(at) == Some(&b'"') {
        return Ok(StringEnd { quote: at, escaped: false });
    }
    string_rest(bytes, start, at)
}

/// The same where there is something other than plain ASCII, or near the end of the input.
fn string_rest(bytes: &[u8], start: usize, mut at: usize) -> Scan<StringEnd> {
    let mut escaped = false;
    let mut ascii = true;
    loop {
        match bytes.get(at) {
            Some(b'"') => break,
            Some(b'\\') => {
                escaped = true;
                at = escape(bytes, at)?.1;
            }
            Some(0..=0x1f) => return stop(at, Syntax::Control),
            Some(byte) => {
                ascii &= byte.is_ascii();
                at += 1;
            }
            None => return stop(at, Syntax::End),
        }
        while let Some(word) = word_at(bytes, at) {
            let marks = special_bytes(word);
            if marks != 0 {
                at += first_mark(marks);
                break;
            }
            at += 8;
        }
    }
    if !ascii
        && let Some(body) = bytes.get(start..at)
        && let Err(error) = std::str::from_utf8(body)
    {
        return stop(start + error.valid_up_to(), Syntax::Utf8);
    }
    Ok(StringEnd { quote: at, escaped })
}

/// The character that the escape at the backslash `at` stands for, and the offset after it.
fn escape(bytes: &[u8], at: usize) -> Scan<(char, usize)> {
    let plain = match bytes.get(at + 1) {
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(bytes, at),
        Some(_) => return stop(at, Syntax::Escape),
        None => return stop(at + 1, Syntax::End),
    };
    Ok((plain, at + 2))
}

#[cold]
fn unicode_escape(bytes: &[u8], at: usize) -> Scan<(char, usize)> {
    let high = hex_unit(bytes, at)?;
    if let Some(character) = char::from_u32(high) {
        return Ok((character, at + 6));
    }
    if high >= 0xdc00 {
        return stop(at, Syntax::Surrogate);
    }
    match (bytes.get(at + 6), bytes.get(at + 7)) {
        (Some(b'\\'), Some(b'u')) => {}
        (Some(b'\\') | None, None) => return stop(bytes.len(), Syntax::End),
        _ => return stop(at, Syntax::Surrogate),
    }
    let low = hex_unit(bytes, at + 6)?;
    if !(0xdc00..0xe000).contains(&low) {
        return stop(at, Syntax::Surrogate);
    }
    match char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)) {
        Some(character) => Ok((character, at + 12)),
        None => stop(at, Syntax::Surrogate),
    }
}

/// The four hexadecimal digits of `\uXXXX` at `at`.
fn hex_unit(bytes: &[u8], at: usize) -> Scan<u32> {
    let mut unit = 0;
    for offset in at + 2..at + 6 {
        let Some(&byte) = bytes.get(offset) else { return stop(offset, Syntax::End) };
        let Some(digit) = char::from(byte).to_digit(16) else { return stop(at, Syntax::Escape) };
        unit = unit * 16 + digit;
    }
    Ok(unit)
}

/// The text of the string `bytes[start..end]`, which was scanned before, with its escapes replaced.
pub(crate) fn unescape(bytes: &[u8], start: usize, end: usize) -> Scan<Vec<u8>> {
    let mut text = Vec::with_capacity(end.saturating_sub(start));
    let mut at = start;
    while at < end {
        let rest = bytes.get(at..end).unwrap_or_default();
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        text.extend_from_slice(rest.get(..plain).unwrap_or_default());
        at += plain;
        if at < end {
            let (character, after) = escape(bytes, at)?;
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            at = after;
        }
    }
    Ok(text)
}

/// The end of the number that starts at `at`, and whether it has neither fraction nor exponent.
#[inline]
pub(crate) fn number(bytes: &[u8], start: usize) -> Scan<(usize, bool)> {
    let digits = |mut at: usize| {
        let first = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at > first {
            Ok(at)
        } else if at >= bytes.len() {
            stop(at, Syntax::End)
        } else {
            stop(at, Syntax::Number)
        }
    };
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    let mut integer = true;
    if bytes.get(at) == Some(&b'.') {
        integer = false;
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        integer = false;
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(at)?;
    }
    if let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-' | b'_') = bytes.get(at)
    {
        return stop(at, Syntax::Number);
    }
    Ok((at, integer))
}

/// The end of the word `true`, `false` or `null` at `at`.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize, word: &[u8]) -> Scan<usize> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        return Ok(at + word.len());
    }
    if word.starts_with(rest) {
        return stop(bytes.len(), Syntax::End);
    }
    stop(at, Syntax::Word)
}

/// The offset of a member's value, from that of its name's opening quote.
#[inline(always)]
pub(crate) fn member(bytes: &[u8], at: usize) -> Scan<usize> {
    match bytes.get(at) {
        Some(b'"') => colon(bytes, string(bytes, at + 1)?.quote + 1),
        Some(_) => stop(at, Syntax::Key),
        None => stop(at, Syntax::End),
    }
}

/// The offset of what follows the colon at or after `at`.
#[inline(always)]
pub(crate) fn colon(bytes: &[u8], at: usize) -> Scan<usize> {
    let at = space(bytes, at);
    match bytes.get(at) {
        // what a pretty printer writes: one blank, then the value
        Some(b':') => match bytes.get(at + 1) {
            Some(b' ') => Ok(space(bytes, at + 2)),
            _ => Ok(space(bytes, at + 1)),
        },
        Some(_) => stop(at, Syntax::Colon),
        None => stop(at, Syntax::End),
    }
}

/// Which containers are open: one bit a level, set for objects.
struct Open {
    levels: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Open {
    #[inline(always)]
    fn push(&mut self, object: bool, at: usize) -> Scan<()> {
        let bit = 1 << (self.depth % 64);
        match self.levels.get_mut(self.depth / 64) {
            Some(level) if object => *level |= bit,
            Some(level) => *level &= !bit,
            None => return stop(at, Syntax::Depth),
        }
        self.depth += 1;
        Ok(())
    }

    /// Whether the innermost open container is an object; `None` when none is open.
    #[inline(always)]
    fn innermost(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        Some(self.levels.get(top / 64)? >> (top % 64) & 1 == 1)
    }
}

/// The end of the value that starts at `at`, its syntax checked, `depth` levels inside others.
pub(crate) fn value(bytes: &[u8], mut at: usize, depth: usize) -> Scan<usize> {
    // a scalar needs no bookkeeping
    match bytes.get(at) {
        Some(b'"') => return string(bytes, at + 1).map(|end| end.quote + 1),
        Some(b'{' | b'[') => {}
        _ => return scalar(bytes, at),
    }
    let mut open = Open { levels: [0; MAX_DEPTH / 64], depth };
    loop {
        // at the first byte of a value
        match bytes.get(at) {
            Some(b'"') => at = string(bytes, at + 1)?.quote + 1,
            Some(b'{') => {
                let inside = space(bytes, at + 1);
                if bytes.get(inside) == Some(&b'}') {
                    at = inside + 1;
                } else {
                    open.push(true, at)?;
                    at = member(bytes, inside)?;
                    continue;
                }
            }
            Some(b'[') => {
                let inside = space(bytes, at + 1);
                if bytes.get(inside) == Some(&b']') {
                    at = inside + 1;
                } else {
                    open.push(false, at)?;
                    at = inside;
                    continue;
                }
            }
            _ => at = scalar(bytes, at)?,
        }
        // after a value
        loop {
            if open.depth == depth {
                return Ok(at);
            }
            let Some(object) = open.innermost() else { return Ok(at) };
            at = space(bytes, at);
            match (bytes.get(at), object) {
                (Some(b','), true) => {
                    at = member(bytes, space(bytes, at + 1))?;
                    break;
                }
                (Some(b','), false) => {
                    at = space(bytes, at + 1);
                    break;
                }
                (Some(b'}'), true) | (Some(b']'), false) => {
                    open.depth -= 1;
                    at += 1;
                }
                (None, _) => return stop(at, Syntax::End),
                (Some(_), true) => return stop(at, Syntax::CommaOrBrace),
                (Some(_), false) => return stop(at, Syntax::CommaOrBracket),
            }
        }
    }
}

#[inline]
fn scalar(bytes: &[u8], at: usize) -> Scan<usize> {
    match bytes.get(at) {
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => number(bytes, at).map(|(end, _)| end),
        Some(_) => stop(at, Syntax::Value),
        None => stop(at, Syntax::End),
    }
}
