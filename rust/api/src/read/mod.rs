//! Objects out of files, directories and streams.
//!
//! A stream is looked at through a window of some MiB, never read whole: the items of a list are decoded
//! one after another, and an item that the window cuts is decoded again when the rest is there. So
//! memory holds the objects and the window, not the text.

pub(crate) mod error;
mod kind;
mod session;
pub(crate) mod source;
pub(crate) mod window;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use indexmap::IndexMap;

pub use self::error::{InputProblem, InvalidInput, ReadError};
use self::kind::Kind;
use self::session::Session;
use crate::defaults::{UnknownPriorityClass, resolve_priorities};
use crate::json::Strings;
use crate::{Objects, PriorityClass, Str};

/// Gathers objects from as many inputs as wanted.
///
/// An input holds JSON or YAML, plain or packed by gzip or zstd, which its first bytes tell: a list, single
/// objects one after another (NDJSON, several YAML documents), or a bare array.
///
/// ```
/// use bayplan_api::Reader;
///
/// let mut reader = Reader::new();
/// reader.read_bytes("nodes", br#"{"kind": "NodeList", "items": [{"metadata": {"name": "a"}}]}"#)?;
/// let objects = reader.finish()?;
/// assert_eq!(objects.nodes[0].metadata.name, "a");
/// # Ok::<(), bayplan_api::ReadError>(())
/// ```
pub struct Reader<'c> {
    objects: Objects,
    seen: IndexMap<Identity, Place>,
    inputs: Vec<String>,
    strings: Strings,
    /// The namespace of objects that state none, as for kubectl.
    default_namespace: Str,
    known_classes: Vec<PriorityClass>,
    stop: Box<dyn FnMut() -> bool + Send + 'c>,
    failed: bool,
}

/// What makes an object the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity {
    kind: Kind,
    namespace: Str,
    name: Str,
}

/// Where an object was read.
#[derive(Debug, Clone)]
struct Place {
    /// Index into the objects of its kind.
    index: usize,
    /// Index into the inputs.
    input: usize,
    position: Position,
}

