//! What the model says about a pod, field by field as the recorded cases do.

use std::collections::BTreeMap;

/// `framework.Code`, the two that reject a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Evicting pods might help.
    Unschedulable,
    /// Evicting pods does not help.
    UnschedulableAndUnresolvable,
}

impl Code {
    /// The name in the recorded cases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unschedulable => "Unschedulable",
            Self::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
        }
    }
}

/// Why a node, or the pod as a whole, is rejected: `framework.Status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Name of the plugin; empty for nodes outside a `PreFilter` result.
    pub plugin: &'static str,
    /// Whether evicting pods might help.
    pub code: Code,
    /// The reasons, in the order in which the plugin gives them.
    pub reasons: Vec<String>,
}

/// What became of one pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelDecision {
    /// `namespace/name`.
    pub pod: String,
    /// The pod has scheduling gates and was not attempted.
    pub gated: bool,
    /// Why `PreFilter` rejected the pod on all nodes.
    pub prefilter: Option<Status>,
    /// The node names that a `PreFilter` result leaves, sorted.
    pub prefilter_nodes: Option<Vec<String>>,
    /// Every node: `None` when feasible.
    pub filter: BTreeMap<String, Option<Status>>,
    /// Plugin, node, score before `NormalizeScore`.
    pub raw_scores: BTreeMap<&'static str, BTreeMap<String, i64>>,
    /// Plugin, node, normalised score times weight.
    pub scores: BTreeMap<&'static str, BTreeMap<String, i64>>,
    /// Node, sum of the scores.
    pub totals: BTreeMap<String, i64>,
    /// The nodes with the highest total, in node order.
    pub best: Vec<String>,
    /// The node where the pod is placed.
    pub chosen: Option<String>,
    /// The text of the `FailedScheduling` event, without the part about preemption.
    pub message: Option<String>,
    /// Who is evicted for the pod.
    pub preemption: Option<ModelPreemption>,
    /// The scheduling cycle itself failed.
    pub error: Option<ModelError>,
}

/// A failure of the scheduling cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelError {
    /// Name of the plugin that failed.
    pub plugin: &'static str,
    /// The text.
    pub message: String,
}

/// What `DefaultPreemption` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelPreemption {
    /// The node that is nominated.
    pub node: String,
    /// The pods evicted there, `namespace/name`, in the scheduler's order.
    pub victims: Vec<String>,
    /// Every node where evicting helps, with the pods that would go.
    pub candidates: BTreeMap<String, Vec<String>>,
}
