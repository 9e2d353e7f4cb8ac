//! Where bytes come from: files of a directory, packed streams.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::error::InputProblem;
use crate::json::{Problem, Syntax};

const ENDINGS: [&str; 5] = [".json", ".ndjson", ".jsonl", ".yaml", ".yml"];

/// The files of a directory that hold objects, by name; like `kubectl -f`, not those of its subdirectories.
pub(crate) fn directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let plain = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        if ENDINGS.iter().any(|ending| plain.ends_with(ending)) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Compressions, told by the first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zstd,
}

impl Format {
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip), // RFC 1952, 2.3.1
            // RFC 8878, 3.1.1 and (a frame to pass over) 3.1.2
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// A window of 128 MiB is the most that a zstd frame may ask for, as for the `zstd` program.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The stream that `input` packs. It holds no more than its window in memory.
pub(crate) fn unpack<'r>(
    format: Format,
    input: Box<dyn Read + 'r>,
) -> io::Result<Box<dyn Read + 'r>> {
    let input = io::BufReader::with_capacity(1 << 16, input);
    Ok(match format {
        Format::Gzip => {
            Box::new(Unpacked { format, inner: flate2::bufread::MultiGzDecoder::new(input) })
        }
        Format::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(Unpacked { format, inner: decoder })
        }
    })
}

/// A decompressor whose complaints about the data are told apart from those of the system.
struct Unpacked<R> {
    format: Format,
    inner: R,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
            let of_data =
                matches!(error.kind(), InvalidData | InvalidInput | Other | UnexpectedEof);
            if of_data && error.raw_os_error().is_none() {
                let reason = match error.kind() {
                    UnexpectedEof => "it ends too early".to_owned(),
                    _ => error.to_string(),
                };
                let format = self.format.name();
                fault(InputProblem::Compression { format, reason }, None)
            } else {
                error
            }
        })
    }
}

/// A fault of the data that a [`Read`] found, on its way through `io::Error`.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct StreamFault {
    pub(crate) problem: InputProblem,
    /// Line and column, from 1.
    pub(crate) at: Option<(u64, u64)>,
}

pub(crate) fn fault(problem: InputProblem, at: Option<(u64, u64)>) -> io::Error {
    io::Error::other(StreamFault { problem, at })
}

/// The characters of a stream of UTF-8, for the YAML scanner. Ends at the first fault, which is kept.
pub(crate) struct Chars<R> {
    input: R,
    /// Characters passed on in the current line, and lines before it, both for the fault's place.
    line: u64,
    column: u64,
    fault: Rc<RefCell<Option<io::Error>>>,
    /// Bytes passed on.
    count: Rc<Cell<u64>>,
}

impl<R: BufRead> Chars<R> {
    pub(crate) fn new(
        input: R,
        fault: Rc<RefCell<Option<io::Error>>>,
        count: Rc<Cell<u64>>,
    ) -> Self {
        Self { input, line: 1, column: 1, fault, count }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let buffer = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let byte = buffer.first().copied();
        if byte.is_some() {
            self.input.consume(1);
            self.count.set(self.count.get() + 1);
        }
        Ok(byte)
    }

    fn read(&mut self) -> io::Result<Option<char>> {
        let Some(first) = self.byte()? else { return Ok(None) };
        if first.is_ascii() {
            if first == 0 {
                let problem = InputProblem::Yaml("a NUL character".to_owned());
                return Err(fault(problem, Some((self.line, self.column))));
            }
            return Ok(Some(char::from(first)));
        }
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let mut bytes = [first, 0, 0, 0];
        for slot in bytes.get_mut(1..length).unwrap_or_default() {
            *slot = self.byte()?.unwrap_or_default();
        }
        if let Ok(text) = std::str::from_utf8(bytes.get(..length).unwrap_or_default()) {
            return Ok(text.chars().next());
        }
        let problem = InputProblem::Json(Problem::Syntax(Syntax::Utf8));
        Err(fault(problem, Some((self.line, self.column))))
    }
}

impl<R: BufRead> Iterator for Chars<R> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.read() {
            Ok(Some('\n')) => {
                self.line += 1;
                self.column = 1;
                Some('\n')
            }
            Ok(Some(character)) => {
                self.column += 1;
                Some(character)
            }
            Ok(None) => None,
            Err(error) => {
                let mut fault = self.fault.borrow_mut();
                if fault.is_none() {
                    *fault = Some(error);
                }
                None
            }
        }
    }
}