/// Where in an input an object stands.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// Number of the value in the stream, from 1.
    document: u64,
    /// Index in the list.
    item: Option<u64>,
    /// Whether the list is a bare array.
    bare: bool,
    /// Index in a list that is an item of a list.
    inner: Option<u64>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        if self.document > 1 {
            write!(f, "document {}", self.document)?;
            space = " ";
        }
        if let Some(item) = self.item {
            write!(f, "{space}{}[{item}]", if self.bare { "" } else { "items" })?;
        }
        if let Some(inner) = self.inner {
            write!(f, ".items[{inner}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'c> Reader<'c> {
    /// A reader that has read nothing yet.
    pub fn new() -> Self {
        Self {
            objects: Objects::default(),
            seen: IndexMap::new(),
            inputs: Vec::new(),
            strings: Strings::new(),
            default_namespace: Str::from("default"),
            known_classes: Vec::new(),
            stop: Box::new(|| false),
            failed: false,
        }
    }

    /// The same, asking `stop` every few milliseconds whether to give up.
    #[must_use]
    pub fn interrupted_by(mut self, stop: impl FnMut() -> bool + Send + 'c) -> Self {
        self.stop = Box::new(stop);
        self
    }

    /// The same, for pods of a cluster that has these priority classes besides those that are read.
    #[must_use]
    pub fn knowing(mut self, priority_classes: &[PriorityClass]) -> Self {
        self.known_classes = priority_classes.to_vec();
        self
    }

    /// Reads a file, or every file of a directory (not of its subdirectories) whose name ends in `.json`,
    /// `.ndjson`, `.jsonl`, `.yaml` or `.yml`, or in one of these and `.gz` or `.zst`, in order of name.
    ///
    /// # Errors
    /// The file cannot be read, holds no objects or invalid ones, or contradicts what was read before.
    pub fn read_path(&mut self, path: impl AsRef<Path>) -> Result<(), ReadError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let io_error = |error| ReadError::Io { input: name.clone(), error };
        let result = if path.is_dir() {
            source::directory(path)
                .map_err(io_error)
                .and_then(|files| self.read_files(&name, &files))
        } else {
            File::open(path)
                .map_err(io_error)
                .and_then(|file| self.read_input(name.clone(), Box::new(file)))
                .and_then(|documents| not_empty(&name, documents))
        };
        self.done(result)
    }

    fn read_files(
        &mut self,
        directory: &str,
        files: &[std::path::PathBuf],
    ) -> Result<(), ReadError> {
        if files.is_empty() {
            return Err(invalid_input(directory, InputProblem::EmptyDirectory));
        }
        let mut documents = 0;
        for path in files {
            let name = path.display().to_string();
            let file =
                File::open(path).map_err(|error| ReadError::Io { input: name.clone(), error })?;
            documents += self.read_input(name, Box::new(file))?;
        }
        not_empty(directory, documents)
    }

    /// Reads `bytes`, which faults call `name`.
    ///
    /// # Errors
    /// The bytes hold no objects or invalid ones, or contradict what was read before.
    pub fn read_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReadError> {
        self.read_stream(name, bytes)
    }

    /// Reads `stream` to its end; faults call it `name`.
    ///
    /// # Errors
    /// The stream fails, holds no objects or invalid ones, or contradicts what was read before.
    pub fn read_stream(&mut self, name: &str, stream: impl Read) -> Result<(), ReadError> {
        let result = self
            .read_input(name.to_owned(), Box::new(stream))
            .and_then(|documents| not_empty(name, documents));
        self.done(result)
    }

    /// All that was read.
    ///
    /// # Errors
    /// An earlier call failed, or a pod without a priority has a priority class that was not read.
    pub fn finish(mut self) -> Result<Objects, ReadError> {
        if self.failed {
            return Err(ReadError::Abandoned);
        }
        let Objects { pods, priority_classes, .. } = &mut self.objects;
        self.known_classes.extend_from_slice(priority_classes);
        match resolve_priorities(pods, &self.known_classes) {
            Ok(()) => Ok(self.objects),
            Err(UnknownPriorityClass { pod, class }) => Err(self.unknown_class(pod, &class)),
        }
    }

    #[cold]
    fn unknown_class(&self, index: usize, class: &str) -> ReadError {
        let found =
            self.seen.iter().find(|(id, place)| id.kind == Kind::Pod && place.index == index);
        let mut input = String::new();
        let (mut object, mut position) = (String::new(), String::new());
        if let Some((identity, place)) = found {
            input = self.inputs.get(place.input).cloned().unwrap_or_default();
            object = format!("Pod {}/{}", identity.namespace, identity.name);
            position = place.position.to_string();
        }
        ReadError::Invalid(Box::new(InvalidInput {
            input,
            position,
            object,
            path: "spec.priorityClassName".to_owned(),
            value: format!("{class:?}"),
            problem: InputProblem::UnknownPriorityClass,
            line: None,
            column: None,
        }))
    }

    /// How many values the input holds.
    fn read_input(&mut self, name: String, input: Box<dyn Read + '_>) -> Result<u64, ReadError> {
        if self.failed {
            return Err(ReadError::Abandoned);
        }
        self.inputs.push(name);
        Session::open(self, input)?.run()
    }

    fn done(&mut self, result: Result<(), ReadError>) -> Result<(), ReadError> {
        if result.is_err() {
            self.failed = true;
            self.objects = Objects::default();
            self.seen.clear();
        }
        result
    }
}

/// The JSON text of `stream`, which may be JSON or YAML, packed or not, and is small, as configurations are.
/// Each value stands on the line on which it stood; several documents follow one another.
///
/// # Errors
/// The stream fails, is larger than 16 MiB, or is neither.
pub fn json_text(name: &str, stream: impl Read) -> Result<Vec<u8>, ReadError> {
    let mut reader = Reader::new();
    reader.inputs.push(name.to_owned());
    Session::open(&mut reader, Box::new(stream))?.text()
}

fn invalid_input(input: &str, problem: InputProblem) -> ReadError {
    ReadError::Invalid(Box::new(InvalidInput {
        input: input.to_owned(),
        position: String::new(),
        object: String::new(),
        path: String::new(),
        value: String::new(),
        problem,
        line: None,
        column: None,
    }))
}

fn not_empty(name: &str, documents: u64) -> Result<(), ReadError> {
    if documents == 0 { Err(invalid_input(name, InputProblem::Empty)) } else { Ok(()) }
}
