//! Strict reading: a value as written, taken apart field by field, with every fault kept.
//!
//! kube-scheduler decodes its configuration strictly (`serializer.EnableStrict` in
//! `pkg/scheduler/apis/config/scheme/scheme.go` of v1.34): names of fields are matched
//! case-sensitively, an unknown field and a duplicate one are errors, and `null` is "absent".

use std::borrow::Cow;
use std::fmt::Write as _;

use bayplan_api::Str;
use bayplan_api::json::{Decoder, Fault, Strings};

use super::ConfigProblem;
use super::go_text::{json, parse_duration};
use super::validation::Path;

/// A value as it is written. A configuration is small, and a fault must not hide the next one: so it
/// is read whole before it is taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// The text of the number.
    Number(String),
    Text(Str),
    List(Vec<Node>),
    /// Members in the order in which they are written, duplicates included.
    Object(Vec<(Str, Node)>),
}

impl Node {
    /// The one JSON value that `bytes` holds.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let mut strings = Strings::new();
        let mut decoder = Decoder::new(bytes, &mut strings);
        decoder.space();
        let node = Self::decode(&mut decoder)?;
        decoder.end()?;
        Ok(node)
    }

    /// Recursion ends at the depth that the decoder allows.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        match decoder.peek() {
            Some(b'{') => {
                let mut members = Vec::new();
                let mut items = decoder.begin_object()?;
                while let Some(name) = decoder.next_member(&mut items)? {
                    let name = Str::from(String::from_utf8_lossy(&name).as_ref());
                    members.push((name, Self::decode(decoder)?));
                }
                Ok(Self::Object(members))
            }
            Some(b'[') => decoder.list(Self::decode).map(Self::List),
            Some(b'"') => decoder.shared_string().map(Self::Text),
            Some(b't' | b'f') => {
                <bool as bayplan_api::json::Decode>::decode(decoder).map(Self::Bool)
            }
            Some(b'n') => decoder.null().map(|_| Self::Null),
            _ => decoder
                .number_or_text("a value")
                .map(|text| Self::Number(String::from_utf8_lossy(&text).into_owned())),
        }
    }

    /// The value as JSON without white space.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => out.push_str(&json(text)),
            Self::List(list) => {
                out.push('[');
                for (at, element) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    // writing to a String does not fail
                    let _ = write!(out, "{}:", json(name));
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
            Self::Bool(_) | Self::Number(_) | Self::Text(_) => {
                let mut text = self.to_json();
                if let Some((cut, _)) = text.char_indices().nth(80) {
                    text.truncate(cut);
                    text.push('…');
                }
                text
            }
        }
    }
}

/// How many faults are collected.
const MAX_PROBLEMS: usize = 100;

/// The faults met so far.
#[derive(Debug, Default)]
pub(super) struct Strict {
    pub(super) problems: Vec<ConfigProblem>,
}

