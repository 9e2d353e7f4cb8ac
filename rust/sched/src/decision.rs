//! `Decision`: what was found out about one pending pod.

use bayplan_api::Str;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::cluster::Cluster;
use crate::framework::Status;
use crate::index_vec::{NodeIdx, PodIdx};
use crate::preemption::PreemptionTrace;

/// What became of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A node was chosen.
    Placed,
    /// No node is feasible.
    Unschedulable,
    /// No node is feasible, and pods are evicted so that one will be.
    Preempting,
    /// Scheduling gates hold the pod back.
    Gated,
    /// The pod is being deleted and not attempted.
    Terminating,
    /// kube-scheduler's own decision ends in an error.
    Failed,
    /// The pod needs something that bayplan cannot decide.
    Unsupported,
    /// Not decided, since the outcome of an earlier pod is not known.
    Undetermined,
}

impl Outcome {
    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "Placed",
            Self::Unschedulable => "Pending",
            Self::Preempting => "Preempting",
            Self::Gated => "Gated",
            Self::Terminating => "Terminating",
            Self::Failed => "Failed",
            Self::Unsupported => "Unsupported",
            Self::Undetermined => "Undetermined",
        }
    }
}

/// A status and the plugin that gave it; the framework's own rejections have no plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The plugin's name; empty for the framework.
    pub plugin: Str,
    /// Its status.
    pub status: Status,
}

/// What was found out about one pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The pod.
    pub pod: PodIdx,
    /// `namespace/name`.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why PreFilter rejects the pod on every node.
    pub prefilter: Option<Rejection>,
    /// The only nodes that PreFilter leaves, by name, whether or not they exist.
    pub prefilter_nodes: Option<Vec<Str>>,
    /// How many nodes are feasible, of those that were looked at.
    pub feasible_nodes: usize,
    /// Whether the search ended, with enough feasible nodes, before all nodes were looked at.
    pub cut_short: bool,
    /// What each plugin said of each node, if it was asked for.
    pub trace: Option<Box<Trace>>,
    /// All nodes with the highest total, in the order in which they were looked at; empty if no trace was asked for.
    pub best: Vec<NodeIdx>,
    /// The node that was chosen.
    pub chosen: Option<NodeIdx>,
    /// The highest total.
    pub score: Option<i64>,
    /// The text of kube-scheduler's event `FailedScheduling`, without what preemption adds.
    pub message: Option<String>,
    /// Who is evicted for the pod.
    pub preemption: Option<Preemption>,
    /// What preemption tried, if it was asked for.
    pub preemption_trace: Option<Box<PreemptionTrace>>,
    /// kube-scheduler's own error, or what is not supported.
    pub error: Option<String>,
}

/// What each plugin said of each node.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The nodes that were looked at, in node order, and the first rejection of each; `None` if it is feasible. Nodes that
    /// PreFilter left out count as looked at; others are missing if sampling had enough before the last. Empty when PreFilter
    /// rejects the pod.
    pub filter: Vec<(NodeIdx, Option<Rejection>)>,
    /// The feasible nodes in the order in which they were looked at; the scores are in this order.
    pub feasible: Vec<NodeIdx>,
    /// The scores of each plugin that was not skipped.
    pub scores: Vec<PluginScores>,
    /// The totals.
    pub totals: Vec<i64>,
}

impl Trace {
    /// kube-scheduler has no scores when one of them is out of range; raw ones only if it does not stop at that.
    pub(crate) fn forget_scores(&mut self, raw: bool) {
        self.totals.clear();
        if raw {
            self.scores.clear();
        }
        for scores in &mut self.scores {
            scores.weighted.clear();
        }
    }
}

/// One plugin's scores of the feasible nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginScores {
    /// The plugin's name.
    pub plugin: Str,
    /// Before NormalizeScore.
    pub raw: Vec<i64>,
    /// After it, times the plugin's weight.
    pub weighted: Vec<i64>,
}

/// Who is evicted for a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preemption {
    /// The node on which the pod will fit.
    pub node: NodeIdx,
    /// The pods that leave it, in the order in which kube-scheduler lists them.
    pub victims: Vec<PodIdx>,
    /// The nodes that came into question, and who would leave each; may be empty if no trace was asked for.
    pub candidates: Vec<(NodeIdx, Vec<PodIdx>)>,
}

impl Decision {
    pub(crate) fn new(cluster: &Cluster, pod: PodIdx, outcome: Outcome) -> Self {
        let row = &cluster.pods()[pod];
        Self {
            pod,
            name: format!("{}/{}", row.namespace, row.name),
            outcome,
            prefilter: None,
            prefilter_nodes: None,
            feasible_nodes: 0,
            cut_short: false,
            trace: None,
            best: Vec::new(),
            chosen: None,
            score: None,
            message: None,
            preemption: None,
            preemption_trace: None,
            error: None,
        }
    }

