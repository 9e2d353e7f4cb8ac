//! The score: how many matching pods does the node's domain have?
//!
//! Follows `scoring.go` in `pkg/scheduler/framework/plugins/podtopologyspread` of v1.34.

use super::HOSTNAME;
use super::constraint::{Constraint, Counter, domains, nodes_with_all_keys};
use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::framework::{Dependency, MAX_NODE_SCORE, Rows, Score, Stale};
use crate::go::{div, float64, int64, len64, log};
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx};
use crate::node_set::NodeSet;

/// `preScoreState`.
#[derive(Debug)]
pub(super) struct SpreadScore {
    parts: Vec<Part>,
    /// Nodes that lack a key and are not scored, if all keys are required.
    ignored: NodeSet,
}

#[derive(Debug)]
struct Part {
    counter: Counter,
    /// `kubernetes.io/hostname`: counted on each node by itself.
    by_host: bool,
    /// Nodes that lack the key have no score from this part.
    has_key: NodeSet,
    weight: f64,
}

impl SpreadScore {
    pub(super) fn new(
        constraints: Vec<Constraint>,
        pod: &PodInfo,
        cluster: &Cluster,
        require_all: bool,
    ) -> Self {
        let nodes = cluster.nodes();
        let with_keys = nodes_with_all_keys(&constraints, cluster);
        let mut ignored = NodeSet::empty(nodes.row_count());
        if require_all {
            ignored = NodeSet::full(nodes.row_count());
            ignored.subtract(&with_keys);
        }
        let parts = constraints.into_iter().map(|constraint| {
            let by_host = constraint.topology_key == HOSTNAME;
            let has_key = nodes.labels.having(&constraint.topology_key);
            let counter = if by_host {
                // Every node is its own domain, and its pods count whatever the policies say.
                let domains = nodes.rows().map(by_node).collect();
                let all = NodeSet::full(nodes.row_count());
                Counter::new(constraint, pod, cluster, all, domains, nodes.row_count())
            } else {
                let mut included = constraint.included_nodes(pod, cluster);
                included.subtract(&ignored);
                let column = nodes.labels.column(&constraint.topology_key);
                let (mut domains, mut count) = domains(column, cluster);
                if !require_all {
                    // kube-scheduler counts nodes that lack the key as those with the empty value.
                    let empty = column.and_then(|column| column.find("")).unwrap_or_else(|| {
                        count += 1;
                        Domain::from_index(count - 1)
                    });
                    for domain in domains.as_mut_slice() {
                        if *domain == Domain::NONE {
                            *domain = empty;
                        }
                    }
                }
                Counter::new(constraint, pod, cluster, included, domains, count)
            };
            Part { counter, by_host, has_key, weight: 0.0 }
        });
        Self { parts: parts.collect(), ignored }
    }

    fn raw(&self, node: NodeIdx) -> i64 {
        if self.ignored.contains(node) {
            return 0;
        }
        let mut score = 0.0;
        for part in &self.parts {
            if part.has_key.contains(node) {
                let count = part.counter.counts[part.counter.domain(node)];
                let skew = float64(part.counter.constraint.max_skew - 1);
                score += float64(count) * part.weight + skew;
            }
        }
        int64(f64::round(score))
    }
}

/// The domain of a node that is a domain of its own.
fn by_node(node: NodeIdx) -> Domain {
    Domain::from_index(node.index())
}

impl Score for SpreadScore {
    fn depends_on(&self) -> Dependency {
        Dependency::FeasibleSet
    }

    fn feasible(&mut self, _cluster: &Cluster, feasible: &NodeSet) {
        let mut scored = feasible.clone();
        scored.subtract(&self.ignored);
        let scored_count = scored.count();
        for part in &mut self.parts {
            let size = if part.by_host {
                scored_count
            } else {
                let mut met: IndexVec<Domain, bool> =
                    IndexVec::filled(false, part.counter.counts.len());
                let mut size = 0;
                for node in &scored {
                    let domain = part.counter.domain(node);
                    if domain != Domain::NONE && !std::mem::replace(&mut met[domain], true) {
                        size += 1;
                    }
                }
                size
            };
            part.weight = log(float64(len64(size + 2)));
        }
    }

    fn score(&self, cluster: &Cluster, rows: Rows<'_>, scores: &mut IndexVec<NodeIdx, i64>) {
        rows.each(cluster.nodes().row_count(), |node| scores[node] = self.raw(node));
    }

    fn has_normalize(&self) -> bool {
        true
    }

    fn normalize(&self, nodes: &[NodeIdx], scores: &mut [i64]) {
        let (mut min, mut max) = (i64::MAX, 0);
        for (&node, &score) in nodes.iter().zip(scores.iter()) {
            if !self.ignored.contains(node) {
                min = min.min(score);
                max = max.max(score);
            }
        }
        for (&node, score) in nodes.iter().zip(scores) {
            // kube-scheduler marks nodes that are not scored with −1, and takes a score of −1 for that mark.
            *score = if self.ignored.contains(node) || *score == -1 {
                0
            } else if max == 0 {
                MAX_NODE_SCORE
            } else {
                let turned = max.wrapping_add(min).wrapping_sub(*score);
                div(MAX_NODE_SCORE.wrapping_mul(turned), max)
            };
        }
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let mut stale = Stale::Nothing;
        for part in &mut self.parts {
            if part.counter.pod_changed(cluster, change).is_some() {
                stale = if part.by_host && stale != Stale::All { Stale::Row } else { Stale::All };
            }
        }
        stale
    }
}
