//! `Decisions`: what was decided, as records and columns.

use std::borrow::Cow;
use std::sync::Arc;

use bayplan_api::Str;
use bayplan_sched::cluster::{Cluster, PodInfo};
use bayplan_sched::decision::{Decision, Outcome};
use bayplan_sched::index_vec::PodIdx;
use bayplan_sched::{Placement, Refused};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::enter::guard;
use crate::error::{Fault, NativeError};
use crate::state::Nodes;

/// One pod's row: what is left of a decision, whatever becomes of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    namespace: Str,
    name: Str,
    info: Arc<PodInfo>,
    score: Option<i64>,
    /// Position of the node; [`NONE`] if there is none.
    node: u32,
    /// How many nodes are feasible; [`NONE`] if the pod was not attempted.
    feasible: u32,
    outcome: Code,
    /// `None` for a pod that was placed on the best of its feasible nodes, as most are.
    more: Option<Box<More>>,
}

/// What is to be said of some rows only.
#[derive(Debug, Clone)]
struct More {
    reason: Str,
    preemption: Option<(Str, Vec<String>)>,
}

/// No number.
const NONE: u32 = u32::MAX;

fn number(number: Option<usize>) -> u32 {
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(NONE)
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
    ///
    /// # Errors
    ///
    /// `NativeError::Internal` if the decision is about another cluster.
    pub(crate) fn new(
        cluster: &Cluster,
        nodes: &Nodes,
        decision: Decision,
    ) -> Result<Self, NativeError> {
        let outcome = Code::from(decision.outcome);
        let attempted =
            matches!(outcome, Code::Placed | Code::Pending | Code::Preempting | Code::Failed);
        let victims =
            |victims: &[PodIdx]| victims.iter().map(|&pod| full_name(cluster, pod)).collect();
        Ok(Self {
            outcome,
            node: number(decision.chosen.and_then(|node| nodes.position(node))),
            score: decision.chosen.and(decision.score),
            feasible: number(attempted.then_some(decision.feasible_nodes)),
            more: Some(Box::new(More {
                reason: reason(cluster, &decision).into(),
                preemption: decision.preemption.map(|preemption| {
                    (cluster.nodes().name(preemption.node).clone(), victims(&preemption.victims))
                }),
            })),
            ..Self::of(cluster, decision.pod)?
        })
    }

    /// The row of a pod that was placed on the best of its feasible nodes.
    ///
    /// # Errors
    ///
    /// `NativeError::Internal` if the placement is in another cluster.
    pub(crate) fn placed(
        cluster: &Cluster,
        nodes: &Nodes,
        placement: Placement,
    ) -> Result<Self, NativeError> {
        Ok(Self {
            outcome: Code::Placed,
            node: number(nodes.position(placement.node)),
            score: Some(placement.score),
            feasible: number(Some(placement.feasible_nodes)),
            ..Self::of(cluster, placement.pod)?
        })
    }

    /// The row of a pod that fits nowhere.
    ///
    /// # Errors
    ///
    /// `NativeError::Internal` if the pod is of another cluster.
    pub(crate) fn refused(cluster: &Cluster, refused: Refused) -> Result<Self, NativeError> {
        Ok(Self {
            outcome: Code::Pending,
            feasible: 0,
            more: Some(Box::new(More { reason: refused.message, preemption: None })),
            ..Self::of(cluster, refused.pod)?
        })
    }

    /// The row of a pod that another scheduler places.
    ///
    /// # Errors
    ///
    /// `NativeError::Internal` if the pod is of another cluster.
    pub(crate) fn foreign(cluster: &Cluster, pod: PodIdx) -> Result<Self, NativeError> {
        let row = Self::of(cluster, pod)?;
        let scheduler = &row.info.pod.spec.scheduler_name;
        let reason = format!("no profile has the scheduler name {scheduler}");
        Ok(Self { more: Some(Box::new(More { reason: reason.into(), preemption: None })), ..row })
    }

    /// The row of a pod of which nothing is said yet.
    fn of(cluster: &Cluster, pod: PodIdx) -> Result<Self, NativeError> {
        let Some(row) = cluster.pods().get(pod) else {
            return Err(NativeError::Internal("a row of another cluster".to_owned()));
        };
        Ok(Self {
            namespace: row.namespace.clone(),
            name: row.name.clone(),
            info: Arc::clone(cluster.template(row.template)),
            outcome: Code::Foreign,
            node: NONE,
            score: None,
            feasible: NONE,
            more: None,
        })
    }

    fn reason(&self) -> Cow<'_, str> {
        match &self.more {
            Some(more) => Cow::Borrowed(&more.reason),
            None => Cow::Owned(best_of(self.feasible)),
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
        nodes: &Nodes,
    ) -> PyResult<Bound<'py, PyAny>> {
        let spec = &self.info.pod.spec;
        let preemption = self.more.as_ref().and_then(|more| more.preemption.as_ref());
        let record = (
            self.namespace.as_str(),
            self.name.as_str(),
            self.outcome as u8,
            nodes.names.get(self.node as usize).map(Str::as_str),
            self.score,
            self.reason(),
            spec.priority.unwrap_or(0),
            spec.scheduler_name.as_str(),
            (self.feasible != NONE).then_some(self.feasible),
            preemption.map(|(node, victims)| (node.as_str(), victims)),
        );
        Ok(record.into_pyobject(py)?.into_any())
    }
}

