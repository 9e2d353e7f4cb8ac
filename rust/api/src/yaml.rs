//! YAML, turned into JSON text as it is read: one typed decoder, one form of faults.
//!
//! Plain scalars mean what they mean to kubectl, which reads YAML 1.1 (`sigs.k8s.io/yaml` over
//! `go.yaml.in/yaml/v2`): `yes` and `off` are booleans, `010` is eight, `1_000` a thousand, `<<` merges.
//! Each value stands on the line of the JSON text on which it stood in the YAML, so that a fault in the
//! one names the line in the other.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{BufferedInput, Event, Parser, ScalarStyle, ScanError, Tag};

use crate::json::scan::{self, MAX_DEPTH};
use crate::read::error::InputProblem;
use crate::read::source::{Chars, StreamFault, fault};
use crate::read::window::{MAX_OBJECT, to_u64};

type Characters<'r> = Chars<Box<dyn BufRead + 'r>>;

/// A stream of YAML documents as a stream of JSON values.
pub(crate) struct YamlToJson<'r> {
    events: Parser<'static, BufferedInput<Characters<'r>>>,
    /// What went wrong below the parser, which only sees the characters end.
    input_fault: Rc<RefCell<Option<io::Error>>>,
    /// Bytes of YAML read so far.
    read: Rc<Cell<u64>>,
    json: Vec<u8>,
    /// `json[..ready]` may be given out; of that, `json[..given]` is.
    ready: usize,
    given: usize,
    /// The line of the YAML at which the JSON text stands.
    line: u64,
    open: Vec<Open>,
    /// JSON text of anchored nodes, by the parser's number.
    anchors: BTreeMap<usize, Rc<[u8]>>,
    /// Bytes that anchors, aliases and merges have copied.
    copied: u64,
    ended: bool,
}

/// A mapping or sequence that is not closed yet.
struct Open {
    anchor: usize,
    /// Where its text starts in `json`.
    start: usize,
    /// Whether its beginning is given out, so that `json` has no more of it.
    streamed: bool,
    kind: Container,
}

enum Container {
    Sequence {
        empty: bool,
    },
    Mapping {
        /// The members' names in `json`, with their quotes.
        names: Vec<Range<usize>>,
        next: Next,
        /// Texts of the mappings that `<<` brings in, the first one first.
        merges: Vec<Vec<u8>>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Name,
    Value,
    /// The value of `<<`, whose text starts here.
    Merge(usize),
}

fn yaml_fault(line: u64, problem: impl Into<String>) -> io::Error {
    fault(InputProblem::Yaml(problem.into()), Some((line, 1)))
}

impl<'r> YamlToJson<'r> {
    pub(crate) fn new(input: Box<dyn BufRead + 'r>) -> Self {
        let input_fault = Rc::new(RefCell::new(None));
        let read = Rc::new(Cell::new(0));
        let characters = Chars::new(input, Rc::clone(&input_fault), Rc::clone(&read));
        Self {
            events: Parser::new(BufferedInput::new(characters)),
            input_fault,
            read,
            json: Vec::new(),
            ready: 0,
            given: 0,
            line: 1,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            copied: 0,
            ended: false,
        }
    }

