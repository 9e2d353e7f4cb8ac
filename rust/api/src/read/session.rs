//! `Session`: one input on its way into the reader.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};

use indexmap::map::Entry;

use super::error::{InputProblem, InvalidInput, ReadError};
use super::kind::{Kind, Object, Type, Visitor, describe, header, signs};
use super::source::{self, Format, StreamFault};
use super::window::{MAX_OBJECT, Refill, Window};
use super::{Identity, Place, Position, Reader};
use crate::Str;
use crate::json::{Decoder, Fault, Items, Problem};
use crate::validation::FieldError;
use crate::yaml::YamlToJson;

pub(super) struct Session<'s, 'c> {
    reader: &'s mut Reader<'c>,
    window: Window<'s>,
    is_yaml: bool,
    position: Position,
}

/// In what a fault is.
#[derive(Debug, Clone, Copy)]
enum Whose {
    /// In what is around objects.
    Nobodys,
    /// In the object that comes next, of this kind where it is known.
    Object(Option<Kind>),
}

/// What a list says about its items.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expected {
    /// Nothing yet: its kind may follow.
    Unknown,
    /// `v1.List`, or a bare array: each item says what it is.
    Any,
    /// A typed list; the items need not say it again.
    Typed(Type),
}

impl Expected {
    fn of(api_version: Option<&[u8]>, kind: Option<&[u8]>) -> Self {
        match kind.and_then(|kind| kind.strip_suffix(b"List")) {
            None => Self::Unknown,
            Some(b"") => Self::Any,
            Some(item) => Self::Typed(Type::of(api_version, item)),
        }
    }
}

/// Items that do not state their kind, in a list that has not stated its own yet.
#[derive(Default)]
struct Loose {
    /// Kinds told by shape.
    guessed: Vec<Kind>,
    /// Items that wait for the list's kind, and how large they are.
    undecided: Vec<Undecided>,
    bytes: usize,
}

struct Undecided {
    bytes: Vec<u8>,
    position: Position,
    /// Line and column.
    at: (u64, u64),
}

/// What stood before a list's items.
struct OwnHeader {
    api_version: Option<Vec<u8>>,
    kind: Option<Vec<u8>>,
}

/// How an object is to be read.
enum Plan {
    /// A list; the decoder stands at the value of `items`.
    List { header: OwnHeader },
    /// A list without items.
    EmptyList,
    /// A single object.
    Object(Type),
    /// A single object that does not say what it is, but has fields that only this kind has.
    Guessed(Kind),
    /// A single object that does not say what it is.
    Undecided,
}

impl<'s, 'c> Session<'s, 'c> {
    /// Looks at the first bytes of `input` and makes JSON of what it is.
    pub(super) fn open(
        reader: &'s mut Reader<'c>,
        input: Box<dyn Read + 's>,
    ) -> Result<Self, ReadError> {
        let window = Window::new(input);
        let mut session = Self { reader, window, is_yaml: false, position: Position::default() };
        session.refill()?;
        if let Some(format) = Format::of(session.window.bytes()) {
            let packed = std::mem::replace(&mut session.window, Window::new(Box::new(io::empty())));
            let unpacked = source::unpack(format, packed.into_rest())
                .map_err(|error| session.io_error(error))?;
            session.window = Window::new(unpacked);
            session.refill()?;
        }
        if session.window.bytes().starts_with("\u{feff}".as_bytes()) {
            session.window.consume(3);
        }
        if !is_json(session.window.bytes()) {
            let text = std::mem::replace(&mut session.window, Window::new(Box::new(io::empty())));
            let yaml =
                YamlToJson::new(Box::new(BufReader::with_capacity(1 << 16, text.into_rest())));
            session.window = Window::new(Box::new(yaml));
            session.is_yaml = true;
        }
        Ok(session)
    }

