//! `Fault`: where in a JSON value a field does not fit, and why.

use std::fmt;

use super::scan::{Stop, Syntax, value};
use crate::QuantityError;

/// A value that does not decode: its path, the text as written, the problem, the offset in bytes.
///
/// The path is put together while the error travels up, so reading without a fault pays nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    /// Innermost first.
    path: Vec<Segment>,
    offset: usize,
    text: String,
    problem: Problem,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    Field(&'static [u8]),
    Unknown(String),
    Index(usize),
    Key(String),
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not JSON.
    #[error("{0}")]
    Syntax(Syntax),
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What the field takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A number that the field's type cannot hold.
    #[error("out of range for {expected}")]
    Range {
        /// What the field takes.
        expected: &'static str,
    },
    /// A text that is none of those the API knows.
    #[error("unknown {what}, expected {}", alternatives(expected))]
    Unknown {
        /// What it should name, such as `operator`.
        what: &'static str,
        /// Those there are.
        expected: &'static [&'static [u8]],
    },
    /// A field that must be there.
    #[error("required, but absent")]
    Missing,
    /// Not a quantity.
    #[error("{0}")]
    Quantity(QuantityError),
    /// Not an RFC 3339 time stamp.
    #[error("not an RFC 3339 time such as 2006-01-02T15:04:05Z")]
    Time,
    /// Any other fault, in a sentence.
    #[error("{0}")]
    Other(String),
}

impl Fault {
    /// A fault at `offset`, with no text shown.
    #[cold]
    pub fn new(offset: usize, problem: Problem) -> Self {
        Self(Box::new(Inner { path: Vec::new(), offset, text: String::new(), problem }))
    }

    /// A fault of the value that starts at `offset` of `bytes`.
    #[cold]
    pub fn at_value(bytes: &[u8], offset: usize, problem: Problem) -> Self {
        let mut fault = Self::new(offset, problem);
        fault.0.text = text_of(bytes, offset);
        fault
    }

    #[cold]
    pub(crate) fn syntax(bytes: &[u8], stop: Stop) -> Self {
        let mut fault = Self::new(stop.at.min(bytes.len()), Problem::Syntax(stop.why));
        let rest = bytes.get(stop.at..).unwrap_or_default();
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        fault.0.text = shorten(line.get(..24).unwrap_or(line));
        fault
    }

    /// The same fault seen from the object whose member `name` has it.
    #[cold]
    #[must_use]
    pub fn in_field(mut self, name: &'static [u8]) -> Self {
        self.0.path.push(Segment::Field(name));
        self
    }

    /// The same for a member that should not be there; its name is shortened.
    #[cold]
    #[must_use]
    pub(crate) fn in_unknown_field(mut self, name: &[u8]) -> Self {
        self.0.path.push(Segment::Unknown(shorten(name)));
        self
    }

    /// The same fault seen from the list whose element has it.
    #[cold]
    #[must_use]
    pub fn in_index(mut self, index: usize) -> Self {
        self.0.path.push(Segment::Index(index));
        self
    }

    /// The same fault seen from the map whose entry has it.
    #[cold]
    #[must_use]
    pub fn in_key(mut self, key: &[u8]) -> Self {
        self.0.path.push(Segment::Key(String::from_utf8_lossy(key).into_owned()));
        self
    }

    /// The same fault with the offset counted from `base` bytes earlier.
    #[must_use]
    pub fn moved(mut self, base: usize) -> Self {
        self.0.offset += base;
        self
    }

    /// The field, such as `spec.containers[0].resources.requests[cpu]`; empty for the value itself.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for segment in self.0.path.iter().rev() {
            match segment {
                Segment::Field(name) => push_name(&mut path, &String::from_utf8_lossy(name)),
                Segment::Unknown(name) => push_name(&mut path, name),
                Segment::Index(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
                Segment::Key(key) => {
                    path.push('[');
                    path.push_str(key);
                    path.push(']');
                }
            }
        }
        path
    }

    /// Offset in bytes of the value, or of the place where the syntax breaks.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The value as it is written, shortened; empty when there is none.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Whether the text ended too early, so that more of it may help.
    pub fn is_truncated(&self) -> bool {
        self.0.problem == Problem::Syntax(Syntax::End)
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// The text of the value at `offset`, shortened.
pub(crate) fn text_of(bytes: &[u8], offset: usize) -> String {
    let end = value(bytes, offset, 0).unwrap_or(bytes.len());
    shorten(bytes.get(offset..end).unwrap_or_default())
}

/// The parts of a path as [`Fault::path`] writes it: names, indices and keys.
pub(crate) fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (segment, after) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        segments.push(segment);
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    segments
}

/// `A, B or C`.
fn alternatives(names: &[&[u8]]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == names.len() { " or " } else { ", " });
        }
        text.push_str(&String::from_utf8_lossy(name));
    }
    text
}

/// The most characters of a value that are shown.
const LONGEST: usize = 80;

/// How many bytes of a value are looked at to show it.
pub(crate) const MAX_SHOWN: usize = LONGEST * 4;

/// At most some 80 characters on one line.
fn shorten(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..MAX_SHOWN).unwrap_or(text));
    let mut short: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    short.retain(|character| !character.is_control());
    if let Some((cut, _)) = short.char_indices().nth(LONGEST) {
        short.truncate(cut);
        short.push('…');
    }
    short
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        write!(f, "{}", self.0.problem)?;
        if !self.0.text.is_empty() {
            write!(f, ": {}", self.0.text)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({self} at byte {})", self.0.offset)
    }
}

impl std::error::Error for Fault {}
