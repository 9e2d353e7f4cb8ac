//! The Python face of bayplan: the only crate that knows Python.
//!
//! `python/bayplan` names these classes and documents them for users; here each function is three
//! steps: convert in, run with the interpreter released, convert out.

mod enter;
mod error;
mod json;

#[pyo3::pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    use crate::enter::guard;

    /// The value as JSON text; `bayplan.exceptions.ArgumentError` names what cannot be.
    #[pyfunction]
    fn to_json(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        Ok(guard(|| crate::json::to_json(value))?)
    }
}
