//! Objects out of files, directories and streams.
//!
//! A stream is looked at through a window of some MiB, never read whole: the items of a list are decoded
//! one after another, and an item that the window cuts is decoded again when the rest is there. So
//! memory holds the objects and the window, not the text.

mod ahead;
pub(crate) mod error;
mod events;
mod inputs;
mod kind;
mod objects;
mod session;
pub(crate) mod source;
pub(crate) mod window;

use std::fmt;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

pub use self::error::{InputProblem, InvalidInput, ReadError};
pub use self::events::EventReader;
use self::inputs::Inputs;
use self::objects::{Given, ObjectSession, Seen};
use self::window::Pace;
use crate::defaults::{UnknownPriorityClass, resolve_priorities};
use crate::{Kind, Objects, Pod, PriorityClass};

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
    inputs: Inputs<'c>,
    objects: Objects,
    given: Option<Given<'c>>,
    seen: Seen,
    known_classes: Vec<PriorityClass>,
}

/// Takes pods while they are read, instead of [`Objects::pods`]: there are more of them than of anything else.
pub trait PodSink {
    /// Takes the pod that is read as number `number`, from 0. A pod that waits for its priority class comes after others.
    fn take(&mut self, number: usize, pod: Pod);

    /// Whether the pod that was taken under that number equals `pod`.
    fn has(&self, number: usize, pod: &Pod) -> bool;
}

/// Where an object or an event was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Index into the inputs.
    input: usize,
    position: Position,
}

impl Place {
    /// The name of the input.
    pub(crate) fn input<'n>(&self, inputs: &'n [String]) -> &'n str {
        inputs.get(self.input).map_or("", String::as_str)
    }

    /// The position in the input, as `items[3]`; empty for the first value.
    pub(crate) fn position(&self) -> String {
        self.position.to_string()
    }
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
        f.debug_struct("Reader").field("inputs", &self.inputs.names()).finish_non_exhaustive()
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
            inputs: Inputs::new(InputProblem::Empty),
            objects: Objects::default(),
            given: None,
            seen: Seen::new(),
            known_classes: Vec::new(),
        }
    }

    /// The same, asking `stop` every few milliseconds whether to give up.
    #[must_use]
    pub fn interrupted_by(mut self, stop: impl FnMut() -> bool + Send + 'c) -> Self {
        self.inputs.stop = Box::new(stop);
        self
    }

    /// The same, decoding large inputs on this many threads. What is read and what is found wrong with it does not depend on
    /// their number.
    #[must_use]
    pub fn on_threads(mut self, threads: NonZeroUsize) -> Self {
        self.inputs.pace = Pace::of_threads(threads.get());
        self
    }

    /// The same, giving pods to `sink` as they are read; if reading fails, it has some of them.
    #[must_use]
    pub fn giving_pods_to(mut self, sink: &'c mut (dyn PodSink + Send)) -> Self {
        self.given = Some(Given { sink, count: 0, waiting: Vec::new() });
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
        let Self { inputs, objects, given, seen, .. } = self;
        let result = inputs.read_path(path.as_ref(), &mut |session| {
            ObjectSession {
                session,
                objects: &mut *objects,
                given: given.as_mut(),
                seen: &mut *seen,
            }
            .run()
        });
        self.done(result)
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
        let Self { inputs, objects, given, seen, .. } = self;
        let result = inputs.read_stream(name, stream, &mut |session| {
            ObjectSession {
                session,
                objects: &mut *objects,
                given: given.as_mut(),
                seen: &mut *seen,
            }
            .run()
        });
        self.done(result)
    }

    /// All that was read.
    ///
    /// # Errors
    /// An earlier call failed, or a pod without a priority has a priority class that was not read.
    pub fn finish(mut self) -> Result<Objects, ReadError> {
        self.inputs.whole()?;
        let Objects { pods, priority_classes, .. } = &mut self.objects;
        self.known_classes.extend_from_slice(priority_classes);
        if let Err(UnknownPriorityClass { pod, class }) =
            resolve_priorities(pods, &self.known_classes)
        {
            return Err(self.unknown_class(pod, &class));
        }
        if let Some(Given { sink, waiting, .. }) = &mut self.given {
            let (numbers, mut pods): (Vec<_>, Vec<_>) = std::mem::take(waiting).into_iter().unzip();
            match resolve_priorities(&mut pods, &self.known_classes) {
                Ok(()) => {
                    for (number, pod) in numbers.into_iter().zip(pods) {
                        sink.take(number, pod);
                    }
                }
                Err(UnknownPriorityClass { pod, class }) => {
                    let number = numbers.get(pod).copied().unwrap_or_default();
                    return Err(self.unknown_class(number, &class));
                }
            }
        }
        Ok(self.objects)
    }

    #[cold]
    fn unknown_class(&self, index: usize, class: &str) -> ReadError {
        let found =
            self.seen.iter().find(|(key, seat)| key.kind == Kind::Pod && seat.index == index);
        let (mut input, mut object, mut position) = (String::new(), String::new(), String::new());
        if let Some((key, seat)) = found {
            seat.place.input(self.inputs.names()).clone_into(&mut input);
            object = key.to_string();
            position = seat.place.position();
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

    fn done(&mut self, result: Result<(), ReadError>) -> Result<(), ReadError> {
        if result.is_err() {
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
    Inputs::new(InputProblem::Empty).open(name.to_owned(), Box::new(stream))?.text()
}