/// `namespace/name`.
fn full_name(cluster: &Cluster, pod: PodIdx) -> String {
    cluster
        .pods()
        .get(pod)
        .map_or_else(String::new, |row| format!("{}/{}", row.namespace, row.name))
}

/// Why there, of all feasible nodes.
fn best_of(feasible: u32) -> String {
    match feasible {
        1 => "only feasible node".to_owned(),
        nodes => format!("best of {nodes} feasible nodes"),
    }
}

/// Why there, or why nowhere.
fn reason(cluster: &Cluster, decision: &Decision) -> String {
    let message = decision.message.as_deref().unwrap_or_default();
    match decision.outcome {
        Outcome::Placed if decision.cut_short && decision.feasible_nodes == 1 => {
            "first feasible node found".to_owned()
        }
        Outcome::Placed if decision.cut_short => {
            format!("best of the {} feasible nodes found first", decision.feasible_nodes)
        }
        Outcome::Placed => best_of(number(Some(decision.feasible_nodes))),
        Outcome::Gated => {
            let row = cluster.pods().get(decision.pod);
            let gates = row.map_or(&[][..], |row| &row.scheduling_gates);
            let gates: Vec<&str> = gates.iter().map(Str::as_str).collect();
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

/// What was decided, and the nodes that it is about.
#[pyclass(frozen, module = "bayplan._native")]
#[derive(Debug)]
pub(crate) struct Decisions {
    rows: Vec<Row>,
    nodes: Arc<Nodes>,
}

impl Decisions {
    pub(crate) fn new(rows: Vec<Row>, nodes: Arc<Nodes>) -> Self {
        Self { rows, nodes }
    }
}

#[pymethods]
impl Decisions {
    fn __len__(&self) -> usize {
        self.rows.len()
    }

    /// Names of the nodes in their order.
    fn nodes(&self) -> PyResult<Vec<String>> {
        Ok(guard(|| Ok(self.nodes.names.iter().map(ToString::to_string).collect()))?)
    }

    /// One tuple a pod.
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        Ok(guard(|| {
            let list = PyList::empty(py);
            for row in &self.rows {
                list.append(row.to_python(py, &self.nodes)?)?;
            }
            Ok(list)
        })?)
    }

    /// Labels of the pod at a position.
    fn labels<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyDict>> {
        Ok(guard(|| {
            let Some(row) = self.rows.get(position) else {
                let fault =
                    Fault::new("there are not so many decisions").value(position.to_string());
                return Err(NativeError::not_found(fault));
            };
            let labels = PyDict::new(py);
            for (key, value) in row.info.pod.metadata.labels.iter() {
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
        let row = |row: &Row| if row.node == NONE { -1 } else { i64::from(row.node) };
        Ok(guard(|| Ok(PyArray1::from_iter(py, self.rows.iter().map(row))))?)
    }

    /// Totals of the nodes; −1 where there is none.
    fn scores<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let score = |row: &Row| row.score.unwrap_or(-1);
        Ok(guard(|| Ok(PyArray1::from_iter(py, self.rows.iter().map(score))))?)
    }
}