impl Strict {
    pub(super) fn report(&mut self, problem: ConfigProblem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn mismatch(&mut self, path: &Path, expected: &'static str, node: &Node) {
        self.report(ConfigProblem::WrongType {
            field: path.to_string(),
            expected,
            found: node.shown(),
        });
    }

    /// The members of an object, to be taken one by one; none if it is `null` or no object.
    pub(super) fn object<'a>(&mut self, path: &Path, node: &'a Node) -> Members<'a> {
        let mut members: Vec<(&Str, &Node)> = match node {
            Node::Object(members) => members.iter().map(|(name, value)| (name, value)).collect(),
            Node::Null => Vec::new(),
            _ => {
                self.mismatch(path, "an object", node);
                Vec::new()
            }
        };
        // sorted, of equal names the last one first: it is the one that counts
        members.reverse();
        members.sort_by_key(|(name, _)| *name);
        let mut last: Option<&Str> = None;
        let mut reported: Option<&Str> = None;
        members.retain(|(name, _)| {
            let again = last == Some(*name);
            if again && reported != Some(*name) {
                reported = Some(*name);
                self.report(ConfigProblem::DuplicateField { field: path.child(name).to_string() });
            }
            last = Some(*name);
            !again
        });
        Members { path: path.clone(), members }
    }

    pub(super) fn text(&mut self, path: &Path, node: &Node) -> Option<Str> {
        match node {
            Node::Text(text) => Some(text.clone()),
            _ => self.miss(path, "a string", node),
        }
    }

    fn miss<T>(&mut self, path: &Path, expected: &'static str, node: &Node) -> Option<T> {
        if *node != Node::Null {
            self.mismatch(path, expected, node);
        }
        None
    }

    pub(super) fn bool(&mut self, path: &Path, node: &Node) -> Option<bool> {
        match node {
            Node::Bool(value) => Some(*value),
            _ => self.miss(path, "true or false", node),
        }
    }

    pub(super) fn int32(&mut self, path: &Path, node: &Node) -> Option<i32> {
        self.number(path, node, "a 32-bit integer")
    }

    pub(super) fn int64(&mut self, path: &Path, node: &Node) -> Option<i64> {
        self.number(path, node, "a 64-bit integer")
    }

    pub(super) fn float32(&mut self, path: &Path, node: &Node) -> Option<f32> {
        let value: Option<f32> = self.number(path, node, "a number");
        if value.is_some_and(f32::is_infinite) {
            self.mismatch(path, "a 32-bit number", node);
        }
        value
    }

    fn number<T: std::str::FromStr>(
        &mut self,
        path: &Path,
        node: &Node,
        expected: &'static str,
    ) -> Option<T> {
        let number = match node {
            Node::Number(text) => text.parse().ok(),
            _ => None,
        };
        if number.is_none() { self.miss(path, expected, node) } else { number }
    }

    /// A duration such as `1m30s`, in nanoseconds.
    pub(super) fn duration(&mut self, path: &Path, node: &Node) -> Option<i64> {
        let nanos = match node {
            Node::Text(text) => parse_duration(text),
            _ => None,
        };
        if nanos.is_none() {
            // Go asks the type, and to this one `null` is an empty text
            self.mismatch(path, "a duration such as 1m30s", node);
        }
        nanos
    }

    /// Whether bytes in base64 are there.
    pub(super) fn bytes(&mut self, path: &Path, node: &Node) -> Option<bool> {
        match node {
            Node::Text(text) if is_base64(text) => Some(!text.is_empty()),
            _ => self.miss(path, "base64", node),
        }
    }

    /// A list; an element that is `null` is read as `null` would be.
    pub(super) fn list<T>(
        &mut self,
        path: &Path,
        node: &Node,
        mut read: impl FnMut(&mut Self, &Path, &Node) -> T,
    ) -> Option<Vec<T>> {
        match node {
            Node::List(list) => {
                let list = list.iter().enumerate();
                Some(list.map(|(at, node)| read(self, &path.index(at), node)).collect())
            }
            _ => self.miss(path, "a list", node),
        }
    }

    pub(super) fn texts(&mut self, path: &Path, node: &Node) -> Option<Vec<Str>> {
        self.list(path, node, |strict, path, node| strict.text(path, node).unwrap_or_default())
    }

    /// A map of strings; its content is not needed.
    pub(super) fn text_map(&mut self, path: &Path, node: &Node) -> Option<()> {
        match node {
            Node::Object(members) => {
                for (name, value) in members {
                    self.text(&path.child(name), value);
                }
                Some(())
            }
            _ => self.miss(path, "an object", node),
        }
    }
}

/// `encoding/base64`'s standard encoding, in which line ends may stand anywhere.
fn is_base64(text: &str) -> bool {
    let text: Cow<'_, str> = if text.contains(['\r', '\n']) {
        Cow::Owned(text.replace(['\r', '\n'], ""))
    } else {
        Cow::Borrowed(text)
    };
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// The members of an object that have not been taken yet.
#[derive(Debug)]
pub(super) struct Members<'a> {
    path: Path,
    members: Vec<(&'a Str, &'a Node)>,
}

impl<'a> Members<'a> {
    /// Takes a member out and reads it; `None` if it is absent, `null` or does not fit.
    pub(super) fn take<T>(
        &mut self,
        strict: &mut Strict,
        name: &str,
        read: impl FnOnce(&mut Strict, &Path, &'a Node) -> Option<T>,
    ) -> Option<T> {
        self.take_written(strict, name, |strict, path, node| match node {
            Node::Null => None,
            node => read(strict, path, node),
        })
    }

    /// Takes a member out and reads it, also if it is `null`; `None` if it is absent or does not fit.
    pub(super) fn take_written<T>(
        &mut self,
        strict: &mut Strict,
        name: &str,
        read: impl FnOnce(&mut Strict, &Path, &'a Node) -> Option<T>,
    ) -> Option<T> {
        let at = self.members.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        let (_, node) = self.members.remove(at);
        read(strict, &self.path.child(name), node)
    }

    /// Takes a member out and reads it with what reads `null` too; `None` if it is absent or `null`.
    pub(super) fn take_some<T>(
        &mut self,
        strict: &mut Strict,
        name: &str,
        read: impl FnOnce(&mut Strict, &Path, &'a Node) -> T,
    ) -> Option<T> {
        self.take(strict, name, |strict, path, node| Some(read(strict, path, node)))
    }

    /// Takes a member out and reads it, also if it is absent: it is read as `null` then.
    pub(super) fn take_struct<T>(
        &mut self,
        strict: &mut Strict,
        name: &str,
        read: impl FnOnce(&mut Strict, &Path, &'a Node) -> T,
    ) -> T {
        let at = self.members.binary_search_by(|(other, _)| other.as_str().cmp(name));
        let node = at.map_or(&Node::Null, |at| self.members.remove(at).1);
        read(strict, &self.path.child(name), node)
    }

    /// Reports what has not been taken.
    pub(super) fn end(self, strict: &mut Strict) {
        for (name, _) in &self.members {
            strict.report(ConfigProblem::UnknownField { field: self.path.child(name).to_string() });
        }
    }
}
