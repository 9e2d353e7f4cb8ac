//! `NodeSet`: a set of nodes, one bit a node.

use crate::index_vec::{Idx, NodeIdx};
use crate::kernels;

/// A set of nodes of a cluster with a known number of nodes, one bit a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSet {
    words: Vec<u64>,
    nodes: usize,
}

impl NodeSet {
    /// No node of a cluster of `nodes`.
    pub fn empty(nodes: usize) -> Self {
        Self { words: vec![0; nodes.div_ceil(64)], nodes }
    }

    /// All nodes of a cluster of `nodes`.
    pub fn full(nodes: usize) -> Self {
        let mut words = vec![u64::MAX; nodes.div_ceil(64)];
        if let Some(last) = words.last_mut()
            && !nodes.is_multiple_of(64)
        {
            *last = (1 << (nodes % 64)) - 1;
        }
        Self { words, nodes }
    }

    /// The nodes for which `wanted` holds.
    pub fn from_fn(nodes: usize, mut wanted: impl FnMut(NodeIdx) -> bool) -> Self {
        let mut set = Self::empty(nodes);
        for (at, word) in set.words.iter_mut().enumerate() {
            let start = at * 64;
            for bit in 0..64.min(nodes - start) {
                *word |= u64::from(wanted(NodeIdx::from_index(start + bit))) << bit;
            }
        }
        set
    }

    /// The nodes for whose rows `wanted` holds, of a column that may end before the last node.
    pub(crate) fn from_column<T: Copy>(
        nodes: usize,
        column: &[T],
        wanted: impl Fn(T) -> bool,
    ) -> Self {
        let mut set = Self::empty(nodes);
        for (word, rows) in set.words.iter_mut().zip(column.chunks(64)) {
            for (bit, &row) in rows.iter().enumerate() {
                *word |= u64::from(wanted(row)) << bit;
            }
        }
        set
    }

    /// The rows whose sum is not below zero.
    pub(crate) fn of_fitting(sums: &[i32]) -> Self {
        let mut set = Self::empty(sums.len());
        kernels::fitting(sums, &mut set.words);
        set
    }

    /// Lets the cluster have `nodes`: new ones are not in, those beyond are forgotten.
    pub(crate) fn resize(&mut self, nodes: usize) {
        self.words.resize(nodes.div_ceil(64), 0);
        if let Some(last) = self.words.last_mut()
            && !nodes.is_multiple_of(64)
        {
            *last &= (1 << (nodes % 64)) - 1;
        }
        self.nodes = nodes;
    }

    /// How many nodes the cluster has, in the set or not.
    pub const fn universe(&self) -> usize {
        self.nodes
    }

    /// Puts the node in.
    pub fn insert(&mut self, node: NodeIdx) {
        if let Some(word) = self.words.get_mut(node.index() / 64) {
            *word |= 1 << (node.index() % 64);
        }
    }

    /// Takes the node out.
    pub fn remove(&mut self, node: NodeIdx) {
        if let Some(word) = self.words.get_mut(node.index() / 64) {
            *word &= !(1 << (node.index() % 64));
        }
    }

    /// Puts the node in or takes it out.
    pub fn set(&mut self, node: NodeIdx, member: bool) {
        if member {
            self.insert(node);
        } else {
            self.remove(node);
        }
    }

    /// Whether the node is in.
    pub fn contains(&self, node: NodeIdx) -> bool {
        self.words.get(node.index() / 64).is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }

    /// How many nodes are in.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no node is in.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Whether a node is in both.
    pub(crate) fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(word, other)| word & other != 0)
    }

    /// Whether all nodes are in the other too.
    pub(crate) fn is_subset(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(word, other)| word & !other == 0)
    }

    /// One bit a node, 64 a word.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The first node in node order.
    pub(crate) fn first(&self) -> Option<NodeIdx> {
        self.iter().next()
    }

    /// Calls `found` with the place of each node that is not in, in node order.
    pub(crate) fn each_absent(&self, mut found: impl FnMut(usize)) {
        for (at, &word) in self.words.iter().enumerate() {
            let mut left = !word;
            while left != 0 {
                let place = at * 64 + left.trailing_zeros() as usize;
                if place >= self.nodes {
                    return;
                }
                found(place);
                left &= left - 1;
            }
        }
    }

    /// Keeps the nodes for which `wanted` holds.
    pub fn retain(&mut self, mut wanted: impl FnMut(NodeIdx) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                if !wanted(NodeIdx::from_index(at * 64 + bit)) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Keeps the nodes that are in both.
    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Adds the nodes of the other.
    pub fn union(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Takes out the nodes of the other.
    pub fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The nodes that are in, in node order.
    pub fn iter(&self) -> NodeSetIter<'_> {
        NodeSetIter { words: self.words.iter(), word: 0, next_base: 0 }
    }
}

impl<'a> IntoIterator for &'a NodeSet {
    type Item = NodeIdx;
    type IntoIter = NodeSetIter<'a>;

    fn into_iter(self) -> NodeSetIter<'a> {
        self.iter()
    }
}

/// The nodes of a [`NodeSet`] in node order.
#[derive(Debug, Clone)]
pub struct NodeSetIter<'a> {
    words: std::slice::Iter<'a, u64>,
    /// The bits of the current word that are still to come.
    word: u64,
    /// The node of the first bit of the word after the current one.
    next_base: usize,
}

impl Iterator for NodeSetIter<'_> {
    type Item = NodeIdx;

    fn next(&mut self) -> Option<NodeIdx> {
        while self.word == 0 {
            self.word = *self.words.next()?;
            self.next_base += 64;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(NodeIdx::from_index(self.next_base - 64 + bit))
    }
}
