//! `Session`: the text of one input, piece by piece, and where in it faults are.

use std::io::{self, BufReader, Read};

use super::Position;
use super::error::{InputProblem, InvalidInput, ReadError};
use super::events::describe_event;
use super::inputs::Inputs;
use super::kind::describe;
use super::source::{self, Format, StreamFault};
use super::window::{MAX_OBJECT, Refill, Window};
use crate::json::{Decoder, Fault, Items, MAX_SHOWN, Syntax, scan};
use crate::object::ObjectType;
use crate::validation::FieldError;
use crate::yaml::YamlToJson;
use crate::{Kind, ObjectKey};

pub(super) struct Session<'s, 'c> {
    pub(super) inputs: &'s mut Inputs<'c>,
    pub(super) window: Window<'s>,
    is_yaml: bool,
    pub(super) position: Position,
}

/// In what a fault is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// In what is around objects.
    Nobodys,
    /// In the object that starts so many bytes after the window's start, of this kind where it is known.
    Object(usize, Option<Kind>),
    /// In the event at the window's start.
    Event,
}

impl<'s, 'c> Session<'s, 'c> {
    /// Looks at the first bytes of `input` and makes JSON of what it is.
    pub(super) fn open(
        inputs: &'s mut Inputs<'c>,
        input: Box<dyn Read + 's>,
    ) -> Result<Self, ReadError> {
        let pace = inputs.pace;
        let nothing = || Window::new(Box::new(io::empty()), pace);
        let window = Window::new(input, pace);
        let mut session = Self { inputs, window, is_yaml: false, position: Position::default() };
        session.refill()?;
        if let Some(format) = Format::of(session.window.bytes()) {
            let packed = std::mem::replace(&mut session.window, nothing());
            let unpacked = source::unpack(format, packed.into_rest())
                .map_err(|error| session.io_error(error))?;
            session.window = Window::new(unpacked, pace);
            session.refill()?;
        }
        if session.window.bytes().starts_with("\u{feff}".as_bytes()) {
            session.window.consume(3);
        }
        if !is_json(session.window.bytes()) {
            let text = std::mem::replace(&mut session.window, nothing());
            let yaml =
                YamlToJson::new(Box::new(BufReader::with_capacity(1 << 16, text.into_rest())));
            session.window = Window::new(Box::new(yaml), pace);
            session.is_yaml = true;
        }
        Ok(session)
    }

    pub(super) fn refill(&mut self) -> Result<bool, ReadError> {
        let Inputs { stop, strings, .. } = &mut *self.inputs;
        match self.window.refill(stop, strings) {
            Ok(Refill::More) => Ok(true),
            Ok(Refill::End) => Ok(false),
            Ok(Refill::Interrupted) => Err(ReadError::Interrupted),
            Ok(Refill::TooLarge) => {
                let problem = InputProblem::TooLarge { limit: MAX_OBJECT };
                Err(self.invalid_as(0, Whose::Object(0, None), problem))
            }
            Err(error) => Err(self.io_error(error)),
        }
    }

