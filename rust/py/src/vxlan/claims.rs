//! `Claims`: which memory calls read and write now, by address.
//!
//! The borrows of `numpy` are counted by the object at the end of an array's `base` chain. Two arrays that `numpy.frombuffer` makes of one `bytearray` or
//! `mmap` end in different objects, and would both be lent out. Here what counts is where the bytes lie.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use numpy::ndarray::Dimension;
use numpy::{Element, PyArray, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error::{Fault, NativeError};

#[derive(Debug, Clone)]
struct Claim {
    bytes: Range<usize>,
    writes: bool,
}

impl Claim {
    fn excludes(&self, other: &Self) -> bool {
        (self.writes || other.writes)
            && self.bytes.start < other.bytes.end
            && other.bytes.start < self.bytes.end
    }
}

static CLAIMED: Mutex<Vec<(u64, Claim)>> = Mutex::new(Vec::new());

/// What a call reads and writes; let go of when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// The number of the call among those that run; `None` as long as it claims nothing.
    call: Option<u64>,
}

impl Claims {
    /// Claims the memory of an array. To be called before the array is borrowed.
    ///
    /// # Errors
    ///
    /// `NativeError::Argument` if something else that runs writes there, or reads where this call would write: this call's own
    /// arguments count as well.
    pub(crate) fn add<T: Element, D: Dimension>(
        &mut self,
        field: &str,
        array: &Bound<'_, PyArray<T, D>>,
        writes: bool,
    ) -> Result<(), NativeError> {
        let fault = |message| Err(NativeError::argument(Fault::new(message).field(field)));
        if !array.is_c_contiguous() {
            return fault("its items do not stand one after another");
        }
        let start = array.data().addr();
        let length = array.len().saturating_mul(size_of::<T>());
        let claim = Claim { bytes: start..start.saturating_add(length), writes };
        let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
        if claimed.iter().any(|(_, other)| other.excludes(&claim)) {
            return fault(if writes {
                "cannot be written to: it is being read or written"
            } else {
                "cannot be read: it is being written"
            });
        }
        let next = || claimed.iter().map(|(call, _)| *call).max().map_or(0, |last| last + 1);
        let call = self.call.unwrap_or_else(next);
        self.call = Some(call);
        claimed.push((call, claim));
        Ok(())
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        if let Some(mine) = self.call {
            let mut claimed = CLAIMED.lock().unwrap_or_else(PoisonError::into_inner);
            claimed.retain(|(call, _)| *call != mine);
        }
    }
}
