//! The framework: what a plugin is, and when it is asked.
//!
//! | kube-scheduler | here |
//! |---|---|
//! | `PreFilter` + `Filter` | [`FilterPlugin::pre_filter`] makes a [`Filter`], which looks at all nodes, at some, or at one |
//! | `PreFilterExtensions` | [`Filter::pod_changed`] (exact) and [`Filter::dry_run`] (as preemption counts) |
//! | `PreScore` + `Score` + `NormalizeScore` | [`ScorePlugin::pre_score`] makes a [`Score`] |
//! | `Reserve`, `Unreserve` | [`ReservePlugin::reserve`] lists changes, and the cluster gives back what undoes each |
//! | `CycleState` | none: what PreFilter learnt is owned by the `Filter` that it returns |
//!
//! A [`Filter`] and a [`Score`] own what they know and say what it depends on, so that they outlive the placement of one
//! pod: what did not change is not computed again.

mod status;
mod verdicts;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use bayplan_api::Str;

pub use status::{Code, Reason, Status};
pub use verdicts::{Rows, StatusId, Verdicts};

use crate::cluster::{Cluster, PodChange, PodInfo, PodRow, StorageChange};
use crate::index_vec::{Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;

/// `framework.MaxNodeScore`.
pub const MAX_NODE_SCORE: i64 = 100;

/// A plugin: a name and the extension points that it serves.
pub trait Plugin: fmt::Debug + Send + Sync {
    /// The name by which profiles and traces know it.
    fn name(&self) -> &str;

    /// PreEnqueue.
    fn pre_enqueue(&self) -> Option<&dyn PreEnqueuePlugin> {
        None
    }

    /// QueueSort.
    fn queue_sort(&self) -> Option<&dyn QueueSortPlugin> {
        None
    }

    /// PreFilter and Filter.
    fn filter(&self) -> Option<&dyn FilterPlugin> {
        None
    }

    /// PreScore, Score and NormalizeScore.
    fn score(&self) -> Option<&dyn ScorePlugin> {
        None
    }

    /// Reserve.
    fn reserve(&self) -> Option<&dyn ReservePlugin> {
        None
    }
}

/// Decides whether a pod may be attempted at all.
pub trait PreEnqueuePlugin {
    /// Why the pod must wait; `None` if it need not.
    fn pre_enqueue(&self, pod: &PodRow) -> Option<Status>;
}

/// Orders the pods that wait; pods that are equal stay in the order in which they came.
pub trait QueueSortPlugin {
    /// `Less`: `Ordering::Less` if `a` is to be attempted before `b`.
    fn compare(&self, a: &PodInfo, b: &PodInfo) -> Ordering;
}

/// What an answer depends on, beside the pod's template and the nodes' names, labels, taints and images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dependency {
    /// Nothing that a placement changes.
    Static,
    /// The row itself: requested resources, ports, counts of pods and volumes.
    Row,
    /// The pods in the topology domains of these keys.
    Domain(Vec<Str>),
    /// The set of feasible nodes, and everything.
    FeasibleSet,
}

impl Dependency {
    /// Whether a pod that comes to one row may change the answer for another.
    pub const fn is_beyond_row(&self) -> bool {
        matches!(self, Self::Domain(_) | Self::FeasibleSet)
    }
}

/// Which answers a change of pods made stale; the later ones include the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stale {
    /// None.
    Nothing,
    /// That for the row of the node that changed, whose class may be another now.
    Row,
    /// Possibly those for all rows; but only the changed row may be of another class than before.
    Classes,
    /// Possibly all, and any row may be of another class.
    All,
}

/// Makes filters.
pub trait FilterPlugin {
    /// Looks at the pod and the cluster once (`PreFilter`).
    ///
    /// # Errors
    /// The status when the pod fits nowhere.
    fn pre_filter(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreFilter, Status>;
}

/// What a plugin's PreFilter found.
#[derive(Debug)]
pub enum PreFilter {
    /// The plugin has nothing to say of this pod.
    Skip,
    /// The filter is to run.
    Run {
        /// `PreFilterResult.NodeNames`: the only nodes that come into question, by name and whether or not they exist.
        nodes: Option<Vec<Str>>,
        /// The filter.
        filter: Box<dyn Filter>,
    },
}

impl PreFilter {
    /// The filter is to run on all nodes.
    pub fn run(filter: impl Filter + 'static) -> Self {
        Self::Run { nodes: None, filter: Box::new(filter) }
    }
}

/// A filter made for one template: owned, cloneable, kept up to date by deltas.
pub trait Filter: fmt::Debug + Send + Sync {
    /// What the answer depends on.
    fn depends_on(&self) -> Dependency;

