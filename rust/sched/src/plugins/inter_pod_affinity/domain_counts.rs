//! Sums by topology domain, for each of the keys that terms name.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::{Cluster, Codes, LabelColumn};
use crate::go::len64;
use crate::index_vec::{Domain, Idx, IndexVec, NodeIdx};
use crate::node_set::NodeSet;

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
    domains: Codes,
    sums: Sums,
    /// How many domains have a sum other than zero.
    non_zero: usize,
}

#[derive(Debug, Clone)]
enum Sums {
    Shared(IndexVec<Domain, i64>),
    /// No two nodes share a domain: those that were ever added to, by their nodes. Most never are.
    Alone(IndexMap<NodeIdx, i64, FxBuildHasher>),
}

/// The sums of all nodes, if they are few different ones but for some nodes.
pub(super) struct FewSums<'a> {
    /// What each domain of the one key whose domains nodes share adds, and its nodes; nothing if there is no such key.
    pub(super) shared: Vec<(i64, &'a NodeSet)>,
    /// The nodes whose sum is made of more, with that.
    pub(super) others: Vec<(NodeIdx, i64)>,
}

impl DomainCounts {
    /// Adds to the node's domain of the key.
    pub(super) fn add(&mut self, cluster: &Cluster, node: NodeIdx, key: &Str, delta: i64) -> Added {
        if let Some(counts) = self.0.get_mut(key) {
            return counts.add(node, delta);
        }
        let column = cluster.nodes().labels.column(key);
        let Some(column) = column.filter(|column| column.domain(node) != Domain::NONE) else {
            return Added::NoKey;
        };
        let mut counts = KeyCounts::new(column);
        counts.add(node, delta);
        self.0.insert(key.clone(), counts);
        Added::NewKey
    }

