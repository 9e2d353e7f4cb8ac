//! `ReadError`: which input, which object, which field, what is wrong.

use std::fmt;
use std::io;

use crate::json;

/// Why objects could not be read. Whatever was read before is dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes could not be had.
    #[error("{input}: {error}")]
    Io {
        /// Name of the file, or what the caller named the stream.
        input: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The bytes are not objects as the API server would take them.
    #[error("{0}")]
    Invalid(Box<InvalidInput>),
    /// The check given to the reader asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The reader is used again after an error.
    #[error("the reader cannot be used after an error")]
    Abandoned,
}

impl ReadError {
    /// The details, where the fault lies in what was read.
    pub fn invalid(&self) -> Option<&InvalidInput> {
        match self {
            Self::Invalid(invalid) => Some(invalid),
            _ => None,
        }
    }
}

/// A fault in the input, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    pub(crate) input: String,
    pub(crate) position: String,
    pub(crate) object: String,
    pub(crate) path: String,
    pub(crate) value: String,
    pub(crate) problem: InputProblem,
    pub(crate) line: Option<u64>,
    pub(crate) column: Option<u64>,
}

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputProblem {
    /// The text is no JSON, or a field does not fit.
    #[error("{0}")]
    Json(json::Problem),
    /// The text is no YAML, or YAML that JSON cannot say.
    #[error("{0}")]
    Yaml(String),
    /// A field that the API server would not take.
    #[error("{0}")]
    Validation(String),
    /// Compressed data that cannot be unpacked.
    #[error("the {format} data is damaged: {reason}")]
    Compression {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// What the decompressor said.
        reason: String,
    },
    /// A pod whose priority class was not read.
    #[error("no PriorityClass of this name was read")]
    UnknownPriorityClass,
    /// Neither `kind` nor the fields tell what the object is.
    #[error("cannot tell what kind of object this is: it has no kind")]
    UnknownKind,
    /// The list's kind and its items disagree.
    #[error("the list is of kind {list}, but its items are of kind {item}")]
    ListKind {
        /// The kind that the list states.
        list: String,
        /// What the items look like.
        item: &'static str,
    },
    /// The same object was read before, with other fields.
    #[error("the same object with other fields stands in {first}")]
    Duplicate {
        /// Input and position of the first one.
        first: String,
    },
    /// An object beyond any that a cluster stores.
    #[error("larger than {} MiB", limit >> 20)]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A watch that broke off, as its last event says.
    #[error("the watch broke off: {message}")]
    Watch {
        /// What the API server said.
        message: String,
    },
    /// There is no event in the input.
    #[error("there are no events in it")]
    NoEvents,
    /// There is nothing in the input.
    #[error("there are no objects in it")]
    Empty,
    /// A directory without a file whose name tells that it holds objects.
    #[error(
        "the directory has no .json, .ndjson, .jsonl, .yaml or .yml file (or one of these with .gz or .zst)"
    )]
    EmptyDirectory,
}

impl InvalidInput {
    /// Name of the file, or what the caller named the stream.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The object as `Pod default/web-0`, or an event of no object as `LABEL event`; empty when it could not be told.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Where in the input the object stands, such as `items[3]` or `document 2`; empty for the only one.
    pub fn position(&self) -> &str {
        &self.position
    }

    /// The field, such as `spec.containers[0].resources.requests[cpu]`; empty for the object itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value as it is written, shortened; empty when there is none.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What is wrong.
    pub fn problem(&self) -> &InputProblem {
        &self.problem
    }

    /// Line in the input, from 1; `None` where there are none.
    pub fn line(&self) -> Option<u64> {
        self.line
    }

    /// Column in characters, from 1; `None` where it is not known.
    pub fn column(&self) -> Option<u64> {
        self.column
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.input)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        match (self.object.is_empty(), self.position.is_empty()) {
            (false, false) => write!(f, ": {} ({})", self.object, self.position)?,
            (false, true) => write!(f, ": {}", self.object)?,
            (true, false) => write!(f, ": {}", self.position)?,
            (true, true) => {}
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.problem)?;
        // a rule of the API server already names it
        if !self.value.is_empty() && !matches!(self.problem, InputProblem::Validation(_)) {
            write!(f, ": {}", self.value)?;
        }
        Ok(())
    }
}