    /// Takes in one event.
    fn step(&mut self) -> io::Result<()> {
        let event = self.events.next_event();
        if let Some(error) = self.input_fault.borrow_mut().take() {
            return Err(error);
        }
        let (event, span) = match event {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Err(scan_fault(&error)),
            None => {
                self.ended = true;
                return Ok(());
            }
        };
        let line = to_u64(span.start.line());
        match event {
            Event::StreamEnd => {
                self.ended = true;
                self.ready = self.json.len();
            }
            Event::Nothing | Event::StreamStart => {}
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::DocumentEnd => self.ready = self.json.len(),
            Event::Alias(anchor) => self.alias(anchor, line)?,
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), line)?;
            }
            Event::SequenceStart(anchor, _) => {
                self.open(b'[', anchor, Container::Sequence { empty: true }, line)?;
            }
            Event::MappingStart(anchor, _) => {
                let kind =
                    Container::Mapping { names: Vec::new(), next: Next::Name, merges: Vec::new() };
                self.open(b'{', anchor, kind, line)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(line)?,
        }
        if self.json.len() > MAX_OBJECT {
            return Err(fault(InputProblem::TooLarge { limit: MAX_OBJECT }, Some((line, 1))));
        }
        Ok(())
    }

    /// Line breaks until the JSON text stands on `line`.
    fn pad(&mut self, line: u64) {
        while self.line < line {
            self.json.push(b'\n');
            self.line += 1;
        }
    }

    /// What stands before a value that is not a name.
    fn before_value(&mut self, line: u64) -> io::Result<()> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            Some(Container::Sequence { empty }) => {
                if !*empty {
                    self.json.push(b',');
                }
                *empty = false;
            }
            Some(Container::Mapping { next: Next::Name, .. }) => {
                return Err(yaml_fault(line, "a field name must be a single word or string"));
            }
            Some(Container::Mapping { .. }) | None => {}
        }
        self.pad(line);
        Ok(())
    }

    /// What is due when the value whose text starts at `start` is complete.
    fn after_value(&mut self, anchor: usize, start: usize, line: u64) -> io::Result<()> {
        if anchor != 0 {
            let text: Rc<[u8]> = self.json.get(start..).unwrap_or_default().into();
            self.charge(text.len(), line)?;
            self.anchors.insert(anchor, text);
        }
        if let Some(Open { kind: Container::Mapping { next, merges, .. }, .. }) =
            self.open.last_mut()
        {
            let was = std::mem::replace(next, Next::Name);
            if let Next::Merge(at) = was {
                let text = self.json.split_off(at);
                self.json.extend(text.iter().filter(|&&byte| byte == b'\n'));
                let texts = mappings(&text).ok_or_else(|| {
                    yaml_fault(line, "a merge (<<) takes a mapping or a list of mappings")
                })?;
                let length = texts.iter().map(Vec::len).sum();
                merges.extend(texts);
                self.charge(length, line)?;
            }
        }
        // an element of the list that is the member `items` of the document: it can go
        if let [outer, list] = self.open.as_mut_slice()
            && let Container::Mapping { names, merges, .. } = &mut outer.kind
            && let Container::Sequence { .. } = list.kind
            && outer.anchor == 0
            && list.anchor == 0
            && merges.is_empty()
        {
            let is_items = outer.streamed
                || names.last().and_then(|name| self.json.get(name.clone())) == Some(b"\"items\"");
            if is_items {
                names.clear();
                (outer.streamed, list.streamed) = (true, true);
                self.ready = self.json.len();
            }
        }
        Ok(())
    }

    /// Counts bytes that are there a second time because of an anchor, an alias or a merge.
    fn charge(&mut self, bytes: usize, line: u64) -> io::Result<()> {
        self.copied += to_u64(bytes);
        // some copying is what aliases are for; ten times the input is an attack
        if self.copied > (1 << 20) + self.read.get().saturating_mul(10) {
            return Err(yaml_fault(line, "aliases expand to more than ten times the document"));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: u64) -> io::Result<()> {
        self.before_value(line)?;
        let Some(text) = self.anchors.get(&anchor).cloned() else {
            return Err(yaml_fault(line, "an alias stands inside what it stands for"));
        };
        self.charge(text.len(), line)?;
        let start = self.json.len();
        self.json.extend(text.iter().map(|&byte| if byte == b'\n' { b' ' } else { byte }));
        self.after_value(0, start, line)
    }

    fn open(&mut self, bracket: u8, anchor: usize, kind: Container, line: u64) -> io::Result<()> {
        self.before_value(line)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(yaml_fault(line, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Open { anchor, start: self.json.len(), streamed: false, kind });
        self.json.push(bracket);
        Ok(())
    }

    fn close(&mut self, line: u64) -> io::Result<()> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        match &mut open.kind {
            Container::Sequence { .. } => self.json.push(b']'),
            Container::Mapping { names, merges, .. } => {
                if !merges.is_empty() {
                    self.merge(names, merges, line)?;
                }
                self.json.push(b'}');
            }
        }
        self.after_value(if open.streamed { 0 } else { open.anchor }, open.start, line)
    }

    /// Writes the merged members that the mapping does not have itself.
    fn merge(&mut self, names: &[Range<usize>], merges: &[Vec<u8>], line: u64) -> io::Result<()> {
        let mut known: BTreeSet<Vec<u8>> = names
            .iter()
            .filter_map(|name| self.json.get(name.clone()))
            .map(<[u8]>::to_vec)
            .collect();
        let mut empty = names.is_empty();
        for text in merges {
            for (name, member) in members(text) {
                if known.insert(name.to_vec()) {
                    if !empty {
                        self.json.push(b',');
                    }
                    empty = false;
                    self.json.extend(member.iter().map(|&b| if b == b'\n' { b' ' } else { b }));
                    self.charge(member.len(), line)?;
                }
            }
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: u64,
    ) -> io::Result<()> {
        let value = resolve(text, style, tag).map_err(|problem| yaml_fault(line, problem))?;
        if let Some(Open { kind: Container::Mapping { names, next, .. }, streamed, .. }) =
            self.open.last_mut()
            && *next == Next::Name
        {
            if text == "<<" && style == ScalarStyle::Plain && tag.is_none() {
                if *streamed {
                    return Err(yaml_fault(line, "a merge (<<) cannot follow the items of a list"));
                }
                *next = Next::Merge(self.json.len());
                return Ok(());
            }
            *next = Next::Value;
            if !names.is_empty() || *streamed {
                self.json.push(b',');
            }
            while self.line < line {
                self.json.push(b'\n');
                self.line += 1;
            }
            let start = self.json.len();
            match value {
                Scalar::Null => return Err(yaml_fault(line, "a field name cannot be null")),
                Scalar::Bool(_) | Scalar::Number(_) => {
                    self.json.push(b'"');
                    value.write(&mut self.json);
                    self.json.push(b'"');
                }
                Scalar::Text(_) => value.write(&mut self.json),
            }
            names.push(start..self.json.len());
            if anchor != 0 {
                let text: Rc<[u8]> = self.json.get(start..).unwrap_or_default().into();
                self.charge(text.len(), line)?;
                self.anchors.insert(anchor, text);
            }
            self.json.push(b':');
            return Ok(());
        }
        if self.open.is_empty() && value == Scalar::Null {
            return Ok(()); // an empty document
        }
        self.before_value(line)?;
        let start = self.json.len();
        value.write(&mut self.json);
        self.after_value(anchor, start, line)
    }
}

impl Read for YamlToJson<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // enough for a call, so that whoever reads can be interrupted
        const EVENTS: usize = 1 << 14;
        if self.given == self.ready && self.ready > 0 {
            self.json.clear();
            (self.ready, self.given) = (0, 0);
        }
        let mut events = 0;
        while self.given == self.ready && !self.ended {
            self.step()?;
            events += 1;
            if events == EVENTS && self.given == self.ready {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        let ready = self.json.get(self.given..self.ready).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

/// The documents of a YAML text as JSON values, one after another, each value on its line.
///
/// # Errors
///
/// The text is no YAML, or YAML that JSON cannot say.
///
/// ```
/// let json = bayplan_api::yaml_to_json(b"a: [1, yes]\nb: &x {c: 010}\nd: *x\n")?;
/// let json: String = String::from_utf8_lossy(&json).split_whitespace().collect();
/// assert_eq!(json, r#"{"a":[1,true],"b":{"c":8},"d":{"c":8}}"#);
///
/// let error = bayplan_api::yaml_to_json(b"a: 1\n  b: 2\n").unwrap_err();
/// assert_eq!(error.position, Some((2, 4)));
/// # Ok::<(), bayplan_api::YamlError>(())
/// ```
pub fn yaml_to_json(yaml: &[u8]) -> Result<Vec<u8>, YamlError> {
    let mut json = Vec::new();
    match YamlToJson::new(Box::new(yaml)).read_to_end(&mut json) {
        Ok(_) => Ok(json),
        Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(StreamFault { problem, at }) => {
                YamlError { problem: problem.clone(), position: *at }
            }
            None => YamlError { problem: InputProblem::Yaml(error.to_string()), position: None },
        }),
    }
}

/// A text that is no YAML, or YAML that JSON cannot say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct YamlError {
    /// What is wrong.
    pub problem: InputProblem,
    /// Line and column, from 1.
    pub position: Option<(u64, u64)>,
}

