//! Answers that no placement changes.

use crate::cluster::{Cluster, PodChange};
use crate::framework::{
    Code, Dependency, Filter, MAX_NODE_SCORE, Rows, Score, Stale, Status, Verdicts, add_row_by_row,
};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::node_set::NodeSet;
use crate::passes;

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
    /// The score of all rows but some.
    of_most: i64,
    own: Own,
    normalize: Option<Normalize>,
}

/// A `NormalizeScore` that makes of a score the same, however often each stands among the scores.
pub(crate) type Normalize = fn(&mut [i64]);

/// The rows that have a score of their own.
#[derive(Debug, Clone)]
enum Own {
    /// None.
    Nobody,
    /// A few, in node order.
    Rows(Vec<(NodeIdx, i64)>),
    /// Sets of rows that have none in common.
    Sets(Vec<(i64, NodeSet)>),
    /// All.
    All(IndexVec<NodeIdx, i64>),
}

impl FixedScore {
    /// A score for each row.
    pub(crate) fn new(raw: IndexVec<NodeIdx, i64>, normalize: Option<Normalize>) -> Self {
        let first = raw.as_slice().first().copied().unwrap_or(0);
        let uniform = raw.iter().all(|&raw| raw == first);
        Self { of_most: first, own: if uniform { Own::Nobody } else { Own::All(raw) }, normalize }
    }

    /// Scores of some rows, in node order, and one of all others; not normalised.
    pub(crate) fn of_rows(of_most: i64, mut rows: Vec<(NodeIdx, i64)>) -> Self {
        rows.retain(|(_, raw)| *raw != of_most);
        let own = if rows.is_empty() { Own::Nobody } else { Own::Rows(rows) };
        Self { of_most, own, normalize: None }
    }

    /// The scores of sets of rows that have none in common, and one of all others.
    pub(crate) fn of_sets(
        of_most: i64,
        mut sets: Vec<(i64, NodeSet)>,
        normalize: Option<Normalize>,
    ) -> Self {
        sets.retain(|(raw, set)| *raw != of_most && !set.is_empty());
        let own = if sets.is_empty() { Own::Nobody } else { Own::Sets(sets) };
        Self { of_most, own, normalize }
    }

    /// Adds scores that are not normalised, of a few rows and of all others.
    fn add_rows(&self, rows: &[(NodeIdx, i64)], weight: i32, sums: &mut [i32]) {
        let weighted = |raw: i64| i32::try_from(raw).unwrap_or(0).wrapping_mul(weight);
        let of_most = weighted(self.of_most);
        passes::add_all(sums, of_most);
        for &(row, raw) in rows {
            passes::add_to_row(sums, row, weighted(raw).wrapping_sub(of_most));
        }
    }

    /// Adds the scores of sets of rows and of all others, normalised; `false` if one of the nodes' is out of range.
    fn add_sets(
        &self,
        sets: &[(i64, NodeSet)],
        nodes: &NodeSet,
        weight: i32,
        sums: &mut [i32],
    ) -> bool {
        // Scores that none of the nodes has make no difference to the others.
        let mut rest = nodes.clone();
        let mut met: Vec<(i64, &NodeSet)> = Vec::with_capacity(sets.len());
        for (raw, set) in sets.iter().filter(|(_, set)| set.intersects(nodes)) {
            rest.subtract(set);
            met.push((*raw, set));
        }
        let mut scores: Vec<i64> = met.iter().map(|(raw, _)| *raw).collect();
        if !rest.is_empty() {
            scores.push(self.of_most);
        }
        if let Some(normalize) = self.normalize {
            normalize(&mut scores);
        }
        if !scores.iter().all(|score| is_in_range(*score)) {
            return false;
        }
        let weighted = |score: &i64| i32::try_from(*score).unwrap_or(0).wrapping_mul(weight);
        let of_most = scores.get(met.len()).map_or(0, weighted);
        passes::add_all(sums, of_most);
        for ((_, set), score) in met.iter().zip(&scores) {
            passes::add_to_set(sums, set, weighted(score).wrapping_sub(of_most));
        }
        true
    }
}

fn is_in_range(score: i64) -> bool {
    (0..=MAX_NODE_SCORE).contains(&score)
}

impl Score for FixedScore {
    fn depends_on(&self) -> Dependency {
        Dependency::Static
    }

    fn raw(&self, _cluster: &Cluster, node: NodeIdx) -> i64 {
        let own = match &self.own {
            Own::Nobody => None,
            Own::Rows(rows) => {
                let at = rows.binary_search_by_key(&node, |(row, _)| *row).ok();
                at.and_then(|at| rows.get(at)).map(|(_, raw)| *raw)
            }
            Own::Sets(sets) => sets.iter().find(|(_, set)| set.contains(node)).map(|(raw, _)| *raw),
            Own::All(raw) => raw.get(node).copied(),
        };
        own.unwrap_or(self.of_most)
    }

    fn class(&self, cluster: &Cluster, node: NodeIdx, key: &mut Vec<u64>) -> bool {
        key.push(self.raw(cluster, node).cast_unsigned());
        true
    }

    fn is_uniform(&self) -> bool {
        matches!(self.own, Own::Nobody)
    }

    fn has_normalize(&self) -> bool {
        self.normalize.is_some()
    }

    fn normalize(&self, _nodes: &[NodeIdx], scores: &mut [i64]) {
        if let Some(normalize) = self.normalize {
            normalize(scores);
        }
    }

    fn add_to(&self, cluster: &Cluster, nodes: &NodeSet, weight: i32, sums: &mut [i32]) -> bool {
        match &self.own {
            Own::Sets(sets) => self.add_sets(sets, nodes, weight, sums),
            Own::Rows(rows)
                if self.normalize.is_none()
                    && is_in_range(self.of_most)
                    && rows.iter().all(|(_, raw)| is_in_range(*raw)) =>
            {
                self.add_rows(rows, weight, sums);
                true
            }
            _ => add_row_by_row(self, cluster, nodes, weight, sums),
        }
    }

    fn pod_changed(&mut self, _cluster: &Cluster, _change: &PodChange) -> Stale {
        Stale::Nothing
    }

    fn boxed_clone(&self) -> Box<dyn Score> {
        Box::new(self.clone())
    }
}
