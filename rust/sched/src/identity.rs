//! `Identity`: which of several alike things this one is.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other thing of this process has; a copy is another thing. No decision depends on it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity(u64);

impl Default for Identity {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Identity {
    /// The number, for those who remember the thing.
    pub(crate) const fn number(&self) -> u64 {
        self.0
    }
}
