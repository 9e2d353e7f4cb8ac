//! Captures, read block by block into columns. Memory does not grow with the capture.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::{Mutex, PoisonError};

use bayplan_vxlan::Decoder;
use bayplan_vxlan::batch::decode_batch;
use bayplan_vxlan::capture::{CaptureError, CaptureReader};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::columns::{Owned, put};
use super::settings::VxlanDecoder;
use crate::enter::enter;
use crate::error::{Fault, NativeError};

type Stream = Box<dyn Read + Send>;

/// Where a capture comes from, and what errors call it.
struct Source {
    name: String,
    payload: Payload,
}

enum Payload {
    Path,
    Bytes(Vec<u8>),
}

impl Source {
    /// Takes `(kind, name, payload)` as `bayplan.vxlan` makes it.
    fn from_python(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (kind, name, payload): (String, String, Bound<'_, PyAny>) = source.extract()?;
        let payload = match kind.as_str() {
            "path" => Payload::Path,
            _ => Payload::Bytes(payload.cast::<PyBytes>()?.as_bytes().to_vec()),
        };
        Ok(Self { name, payload })
    }

    fn open(self) -> Result<(String, CaptureReader<Alert>), NativeError> {
        let stream: Stream = match self.payload {
            Payload::Path => match File::open(&self.name) {
                Ok(file) => Box::new(file),
                Err(error) => return Err(NativeError::Source { path: self.name, error }),
            },
            Payload::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        };
        match CaptureReader::new(Alert(stream)) {
            Ok(reader) => Ok((self.name, reader)),
            Err(error) => Err(read_error(&self.name, error)),
        }
    }
}

/// Lets Python run its signal handlers when the operating system breaks a read off for a signal: readers try again without asking.
struct Alert(Stream);

impl Read for Alert {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                signals()?;
                Err(error)
            }
            other => other,
        }
    }
}

fn signals() -> PyResult<()> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method's lifetime is no general one"
    )]
    Python::attach(|py| py.check_signals())
}

fn read_error(name: &str, error: CaptureError) -> NativeError {
    let error = match error {
        CaptureError::Io(error) => error,
        CaptureError::Compression { error, .. } if is_python(&error) => error,
        other => return damaged(name, &other),
    };
    if !is_python(&error) {
        return NativeError::Source { path: name.to_owned(), error };
    }
    let Some(inner) = error.into_inner() else {
        return NativeError::Internal("a reader lost its error".to_owned());
    };
    match inner.downcast::<PyErr>() {
        Ok(raised) => NativeError::Python(*raised),
        Err(other) => NativeError::Internal(other.to_string()),
    }
}

fn is_python(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<PyErr>())
}

fn damaged(name: &str, error: &CaptureError) -> NativeError {
    let path = Some(name.to_owned());
    NativeError::capture(Fault { path, ..Fault::new(error.to_string()) })
}

/// A capture that is being read.
#[pyclass(frozen, module = "bayplan._native")]
pub(crate) struct VxlanCapture {
    name: String,
    reader: Mutex<CaptureReader<Alert>>,
    decoder: Decoder,
    columns: Vec<String>,
}

#[pymethods]
impl VxlanCapture {
    #[staticmethod]
    fn open(
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        decoder: &VxlanDecoder,
        columns: Vec<String>,
    ) -> PyResult<Self> {
        let source = Source::from_python(source)?;
        let (name, reader) = enter(py, |_| source.open())?;
        let decoder = decoder.decoder.clone();
        Ok(Self { name, reader: Mutex::new(reader), decoder, columns })
    }

    /// Which format it has: `pcap` or `pcapng`.
    fn format(&self, py: Python<'_>) -> PyResult<&'static str> {
        use bayplan_vxlan::capture::Format;
        Ok(enter(py, |_| {
            let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(match reader.format() {
                Format::Pcap => "pcap",
                Format::Pcapng => "pcapng",
            })
        })?)
    }

    /// The next packets as columns; `None` at the end. Offsets are from the start of each packet.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(rows) = enter(py, |_| self.next_rows())? else { return Ok(None) };
        let out = PyDict::new(py);
        let Rows { owned, number, timestamp, link, captured, original } = rows;
        put(py, &out, "number", number)?;
        put(py, &out, "timestamp", timestamp)?;
        put(py, &out, "link", link)?;
        put(py, &out, "captured", captured)?;
        put(py, &out, "original", original)?;
        owned.put(py, &out)?;
        Ok(Some(out))
    }
}

/// A block of a capture, decoded.
struct Rows {
    owned: Owned,
    number: Vec<u64>,
    timestamp: Vec<u64>,
    link: Vec<u32>,
    captured: Vec<u32>,
    original: Vec<u32>,
}

impl VxlanCapture {
    fn next_rows(&self) -> Result<Option<Rows>, NativeError> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let block = reader.next_block().map_err(|error| read_error(&self.name, error))?;
        let Some(block) = block else { return Ok(None) };
        let mut owned = Owned::new(&self.columns, block.len());
        let decoder = self.decoder.clone().link(block.link);
        let mut columns = owned.columns();
        decode_batch(&decoder, block.buffer, block.spans(), &mut columns);
        for (offset, start) in columns.inner_offset.iter_mut().zip(block.offsets) {
            *offset = offset.saturating_sub(*start);
        }
        Ok(Some(Rows {
            owned,
            number: (block.first_number..).take(block.len()).collect(),
            timestamp: block.timestamps.iter().map(|time| time.cast_unsigned()).collect(),
            link: vec![block.link.0; block.len()],
            captured: block
                .lengths
                .iter()
                .map(|&length| u32::try_from(length).unwrap_or(u32::MAX))
                .collect(),
            original: block.original_lengths.to_vec(),
        }))
    }
}