    /// Says of each of the rows whether the pod fits there.
    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts);

    /// Whether the pod fits on one node, as the row and the filter stand: what a dry run asks.
    fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool;

    /// The same for some rows: `fits[i]` stays `true` if it was and the pod fits on `nodes[i]`.
    fn fit(&self, cluster: &Cluster, nodes: &[NodeIdx], fits: &mut [bool]) {
        for (fits, &node) in fits.iter_mut().zip(nodes) {
            *fits = *fits && self.fits(cluster, node);
        }
    }

    /// Writes `unfit` for each row, all of them in order, on which the pod does not fit.
    fn bar(&self, cluster: &Cluster, unfit: i32, sums: &mut [i32]) {
        for (row, sum) in sums.iter_mut().enumerate() {
            if !self.fits(cluster, NodeIdx::from_index(row)) {
                *sum = unfit;
            }
        }
    }

    /// Takes those of the nodes out on which the pod does not fit.
    fn narrow(&self, cluster: &Cluster, nodes: &mut NodeSet) {
        nodes.retain(|node| self.fits(cluster, node));
    }

    /// Appends to `key` what the answer for a row depends on, if it depends on domains: rows with equal keys get the same
    /// answer, and how many numbers are appended is the same for all rows. `false` if that cannot be said.
    fn class(&self, _cluster: &Cluster, _node: NodeIdx, _key: &mut Vec<u64>) -> bool {
        false
    }

    /// Whether [`Filter::class`] appends the same for all rows, and will as long as no change makes [`Stale::All`] stale.
    fn is_uniform(&self) -> bool {
        false
    }

    /// Appends to `shape` what the answer depends on beside the row, if it depends on the row: filters of the same plugin and
    /// profile with the same shape answer alike. `false` if that cannot be said.
    fn shape(&self, _shape: &mut Vec<i64>) -> bool {
        false
    }

    /// kube-scheduler's own error, if its plugin fails on a node where the pod does not fit.
    fn failure(&self, _cluster: &Cluster, _node: NodeIdx) -> Option<String> {
        None
    }

    /// Whether pods of a template, running, may make a difference at all; asked once a template.
    fn concerns(&self, _cluster: &Cluster, _template: TemplateId) -> bool {
        true
    }

    /// A pod came or went; says which rows to look at again. A filter that depends on the row at most need not be told.
    ///
    /// The cluster is that after the last change; a filter that depends on domains reads the change, not the row.
    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale;

    /// A pod comes or goes in a dry run (`PreFilterExtensions`), with kube-scheduler's own asymmetries.
    ///
    /// A filter that depends on the row at most, or that the pod does not [concern](Self::concerns), need not be told.
    fn dry_run(&mut self, cluster: &Cluster, change: &PodChange) {
        self.pod_changed(cluster, change);
    }

    /// A copy, for a dry run.
    fn boxed_clone(&self) -> Box<dyn Filter>;
}

/// Makes scores.
pub trait ScorePlugin {
    /// Looks at the pod and the cluster once (`PreScore`, as far as it does not depend on the feasible nodes).
    ///
    /// # Errors
    /// The message when kube-scheduler's own plugin fails.
    fn pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String>;

    /// What Score finds when the plugin's PreScore is disabled; some work it out themselves.
    ///
    /// # Errors
    /// The message when kube-scheduler's own plugin fails, as those do that need what PreScore learnt.
    fn without_pre_score(&self, pod: &Arc<PodInfo>, cluster: &Cluster) -> Result<PreScore, String> {
        self.pre_score(pod, cluster)
    }
}

/// What a plugin's PreScore found.
#[derive(Debug)]
pub enum PreScore {
    /// The plugin has nothing to say of this pod.
    Skip,
    /// The score is to run.
    Run(Box<dyn Score>),
}

impl PreScore {
    /// The score is to run.
    pub fn run(score: impl Score + 'static) -> Self {
        Self::Run(Box::new(score))
    }
}

/// A score made for one template: owned, kept up to date by deltas.
pub trait Score: fmt::Debug + Send + Sync {
    /// What the raw score depends on.
    fn depends_on(&self) -> Dependency;

    /// Whether PreScore, asked now, would skip the plugin.
    fn is_skipped(&self) -> bool {
        false
    }

