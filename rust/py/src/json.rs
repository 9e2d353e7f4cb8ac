//! Python dicts and lists as the JSON text that the reader takes.

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString,
    PyTuple,
};

use crate::error::{Fault, NativeError};

/// How deep dicts and lists may nest. Kubernetes' own objects stay below thirty levels; a structure
/// that refers to itself is deeper than any number.
const MAX_DEPTH: usize = 200;

/// One step from a value to what it holds.
enum Step {
    Key(String),
    Index(usize),
}

/// Writes JSON and knows where it is.
struct Writer {
    text: Vec<u8>,
    at: Vec<Step>,
}

/// The value as JSON text.
///
/// Takes what `json.loads` gives, mappings and tuples besides, numbers of NumPy, and `datetime` values as
/// YAML readers give them for time stamps.
///
/// # Errors
///
/// `NativeError::Argument` with the field's path for anything else: a key that is no text, NaN and infinities, other
/// types, text that is not Unicode, nesting beyond [`MAX_DEPTH`].
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> Result<Vec<u8>, NativeError> {
    let mut writer = Writer { text: Vec::new(), at: Vec::new() };
    writer.value(value)?;
    Ok(writer.text)
}

/// Appends the text as a JSON string.
pub(crate) fn quote(json: &mut Vec<u8>, text: &str) {
    json.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => json.extend_from_slice(b"\\\""),
            b'\\' => json.extend_from_slice(b"\\\\"),
            0..=0x1f => json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => json.push(byte),
        }
    }
    json.push(b'"');
}

impl Writer {
    fn value(&mut self, value: &Bound<'_, PyAny>) -> Result<(), NativeError> {
        if let Ok(text) = value.cast::<PyString>() {
            return self.text(text);
        }
        if value.is_none() {
            self.text.extend_from_slice(b"null");
        } else if let Ok(flag) = value.cast::<PyBool>() {
            self.text.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.integer(number.as_any())?;
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.float(number.as_any())?;
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.mapping(&dict.items())?;
        } else if let Ok(list) = value.cast::<PyList>() {
            self.sequence(&list.to_tuple())?;
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.sequence(tuple)?;
        } else {
            self.rare(value)?;
        }
        Ok(())
    }

    fn rare(&mut self, value: &Bound<'_, PyAny>) -> Result<(), NativeError> {
        if value.cast::<PyDate>().is_ok() {
            return self.date(value);
        }
        if value.cast::<PyBytes>().is_ok() || value.cast::<PyByteArray>().is_ok() {
            return Err(self.fault(value, "bytes are not a JSON value"));
        }
        if let Ok(mapping) = value.cast::<PyMapping>() {
            return self.mapping(&mapping.items()?);
        }
        if value.hasattr("__index__")? {
            let number = value.call_method0("__index__")?;
            return self.integer(&number);
        }
        if value.hasattr("__float__")? {
            let number = value.call_method0("__float__")?;
            return self.float(&number);
        }
        Err(self.fault(value, "not a JSON value"))
    }

    fn text(&mut self, value: &Bound<'_, PyString>) -> Result<(), NativeError> {
        let Ok(text) = value.to_str() else {
            return Err(self.fault(value.as_any(), "text is not valid Unicode"));
        };
        quote(&mut self.text, text);
        Ok(())
    }

    /// An `int` or a subclass of it, whose own `__repr__` (an `IntEnum`'s, say) is not asked.
    fn integer(&mut self, value: &Bound<'_, PyAny>) -> Result<(), NativeError> {
        if let Ok(number) = value.extract::<i64>() {
            self.text.extend_from_slice(number.to_string().as_bytes());
            return Ok(());
        }
        let plain = value.py().get_type::<PyInt>().call_method1("__repr__", (value,));
        let Ok(digits) = plain.and_then(|digits| digits.extract::<String>()) else {
            return Err(NativeError::argument(
                Fault::new("an integer of too many digits").field(self.field()),
            ));
        };
        self.text.extend_from_slice(digits.as_bytes());
        Ok(())
    }

    fn float(&mut self, value: &Bound<'_, PyAny>) -> Result<(), NativeError> {
        let number = value.extract::<f64>()?;
        if !number.is_finite() {
            return Err(self.fault(value, "a number that JSON cannot hold"));
        }
        let digits = value.py().get_type::<PyFloat>().call_method1("__repr__", (value,))?;
        self.text.extend_from_slice(digits.extract::<String>()?.as_bytes());
        Ok(())
    }

    /// `datetime` with or without zone (then UTC is meant, as in Kubernetes), and `date`.
    fn date(&mut self, value: &Bound<'_, PyAny>) -> Result<(), NativeError> {
        let mut stamp: String = value.call_method0("isoformat")?.extract()?;
        if stamp.contains('T') {
            let zoned = !value.call_method0("utcoffset")?.is_none();
            if !zoned {
                stamp.push('Z');
            }
        }
        quote(&mut self.text, &stamp);
        Ok(())
    }

    /// The items are a list of its own, so no key or value can change it while it is walked.
    fn mapping(&mut self, items: &Bound<'_, PyList>) -> Result<(), NativeError> {
        self.deeper()?;
        self.text.push(b'{');
        for (position, item) in items.iter().enumerate() {
            let (key, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let Ok(name) = key.cast::<PyString>() else {
                return Err(self.fault(&key, "a key that is no text"));
            };
            if position > 0 {
                self.text.push(b',');
            }
            self.text(name)?;
            self.text.push(b':');
            self.at.push(Step::Key(name.to_str()?.to_owned()));
            self.value(&value)?;
            self.at.pop();
        }
        self.text.push(b'}');
        Ok(())
    }

    fn sequence(&mut self, items: &Bound<'_, PyTuple>) -> Result<(), NativeError> {
        self.deeper()?;
        self.text.push(b'[');
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.text.push(b',');
            }
            self.at.push(Step::Index(position));
            self.value(&item)?;
            self.at.pop();
        }
        self.text.push(b']');
        Ok(())
    }

    fn deeper(&self) -> Result<(), NativeError> {
        if self.at.len() < MAX_DEPTH {
            return Ok(());
        }
        let message =
            format!("nested deeper than {MAX_DEPTH} levels, or a structure that holds itself");
        let shown: String = self.field().chars().take(100).collect();
        Err(NativeError::argument(Fault::new(message).field(format!("{shown}…"))))
    }

    /// The path of the value, as `items[0].metadata.labels`.
    fn field(&self) -> String {
        let mut path = String::new();
        for step in &self.at {
            match step {
                Step::Key(key) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(key);
                }
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        path
    }

    fn fault(&self, value: &Bound<'_, PyAny>, message: &str) -> NativeError {
        let shown = value.repr().and_then(|text| text.extract::<String>()).unwrap_or_default();
        let shown: String = shown.chars().take(100).collect();
        let class = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        let fault = Fault::new(format!("{message} ({class})")).value(shown);
        let field = self.field();
        NativeError::argument(if field.is_empty() { fault } else { fault.field(field) })
    }
}
