//! Answers that no placement changes.

use crate::cluster::{Cluster, PodChange};
use crate::framework::{Code, Dependency, Filter, Rows, Score, Stale, Status, Verdicts};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::node_set::NodeSet;

/// A filter whose answer depends only on names, labels and taints: a set, and one status for all others.
#[derive(Debug, Clone)]
pub(crate) struct FixedFilter {
    passing: NodeSet,
    status: Status,
}

impl FixedFilter {
    pub(crate) const fn new(passing: NodeSet, status: Status) -> Self {
        Self { passing, status }
    }
}

impl Filter for FixedFilter {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn filter(&self, _cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        verdicts.keep(&self.passing, &self.status, rows);
    }

    fn fits(&self, _cluster: &Cluster, node: NodeIdx) -> bool {
        self.passing.contains(node)
    }

    fn narrow(&self, _cluster: &Cluster, nodes: &mut NodeSet) {
        nodes.intersect(&self.passing);
    }

    fn failure(&self, _cluster: &Cluster, node: NodeIdx) -> Option<String> {
        let fails = self.status.code == Code::Error && !self.passing.contains(node);
        fails.then(|| self.status.reasons.join(", "))
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Nothing
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// A raw score that depends only on labels, taints and images, and how it is normalised.
#[derive(Debug, Clone)]
pub(crate) struct FixedScore {
    /// The score of all rows but those of `some`.
    of_most: i64,
    some: Option<IndexVec<NodeIdx, i64>>,
    normalize: Option<fn(&mut [i64])>,
}

impl FixedScore {
    /// A score for each row.
    pub(crate) fn new(raw: IndexVec<NodeIdx, i64>, normalize: Option<fn(&mut [i64])>) -> Self {
        let first = raw.as_slice().first().copied().unwrap_or(0);
        let uniform = raw.iter().all(|&raw| raw == first);
        Self { of_most: first, some: (!uniform).then_some(raw), normalize }
    }

    /// The same score for all rows.
    pub(crate) const fn uniform(raw: i64, normalize: Option<fn(&mut [i64])>) -> Self {
        Self { of_most: raw, some: None, normalize }
    }
}

impl Score for FixedScore {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn raw(&self, _cluster: &Cluster, node: NodeIdx) -> i64 {
        self.some.as_ref().map_or(self.of_most, |some| some[node])
    }

    fn class(&self, cluster: &Cluster, node: NodeIdx, key: &mut Vec<u64>) -> bool {
        key.push(self.raw(cluster, node).cast_unsigned());
        true
    }

    fn is_uniform(&self) -> bool {
        self.some.is_none()
    }

    fn has_normalize(&self) -> bool {
        self.normalize.is_some()
    }

    fn normalize(&self, _nodes: &[NodeIdx], scores: &mut [i64]) {
        if let Some(normalize) = self.normalize {
            normalize(scores);
        }
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Nothing
    }

    fn boxed_clone(&self) -> Box<dyn Score> {
        Box::new(self.clone())
    }
}