    /// Takes note of the feasible nodes, or of one of each class and how many of that class are feasible; only asked if the
    /// score depends on them.
    fn feasible(
        &mut self,
        _cluster: &Cluster,
        _feasible: &mut dyn Iterator<Item = (NodeIdx, usize)>,
    ) {
    }

    /// The same for all feasible nodes at once.
    fn feasible_nodes(&mut self, cluster: &Cluster, nodes: &NodeSet) {
        self.feasible(cluster, &mut nodes.iter().map(|node| (node, 1)));
    }

    /// The raw score of a row.
    fn raw(&self, cluster: &Cluster, node: NodeIdx) -> i64;

    /// The raw scores of some rows: `scores[i]` is that of `nodes[i]`.
    fn raws(&self, cluster: &Cluster, nodes: &[NodeIdx], scores: &mut [i64]) {
        for (score, &node) in scores.iter_mut().zip(nodes) {
            *score = self.raw(cluster, node);
        }
    }

    /// Writes the raw score of each of the rows.
    fn score(&self, cluster: &Cluster, rows: Rows<'_>, scores: &mut IndexVec<NodeIdx, i64>) {
        rows.each(cluster.nodes().row_count(), |node| scores[node] = self.raw(cluster, node));
    }

    /// Appends to `key` what the raw score of a row depends on, and how it is normalised: rows with equal keys score alike, and
    /// how many numbers are appended is the same for all rows. `false` if that cannot be said.
    fn class(&self, _cluster: &Cluster, _node: NodeIdx, _key: &mut Vec<u64>) -> bool {
        false
    }

    /// Whether [`Score::class`] appends the same for all rows, and will as long as no change makes [`Stale::All`] stale.
    fn is_uniform(&self) -> bool {
        false
    }

    /// Appends to `shape` what the raw score depends on beside the row, if it depends on the row: scores of the same plugin
    /// and profile with the same shape score alike. `false` if that cannot be said.
    fn shape(&self, _shape: &mut Vec<i64>) -> bool {
        false
    }

    /// Whether there is a `NormalizeScore`; without one a node's score depends on its own row only.
    fn has_normalize(&self) -> bool {
        false
    }

    /// `NormalizeScore` over the feasible nodes: `scores[i]` is that of `nodes[i]`.
    fn normalize(&self, _nodes: &[NodeIdx], _scores: &mut [i64]) {}

    /// Whether pods of a template, running, may make a difference at all; asked once a template.
    fn concerns(&self, _cluster: &Cluster, _template: TemplateId) -> bool {
        true
    }

    /// Adds the weighted, normalised scores to the sums of the nodes, `sums[row]`; those of other rows, which are all less than
    /// zero, may grow by at most a hundredfold weight and stay below zero. `false` if a score is out of range.
    ///
    /// What [`Score::raws`] and [`Score::normalize`] say of all the nodes, in one pass over columns where a plugin knows a way.
    fn add_to(&self, cluster: &Cluster, nodes: &NodeSet, weight: i32, sums: &mut [i32]) -> bool {
        add_row_by_row(self, cluster, nodes, weight, sums)
    }

    /// A pod came or went; says which rows to score again.
    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale;

    /// A copy, for rows that several templates share.
    fn boxed_clone(&self) -> Box<dyn Score>;
}

/// [`Score::add_to`] as the raw scores and their normalisation say it.
pub(crate) fn add_row_by_row(
    score: &(impl Score + ?Sized),
    cluster: &Cluster,
    nodes: &NodeSet,
    weight: i32,
    sums: &mut [i32],
) -> bool {
    let nodes: Vec<NodeIdx> = nodes.iter().collect();
    let mut scores = vec![0; nodes.len()];
    score.raws(cluster, &nodes, &mut scores);
    if score.has_normalize() {
        score.normalize(&nodes, &mut scores);
    }
    nodes.iter().zip(scores).all(|(&node, score)| {
        let in_range = (0..=MAX_NODE_SCORE).contains(&score);
        let score = i32::try_from(score).unwrap_or(0);
        if let Some(sum) = sums.get_mut(node.index()) {
            *sum = sum.wrapping_add(score.wrapping_mul(weight));
        }
        in_range
    })
}

/// Keeps for a pod what it will use on its node.
pub trait ReservePlugin {
    /// What is to be changed, besides the pod's being counted, so that later pods see what the pod will use.
    ///
    /// The cluster is that in which the node was chosen. Undoing the changes, the last one first, is `Unreserve`.
    fn reserve(&self, pod: &PodInfo, cluster: &Cluster, node: NodeIdx) -> Vec<StorageChange>;
}
