//! The filter: how full is the node's domain beside the emptiest?
//!
//! Follows `filtering.go` in `pkg/scheduler/framework/plugins/podtopologyspread` of v1.34.

use super::constraint::{Constraint, Counter, Domains, nodes_with_all_keys};
use crate::cluster::{Cluster, LabelColumn, PodChange, PodInfo};
use crate::framework::{Dependency, Filter, Rows, Stale, Status, Verdicts};
use crate::go::len64;
use crate::index_vec::{Domain, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;

const ERR_REASON_CONSTRAINTS_NOT_MATCH: &str =
    "node(s) didn't match pod topology spread constraints";
const ERR_REASON_NODE_LABEL_NOT_MATCH: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";

/// `preFilterState`.
#[derive(Debug, Clone)]
pub(super) struct SpreadFilter {
    skews: Vec<Skew>,
}

/// One constraint and the emptiest of its domains.
#[derive(Debug, Clone)]
struct Skew {
    counter: Counter,
    /// Domains with a node that takes part.
    present: IndexVec<Domain, bool>,
    present_count: i64,
    /// The lowest count of a present domain.
    min: i64,
    /// Whether no two nodes share a domain, so that a count concerns one row.
    alone: bool,
}

enum Verdict {
    Fits,
    Skewed,
    NoLabel,
}

impl SpreadFilter {
    pub(super) fn new(constraints: Vec<Constraint>, pod: &PodInfo, cluster: &Cluster) -> Self {
        let with_keys = nodes_with_all_keys(&constraints, cluster);
        let skews = constraints.into_iter().map(|constraint| {
            let mut included = constraint.included_nodes(pod, cluster);
            included.intersect(&with_keys);
            let column = cluster.nodes().labels.column(&constraint.topology_key);
            let (domains, count) = (Domains::of_label(column), column.map_or(0, LabelColumn::len));
            let alone = column.is_none_or(LabelColumn::is_injective);
            let counter = Counter::new(constraint, pod, cluster, included, domains, count);
            let mut present: IndexVec<Domain, bool> = IndexVec::filled(false, count);
            if let Some(sets) = counter.domains.sets() {
                for (present, set) in present.as_mut_slice().iter_mut().zip(sets) {
                    *present = counter.included.intersects(set);
                }
            } else {
                for node in &counter.included {
                    present[counter.domain(node)] = true;
                }
            }
            let present_count = len64(present.iter().filter(|present| **present).count());
            let mut skew = Skew { counter, present, present_count, min: 0, alone };
            skew.find_min();
            skew
        });
        Self { skews: skews.collect() }
    }

    fn verdict(&self, node: NodeIdx) -> Verdict {
        for skew in &self.skews {
            let domain = skew.counter.domain(node);
            if domain == Domain::NONE {
                return Verdict::NoLabel;
            }
            // A domain that has no node that takes part has no count.
            if skew.is_too_full(skew.counter.counts[domain]) {
                return Verdict::Skewed;
            }
        }
        Verdict::Fits
    }
}

impl Skew {
    fn find_min(&mut self) {
        let counts = self.counter.counts.iter().zip(self.present.iter());
        let present = counts.filter(|(_, present)| **present).map(|(count, _)| *count);
        self.min = present.min().unwrap_or(0);
    }

    /// Whether one more pod in a domain of so many would be too many.
    fn is_too_full(&self, count: i64) -> bool {
        let constraint = &self.counter.constraint;
        count + i64::from(constraint.selects_itself) - self.min_match_num() > constraint.max_skew
    }

    /// `minMatchNum`: 0 while there are fewer domains than `minDomains`.
    const fn min_match_num(&self) -> i64 {
        if self.present_count < self.counter.constraint.min_domains { 0 } else { self.min }
    }
}

impl Filter for SpreadFilter {
    fn depends_on(&self) -> Dependency {
        let keys = self.skews.iter().map(|skew| skew.counter.constraint.topology_key.clone());
        Dependency::Domain(keys.collect())
    }

    fn filter(&self, cluster: &Cluster, rows: Rows<'_>, verdicts: &mut Verdicts) {
        let no_label = verdicts.status(Status::unresolvable(ERR_REASON_NODE_LABEL_NOT_MATCH));
        let skewed = verdicts.status(Status::unschedulable(ERR_REASON_CONSTRAINTS_NOT_MATCH));
        rows.each(cluster.nodes().row_count(), |node| match self.verdict(node) {
            Verdict::Fits => verdicts.pass(node),
            Verdict::Skewed => verdicts.reject(node, skewed),
            Verdict::NoLabel => verdicts.reject(node, no_label),
        });
    }

    fn fits(&self, _cluster: &Cluster, node: NodeIdx) -> bool {
        matches!(self.verdict(node), Verdict::Fits)
    }

    fn narrow(&self, _cluster: &Cluster, nodes: &mut NodeSet) {
        for skew in &self.skews {
            let Some(sets) = skew.counter.domains.sets() else {
                return nodes.retain(|node| matches!(self.verdict(node), Verdict::Fits));
            };
            let mut fitting = NodeSet::empty(nodes.universe());
            for (count, set) in skew.counter.counts.iter().zip(sets) {
                if !skew.is_too_full(*count) {
                    fitting.union(set);
                }
            }
            nodes.intersect(&fitting);
        }
    }

    fn class(&self, _cluster: &Cluster, node: NodeIdx, key: &mut Vec<u64>) -> bool {
        key.extend(self.skews.iter().map(|skew| skew.counter.class(node, skew.alone)));
        true
    }

    fn concerns(&self, cluster: &Cluster, template: TemplateId) -> bool {
        let mut counters = self.skews.iter().map(|skew| &skew.counter);
        counters.any(|counter| counter.concerns(cluster, template))
    }

    fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) -> Stale {
        let mut stale = Stale::Nothing;
        for skew in &mut self.skews {
            let Some(domain) = skew.counter.pod_changed(cluster, change) else { continue };
            let before = skew.min;
            // Only the emptiest domains can move the minimum up, and only a fall can move it down.
            if skew.counter.counts[domain] - change.delta <= before {
                skew.find_min();
            } else {
                skew.min = skew.min.min(skew.counter.counts[domain]);
            }
            let row_only = skew.alone && skew.min == before;
            stale = stale.max(if row_only { Stale::Row } else { Stale::Classes });
        }
        stale
    }

    fn dry_run(&mut self, cluster: &Cluster, change: &PodChange) {
        for skew in &mut self.skews {
            skew.counter.dry_run(cluster, change);
            skew.find_min();
        }
    }

    fn boxed_clone(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
