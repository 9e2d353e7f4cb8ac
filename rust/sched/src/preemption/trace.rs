//! `PreemptionTrace`: what preemption tried, and why it chose as it did.

use std::cmp::Reverse;
use std::fmt;

use bayplan_api::Time;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::cluster::Cluster;
use crate::decision::{Outcome, PodNames, Rejection};
use crate::index_vec::{NodeIdx, PodIdx};

/// What preemption tried for a pod, node by node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreemptionTrace {
    /// Why no node was tried; `None` if nodes were.
    pub not_tried: Option<NotTried>,
    /// The nodes where evicting lets the pod fit, in kube-scheduler's order.
    pub candidates: Vec<TriedCandidate>,
    /// By what the chosen candidate won; `None` if there are no candidates.
    pub decided_by: Option<Criterion>,
    /// All other nodes, in node order.
    pub others: Vec<(NodeIdx, NotCandidate)>,
}

/// Why preemption was not tried at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTried {
    /// The pod has a node without it.
    Fits,
    /// `spec.preemptionPolicy` of the pod is `Never`.
    Never,
    /// Pods that were evicted for the pod are still on the node to which it is nominated.
    VictimsLeaving,
    /// The pod's profile does not have the plugin.
    Disabled,
    /// There are no nodes at all.
    NoNodes,
    /// The pod is not attempted, or the attempt ends earlier.
    NotReached,
}

impl NotTried {
    /// What an outcome says, where no node was tried.
    pub(crate) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Placed => Self::Fits,
            Outcome::Unschedulable => Self::Disabled,
            _ => Self::NotReached,
        }
    }
}

impl fmt::Display for NotTried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fits => "the pod fits without it",
            Self::Never => "not eligible due to preemptionPolicy=Never",
            Self::VictimsLeaving => "not eligible due to a terminating pod on the nominated node",
            Self::Disabled => "the profile does not have DefaultPreemption",
            Self::NoNodes => "there are no nodes",
            Self::NotReached => "the attempt does not come to it",
        })
    }
}

/// A node where evicting lets the pod fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedCandidate {
    /// The node.
    pub node: NodeIdx,
    /// The pods that would leave, in the order in which kube-scheduler lists them.
    pub victims: Vec<PodIdx>,
    /// What the choice goes by.
    pub criteria: Criteria,
    /// By what it lost; `None` for the candidate that was chosen.
    pub lost_by: Option<Criterion>,
}

/// What the choice among candidates goes by: the less, the better, one after the other (`pickOneNodeForPreemption`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Criteria {
    /// How many victims a `PodDisruptionBudget` protects.
    pub violations: usize,
    /// The priority of the most important victim.
    pub highest_priority: i32,
    /// The priorities of all victims, each raised by 2^31, which makes none of them negative.
    pub sum_of_priorities: i64,
    /// How many victims there are.
    pub victims: i64,
    /// When the first of the victims with the highest priority started; `None` if none of them did. The later, the better.
    pub earliest_start: Option<Time>,
}

/// [`Criteria`] one after the other.
pub(crate) type Order = (usize, i32, i64, i64, Reverse<i128>);

impl Criteria {
    /// In this order, the least first.
    pub(crate) fn order(&self) -> Order {
        let start = self.earliest_start.map_or(i128::MAX, |start| start.unix_nanos);
        (
            self.violations,
            self.highest_priority,
            self.sum_of_priorities,
            self.victims,
            Reverse(start),
        )
    }

    /// The first criterion by which the two differ.
    fn difference(&self, other: &Self) -> Criterion {
        if self.violations != other.violations {
            Criterion::Violations
        } else if self.highest_priority != other.highest_priority {
            Criterion::HighestPriority
        } else if self.sum_of_priorities != other.sum_of_priorities {
            Criterion::SumOfPriorities
        } else if self.victims != other.victims {
            Criterion::Victims
        } else if self.earliest_start != other.earliest_start {
            Criterion::EarliestStart
        } else {
            Criterion::Order
        }
    }
}

/// A criterion of the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criterion {
    /// There was nothing to choose.
    Only,
    /// [`Criteria::violations`].
    Violations,
    /// [`Criteria::highest_priority`].
    HighestPriority,
    /// [`Criteria::sum_of_priorities`].
    SumOfPriorities,
    /// [`Criteria::victims`].
    Victims,
    /// [`Criteria::earliest_start`].
    EarliestStart,
    /// All of these are equal, and the nodes come in an order.
    Order,
}

impl Criterion {
    /// What the chosen candidate has.
    pub const fn won(self) -> &'static str {
        match self {
            Self::Only => "only candidate",
            Self::Violations => "fewest PDB violations",
            Self::HighestPriority => "lowest highest priority",
            Self::SumOfPriorities => "lowest sum of priorities",
            Self::Victims => "fewest victims",
            Self::EarliestStart => "latest earliest start",
            Self::Order => "first of equal candidates",
        }
    }

    /// What a candidate has that was not chosen.
    pub const fn lost(self) -> &'static str {
        match self {
            Self::Only => "not chosen",
            Self::Violations => "more PDB violations",
            Self::HighestPriority => "higher highest priority",
            Self::SumOfPriorities => "higher sum of priorities",
            Self::Victims => "more victims",
            Self::EarliestStart => "earlier earliest start",
            Self::Order => "later of equal candidates",
        }
    }
}

