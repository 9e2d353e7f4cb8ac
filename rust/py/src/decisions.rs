//! `Decisions`: what was decided, as records and columns.

use std::sync::Arc;

use bayplan_sched::cluster as sched;
use bayplan_sched::decision::{Decision, Outcome};
use bayplan_sched::index_vec::{Idx, NodeIdx, PodIdx};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::cluster::{State, node_names};
use crate::enter::guard;
use crate::error::{Fault, NativeError};

/// One pod's row: what is left of a decision once it was traced.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pod: PodIdx,
    outcome: Code,
    node: Option<NodeIdx>,
    score: Option<i64>,
    reason: String,
    feasible: Option<usize>,
    preemption: Option<(NodeIdx, Vec<PodIdx>)>,
}

/// `bayplan.Outcome`, number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Placed = 0,
    Pending = 1,
    Preempting = 2,
    Failed = 3,
    Gated = 4,
    Terminating = 5,
    Foreign = 6,
    Unsupported = 7,
    Undetermined = 8,
}

impl From<Outcome> for Code {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Placed => Self::Placed,
            Outcome::Unschedulable => Self::Pending,
            Outcome::Preempting => Self::Preempting,
            Outcome::Failed => Self::Failed,
            Outcome::Gated => Self::Gated,
            Outcome::Terminating => Self::Terminating,
            Outcome::Unsupported => Self::Unsupported,
            Outcome::Undetermined => Self::Undetermined,
        }
    }
}

impl Row {
    /// The row of a decision.
    pub(crate) fn new(cluster: &sched::Cluster, decision: Decision) -> Self {
        let outcome = Code::from(decision.outcome);
        let attempted =
            matches!(outcome, Code::Placed | Code::Pending | Code::Preempting | Code::Failed);
        Self {
            reason: reason(cluster, &decision),
            pod: decision.pod,
            outcome,
            node: decision.chosen,
            score: decision.chosen.and(decision.score),
            feasible: attempted.then_some(decision.feasible_nodes),
            preemption: decision.preemption.map(|preemption| (preemption.node, preemption.victims)),
        }
    }

    /// The row of a pod that another scheduler places.
    pub(crate) fn foreign(cluster: &sched::Cluster, pod: PodIdx) -> Self {
        let scheduler = scheduler_name(cluster, pod);
        Self {
            pod,
            outcome: Code::Foreign,
            node: None,
            score: None,
            reason: format!("no profile has the scheduler name {scheduler}"),
            feasible: None,
            preemption: None,
        }
    }

    /// The row as Python's tuple.
    ///
    /// # Errors
    ///
    /// Python has no memory left.
    pub(crate) fn to_python<'py>(
        &self,
        py: Python<'py>,
        cluster: &sched::Cluster,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(pod) = cluster.pods().get(self.pod) else {
            return Err(NativeError::Internal("a row of another cluster".to_owned()).into());
        };
        let spec = &cluster.template(pod.template).pod.spec;
        let name = |node: NodeIdx| cluster.nodes().name(node).as_str();
        let preemption = self.preemption.as_ref().map(|(node, victims)| {
            (name(*node), victims.iter().map(|&pod| full_name(cluster, pod)).collect::<Vec<_>>())
        });
        let record = (
            pod.namespace.as_str(),
            pod.name.as_str(),
            self.outcome as u8,
            self.node.map(name),
            self.score,
            self.reason.as_str(),
            spec.priority.unwrap_or(0),
            spec.scheduler_name.as_str(),
            self.feasible,
            preemption,
        );
        Ok(record.into_pyobject(py)?.into_any())
    }
}

/// `namespace/name`.
fn full_name(cluster: &sched::Cluster, pod: PodIdx) -> String {
    cluster
        .pods()
        .get(pod)
        .map_or_else(String::new, |row| format!("{}/{}", row.namespace, row.name))
}

fn scheduler_name(cluster: &sched::Cluster, pod: PodIdx) -> &str {
    let row = cluster.pods().get(pod);
    row.map_or("", |row| cluster.template(row.template).pod.spec.scheduler_name.as_str())
}

/// Why there, or why nowhere.
fn reason(cluster: &sched::Cluster, decision: &Decision) -> String {
    let message = decision.message.as_deref().unwrap_or_default();
    match decision.outcome {
        Outcome::Placed if decision.feasible_nodes == 1 => "only feasible node".to_owned(),
        Outcome::Placed => format!("best of {} feasible nodes", decision.feasible_nodes),
        Outcome::Gated => {
            let row = cluster.pods().get(decision.pod);
            let gates = row.map_or(&[][..], |row| &row.scheduling_gates);
            let gates: Vec<&str> = gates.iter().map(bayplan_api::Str::as_str).collect();
            let plural = if gates.len() == 1 { "" } else { "s" };
            format!("waits for scheduling gate{plural} {}", gates.join(", "))
        }
        Outcome::Preempting => {
            let Some(preemption) = &decision.preemption else { return message.to_owned() };
            let node = cluster.nodes().name(preemption.node);
            let victims: Vec<String> =
                preemption.victims.iter().map(|&pod| full_name(cluster, pod)).collect();
            format!("{message} Preempts {} on {node}.", victims.join(", "))
        }
        Outcome::Undetermined => "comes after an unsupported pod".to_owned(),
        _ => decision.error.as_deref().unwrap_or(message).to_owned(),
    }
}

/// What was decided, and the cluster that it is about.
#[pyclass(frozen, module = "bayplan._native")]
#[derive(Debug)]
pub(crate) struct Decisions {
    rows: Vec<Row>,
    state: Arc<State>,
}

impl Decisions {
    pub(crate) fn new(rows: Vec<Row>, state: Arc<State>) -> Self {
        Self { rows, state }
    }
}

#[pymethods]
impl Decisions {
    fn __len__(&self) -> usize {
        self.rows.len()
    }

    /// Names of the nodes in their order.
    fn nodes(&self) -> PyResult<Vec<String>> {
        Ok(guard(|| Ok(node_names(&self.state.cluster)))?)
    }

    /// One tuple a pod.
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        Ok(guard(|| {
            let list = PyList::empty(py);
            for row in &self.rows {
                list.append(row.to_python(py, &self.state.cluster)?)?;
            }
            Ok(list)
        })?)
    }

    /// Labels of the pod at a position.
    fn labels<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyDict>> {
        Ok(guard(|| {
            let cluster = &self.state.cluster;
            let pod = self.rows.get(position).and_then(|row| cluster.pods().get(row.pod));
            let Some(pod) = pod else {
                let fault =
                    Fault::new("there are not so many decisions").value(position.to_string());
                return Err(NativeError::not_found(fault));
            };
            let labels = PyDict::new(py);
            for (key, value) in cluster.template(pod.template).pod.metadata.labels.iter() {
                labels.set_item(key.as_str(), value.as_str())?;
            }
            Ok(labels)
        })?)
    }

    /// Codes of `bayplan.Outcome`.
    fn outcomes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u8>>> {
        Ok(guard(|| Ok(PyArray1::from_iter(py, self.rows.iter().map(|row| row.outcome as u8))))?)
    }

    /// Rows of the nodes; −1 where there is none.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let row = |row: &Row| row.node.map_or(-1, |node| i64::try_from(node.index()).unwrap_or(-1));
        Ok(guard(|| Ok(PyArray1::from_iter(py, self.rows.iter().map(row))))?)
    }

    /// Totals of the nodes; −1 where there is none.
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let score = |row: &Row| row.score.unwrap_or(-1);
        Ok(guard(|| Ok(PyArray1::from_iter(py, self.rows.iter().map(score))))?)
    }
}
