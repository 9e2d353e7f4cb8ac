//! Sources of objects as Python hands them over, and reading them.

use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::thread::available_parallelism;

use bayplan_api::{EventReader, Events, Objects, PriorityClass, ReadError, Reader};
use bayplan_sched::cluster::PodIntake;
use bayplan_sched::config::{ConfigError, ConfigProblem, KubeSchedulerConfiguration};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::enter::Interrupt;
use crate::error::{Fault, NativeError};
use crate::json::to_json;

/// One source, converted while attached.
#[derive(Debug)]
pub(crate) enum Input {
    /// A file or a directory.
    Path(String),
    /// Standard input, which is read where the reading is done.
    Stdin,
    /// What a file would hold.
    Bytes {
        /// What errors call it.
        name: String,
        /// JSON, NDJSON or YAML, perhaps compressed.
        bytes: Vec<u8>,
    },
    /// What was made of Python values: its lines and columns mean nothing to the caller.
    Made {
        /// What errors call it.
        name: String,
        /// JSON.
        json: Vec<u8>,
    },
}

impl Input {
    /// What errors call it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Path(name) | Self::Bytes { name, .. } | Self::Made { name, .. } => name,
            Self::Stdin => "<stdin>",
        }
    }

    /// Takes `(kind, name, payload)` as `bayplan.scheduling` makes it.
    ///
    /// # Errors
    ///
    /// `NativeError::Argument` if the payload cannot be JSON.
    pub(crate) fn from_python(source: &Bound<'_, PyAny>) -> Result<Self, NativeError> {
        let (kind, name, payload): (String, String, Bound<'_, PyAny>) = source.extract()?;
        match kind.as_str() {
            "path" => Ok(Self::Path(name)),
            "stdin" => Ok(Self::Stdin),
            "bytes" => {
                let bytes = payload.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes().to_vec();
                Ok(Self::Bytes { name, bytes })
            }
            _ => {
                let json = to_json(&payload).map_err(|error| match error {
                    NativeError::Argument(fault) => {
                        NativeError::argument(Fault { path: Some(name.clone()), ..*fault })
                    }
                    other => other,
                })?;
                Ok(Self::Made { name, json })
            }
        }
    }
}

/// What takes one input after another.
trait TakesInputs {
    fn path(&mut self, path: &str) -> Result<(), ReadError>;

    fn stream(&mut self, name: &str, stream: impl Read) -> Result<(), ReadError>;
}

macro_rules! takes_inputs {
    ($($reader:ident),*) => {
        $(impl TakesInputs for $reader<'_> {
            fn path(&mut self, path: &str) -> Result<(), ReadError> {
                self.read_path(path)
            }

            fn stream(&mut self, name: &str, stream: impl Read) -> Result<(), ReadError> {
                self.read_stream(name, stream)
            }
        })*
    };
}

takes_inputs!(Reader, EventReader);

fn read_all(
    reader: &mut impl TakesInputs,
    inputs: &[Input],
    interrupt: &Interrupt,
) -> Result<(), NativeError> {
    for input in inputs {
        let result = match input {
            Input::Path(path) => reader.path(path),
            Input::Stdin => {
                reader.stream("<stdin>", Patient { input: std::io::stdin(), interrupt })
            }
            Input::Bytes { name, bytes } => reader.stream(name, bytes.as_slice()),
            Input::Made { name, json } => reader.stream(name, json.as_slice()),
        };
        result.map_err(|error| without_line(read_error(error, interrupt), input))?;
    }
    Ok(())
}

/// Reads all sources into one set of objects; `known` priority classes may be named besides those that are read.
///
/// # Errors
///
/// Whatever the reader finds wrong, and what a signal handler raised meanwhile.
pub(crate) fn read_objects(
    inputs: &[Input],
    known: &[PriorityClass],
    interrupt: &Interrupt,
) -> Result<Objects, NativeError> {
    let reader = Reader::new().knowing(known);
    read_with(reader, inputs, interrupt)
}

/// Reads all sources into what a cluster is made of.
///
/// # Errors
///
/// Whatever the reader finds wrong, and what a signal handler raised meanwhile.
pub(crate) fn read_cluster(
    inputs: &[Input],
    interrupt: &Interrupt,
) -> Result<(Objects, PodIntake), NativeError> {
    let mut pods = PodIntake::default();
    let objects = read_with(Reader::new().giving_pods_to(&mut pods), inputs, interrupt)?;
    Ok((objects, pods))
}

fn read_with<'c>(
    reader: Reader<'c>,
    inputs: &[Input],
    interrupt: &'c Interrupt,
) -> Result<Objects, NativeError> {
    // Asking reads files of the system.
    static THREADS: OnceLock<NonZeroUsize> = OnceLock::new();
    let threads = *THREADS
        .get_or_init(|| available_parallelism().unwrap_or(NonZeroUsize::MIN).min(MOST_THREADS));
    let mut reader = reader.interrupted_by(|| interrupt.is_raised()).on_threads(threads);
    read_all(&mut reader, inputs, interrupt)?;
    reader.finish().map_err(|error| read_error(error, interrupt))
}

