//! `Cluster`: a state that is replaced whole, never changed in place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use bayplan_api::{Objects, PriorityClass, Str};
use bayplan_sched::cluster as sched;
use bayplan_sched::cluster::Place;
use bayplan_sched::index_vec::PodIdx;
use indexmap::IndexMap;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::columns::nodes_from_columns;
use crate::enter::{Interrupt, enter, guard};
use crate::error::{Fault, NativeError};
use crate::gaps::gaps;
use crate::input::{Input, read_objects};

/// What a cluster is at one moment.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The engine's cluster.
    pub(crate) cluster: sched::Cluster,
    /// How many objects of each kind were passed over.
    skipped: Arc<IndexMap<Str, u64>>,
    /// What the dump lacks.
    warnings: Arc<Vec<String>>,
    /// For pods that are added later.
    pub(crate) priority_classes: Arc<Vec<PriorityClass>>,
}

impl State {
    /// The state that the objects make.
    ///
    /// # Errors
    ///
    /// `NativeError::Object` when they make no cluster.
    fn new(mut objects: Objects) -> Result<Self, NativeError> {
        let warnings = Arc::new(gaps(&objects));
        let skipped = Arc::new(std::mem::take(&mut objects.skipped));
        let priority_classes = Arc::new(objects.priority_classes.clone());
        let cluster = sched::Cluster::from_objects(objects).map_err(cluster_error)?;
        Ok(Self { cluster, skipped, warnings, priority_classes })
    }

    /// The row of the pod `namespace/name`; a bare name is in `default`.
    ///
    /// # Errors
    ///
    /// `NativeError::NotFound` when there is none.
    pub(crate) fn find(&self, pod: &str) -> Result<PodIdx, NativeError> {
        let (namespace, name) = pod.split_once('/').unwrap_or(("default", pod));
        self.cluster.find_pod(namespace, name).ok_or_else(|| {
            let object = Some(format!("Pod {namespace}/{name}"));
            NativeError::not_found(Fault { object, ..Fault::new("there is no such pod") })
        })
    }
}

/// What the engine says of objects that make no cluster.
pub(crate) fn cluster_error(error: sched::ClusterError) -> NativeError {
    match error {
        sched::ClusterError::Duplicate { kind, name } => NativeError::object(Fault {
            object: Some(format!("{kind} {name}")),
            ..Fault::new("stands twice in the cluster")
        }),
        other => NativeError::object(Fault::new(other.to_string())),
    }
}

/// A cluster that any number of threads may use.
///
/// A call takes the state as it is when the call begins and works on that. A call that changes the cluster works on a
/// copy and puts it in place at its end, so it takes effect whole or not at all; such calls wait for one another.
#[pyclass(frozen, module = "bayplan._native")]
#[derive(Debug)]
pub(crate) struct Cluster {
    state: RwLock<Arc<State>>,
    changing: Mutex<()>,
}

/// How long a call waits for another one before it asks for signals again.
const WAIT: Duration = Duration::from_millis(2);

impl Cluster {
    fn new(state: State) -> Self {
        Self { state: RwLock::new(Arc::new(state)), changing: Mutex::new(()) }
    }

    /// The state now.
    pub(crate) fn state(&self) -> Arc<State> {
        // nothing that can panic runs under this lock, so a poisoned one holds a whole state
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a state in place; the guard shows that nobody else is changing the cluster.
    pub(crate) fn publish(&self, _changing: &MutexGuard<'_, ()>, state: Arc<State>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Waits until nobody else changes the cluster.
    ///
    /// # Errors
    ///
    /// What a signal handler raises meanwhile.
    pub(crate) fn change(&self, interrupt: &Interrupt) -> Result<MutexGuard<'_, ()>, NativeError> {
        loop {
            match self.changing.try_lock() {
                Ok(changing) => return Ok(changing),
                // a call that panicked published nothing
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    interrupt.check()?;
                    std::thread::sleep(WAIT);
                }
            }
        }
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
        let state = enter(py, |interrupt| State::new(read_objects(&inputs, &[], interrupt)?))?;
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
            State::new(read_objects(&[input], &[], interrupt)?)
        })?;
        Ok(Self::new(state))
    }

    /// Names of the nodes in their order.
    fn nodes(&self) -> PyResult<Vec<String>> {
        Ok(guard(|| Ok(node_names(&self.state().cluster)))?)
    }

    /// `namespace/name` of every pod in the order in which they came.
    fn pods(&self) -> PyResult<Vec<String>> {
        Ok(guard(|| {
            let state = self.state();
            let rows = state.cluster.pods().iter();
            Ok(rows.map(|row| format!("{}/{}", row.namespace, row.name)).collect())
        })?)
    }

    /// Where the pod runs, if it does.
    fn node_of(&self, pod: &str) -> PyResult<Option<String>> {
        Ok(guard(|| {
            let state = self.state();
            let row = state.find(pod)?;
            Ok(match state.cluster.pods().get(row).map(|row| row.place) {
                Some(Place::On(node)) => Some(state.cluster.nodes().name(node).to_string()),
                _ => None,
            })
        })?)
    }

    /// How many nodes, running pods and pending pods there are.
    fn counts(&self) -> PyResult<(usize, usize, usize)> {
        Ok(guard(|| {
            let state = self.state();
            let pods = state.cluster.pods();
            let count =
                |wanted: fn(Place) -> bool| pods.iter().filter(|row| wanted(row.place)).count();
            let running = count(|place| matches!(place, Place::On(_) | Place::Elsewhere));
            let pending = count(|place| place == Place::Pending);
            Ok((state.cluster.nodes().len(), running, pending))
        })?)
    }

    /// How many objects of each kind were passed over.
    fn skipped(&self) -> PyResult<IndexMap<String, u64>> {
        Ok(guard(|| {
            let state = self.state();
            Ok(state.skipped.iter().map(|(kind, count)| (kind.to_string(), *count)).collect())
        })?)
    }

    /// What the dump lacks.
    fn warnings(&self) -> PyResult<Vec<String>> {
        Ok(guard(|| Ok(self.state().warnings.as_ref().clone()))?)
    }
}

/// Names of the nodes in their order.
pub(crate) fn node_names(cluster: &sched::Cluster) -> Vec<String> {
    cluster.node_objects().iter().map(|node| node.metadata.name.to_string()).collect()
}
