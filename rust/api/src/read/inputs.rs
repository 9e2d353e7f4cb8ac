//! `Inputs`: what readers read, one input after another, and what all readers share.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::{InputProblem, InvalidInput, ReadError};
use super::session::Session;
use super::source;
use super::window::Pace;
use crate::Str;
use crate::json::Strings;

/// The inputs of a reader.
pub(super) struct Inputs<'c> {
    names: Vec<String>,
    pub(super) strings: Strings,
    /// The namespace of objects that state none, as for kubectl.
    pub(super) default_namespace: Str,
    /// How streams are read.
    pub(super) pace: Pace,
    /// Asked every few milliseconds whether to give up.
    pub(super) stop: Box<dyn FnMut() -> bool + Send + 'c>,
    /// What is wrong with an input without a value.
    empty: InputProblem,
    failed: bool,
}

/// Reads a session to its end and tells how many values there were.
type Run<'f, 'c> = &'f mut dyn FnMut(Session<'_, 'c>) -> Result<u64, ReadError>;

impl<'c> Inputs<'c> {
    pub(super) fn new(empty: InputProblem) -> Self {
        Self {
            names: Vec::new(),
            strings: Strings::new(),
            default_namespace: Str::from("default"),
            pace: Pace::of_threads(1),
            stop: Box::new(|| false),
            empty,
            failed: false,
        }
    }

    /// The names of those that were read.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of the one that is read.
    pub(super) fn index(&self) -> usize {
        self.names.len().saturating_sub(1)
    }

    /// The name of the one that is read.
    pub(super) fn current(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// An error if an input failed.
    pub(super) fn whole(&self) -> Result<(), ReadError> {
        if self.failed { Err(ReadError::Abandoned) } else { Ok(()) }
    }

    pub(super) fn read_path(&mut self, path: &Path, run: Run<'_, 'c>) -> Result<(), ReadError> {
        let name = path.display().to_string();
        let io_error = |error| ReadError::Io { input: name.clone(), error };
        let result = if path.is_dir() {
            source::directory(path)
                .map_err(io_error)
                .and_then(|files| self.read_files(&name, &files, run))
        } else {
            File::open(path)
                .map_err(io_error)
                .and_then(|file| self.read_input(name.clone(), Box::new(file), run))
                .and_then(|documents| self.not_empty(&name, documents))
        };
        self.failed |= result.is_err();
        result
    }

    fn read_files(
        &mut self,
        directory: &str,
        files: &[std::path::PathBuf],
        run: Run<'_, 'c>,
    ) -> Result<(), ReadError> {
        if files.is_empty() {
            return Err(invalid_input(directory, InputProblem::EmptyDirectory));
        }
        let mut documents = 0;
        for path in files {
            let name = path.display().to_string();
            let file =
                File::open(path).map_err(|error| ReadError::Io { input: name.clone(), error })?;
            documents += self.read_input(name, Box::new(file), run)?;
        }
        self.not_empty(directory, documents)
    }

    pub(super) fn read_stream(
        &mut self,
        name: &str,
        stream: impl Read,
        run: Run<'_, 'c>,
    ) -> Result<(), ReadError> {
        let result = self
            .read_input(name.to_owned(), Box::new(stream), run)
            .and_then(|documents| self.not_empty(name, documents));
        self.failed |= result.is_err();
        result
    }

    /// How many values the input holds.
    fn read_input(
        &mut self,
        name: String,
        input: Box<dyn Read + '_>,
        run: Run<'_, 'c>,
    ) -> Result<u64, ReadError> {
        self.whole()?;
        run(self.open(name, input)?)
    }

    /// Starts to read the input of this name.
    pub(super) fn open<'s>(
        &'s mut self,
        name: String,
        input: Box<dyn Read + 's>,
    ) -> Result<Session<'s, 'c>, ReadError> {
        self.names.push(name);
        Session::open(self, input)
    }

    fn not_empty(&self, name: &str, documents: u64) -> Result<(), ReadError> {
        if documents == 0 { Err(invalid_input(name, self.empty.clone())) } else { Ok(()) }
    }
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