fn scan_fault(error: &ScanError) -> io::Error {
    let at = (to_u64(error.marker().line()), to_u64(error.marker().col()) + 1);
    fault(InputProblem::Yaml(error.info().to_owned()), Some(at))
}

/// The mappings that the value of a merge is, in JSON text: one, or a list.
fn mappings(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let at = scan::space(text, 0);
    match text.get(at)? {
        b'{' => Some(vec![text.get(at..)?.to_vec()]),
        b'[' => {
            let mut texts = Vec::new();
            let mut at = scan::space(text, at + 1);
            while text.get(at) != Some(&b']') {
                if text.get(at) != Some(&b'{') {
                    return None;
                }
                let end = scan::value(text, at, 0).ok()?;
                texts.push(text.get(at..end)?.to_vec());
                at = scan::space(text, end);
                if text.get(at) == Some(&b',') {
                    at = scan::space(text, at + 1);
                }
            }
            Some(texts)
        }
        _ => None,
    }
}

/// Name and whole text of each member of an object.
fn members(text: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut members = Vec::new();
    let mut at = scan::space(text, 1);
    while text.get(at) == Some(&b'"') {
        let Ok(name) = scan::string(text, at + 1) else { break };
        let Ok(value) = scan::member(text, at) else { break };
        let Ok(end) = scan::value(text, value, 0) else { break };
        if let (Some(name), Some(member)) = (text.get(at..=name.quote), text.get(at..end)) {
            members.push((name, member));
        }
        at = scan::space(text, end);
        if text.get(at) == Some(&b',') {
            at = scan::space(text, at + 1);
        }
    }
    members
}

