//! The score: how many matching pods does the node's domain have?
//!
//! Follows `scoring.go` in `pkg/scheduler/framework/plugins/podtopologyspread` of v1.34.

use super::HOSTNAME;
use super::constraint::{Constraint, Counter, Domains, nodes_with_all_keys};
use crate::cluster::{Cluster, LabelColumn, PodChange, PodInfo};
use crate::framework::{Dependency, MAX_NODE_SCORE, Score, Stale};
use crate::go::{div, float64, int64, len64, log};
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;
use crate::passes;

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
                let domains = Domains::OfNode;
                let all = NodeSet::full(nodes.row_count());
                Counter::new(constraint, pod, cluster, all, domains, nodes.row_count())
            } else {
                let mut included = constraint.included_nodes(pod, cluster);
                included.subtract(&ignored);
                let column = nodes.labels.column(&constraint.topology_key);
                let mut count = column.map_or(0, LabelColumn::len);
                alone = require_all && column.is_none_or(LabelColumn::is_injective);
                let mut domains = Domains::of_label(column);
                if let Domains::OfLabel { without, .. } = &mut domains
                    && !require_all
                {
                    // kube-scheduler counts nodes that lack the key as those with the empty value.
                    *without = column.and_then(|column| column.find("")).unwrap_or_else(|| {
                        count += 1;
                        Domain::from_index(count - 1)
                    });
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
                score += part.score(part.counter.counts[part.counter.domain(node)]);
            }
        }
        int64(f64::round(score))
    }

    /// The raw score of each of the nodes, none of which is ignored, in node order.
    fn raws_of(&self, nodes: &NodeSet) -> Vec<i64> {
        match self.parts.as_slice() {
            [part] if nodes.is_subset(&part.has_key) => {
                let mut raw = remembering(|count| int64(f64::round(0.0 + part.score(count))));
                let counter = &part.counter;
                nodes.iter().map(|node| raw(counter.counts[counter.domain(node)])).collect()
            }
            _ => nodes.iter().map(|node| self.raw(node)).collect(),
        }
    }
}

impl Part {
    /// What so many pods in the node's domain add to its score.
    fn score(&self, count: i64) -> f64 {
        float64(count) * self.weight + float64(self.counter.constraint.max_skew - 1)
    }

    /// How many domains the nodes have; each node counts where every one is its own.
    fn size(&self, nodes: &NodeSet) -> usize {
        if self.by_host {
            return nodes.count();
        }
        if self.alone {
            let mut having = nodes.clone();
            having.intersect(&self.has_key);
            return having.count();
        }
        if let Some(sets) = self.counter.domains.sets() {
            return sets.iter().filter(|set| nodes.intersects(set)).count();
        }
        let mut met: IndexVec<Domain, bool> = IndexVec::filled(false, self.counter.counts.len());
        let mut size = 0;
        for domain in nodes.iter().map(|node| self.counter.domain(node)) {
            if let Some(met) = met.get_mut(domain) {
                size += usize::from(!std::mem::replace(met, true));
            }
        }
        size
    }
}

/// How `NormalizeScore` turns scores round: the lowest becomes the highest.
#[derive(Debug, Clone, Copy)]
struct Turned {
    min: i64,
    max: i64,
}

impl Turned {
    /// By the scores of the nodes that are not ignored.
    fn of(scores: impl Iterator<Item = i64>) -> Self {
        scores.fold(Self { min: i64::MAX, max: 0 }, |Self { min, max }, score| Self {
            min: min.min(score),
            max: max.max(score),
        })
    }

    fn of_score(self, score: i64) -> i64 {
        // kube-scheduler marks nodes that are not scored with −1, and takes a score of −1 for that mark.
        if score == -1 {
            0
        } else if self.max == 0 {
            MAX_NODE_SCORE
        } else {
            let turned = self.max.wrapping_add(self.min).wrapping_sub(score);
            div(MAX_NODE_SCORE.wrapping_mul(turned), self.max)
        }
    }
}

/// Asks again only if asked about something else than the last time: most nodes are alike.
fn remembering<T: PartialEq + Copy>(mut of: impl FnMut(T) -> i64) -> impl FnMut(T) -> i64 {
    let mut last = None;
    move |what| match last {
        Some((known, answer)) if known == what => answer,
        _ => {
            let answer = of(what);
            last = Some((what, answer));
            answer
        }
    }
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

    fn feasible_nodes(&mut self, _cluster: &Cluster, nodes: &NodeSet) {
        let mut scored = nodes.clone();
        scored.subtract(&self.ignored);
        for part in &mut self.parts {
            part.weight = log(float64(len64(part.size(&scored) + 2)));
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
        let all = nodes.iter().zip(scores.iter());
        let scored = all.filter(|(node, _)| !self.ignored.contains(**node));
        let turned = Turned::of(scored.map(|(_, score)| *score));
        for (&node, score) in nodes.iter().zip(scores) {
            *score = if self.ignored.contains(node) { 0 } else { turned.of_score(*score) };
        }
    }

    fn add_to(&self, _cluster: &Cluster, nodes: &NodeSet, weight: i32, sums: &mut [i32]) -> bool {
        let mut scored = nodes.clone();
        scored.subtract(&self.ignored);
        let weighted = |score: i64| {
            let in_range = (0..=MAX_NODE_SCORE).contains(&score);
            in_range.then(|| i32::try_from(score).unwrap_or(0).wrapping_mul(weight))
        };
        if let [part] = self.parts.as_slice()
            && let Some(sets) = part.counter.domains.sets()
            && scored.is_subset(&part.has_key)
        {
            let met =
                part.counter.counts.iter().zip(sets).filter(|(_, set)| scored.intersects(set));
            let of_domain = |(&count, set)| (int64(f64::round(0.0 + part.score(count))), set);
            let raws: Vec<(i64, &NodeSet)> = met.map(of_domain).collect();
            let turned = Turned::of(raws.iter().map(|(raw, _)| *raw));
            return raws.into_iter().all(|(raw, set)| {
                let value = weighted(turned.of_score(raw));
                if let Some(value) = value {
                    passes::add_to_set(sums, set, value);
                }
                value.is_some()
            });
        }
        let raws = self.raws_of(&scored);
        let turned = Turned::of(raws.iter().copied());
        let mut normalized = remembering(|raw| turned.of_score(raw));
        scored.iter().zip(raws).all(|(node, raw)| {
            let value = weighted(normalized(raw));
            passes::add_to_row(sums, node, value.unwrap_or(0));
            value.is_some()
        })
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