    #[cold]
    fn io_error(&self, error: io::Error) -> ReadError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<StreamFault>()) {
            Some(StreamFault { problem, at }) => ReadError::Invalid(Box::new(InvalidInput {
                input: self.inputs.current().to_owned(),
                position: self.position.to_string(),
                object: String::new(),
                path: String::new(),
                value: String::new(),
                problem: problem.clone(),
                line: at.map(|(line, _)| line),
                column: at.map(|(_, column)| column),
            })),
            None => ReadError::Io { input: self.inputs.current().to_owned(), error },
        }
    }

    /// A fault `offset` bytes after the window's start.
    #[cold]
    pub(super) fn invalid(&self, offset: usize, problem: InputProblem) -> ReadError {
        let (line, column) = self.window.line_and_column(offset);
        ReadError::Invalid(Box::new(InvalidInput {
            input: self.inputs.current().to_owned(),
            position: self.position.to_string(),
            object: String::new(),
            path: String::new(),
            value: String::new(),
            problem,
            line: Some(line),
            column: (!self.is_yaml).then_some(column),
        }))
    }

    /// The same in what `whose` says.
    #[cold]
    pub(super) fn invalid_as(
        &mut self,
        offset: usize,
        whose: Whose,
        problem: InputProblem,
    ) -> ReadError {
        let mut error = self.invalid(offset, problem);
        if let ReadError::Invalid(invalid) = &mut error {
            invalid.object = self.describe(whose);
        }
        error
    }

    #[cold]
    fn describe(&mut self, whose: Whose) -> String {
        let mut decoder = Decoder::new(self.window.bytes(), &mut self.inputs.strings);
        match whose {
            Whose::Nobodys => String::new(),
            Whose::Object(start, kind) => {
                decoder.seek(start);
                describe(&mut decoder, kind)
            }
            Whose::Event => describe_event(&mut decoder),
        }
    }

    /// The error that `fault` is, whose offsets count from the window's start.
    #[cold]
    pub(super) fn locate(&mut self, fault: &Fault, whose: Whose) -> ReadError {
        let problem = InputProblem::Json(fault.problem().clone());
        let mut error = self.invalid_as(fault.offset(), whose, problem);
        if let ReadError::Invalid(invalid) = &mut error {
            invalid.path = fault.path();
            fault.text().clone_into(&mut invalid.value);
        }
        error
    }

    /// The error that `path`, in the value `start` bytes after the window's start, has such a problem.
    #[cold]
    pub(super) fn invalid_field(
        &mut self,
        start: usize,
        object: String,
        path: &str,
        problem: InputProblem,
    ) -> ReadError {
        let mut decoder = Decoder::new(self.window.bytes(), &mut self.inputs.strings);
        decoder.seek(start);
        let (offset, value) = decoder.find(path);
        let mut read_error = self.invalid(offset, problem);
        if let ReadError::Invalid(invalid) = &mut read_error {
            invalid.object = object;
            path.clone_into(&mut invalid.path);
            invalid.value = value;
        }
        read_error
    }

    /// The error that the API server would not take what is `start` bytes after the window's start.
    #[cold]
    pub(super) fn refused(
        &mut self,
        start: usize,
        object: String,
        error: &FieldError,
    ) -> ReadError {
        let problem = InputProblem::Validation(error.body());
        self.invalid_field(start, object, &error.path, problem)
    }

    /// Runs `read` on the text at hand, and on more of it if that was cut. Tells where it ended.
    pub(super) fn attempt<T>(
        &mut self,
        whose: Whose,
        mut read: impl FnMut(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<(T, usize), ReadError> {
        loop {
            let bytes = self.window.bytes();
            let available = bytes.len();
            let mut decoder = Decoder::new(bytes, &mut self.inputs.strings);
            let result = read(&mut decoder);
            let end = decoder.offset();
            let cut = match &result {
                Ok(_) => end == available, // a number may go on
                Err(fault) => fault.is_truncated(),
            };
            if cut && !self.window.is_last() && self.refill()? {
                continue;
            }
            match result {
                Ok(value) => return Ok((value, end)),
                Err(fault) if self.see_around(fault.offset(), whose)? => {}
                Err(fault) => return Err(self.locate(&fault, whose)),
            }
        }
    }

    /// Reads on as far as an error about the byte `offset` shows or names something, so that what it says does not depend on
    /// where the window ends. Whether there was more.
    #[cold]
    fn see_around(&mut self, offset: usize, whose: Whose) -> Result<bool, ReadError> {
        let mut more = false;
        loop {
            let bytes = self.window.bytes();
            let whole = match whose {
                Whose::Nobodys => true,
                Whose::Object(start, _) => is_whole(bytes, start),
                Whose::Event => is_whole(bytes, 0),
            };
            let shown = bytes.len() >= offset.saturating_add(MAX_SHOWN);
            if (whole && shown) || self.window.is_last() {
                return Ok(more);
            }
            let Inputs { stop, strings, .. } = &mut *self.inputs;
            match self.window.refill(stop, strings) {
                Ok(Refill::More) => more = true,
                Ok(Refill::Interrupted) => return Err(ReadError::Interrupted),
                // the fault that was there first is the one to tell
                Ok(Refill::End | Refill::TooLarge) | Err(_) => return Ok(more),
            }
        }
    }

    /// The same, using up what was read.
    pub(super) fn piece<T>(
        &mut self,
        read: impl FnMut(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<T, ReadError> {
        let (value, end) = self.attempt(Whose::Nobodys, read)?;
        self.window.consume(end);
        Ok(value)
    }

    /// The same where an object starts, which faults then name.
    pub(super) fn object_piece<T>(
        &mut self,
        read: impl FnMut(&mut Decoder<'_>) -> Result<T, Fault>,
    ) -> Result<T, ReadError> {
        let (value, end) = self.attempt(Whose::Object(0, None), read)?;
        self.window.consume(end);
        Ok(value)
    }

    /// The whole input as JSON text.
    pub(super) fn text(mut self) -> Result<Vec<u8>, ReadError> {
        while self.refill()? {}
        Ok(self.window.bytes().to_vec())
    }

    /// Goes to the next value of the input and tells its first byte; `None` where the input ends.
    pub(super) fn next_document(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            let first = self.piece(|decoder| {
                decoder.space();
                Ok(decoder.peek())
            })?;
            if first == Some(b'-') && self.separator()? {
                continue;
            }
            if first.is_some() {
                let document = self.position.document + 1;
                self.position =
                    Position { document, bare: first == Some(b'['), ..Position::default() };
            }
            return Ok(first);
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

    /// Enters the list that comes next.
    pub(super) fn begin_list(&mut self) -> Result<(), ReadError> {
        self.piece(|decoder| decoder.begin_list().map(drop))
    }

    /// Whether the list, which is `level` lists deep in others, has an item `index`; goes there.
    pub(super) fn next_item(&mut self, level: usize, index: u64) -> Result<bool, ReadError> {
        self.set_index(level, None);
        let more = self.piece(|decoder| decoder.next_element(&mut Items::after(index)))?;
        if more {
            self.set_index(level, Some(index));
        }
        Ok(more)
    }

    fn set_index(&mut self, level: usize, index: Option<u64>) {
        if level == 0 {
            self.position.item = index;
        } else {
            self.position.inner = index;
        }
    }

    /// Fills in and checks `object`, which was read `start` bytes after the window's start, as the API server would.
    pub(super) fn admit<T: ObjectType>(
        &mut self,
        start: usize,
        object: &mut T,
    ) -> Result<(), ReadError> {
        object.admit_in(&self.inputs.default_namespace).map_err(|error| {
            let description = ObjectKey::of(T::KIND, object.metadata()).to_string();
            self.refused(start, description, &error)
        })
    }
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

/// Whether the value at `start` is there to its end, or to a fault in it.
fn is_whole(bytes: &[u8], start: usize) -> bool {
    !matches!(scan::value(bytes, start, 0), Err(stop) if stop.why == Syntax::End)
}

pub(super) fn skip(decoder: &mut Decoder<'_>) -> Result<(), Fault> {
    decoder.skip()
}
