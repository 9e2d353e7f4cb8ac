//! Sums by topology domain, for each of the keys that terms name.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{Cluster, LabelColumn};
use crate::go::len64;
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx};

/// The class of nodes that lack a key.
const NO_KEY: u64 = u64::MAX;

/// `topologyToMatchedTermCount` and `scoreMap`: a sum for each pair of key and value.
#[derive(Debug, Clone, Default)]
pub(super) struct DomainCounts(IndexMap<Str, KeyCounts, FxBuildHasher>);

/// What adding to a sum did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// The node lacks the key.
    NoKey,
    /// The first sum of the key, and so of a class of its own.
    NewKey,
    /// The sum of the node's domain.
    Sum {
        /// Whether no other node is in the domain.
        alone: bool,
        /// What it was.
        before: i64,
        /// What it is.
        after: i64,
    },
}

#[derive(Debug, Clone)]
struct KeyCounts {
    domains: IndexVec<NodeIdx, Domain>,
    /// Whether no two nodes share a domain.
    alone: bool,
    sums: IndexVec<Domain, i64>,
    /// How many domains have a sum other than zero.
    non_zero: usize,
}

impl DomainCounts {
    /// Adds to the node's domain of the key.
    pub(super) fn add(&mut self, cluster: &Cluster, node: NodeIdx, key: &Str, delta: i64) -> Added {
        if let Some(counts) = self.0.get_mut(key) {
            let domain = counts.domains.get(node).copied().unwrap_or(Domain::NONE);
            return if domain == Domain::NONE { Added::NoKey } else { counts.add(domain, delta) };
        }
        let Some(column) = cluster.nodes().labels.column(key) else { return Added::NoKey };
        let domain = column.domain(node);
        if domain == Domain::NONE {
            return Added::NoKey;
        }
        let mut counts = KeyCounts::new(cluster, column);
        counts.add(domain, delta);
        self.0.insert(key.clone(), counts);
        Added::NewKey
    }

    /// Appends what the node's sum of the key depends on: the domain, or the sum itself as `value` sees it if the node is alone in
    /// its domain.
    pub(super) fn class(
        &self,
        cluster: &Cluster,
        node: NodeIdx,
        key: &str,
        value: impl Fn(i64) -> u64,
    ) -> u64 {
        match self.0.get(key) {
            Some(counts) => counts.class(node, value),
            // All sums are zero.
            None => match cluster.nodes().labels.column(key).map(|column| column.domain(node)) {
                None | Some(Domain::NONE) => NO_KEY,
                Some(_) => value(0),
            },
        }
    }

    /// The same for each key that has sums.
    pub(super) fn classes(
        &self,
        node: NodeIdx,
        value: impl Fn(i64) -> u64,
    ) -> impl Iterator<Item = u64> {
        self.0.values().map(move |counts| counts.class(node, &value))
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

    /// Whether nothing was ever added.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all sums are zero.
    pub(super) fn is_zero(&self) -> bool {
        self.0.values().all(|counts| counts.non_zero == 0)
    }
}

impl KeyCounts {
    fn new(cluster: &Cluster, column: &LabelColumn) -> Self {
        let domains = column.domains(cluster.nodes().row_count());
        let alone = column.is_injective();
        Self { domains, alone, sums: IndexVec::filled(0, column.len()), non_zero: 0 }
    }

    fn class(&self, node: NodeIdx, value: impl Fn(i64) -> u64) -> u64 {
        match self.domains.get(node) {
            None | Some(&Domain::NONE) => NO_KEY,
            Some(&domain) if self.alone => value(self.sums[domain]),
            Some(&domain) => len64(domain.index()).cast_unsigned(),
        }
    }

    fn add(&mut self, domain: Domain, delta: i64) -> Added {
        let sum = &mut self.sums[domain];
        let before = *sum;
        *sum = before.wrapping_add(delta);
        match (before == 0, *sum == 0) {
            (true, false) => self.non_zero += 1,
            (false, true) => self.non_zero -= 1,
            _ => {}
        }
        Added::Sum { alone: self.alone, before, after: *sum }
    }

    fn get(&self, node: NodeIdx) -> Option<i64> {
        self.domains.get(node).and_then(|&domain| self.sums.get(domain)).copied()
    }
}