    fn refill(&mut self) -> Result<bool, ReadError> {
        match self.window.refill(&mut self.reader.stop) {
            Ok(Refill::More) => Ok(true),
            Ok(Refill::End) => Ok(false),
            Ok(Refill::Interrupted) => Err(ReadError::Interrupted),
            Ok(Refill::TooLarge) => {
                let problem = InputProblem::TooLarge { limit: MAX_OBJECT };
                Err(self.invalid_object(problem))
            }
            Err(error) => Err(self.io_error(error)),
        }
    }

    fn input(&self) -> String {
        self.reader.inputs.last().cloned().unwrap_or_default()
    }

    #[cold]
    fn io_error(&self, error: io::Error) -> ReadError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<StreamFault>()) {
            Some(StreamFault { problem, at }) => ReadError::Invalid(Box::new(InvalidInput {
                input: self.input(),
                position: self.position.to_string(),
                object: String::new(),
                path: String::new(),
                value: String::new(),
                problem: problem.clone(),
                line: at.map(|(line, _)| line),
                column: at.map(|(_, column)| column),
            })),
            None => ReadError::Io { input: self.input(), error },
        }
    }

    /// A fault of the object that starts `offset` bytes after the window's start.
    #[cold]
    fn invalid(&self, offset: usize, problem: InputProblem) -> ReadError {
        let (line, column) = self.window.line_and_column(offset);
        ReadError::Invalid(Box::new(InvalidInput {
            input: self.input(),
            position: self.position.to_string(),
            object: String::new(),
            path: String::new(),
            value: String::new(),
            problem,
            line: Some(line),
            column: (!self.is_yaml).then_some(column),
        }))
    }

    /// The error that `fault` is, in text that starts at the window's start.
    #[cold]
    fn locate(&mut self, fault: &Fault, whose: Whose) -> ReadError {
        let mut decoder = Decoder::new(self.window.bytes(), &mut self.reader.strings);
        let object = match whose {
            Whose::Nobodys => String::new(),
            Whose::Object(kind) => describe(&mut decoder, kind),
        };
        let problem = InputProblem::Json(fault.problem().clone());
        let mut error = self.invalid(fault.offset(), problem);
        if let ReadError::Invalid(invalid) = &mut error {
            invalid.object = object;
            invalid.path = fault.path();
            fault.text().clone_into(&mut invalid.value);
        }
        error
    }

    /// Runs `read` on the text at hand, and on more of it if that was cut. Tells where it ended.
    fn attempt<T>(
        &mut self,
        whose: Whose,
        mut read: impl FnMut(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<(T, usize), ReadError> {
        loop {
            let bytes = self.window.bytes();
            let available = bytes.len();
            let mut decoder = Decoder::new(bytes, &mut self.reader.strings);
            let result = read(&mut decoder);
            let end = decoder.offset();
            let cut = match &result {
                Ok(_) => end == available, // a number may go on
                Err(fault) => fault.is_truncated(),
            };
            if cut && !self.window.is_last() && self.refill()? {
                continue;
            }
            return match result {
                Ok(value) => Ok((value, end)),
                Err(fault) => Err(self.locate(&fault, whose)),
            };
        }
    }

    /// The same, using up what was read.
    fn piece<T>(
        &mut self,
        read: impl FnMut(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<T, ReadError> {
        let (value, end) = self.attempt(Whose::Nobodys, read)?;
        self.window.consume(end);
        Ok(value)
    }

    /// The same where an object starts, which faults then name.
    fn object_piece<T>(
        &mut self,
        read: impl FnMut(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<T, ReadError> {
        let (value, end) = self.attempt(Whose::Object(None), read)?;
        self.window.consume(end);
        Ok(value)
    }

    /// The whole input as JSON text.
    pub(super) fn text(mut self) -> Result<Vec<u8>, ReadError> {
        while self.refill()? {}
        Ok(self.window.bytes().to_vec())
    }

    /// Reads every value of the input and tells how many there were.
    pub(super) fn run(mut self) -> Result<u64, ReadError> {
        let mut documents = 0;
        loop {
            let first = self.piece(|decoder| {
                decoder.space();
                Ok(decoder.peek())
            })?;
            let Some(first) = first else { return Ok(documents) };
            if first == b'-' && self.separator()? {
                continue;
            }
            documents += 1;
            self.position = Position { document: documents, ..Position::default() };
            match first {
                b'[' => self.bare_list()?,
                _ => self.object(&Expected::Any, &mut Loose::default(), 0)?,
            }
        }
    }

    /// Passes over `---` between two JSON values.
    fn separator(&mut self) -> Result<bool, ReadError> {
        self.piece(|decoder| {
            let start = decoder.offset();
            match decoder.bytes().get(start..).unwrap_or_default() {
                [b'-', b'-', b'-', b'\n' | b'\r' | b' ', ..] | [b'-', b'-', b'-'] => {
                    decoder.seek(start + 3);
                    Ok(true)
                }
                _ => Ok(false),
            }
        })
    }

    /// Reads a list without a header.
    fn bare_list(&mut self) -> Result<(), ReadError> {
        self.position.bare = true;
        self.items(&Expected::Any, &mut Loose::default(), 0)
    }

    /// Reads the items of a list that is `level` lists deep in others, the decoder at its bracket.
    fn items(
        &mut self,
        expected: &Expected,
        loose: &mut Loose,
        level: usize,
    ) -> Result<(), ReadError> {
        self.piece(|decoder| decoder.begin_list().map(drop))?;
        let mut index = 0;
        while self.piece(|decoder| decoder.next_element(&mut Items::after(index)))? {
            self.set_index(level, Some(index));
            self.object(expected, loose, level + 1)?;
            self.set_index(level, None);
            index += 1;
        }
        Ok(())
    }

    fn set_index(&mut self, level: usize, index: Option<u64>) {
        if level == 0 {
            self.position.item = index;
        } else {
            self.position.inner = index;
        }
    }

    /// Reads an object or a list.
    fn object(
        &mut self,
        expected: &Expected,
        loose: &mut Loose,
        level: usize,
    ) -> Result<(), ReadError> {
        match self.object_piece(|decoder| plan(decoder, expected))? {
            Plan::Object(Type::Kept(kind)) => kind.accept(ReadObject { session: self }),
            Plan::Object(Type::Other(name)) => {
                self.object_piece(skip)?;
                self.count_skipped(name, 1);
                Ok(())
            }
            Plan::Guessed(kind) => {
                if !loose.guessed.contains(&kind) {
                    loose.guessed.push(kind);
                }
                kind.accept(ReadObject { session: self })
            }
            Plan::Undecided => self.put_aside(expected, loose),
            Plan::EmptyList => self.piece(skip),
            Plan::List { header } if level < 2 => self.list(header, level),
            Plan::List { .. } => {
                let problem = Problem::Other("a list in a list in a list".to_owned());
                Err(self.invalid(0, InputProblem::Json(problem)))
            }
        }
    }

    fn count_skipped(&mut self, name: String, count: u64) {
        *self.reader.objects.skipped.entry(Str::from(name)).or_default() += count;
    }

    /// Keeps an item of unknown kind until the kind of its list is read.
    fn put_aside(&mut self, expected: &Expected, loose: &mut Loose) -> Result<(), ReadError> {
        if *expected != Expected::Unknown {
            return Err(self.unknown_kind());
        }
        let ((), end) = self.attempt(Whose::Object(None), skip)?;
        let bytes = self.window.bytes().get(..end).unwrap_or_default().to_vec();
        loose.bytes += bytes.len();
        if loose.bytes > MAX_OBJECT {
            return Err(self.unknown_kind());
        }
        let at = self.window.here();
        loose.undecided.push(Undecided { bytes, position: self.position, at });
        self.window.consume(end);
        Ok(())
    }

    #[cold]
    fn unknown_kind(&mut self) -> ReadError {
        self.invalid_object(InputProblem::UnknownKind)
    }

    /// A fault of the object that comes next, as a whole.
    #[cold]
    fn invalid_object(&mut self, problem: InputProblem) -> ReadError {
        let mut decoder = Decoder::new(self.window.bytes(), &mut self.reader.strings);
        let object = describe(&mut decoder, None);
        let mut error = self.invalid(0, problem);
        if let ReadError::Invalid(invalid) = &mut error {
            invalid.object = object;
        }
        error
    }

    /// Reads a list whose header ends where the decoder stands, at the value of `items`.
    fn list(&mut self, header: OwnHeader, level: usize) -> Result<(), ReadError> {
        let OwnHeader { mut api_version, mut kind } = header;
        let expected = Expected::of(api_version.as_deref(), kind.as_deref());
        let mut loose = Loose::default();
        if !self.piece(null)? {
            self.items(&expected, &mut loose, level)?;
        }
        // what stands behind the items
        while let Some(name) = self.piece(|decoder| {
            let name = decoder.next_member(&mut Items::after(1))?;
            Ok(name.map(Cow::into_owned))
        })? {
            match name.as_slice() {
                b"apiVersion" => api_version = self.name_of(b"apiVersion")?,
                b"kind" => kind = self.name_of(b"kind")?,
                b"items" => {
                    let problem = Problem::Other("a second list of items".to_owned());
                    return Err(self.invalid(0, InputProblem::Json(problem)));
                }
                _ => self.piece(skip)?,
            }
        }
        if expected == Expected::Unknown {
            let stated = Expected::of(api_version.as_deref(), kind.as_deref());
            let kind = kind.map(|kind| String::from_utf8_lossy(&kind).into_owned());
            self.decide(&stated, &kind.unwrap_or_default(), loose)?;
        }
        Ok(())
    }

    fn name_of(&mut self, name: &'static [u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.piece(|decoder| {
            let mut text = None;
            decoder
                .field_with(name, &mut text, |decoder| Ok(Some(decoder.text()?.into_owned())))?;
            Ok(text)
        })
    }

    /// Reads the items that waited for the list's kind.
    fn decide(&mut self, stated: &Expected, list: &str, loose: Loose) -> Result<(), ReadError> {
        if let Expected::Typed(item) = stated {
            let wrong = loose.guessed.iter().find(|&&kind| *item != Type::Kept(kind));
            if let Some(kind) = wrong {
                let (list, item) = (list.to_owned(), kind.name());
                return Err(self.invalid(0, InputProblem::ListKind { list, item }));
            }
        } else if *stated == Expected::Unknown && !list.is_empty() {
            let item = "something else";
            let list = list.to_owned();
            return Err(self.invalid(0, InputProblem::ListKind { list, item }));
        }
        let position = self.position;
        for undecided in loose.undecided {
            // read from its copy as from an input of its own, at the place where it stood
            let window = Window::at(undecided.bytes, undecided.at);
            let window = std::mem::replace(&mut self.window, window);
            self.position = undecided.position;
            self.refill()?;
            match stated {
                Expected::Typed(Type::Kept(kind)) => kind.accept(ReadObject { session: self })?,
                Expected::Typed(Type::Other(name)) => self.count_skipped(name.clone(), 1),
                Expected::Any | Expected::Unknown => return Err(self.unknown_kind()),
            }
            self.window = window;
        }
        self.position = position;
        Ok(())
    }

    /// The error that the API server would not take `object`, which comes next.
    #[cold]
    fn refused<T: Object>(&mut self, object: &T, error: &FieldError) -> ReadError {
        let mut decoder = Decoder::new(self.window.bytes(), &mut self.reader.strings);
        let (offset, value) = decoder.find(&error.path);
        let mut read_error = self.invalid(offset, InputProblem::Validation(error.body()));
        if let ReadError::Invalid(invalid) = &mut read_error {
            invalid.object = name_object(object);
            error.path.clone_into(&mut invalid.path);
            invalid.value = value;
        }
        read_error
    }

    /// Reads the object that comes next as a `T`.
    fn read_object<T: Object>(&mut self) -> Result<(), ReadError> {
        let (mut object, end) = self.attempt(Whose::Object(Some(T::KIND)), T::decode)?;
        let metadata = object.metadata_mut();
        if T::KIND.is_namespaced() && metadata.namespace.is_empty() {
            metadata.namespace = self.reader.default_namespace.clone();
        }
        if let Err(error) = object.admit() {
            return Err(self.refused::<T>(&object, &error));
        }
        let metadata = object.metadata();
        let identity = Identity {
            kind: T::KIND,
            namespace: if T::KIND.is_namespaced() {
                metadata.namespace.clone()
            } else {
                Str::default()
            },
            name: metadata.name.clone(),
        };
        let list = T::list(&mut self.reader.objects);
        let place = Place {
            index: list.len(),
            input: self.reader.inputs.len().saturating_sub(1),
            position: self.position,
        };
        match self.reader.seen.entry(identity) {
            Entry::Vacant(entry) => {
                entry.insert(place);
                list.push(object);
            }
            Entry::Occupied(entry) => {
                let first = entry.get();
                if list.get(first.index) != Some(&object) {
                    let input = self.reader.inputs.get(first.input).map_or("", String::as_str);
                    let position = first.position.to_string();
                    let space = if position.is_empty() { "" } else { " " };
                    let first = format!("{input}{space}{position}");
                    let mut error = self.invalid(0, InputProblem::Duplicate { first });
                    if let ReadError::Invalid(invalid) = &mut error {
                        invalid.object = name_object(&object);
                    }
                    return Err(error);
                }
            }
        }
        self.window.consume(end);
        Ok(())
    }
}

fn name_object<T: Object>(object: &T) -> String {
    let metadata = object.metadata();
    if metadata.name.is_empty() {
        T::KIND.name().to_owned()
    } else if T::KIND.is_namespaced() {
        format!("{} {}/{}", T::KIND.name(), metadata.namespace, metadata.name)
    } else {
        format!("{} {}", T::KIND.name(), metadata.name)
    }
}

struct ReadObject<'a, 's, 'c> {
    session: &'a mut Session<'s, 'c>,
}

impl Visitor for ReadObject<'_, '_, '_> {
    type Output = Result<(), ReadError>;

    fn visit<T: Object>(self) -> Self::Output {
        self.session.read_object::<T>()
    }
}

/// Tells how to read the object at which the decoder stands, and leaves it there or, for a list, at the
/// value of `items`.
fn plan(decoder: &mut Decoder<'_>, expected: &Expected) -> Result<Plan, Fault> {
    let start = decoder.offset();
    let header = header(decoder)?;
    if header.at_items {
        let header = OwnHeader {
            api_version: header.api_version.map(Cow::into_owned),
            kind: header.kind.map(Cow::into_owned),
        };
        return Ok(Plan::List { header });
    }
    let plan = if header.complete && header.is_list_kind() {
        Plan::EmptyList
    } else if let (Some(api_version), Some(kind)) = (&header.api_version, &header.kind) {
        Plan::Object(Type::of(Some(api_version), kind))
    } else {
        decoder.seek(start);
        let signs = signs(decoder)?;
        match (signs.kind, expected, signs.shape) {
            (Some(kind), _, _) => Plan::Object(Type::of(signs.api_version.as_deref(), &kind)),
            (None, Expected::Typed(item), _) => Plan::Object(item.clone()),
            (None, _, Some(kind)) => Plan::Guessed(kind),
            (None, _, None) => Plan::Undecided,
        }
    };
    decoder.seek(start);
    Ok(plan)
}

/// Whether text that starts like this is JSON rather than YAML; YAML has braces too, but seldom quotes
/// the names in them.
fn is_json(bytes: &[u8]) -> bool {
    let mut significant = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    match significant.next() {
        Some(b'{') => matches!(significant.next(), Some(b'"' | b'}') | None),
        Some(b'[') => match significant.next() {
            Some(b'{') => matches!(significant.next(), Some(b'"' | b'}') | None),
            Some(byte) => !byte.is_ascii_alphabetic(),
            None => true,
        },
        _ => false,
    }
}

fn skip(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    decoder.skip()
}

fn null(decoder: &mut Decoder<'_>) -> Result<bool, Fault> {
    decoder.null()
}
