//! Sums by topology domain, for each of the keys that terms name.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{Cluster, LabelColumn};
use crate::index_vec::{Domain, IndexVec, NodeIdx};

/// `topologyToMatchedTermCount` and `scoreMap`: a sum for each pair of key and value.
#[derive(Debug, Clone, Default)]
pub(super) struct DomainCounts(IndexMap<Str, KeyCounts, FxBuildHasher>);

#[derive(Debug, Clone)]
struct KeyCounts {
    domains: IndexVec<NodeIdx, Domain>,
    sums: IndexVec<Domain, i64>,
    /// How many domains have a sum other than zero.
    non_zero: usize,
}

impl DomainCounts {
    /// Adds to the node's domain of the key; tells whether the node has the key.
    pub(super) fn add(&mut self, cluster: &Cluster, node: NodeIdx, key: &Str, delta: i64) -> bool {
        let Some(column) = cluster.nodes().labels.column(key) else { return false };
        let domain = column.domain(node);
        if domain == Domain::NONE {
            return false;
        }
        if let Some(counts) = self.0.get_mut(key) {
            counts.add(domain, delta);
        } else {
            let mut counts = KeyCounts::new(cluster, column);
            counts.add(domain, delta);
            self.0.insert(key.clone(), counts);
        }
        true
    }

    /// The sum of the node's domain of the key; `None` if the node lacks it.
    pub(super) fn get(&self, cluster: &Cluster, node: NodeIdx, key: &str) -> Option<i64> {
        if let Some(counts) = self.0.get(key) {
            return counts.get(node);
        }
        let domain = cluster.nodes().labels.column(key)?.domain(node);
        (domain != Domain::NONE).then_some(0)
    }

    /// Whether the sum of any of the node's domains is above zero.
    pub(super) fn any_above_zero(&self, node: NodeIdx) -> bool {
        self.0.values().any(|counts| counts.get(node).is_some_and(|sum| sum > 0))
    }

    /// The sum over all of the node's domains.
    pub(super) fn total(&self, node: NodeIdx) -> i64 {
        self.0.values().filter_map(|counts| counts.get(node)).fold(0, i64::wrapping_add)
    }

    /// Whether all sums are zero.
    pub(super) fn is_zero(&self) -> bool {
        self.0.values().all(|counts| counts.non_zero == 0)
    }
}

impl KeyCounts {
    fn new(cluster: &Cluster, column: &LabelColumn) -> Self {
        let domains = cluster.nodes().rows().map(|node| column.domain(node)).collect();
        Self { domains, sums: IndexVec::filled(0, column.len()), non_zero: 0 }
    }

    fn add(&mut self, domain: Domain, delta: i64) {
        let sum = &mut self.sums[domain];
        let before = *sum;
        *sum = before.wrapping_add(delta);
        match (before == 0, *sum == 0) {
            (true, false) => self.non_zero += 1,
            (false, true) => self.non_zero -= 1,
            _ => {}
        }
    }

    fn get(&self, node: NodeIdx) -> Option<i64> {
        self.domains.get(node).and_then(|&domain| self.sums.get(domain)).copied()
    }
}
