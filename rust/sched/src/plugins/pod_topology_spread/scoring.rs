//! The score: how many matching pods does the node's domain have?
//!
//! Follows `scoring.go` in `pkg/scheduler/framework/plugins/podtopologyspread` of v1.34.

use super::HOSTNAME;
use super::constraint::{Constraint, Counter, domains, nodes_with_all_keys};
use crate::cluster::{Cluster, LabelColumn, PodChange, PodInfo};
use crate::framework::{Dependency, MAX_NODE_SCORE, Score, Stale};
use crate::go::{div, float64, int64, len64, log};
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;

/// `preScoreState`.
#[derive(Debug, Clone)]
pub(super) struct SpreadScore {
    parts: Vec<Part>,
    /// Nodes that lack a key and are not scored, if all keys are required.
    ignored: NodeSet,
}

#[derive(Debug, Clone)]
struct Part {
    counter: Counter,
    /// `kubernetes.io/hostname`: counted on each node by itself.
    by_host: bool,
    /// Whether no two nodes share a domain.
    alone: bool,
    /// The domains that the feasible nodes have; for [`SpreadScore::feasible`] only.
    met: IndexVec<Domain, bool>,
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
            let mut alone = by_host;
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
                alone = require_all && column.is_none_or(LabelColumn::is_injective);
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
            let met = IndexVec::filled(false, if alone { 0 } else { counter.counts.len() });
            Part { counter, by_host, alone, met, has_key, weight: 0.0 }
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

    fn feasible(
        &mut self,
        _cluster: &Cluster,
        feasible: &mut dyn Iterator<Item = (NodeIdx, usize)>,
    ) {
        let mut sizes = [0; 4];
        let mut more = Vec::new();
        let sizes = if let Some(sizes) = sizes.get_mut(..self.parts.len()) {
            sizes
        } else {
            more.resize(self.parts.len(), 0);
            more.as_mut_slice()
        };
        for part in &mut self.parts {
            part.met.as_mut_slice().fill(false);
        }
        for (node, nodes) in feasible {
            if self.ignored.contains(node) {
                continue;
            }
            for (part, size) in self.parts.iter_mut().zip(&mut *sizes) {
                let domain = part.counter.domain(node);
                *size += if part.by_host {
                    nodes
                } else if domain == Domain::NONE {
                    0
                } else if part.alone {
                    nodes
                } else {
                    usize::from(!std::mem::replace(&mut part.met[domain], true))
                };
            }
        }
        for (part, size) in self.parts.iter_mut().zip(sizes) {
            part.weight = log(float64(len64(*size + 2)));
        }
    }

    fn raw(&self, _cluster: &Cluster, node: NodeIdx) -> i64 {
        self.raw(node)
    }

    fn class(&self, _cluster: &Cluster, node: NodeIdx, key: &mut Vec<u64>) -> bool {
        key.push(u64::from(self.ignored.contains(node)));
        for part in &self.parts {
            key.push(u64::from(part.has_key.contains(node)));
            key.push(part.counter.class(node, part.alone));
        }
        true
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

    fn concerns(&self, cluster: &Cluster, template: TemplateId) -> bool {
        let mut counters = self.parts.iter().map(|part| &part.counter);
        counters.any(|counter| counter.concerns(cluster, template))
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let mut stale = Stale::Nothing;
        for part in &mut self.parts {
            if part.counter.pod_changed(cluster, change).is_some() {
                stale = stale.max(if part.alone { Stale::Row } else { Stale::Classes });
            }
        }
        stale
    }

    fn boxed_clone(&self) -> Box<dyn Score> {
        Box::new(self.clone())
    }
}