/// One thread reads the file and keeps what the others decode; beyond this many it is the one that they wait for.
const MOST_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// Reads all sources into one list of events; `known` priority classes may be named before any of them adds one.
///
/// # Errors
///
/// Whatever the reader finds wrong, and what a signal handler raised meanwhile.
pub(crate) fn read_events(
    inputs: &[Input],
    known: &[PriorityClass],
    interrupt: &Interrupt,
) -> Result<Events, NativeError> {
    let mut reader = EventReader::new().knowing(known).interrupted_by(|| interrupt.is_raised());
    read_all(&mut reader, inputs, interrupt)?;
    reader.finish().map_err(|error| read_error(error, interrupt))
}

/// The line in text that was made for the call means nothing to the caller.
fn without_line(error: NativeError, input: &Input) -> NativeError {
    match (error, input) {
        (NativeError::Object(fault), Input::Made { .. }) => {
            NativeError::object(Fault { line: None, column: None, ..*fault })
        }
        (other, _) => other,
    }
}

/// A stream that may keep its reader waiting: a signal ends the wait.
struct Patient<'a, R> {
    input: R,
    interrupt: &'a Interrupt,
}

impl<R: Read> Read for Patient<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.input.read(buffer) {
            Err(error)
                if error.kind() == std::io::ErrorKind::Interrupted && self.interrupt.ask() =>
            {
                Err(std::io::Error::other("interrupted by a signal"))
            }
            other => other,
        }
    }
}

fn read_error(error: ReadError, interrupt: &Interrupt) -> NativeError {
    if interrupt.was_raised() {
        return interrupt.error();
    }
    match error {
        ReadError::Io { input, error } => NativeError::Source { path: input, error },
        ReadError::Invalid(invalid) => {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let object = match (invalid.object(), invalid.position()) {
                ("", "") => None,
                ("", position) => Some(position.to_owned()),
                (object, "") => Some(object.to_owned()),
                (object, position) => Some(format!("{object} ({position})")),
            };
            NativeError::object(Fault {
                message: invalid.problem().to_string(),
                path: some(invalid.input()),
                object,
                field: some(invalid.path()),
                value: some(invalid.value()),
                line: invalid.line(),
                column: invalid.column(),
            })
        }
        ReadError::Interrupted => interrupt.error(),
        other => NativeError::Internal(other.to_string()),
    }
}

/// The largest configuration that is read, in bytes; real ones have some kB.
const MAX_CONFIGURATION: u64 = 16 << 20;

/// Reads a scheduler configuration, and gives its text as well.
///
/// # Errors
///
/// `NativeError::Configuration` for what kube-scheduler would refuse, `NativeError::Unsupported` for what only bayplan does.
pub(crate) fn read_configuration(
    input: &Input,
) -> Result<(KubeSchedulerConfiguration, Vec<u8>), NativeError> {
    let name = input.name();
    let bytes = match input {
        Input::Bytes { bytes, .. } | Input::Made { json: bytes, .. } => bytes.clone(),
        Input::Path(path) => read_some(name, File::open(path))?,
        Input::Stdin => read_some(name, Ok(std::io::stdin()))?,
    };
    let config = KubeSchedulerConfiguration::read(name, &bytes)
        .map_err(|error| configuration_error(&error, name))?;
    Ok((config, bytes))
}

fn read_some(name: &str, file: std::io::Result<impl Read>) -> Result<Vec<u8>, NativeError> {
    let mut bytes = Vec::new();
    let read = file.and_then(|file| file.take(MAX_CONFIGURATION + 1).read_to_end(&mut bytes));
    read.map_err(|error| NativeError::Source { path: name.to_owned(), error })?;
    if bytes.len() as u64 > MAX_CONFIGURATION {
        let message = format!("larger than {} MiB", MAX_CONFIGURATION >> 20);
        let fault = Fault { path: Some(name.to_owned()), ..Fault::new(message) };
        return Err(NativeError::configuration(fault));
    }
    Ok(bytes)
}

/// A configuration's faults as an exception; `name` is the source's, which a configuration forgets once it is read.
pub(crate) fn configuration_error(error: &ConfigError, name: &str) -> NativeError {
    let unsupported = error.is_unsupported();
    let path = Some(name.to_owned());
    let text = error.to_string();
    let message = text.strip_prefix(&format!("{}: ", error.file)).unwrap_or(&text).to_owned();
    // one fault names its field and value; several are told in one message, as kube-scheduler tells them
    let (field, value) = match error.problems.as_slice() {
        [ConfigProblem::Field(fault)] => (Some(fault.field.clone()), None),
        [ConfigProblem::WrongType { field, found, .. }] => {
            (Some(field.clone()), Some(found.clone()))
        }
        [ConfigProblem::UnknownField { field } | ConfigProblem::DuplicateField { field }] => {
            (Some(field.clone()), None)
        }
        _ => (None, None),
    };
    let fault = Fault { path, field, value, ..Fault::new(message) };
    if unsupported { NativeError::unsupported(fault) } else { NativeError::configuration(fault) }
}
