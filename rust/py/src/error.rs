//! What goes wrong at the door, and its one way to a Python exception.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Why a call from Python fails; each variant is one class of `bayplan.exceptions`.
#[derive(Debug)]
pub(crate) enum NativeError {
    /// `ObjectError`: an object, or the text that should hold it, is not valid.
    Object(Box<Fault>),
    /// `ConfigurationError`: a `KubeSchedulerConfiguration` is not valid.
    Configuration(Box<Fault>),
    /// `CaptureError`: a capture that cannot be read on.
    Capture(Box<Fault>),
    /// `ArgumentError`: an argument that the call does not take.
    Argument(Box<Fault>),
    /// `NotFoundError`: a pod or node that is not there.
    NotFound(Box<Fault>),
    /// `UnsupportedError`: valid, but not decided yet.
    Unsupported(Box<Fault>),
    /// `SourceError`: a file that cannot be read or written.
    Source {
        /// The file.
        path: String,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// `InternalError`: a fault of ours.
    Internal(String),
    /// What Python raised while it was asked something: `KeyboardInterrupt` as a rule.
    Python(PyErr),
}

/// A message and the places it speaks of.
#[derive(Debug, Default)]
pub(crate) struct Fault {
    /// What is wrong, in one sentence, without the place.
    pub(crate) message: String,
    /// File or other source.
    pub(crate) path: Option<String>,
    /// Object, or its position.
    pub(crate) object: Option<String>,
    /// Path of the field.
    pub(crate) field: Option<String>,
    /// Offending value.
    pub(crate) value: Option<String>,
    /// Line of the text, from 1.
    pub(crate) line: Option<u64>,
    /// Column of the text in characters, from 1.
    pub(crate) column: Option<u64>,
}

impl Fault {
    /// A fault of which only the message is known.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The same fault, of this field.
    pub(crate) fn field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// The same fault, of this value.
    pub(crate) fn value(self, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..self }
    }
}

impl NativeError {
    /// An object, or the text that should hold it, is not valid.
    pub(crate) fn object(fault: Fault) -> Self {
        Self::Object(Box::new(fault))
    }

    /// A configuration is not valid.
    pub(crate) fn configuration(fault: Fault) -> Self {
        Self::Configuration(Box::new(fault))
    }

    /// A capture that cannot be read on.
    pub(crate) fn capture(fault: Fault) -> Self {
        Self::Capture(Box::new(fault))
    }

    /// An argument that the call does not take.
    pub(crate) fn argument(fault: Fault) -> Self {
        Self::Argument(Box::new(fault))
    }

    /// A pod or node that is not there.
    pub(crate) fn not_found(fault: Fault) -> Self {
        Self::NotFound(Box::new(fault))
    }

    /// Valid, but not decided yet.
    pub(crate) fn unsupported(fault: Fault) -> Self {
        Self::Unsupported(Box::new(fault))
    }

    /// The class and the arguments of the exception, made while attached.
    fn raise(self, py: Python<'_>) -> PyResult<PyErr> {
        let keywords = PyDict::new(py);
        let (class, message) = match self {
            Self::Python(error) => return Ok(error),
            Self::Object(fault) => ("ObjectError", fault.keywords(&keywords)?),
            Self::Configuration(fault) => ("ConfigurationError", fault.keywords(&keywords)?),
            Self::Capture(fault) => ("CaptureError", fault.keywords(&keywords)?),
            Self::Argument(fault) => ("ArgumentError", fault.keywords(&keywords)?),
            Self::NotFound(fault) => ("NotFoundError", fault.keywords(&keywords)?),
            Self::Unsupported(fault) => ("UnsupportedError", fault.keywords(&keywords)?),
            Self::Source { path, error } => {
                keywords.set_item("path", path)?;
                keywords.set_item("errno", error.raw_os_error())?;
                ("SourceError", system_message(py, &error)?)
            }
            Self::Internal(message) => ("InternalError", message),
        };
        let class = py.import("bayplan.exceptions")?.getattr(class)?;
        Ok(PyErr::from_value(class.call((message,), Some(&keywords))?))
    }
}

impl Fault {
    /// Puts the places into the keywords and gives the message.
    fn keywords(self, keywords: &Bound<'_, PyDict>) -> PyResult<String> {
        let Self { message, path, object, field, value, line, column } = self;
        for (name, place) in
            [("path", path), ("object", object), ("field", field), ("value", value)]
        {
            if let Some(place) = place {
                keywords.set_item(name, shortened(place))?;
            }
        }
        for (name, number) in [("line", line), ("column", column)] {
            if let Some(number) = number {
                keywords.set_item(name, number)?;
            }
        }
        Ok(message)
    }
}

/// The most characters that a place or a value is shown with; names in Kubernetes have at most 253.
const MAX_SHOWN: usize = 600;

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The operating system's words for the error, without the number that Rust puts behind them.
fn system_message(py: Python<'_>, error: &std::io::Error) -> PyResult<String> {
    match error.raw_os_error() {
        Some(number) => py.import("os")?.call_method1("strerror", (number,))?.extract(),
        None => Ok(error.to_string()),
    }
}

impl From<PyErr> for NativeError {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<NativeError> for PyErr {
    fn from(error: NativeError) -> Self {
        Python::attach(|py| error.raise(py).unwrap_or_else(|failure| failure))
    }
}