/// What a scalar means.
#[derive(Debug, PartialEq)]
enum Scalar<'a> {
    Null,
    Bool(bool),
    /// As JSON writes it.
    Number(String),
    Text(&'a str),
}

impl Scalar<'_> {
    fn write(&self, json: &mut Vec<u8>) {
        match self {
            Self::Null => json.extend_from_slice(b"null"),
            Self::Bool(true) => json.extend_from_slice(b"true"),
            Self::Bool(false) => json.extend_from_slice(b"false"),
            Self::Number(number) => json.extend_from_slice(number.as_bytes()),
            Self::Text(text) => {
                json.push(b'"');
                for &byte in text.as_bytes() {
                    match byte {
                        b'"' | b'\\' => json.extend([b'\\', byte]),
                        b'\n' => json.extend_from_slice(b"\\n"),
                        0..0x20 => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                        _ => json.push(byte),
                    }
                }
                json.push(b'"');
            }
        }
    }
}

/// What `text` means, by its tag, its quotes, or its look.
fn resolve<'a>(text: &'a str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar<'a>, String> {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { plain(text) } else { Ok(Scalar::Text(text)) };
    };
    if !tag.is_yaml_core_schema() {
        return Ok(Scalar::Text(text));
    }
    let value = match tag.suffix.as_str() {
        "null" | "bool" | "int" | "float" => plain(text)?,
        "binary" => return Err("binary data (!!binary) is not supported".to_owned()),
        _ => return Ok(Scalar::Text(text)),
    };
    let fits = match (tag.suffix.as_str(), &value) {
        ("null", Scalar::Null) | ("bool", Scalar::Bool(_)) | ("float", Scalar::Number(_)) => true,
        ("int", Scalar::Number(number)) => !number.contains(['.', 'e']),
        _ => false,
    };
    if fits { Ok(value) } else { Err(format!("{text:?} is no {}", tag.suffix)) }
}

/// What an unquoted scalar means in YAML 1.1.
fn plain(text: &str) -> Result<Scalar<'_>, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF"
        | "-.inf" | "-.Inf" | "-.INF" => {
            return Err(format!("{text} is no number that a field can have"));
        }
        _ => match text.as_bytes().first() {
            Some(b'.') => {
                text.parse().ok().and_then(float).map_or(Scalar::Text(text), Scalar::Number)
            }
            Some(b'0'..=b'9' | b'+' | b'-') => {
                let digits = text.replace('_', "");
                integer(&digits)
                    .or_else(|| {
                        is_float(&digits).then(|| digits.parse().ok().and_then(float)).flatten()
                    })
                    .map_or(Scalar::Text(text), Scalar::Number)
            }
            _ => Scalar::Text(text),
        },
    })
}

/// Go's `ParseInt` and `ParseUint` with base 0: `0x`, `0o`, `0b`, and octal after a plain zero.
fn integer(text: &str) -> Option<String> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let prefixed = |base| digits.get(2..).filter(|rest| !rest.is_empty()).map(|rest| (base, rest));
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => prefixed(16)?,
        [b'0', b'o' | b'O', ..] => prefixed(8)?,
        [b'0', b'b' | b'B', ..] => prefixed(2)?,
        [b'0'] => (10, digits),
        [b'0', ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None; // from_str_radix takes a sign
    }
    let number = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return (number <= 1 << 63).then(|| format!("-{number}"));
    }
    (!signed || number < 1 << 63).then(|| number.to_string())
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    fn digits(text: &str) -> (&str, &str) {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text.split_at(end)
    }
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, mut rest) = digits(text);
    if let Some(fraction) = rest.strip_prefix('.') {
        let (fraction, after) = digits(fraction);
        if whole.is_empty() && fraction.is_empty() {
            return false;
        }
        rest = after;
    } else if whole.is_empty() {
        return false;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let (exponent, after) = digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
        return !exponent.is_empty() && after.is_empty();
    }
    rest.is_empty()
}

/// As Go's JSON encoder writes a float: no fraction where there is none; `None` when it is not finite.
fn float(number: f64) -> Option<String> {
    let magnitude = number.abs();
    if !number.is_finite() {
        None
    } else if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        Some(format!("{number:e}"))
    } else {
        Some(number.to_string())
    }
}
