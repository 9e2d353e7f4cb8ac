//! `Cluster`: a cluster, or a fork of one.

use bayplan_sched::cluster::Place;
use indexmap::IndexMap;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::columns::nodes_from_columns;
use crate::enter::{enter, guard};
use crate::error::{Fault, NativeError};
use crate::events::{added, apply};
use crate::family::Handle;
use crate::input::{Input, read_cluster, read_events, read_objects};
use crate::pickled;
use crate::state::State;

/// A cluster that any number of threads may use; calls about it and its forks wait for one another.
#[pyclass(frozen, module = "bayplan._native")]
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) handle: Handle,
}

impl Cluster {
    fn new(state: State) -> Self {
        Self { handle: Handle::new(state) }
    }

    /// Looks at the state.
    fn look<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut State) -> Result<T, NativeError> + Send,
    ) -> PyResult<T> {
        Ok(enter(py, |interrupt| self.handle.with(interrupt, work))?)
    }
}

#[pymethods]
impl Cluster {
    /// Reads a cluster from sources.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "arguments are made for the call")]
    fn load(py: Python<'_>, sources: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let inputs =
            guard(|| sources.iter().map(Input::from_python).collect::<Result<Vec<_>, _>>())?;
        let state = enter(py, |interrupt| State::new(read_cluster(&inputs, interrupt)?))?;
        Ok(Self::new(state))
    }

    /// Makes a cluster of empty nodes from columns.
    #[staticmethod]
    #[expect(clippy::needless_pass_by_value, reason = "arguments are made for the call")]
    fn from_columns(
        py: Python<'_>,
        columns: Vec<(String, PyReadonlyArray1<'_, i64>)>,
        names: Option<Vec<String>>,
        labels: Vec<(String, Vec<Option<String>>)>,
    ) -> PyResult<Self> {
        let columns = guard(|| {
            let whole = |(name, column): (String, PyReadonlyArray1<'_, i64>)| {
                let values = column.as_slice().map_err(|error| {
                    NativeError::argument(Fault::new(error.to_string()).field(name.clone()))
                })?;
                Ok((name, values.to_vec()))
            };
            columns.into_iter().map(whole).collect::<Result<Vec<_>, NativeError>>()
        })?;
        let state = enter(py, |interrupt| {
            let json = nodes_from_columns(&columns, names.as_deref(), &labels)?;
            let input = Input::Made { name: "<arrays>".to_owned(), json };
            State::new(read_cluster(&[input], interrupt)?)
        })?;
        Ok(Self::new(state))
    }

    /// Names of the nodes in their order.
    fn nodes(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.look(py, |state| Ok(state.nodes().names.iter().map(ToString::to_string).collect()))
    }

    /// `namespace/name` of every pod in the order in which they came.
    fn pods(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.look(py, |state| {
            let rows = state.cluster.pods().iter().filter(|row| row.place.exists());
            Ok(rows.map(|row| format!("{}/{}", row.namespace, row.name)).collect())
        })
    }

    /// Where the pod runs, if it does.
    fn node_of(&self, py: Python<'_>, pod: &str) -> PyResult<Option<String>> {
        self.look(py, |state| {
            let row = state.find(pod)?;
            Ok(match state.cluster.pods().get(row).map(|row| row.place) {
                Some(Place::On(node)) => Some(state.cluster.nodes().name(node).to_string()),
                _ => None,
            })
        })
    }

    /// How many nodes, running pods and pending pods there are.
    fn counts(&self, py: Python<'_>) -> PyResult<(usize, usize, usize)> {
        self.look(py, |state| {
            let pods = state.cluster.pods();
            let count =
                |wanted: fn(Place) -> bool| pods.iter().filter(|row| wanted(row.place)).count();
            let running = count(|place| matches!(place, Place::On(_) | Place::Elsewhere(_)));
            let pending = count(|place| place == Place::Pending);
            Ok((state.cluster.nodes().count(), running, pending))
        })
    }

    /// How many objects of each kind were passed over.
    fn skipped(&self, py: Python<'_>) -> PyResult<IndexMap<String, u64>> {
        self.look(py, |state| {
            Ok(state.skipped.iter().map(|(kind, count)| (kind.to_string(), *count)).collect())
        })
    }

    /// What the dump lacks.
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.look(py, |state| Ok(state.warnings.as_ref().clone()))
    }

    /// Lets events happen, all or none; says how many there were and how many objects of each kind were passed over.
    #[expect(clippy::needless_pass_by_value, reason = "arguments are made for the call")]
    fn apply(
        &self,
        py: Python<'_>,
        sources: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<(usize, IndexMap<String, u64>)> {
        let inputs =
            guard(|| sources.iter().map(Input::from_python).collect::<Result<Vec<_>, _>>())?;
        Ok(enter(py, |interrupt| {
            self.handle.change(interrupt, |state| {
                let events = read_events(&inputs, &state.priority_classes(), interrupt)?;
                apply(&mut state.cluster, events)
            })
        })?)
    }

    /// Adds objects, all or none.
    #[expect(clippy::needless_pass_by_value, reason = "arguments are made for the call")]
    fn add(&self, py: Python<'_>, sources: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let inputs =
            guard(|| sources.iter().map(Input::from_python).collect::<Result<Vec<_>, _>>())?;
        Ok(enter(py, |interrupt| {
            self.handle.change(interrupt, |state| {
                let objects = read_objects(&inputs, &state.priority_classes(), interrupt)?;
                apply(&mut state.cluster, added(objects)).map(drop)
            })
        })?)
    }

    /// A fork.
    fn fork(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(enter(py, |interrupt| Ok(Self { handle: self.handle.fork(interrupt)? }))?)
    }

    /// Whether this is no fork, or one that has not ended.
    fn is_open(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(enter(py, |interrupt| self.handle.is_open(interrupt))?)
    }

    /// Gives what the fork changed to the cluster that it was made of.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        Ok(enter(py, |interrupt| self.handle.commit(interrupt))?)
    }

    /// Forgets what the fork changed.
    fn rollback(&self, py: Python<'_>) -> PyResult<()> {
        Ok(enter(py, |interrupt| self.handle.rollback(interrupt))?)
    }

    /// A cluster of its own that is now as this one.
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        self.look(py, |state| {
            let mut state = state.clone();
            state.cluster.forget_forks();
            Ok(Self::new(state))
        })
    }

    /// The cluster's objects as a `v1.List` in JSON.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let json = self.look(py, |state| {
            let mut json = Vec::new();
            let written = state.cluster.to_objects().write_json(&mut json);
            written.map_err(|error| NativeError::Internal(error.to_string()))?;
            Ok(json)
        })?;
        Ok(PyBytes::new(py, &json))
    }

    /// All that is known of the cluster.
    fn dump<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let dumped = self.look(py, |state| pickled::dump(state))?;
        Ok(PyBytes::new(py, &dumped))
    }

    /// The cluster of which that was known.
    #[staticmethod]
    fn restore(py: Python<'_>, dumped: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let dumped = dumped.as_bytes().to_vec();
        Ok(enter(py, |interrupt| Ok(Self::new(pickled::restore(&dumped, interrupt)?)))?)
    }
}