    /// Adds to the domains of the key of several nodes, `weight` times what is said of each; gives back the sum of what is said
    /// of those that have the key.
    pub(super) fn add_all(
        &mut self,
        cluster: &Cluster,
        key: &Str,
        weight: i64,
        nodes: impl Iterator<Item = (NodeIdx, i64)>,
    ) -> i64 {
        let Some(column) = cluster.nodes().labels.column(key) else { return 0 };
        let mut nodes = nodes.filter(|(node, _)| column.domain(*node) != Domain::NONE).peekable();
        if nodes.peek().is_none() {
            return 0;
        }
        let counts = self.0.entry(key.clone()).or_insert_with(|| KeyCounts::new(column));
        let mut added = 0;
        for (node, count) in nodes {
            counts.add(node, weight.wrapping_mul(count));
            added += count;
        }
        added
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

    /// Takes the nodes out that have a sum above zero, of any key.
    pub(super) fn remove_above_zero(&self, nodes: &mut NodeSet) {
        for counts in self.0.values() {
            counts.remove_above_zero(nodes);
        }
    }

    /// Takes the nodes out whose sum of the key is above zero.
    pub(super) fn remove_above_zero_of(&self, key: &str, nodes: &mut NodeSet) {
        if let Some(counts) = self.0.get(key) {
            counts.remove_above_zero(nodes);
        }
    }

    /// Keeps the nodes whose sum of the key is above zero.
    pub(super) fn keep_above_zero_of(&self, key: &str, nodes: &mut NodeSet) {
        match self.0.get(key) {
            Some(counts) => counts.keep_above_zero(nodes),
            None => *nodes = NodeSet::empty(nodes.universe()),
        }
    }

    /// The sum over all of the node's domains.
    pub(super) fn total(&self, node: NodeIdx) -> i64 {
        self.0.values().filter_map(|counts| counts.get(node)).fold(0, i64::wrapping_add)
    }

    /// The totals of all nodes as few different ones, if they can be said so.
    pub(super) fn few(&self) -> Option<FewSums<'_>> {
        let mut few = FewSums { shared: Vec::new(), others: Vec::new() };
        for counts in self.0.values() {
            match &counts.sums {
                Sums::Shared(sums) => {
                    let sets = counts.domains.sets().filter(|_| few.shared.is_empty())?;
                    few.shared.extend(sums.iter().copied().zip(sets.iter()));
                }
                Sums::Alone(sums) => {
                    few.others.extend(sums.iter().map(|(&node, &sum)| (node, sum)));
                }
            }
        }
        if self.0.len() > 1 {
            few.others.sort_unstable_by_key(|(node, _)| *node);
            few.others.dedup_by_key(|(node, _)| *node);
            for (node, sum) in &mut few.others {
                *sum = self.total(*node);
            }
        }
        Some(few)
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
    fn new(column: &LabelColumn) -> Self {
        let domains = column.domains();
        let sums = if domains.is_injective() {
            Sums::Alone(IndexMap::default())
        } else {
            Sums::Shared(IndexVec::filled(0, column.len()))
        };
        Self { domains, sums, non_zero: 0 }
    }

    fn class(&self, node: NodeIdx, value: impl Fn(i64) -> u64) -> u64 {
        match (self.domains.get(node), &self.sums) {
            (Domain::NONE, _) => NO_KEY,
            (domain, Sums::Shared(_)) => len64(domain.index()).cast_unsigned(),
            (_, Sums::Alone(sums)) => value(sums.get(&node).copied().unwrap_or(0)),
        }
    }

    fn add(&mut self, node: NodeIdx, delta: i64) -> Added {
        let domain = self.domains.get(node);
        if domain == Domain::NONE {
            return Added::NoKey;
        }
        let (sum, alone) = match &mut self.sums {
            Sums::Shared(sums) => (&mut sums[domain], false),
            Sums::Alone(sums) => (sums.entry(node).or_insert(0), true),
        };
        let before = *sum;
        *sum = before.wrapping_add(delta);
        match (before == 0, *sum == 0) {
            (true, false) => self.non_zero += 1,
            (false, true) => self.non_zero -= 1,
            _ => {}
        }
        Added::Sum { alone, before, after: *sum }
    }

    fn get(&self, node: NodeIdx) -> Option<i64> {
        match (self.domains.get(node), &self.sums) {
            (Domain::NONE, _) => None,
            (domain, Sums::Shared(sums)) => sums.get(domain).copied(),
            (_, Sums::Alone(sums)) => Some(sums.get(&node).copied().unwrap_or(0)),
        }
    }

    fn remove_above_zero(&self, nodes: &mut NodeSet) {
        if self.non_zero == 0 {
            return;
        }
        match (&self.sums, self.domains.sets()) {
            (Sums::Alone(sums), _) => {
                for (&node, _) in sums.iter().filter(|(_, sum)| **sum > 0) {
                    nodes.remove(node);
                }
            }
            (Sums::Shared(sums), Some(sets)) => {
                for (_, set) in sums.iter().zip(sets).filter(|(sum, _)| **sum > 0) {
                    nodes.subtract(set);
                }
            }
            (Sums::Shared(_), None) => {
                nodes.retain(|node| self.get(node).is_none_or(|sum| sum <= 0));
            }
        }
    }

    fn keep_above_zero(&self, nodes: &mut NodeSet) {
        let mut kept = NodeSet::empty(nodes.universe());
        match (&self.sums, self.domains.sets()) {
            _ if self.non_zero == 0 => {}
            (Sums::Alone(sums), _) => {
                for (&node, _) in sums.iter().filter(|(_, sum)| **sum > 0) {
                    kept.insert(node);
                }
            }
            (Sums::Shared(sums), Some(sets)) => {
                for (_, set) in sums.iter().zip(sets).filter(|(sum, _)| **sum > 0) {
                    kept.union(set);
                }
            }
            (Sums::Shared(_), None) => {
                return nodes.retain(|node| self.get(node).is_some_and(|sum| sum > 0));
            }
        }
        nodes.intersect(&kept);
    }
}