    /// The decision in the trace form: `pod, gated, prefilter, prefilter_nodes, filter, raw_scores, scores, totals, best,
    /// chosen, message, preemption`, `error` where there is one, and `outcome`.
    ///
    /// `filter`, `raw_scores`, `scores` and `totals` are empty if the decision has no trace.
    pub fn trace_form<'a>(&'a self, cluster: &'a Cluster) -> impl Serialize + 'a {
        TraceForm { decision: self, cluster }
    }
}

struct TraceForm<'a> {
    decision: &'a Decision,
    cluster: &'a Cluster,
}

impl Serialize for TraceForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { decision, cluster } = *self;
        let node = |node: NodeIdx| cluster.nodes().name(node).as_str();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("pod", &decision.name)?;
        map.serialize_entry("gated", &(decision.outcome == Outcome::Gated))?;
        map.serialize_entry("prefilter", &decision.prefilter.as_ref().map(RejectionForm))?;
        let names = decision.prefilter_nodes.as_ref();
        let names = names.map(|names| names.iter().map(Str::as_str).collect::<Vec<_>>());
        map.serialize_entry("prefilter_nodes", &names)?;
        let trace = decision.trace.as_deref();
        map.serialize_entry("filter", &FilterForm { trace, cluster })?;
        map.serialize_entry("raw_scores", &ScoresForm { trace, cluster, raw: true })?;
        map.serialize_entry("scores", &ScoresForm { trace, cluster, raw: false })?;
        let totals = trace.map(|trace| NodeMap(cluster, &trace.feasible, &trace.totals));
        map.serialize_entry("totals", &totals.unwrap_or(NodeMap(cluster, &[], &[])))?;
        map.serialize_entry("best", &NodeNames(cluster, &decision.best))?;
        map.serialize_entry("chosen", &decision.chosen.map(node))?;
        map.serialize_entry("message", &decision.message)?;
        let preemption = decision.preemption.as_ref();
        map.serialize_entry(
            "preemption",
            &preemption.map(|preemption| PreemptionForm { preemption, cluster }),
        )?;
        if let Some(error) = &decision.error {
            map.serialize_entry("error", error)?;
        }
        map.serialize_entry("outcome", decision.outcome.as_str())?;
        map.end()
    }
}

struct RejectionForm<'a>(&'a Rejection);

impl Serialize for RejectionForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rejection { plugin, status } = self.0;
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("plugin", plugin.as_str())?;
        map.serialize_entry("code", status.code.as_str())?;
        map.serialize_entry("reasons", &status.reasons)?;
        map.end()
    }
}

struct FilterForm<'a> {
    trace: Option<&'a Trace>,
    cluster: &'a Cluster,
}

impl Serialize for FilterForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(trace) = self.trace {
            for (node, rejection) in &trace.filter {
                let name = self.cluster.nodes().name(*node).as_str();
                map.serialize_entry(name, &rejection.as_ref().map(RejectionForm))?;
            }
        }
        map.end()
    }
}

struct ScoresForm<'a> {
    trace: Option<&'a Trace>,
    cluster: &'a Cluster,
    raw: bool,
}

impl Serialize for ScoresForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(trace) = self.trace.filter(|trace| self.raw || !trace.totals.is_empty()) {
            for PluginScores { plugin, raw, weighted } in &trace.scores {
                let scores = if self.raw { raw } else { weighted };
                let scores = NodeMap(self.cluster, &trace.feasible, scores);
                map.serialize_entry(plugin.as_str(), &scores)?;
            }
        }
        map.end()
    }
}

struct NodeMap<'a>(&'a Cluster, &'a [NodeIdx], &'a [i64]);

impl Serialize for NodeMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.1.len()))?;
        for (&node, score) in self.1.iter().zip(self.2) {
            map.serialize_entry(self.0.nodes().name(node).as_str(), score)?;
        }
        map.end()
    }
}

struct NodeNames<'a>(&'a Cluster, &'a [NodeIdx]);

impl Serialize for NodeNames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|&node| self.0.nodes().name(node).as_str()))
    }
}

/// A list of `namespace/name`.
pub(crate) struct PodNames<'a>(pub(crate) &'a Cluster, pub(crate) &'a [PodIdx]);

impl Serialize for PodNames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = serializer.serialize_seq(Some(self.1.len()))?;
        for &pod in self.1 {
            let row = &self.0.pods()[pod];
            names.serialize_element(&format!("{}/{}", row.namespace, row.name))?;
        }
        names.end()
    }
}

struct PreemptionForm<'a> {
    preemption: &'a Preemption,
    cluster: &'a Cluster,
}

impl Serialize for PreemptionForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { preemption, cluster } = *self;
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("node", cluster.nodes().name(preemption.node).as_str())?;
        map.serialize_entry("victims", &PodNames(cluster, &preemption.victims))?;
        map.serialize_entry("candidates", &Candidates(cluster, &preemption.candidates))?;
        map.end()
    }
}

struct Candidates<'a>(&'a Cluster, &'a [(NodeIdx, Vec<PodIdx>)]);

impl Serialize for Candidates<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.1.len()))?;
        for (node, victims) in self.1 {
            let name = self.0.nodes().name(*node).as_str();
            map.serialize_entry(name, &PodNames(self.0, victims))?;
        }
        map.end()
    }
}