/// Why evicting pods from a node does not make it a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCandidate {
    /// What rejects the pod there does not go by who runs there.
    NotHelpful(Option<Rejection>),
    /// No pod there has a lower priority.
    NoVictims,
    /// The pod does not fit with all pods of lower priority gone.
    StillRejected(Option<Rejection>),
    /// kube-scheduler's own plugin fails in the dry run.
    Failed(String),
    /// There were enough candidates without it.
    Enough,
}

impl NotCandidate {
    /// In words.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotHelpful(_) => "evicting pods does not help",
            Self::NoVictims => "no pod of lower priority",
            Self::StillRejected(_) => "does not fit without them either",
            Self::Failed(_) => "the dry run fails",
            Self::Enough => "enough candidates without it",
        }
    }

    /// The plugin that keeps the pod out, and its words.
    pub const fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::NotHelpful(rejection) | Self::StillRejected(rejection) => rejection.as_ref(),
            _ => None,
        }
    }
}

impl PreemptionTrace {
    /// One of a pod for which no node was tried.
    pub(crate) fn not_tried(why: NotTried) -> Self {
        Self { not_tried: Some(why), ..Self::default() }
    }

    /// Says by what each candidate won or lost.
    pub(crate) fn choose(&mut self, mut candidates: Vec<TriedCandidate>, chosen: Option<NodeIdx>) {
        let winner = candidates.iter().find(|candidate| Some(candidate.node) == chosen);
        if let Some(winner) = winner.map(|winner| (winner.node, winner.criteria)) {
            let mut decided_by = Criterion::Only;
            for candidate in &mut candidates {
                if candidate.node != winner.0 {
                    let lost_by = winner.1.difference(&candidate.criteria);
                    decided_by = decided_by.max(lost_by);
                    candidate.lost_by = Some(lost_by);
                }
            }
            self.decided_by = Some(decided_by);
        }
        self.candidates = candidates;
    }

    /// The candidate that was chosen.
    pub fn chosen(&self) -> Option<&TriedCandidate> {
        self.candidates.iter().find(|candidate| candidate.lost_by.is_none())
    }

    /// As JSON: `notTried, node, decidedBy, candidates, others`, all of it in words and names.
    pub fn form<'a>(&'a self, cluster: &'a Cluster) -> impl Serialize + 'a {
        TraceForm { trace: self, cluster }
    }
}

struct TraceForm<'a> {
    trace: &'a PreemptionTrace,
    cluster: &'a Cluster,
}

impl Serialize for TraceForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { trace, cluster } = *self;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("notTried", &trace.not_tried.map(|why| why.to_string()))?;
        let node = trace.chosen().map(|chosen| cluster.nodes().name(chosen.node).as_str());
        map.serialize_entry("node", &node)?;
        map.serialize_entry("decidedBy", &trace.decided_by.map(Criterion::won))?;
        let candidates = trace.candidates.iter();
        let candidates = candidates.map(|candidate| CandidateForm { candidate, cluster });
        map.serialize_entry("candidates", &candidates.collect::<Vec<_>>())?;
        let others = trace.others.iter();
        let others = others.map(|(node, why)| OtherForm { node: *node, why, cluster });
        map.serialize_entry("others", &others.collect::<Vec<_>>())?;
        map.end()
    }
}

struct CandidateForm<'a> {
    candidate: &'a TriedCandidate,
    cluster: &'a Cluster,
}

impl Serialize for CandidateForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TriedCandidate { node, victims, criteria, lost_by } = self.candidate;
        let mut map = serializer.serialize_map(Some(8))?;
        map.serialize_entry("name", self.cluster.nodes().name(*node).as_str())?;
        map.serialize_entry("chosen", &lost_by.is_none())?;
        map.serialize_entry("lostBy", &lost_by.map(Criterion::lost))?;
        map.serialize_entry("pdbViolations", &criteria.violations)?;
        map.serialize_entry("highestPriority", &criteria.highest_priority)?;
        map.serialize_entry("sumOfPriorities", &criteria.sum_of_priorities)?;
        let start = criteria.earliest_start.map(|start| start.to_string());
        map.serialize_entry("earliestStart", &start)?;
        map.serialize_entry("victims", &PodNames(self.cluster, victims))?;
        map.end()
    }
}

struct OtherForm<'a> {
    node: NodeIdx,
    why: &'a NotCandidate,
    cluster: &'a Cluster,
}

impl Serialize for OtherForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rejection = self.why.rejection();
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("name", self.cluster.nodes().name(self.node).as_str())?;
        map.serialize_entry("why", self.why.as_str())?;
        // the framework's own rejections have no plugin
        let plugin = rejection.map(|rejection| rejection.plugin.as_str());
        map.serialize_entry("plugin", &plugin.filter(|plugin| !plugin.is_empty()))?;
        match (self.why, rejection) {
            (NotCandidate::Failed(error), _) => map.serialize_entry("reasons", &[error])?,
            (_, Some(Rejection { status, .. })) => {
                map.serialize_entry("reasons", &status.reasons)?;
            }
            (_, None) => map.serialize_entry("reasons", &[""; 0])?,
        }
        map.end()
    }
}
