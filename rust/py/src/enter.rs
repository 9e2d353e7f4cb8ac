//! The door: every call from Python goes through [`enter`] or [`guard`].
//!
//! A binding function is three steps: convert in (attached), run (detached), convert out (attached).
//! Nothing that panics gets past the door, and whatever runs long asks [`Interrupt`] now and then
//! whether Python has a signal waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::error::NativeError;

/// How long a signal may wait, at most: a tenth of the half second that the command line promises.
const PATIENCE: Duration = Duration::from_millis(50);

/// Runs `work` with the interpreter released and a panic turned into `InternalError`.
///
/// # Errors
///
/// Those of `work`; `NativeError::Internal` if it panics.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Interrupt) -> Result<T, NativeError> + Send,
) -> Result<T, NativeError> {
    guard(|| py.detach(|| work(&Interrupt::new())))
}

/// Runs `work` with a panic turned into `InternalError`.
///
/// What `work` shares is either read only or published whole at the end, so a panic
/// leaves nothing half-changed behind.
///
/// # Errors
///
/// Those of `work`; `NativeError::Internal` if it panics.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, NativeError>) -> Result<T, NativeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("unknown panic");
        Err(NativeError::Internal(text.to_owned()))
    })
}

/// Asks Python for signals, at most once in [`PATIENCE`].
#[derive(Debug)]
pub(crate) struct Interrupt {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    asked: Instant,
    raised: Option<PyErr>,
}

impl Interrupt {
    fn new() -> Self {
        Self { state: Mutex::new(State { asked: now(), raised: None }) }
    }

    /// Whether work should stop: a signal handler has raised. [`Interrupt::error`] says what.
    pub(crate) fn is_raised(&self) -> bool {
        let Ok(state) = self.state.lock() else { return true };
        let recent = now().duration_since(state.asked) < PATIENCE;
        let raised = state.raised.is_some();
        drop(state);
        if recent || raised { raised } else { self.ask() }
    }

    /// The same, asking Python at once.
    pub(crate) fn ask(&self) -> bool {
        // asked without the lock: a signal handler is Python code and may take its time
        let raised = Python::attach(signals).err();
        let Ok(mut state) = self.state.lock() else { return true };
        state.asked = now();
        if state.raised.is_none() {
            state.raised = raised;
        }
        state.raised.is_some()
    }

    /// Whether a signal handler has raised, without asking.
    pub(crate) fn was_raised(&self) -> bool {
        self.state.lock().is_ok_and(|state| state.raised.is_some())
    }

    /// What the signal handler raised.
    pub(crate) fn error(&self) -> NativeError {
        match self.state.lock().ok().and_then(|mut state| state.raised.take()) {
            Some(error) => NativeError::Python(error),
            None => NativeError::Internal("work was interrupted by nothing".to_owned()),
        }
    }

    /// An error if a signal handler has raised.
    ///
    /// # Errors
    ///
    /// What the signal handler raised.
    pub(crate) fn check(&self) -> Result<(), NativeError> {
        if self.is_raised() { Err(self.error()) } else { Ok(()) }
    }
}

/// Lets Python run the handlers of signals that wait; on a thread other than the main one nothing happens.
fn signals(py: Python<'_>) -> PyResult<()> {
    py.check_signals()
}

#[expect(
    clippy::disallowed_methods,
    reason = "patience is about the user's time, not the engine's"
)]
fn now() -> Instant {
    Instant::now()
}
