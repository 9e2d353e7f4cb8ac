//! The rows of each group, ordered by what they say.

use super::tree::Tree;
use super::{OUT, RowScores};
use crate::cluster::Cluster;
use crate::index_vec::{Idx, IndexVec, NodeIdx};
use crate::plans::Work;

/// A tree for each group, with a slot for each of its rows.
#[derive(Debug)]
pub(super) struct Trees {
    /// Where each row stands.
    places: IndexVec<NodeIdx, Place>,
    groups: Vec<Slots>,
    /// How many slots the trees have.
    slots: usize,
    /// The revision up to which rows stand where they belong.
    revision: u64,
}

/// The rows of a group.
#[derive(Debug, Default)]
struct Slots {
    tree: Tree,
    /// Slots of rows that left.
    free: Vec<u32>,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    group: u32,
    slot: u32,
}

/// Row numbers take the lower half of a key, so that of equal sums the first row wins.
const ROW_BITS: u32 = 32;
const ROW_MASK: u64 = (1 << ROW_BITS) - 1;

/// The key of a row in its tree: greater than 0, since sums that fit are not negative.
fn key(node: NodeIdx, sum: i32) -> u64 {
    let row = u64::try_from(node.index()).unwrap_or(ROW_MASK);
    (u64::from(sum.cast_unsigned()) + 1) << ROW_BITS | (ROW_MASK - row)
}

fn node_of(key: u64) -> NodeIdx {
    NodeIdx::from_index(usize::try_from(ROW_MASK - (key & ROW_MASK)).unwrap_or(usize::MAX))
}

fn sum_of(key: u64) -> i32 {
    i32::try_from((key >> ROW_BITS).saturating_sub(1)).unwrap_or(i32::MAX)
}

/// The row's key; 0 if it does not let the pod in.
fn row_key(node: NodeIdx, fixed: &[i32], rows: &RowScores) -> u64 {
    let fixed = fixed.get(rows.order().place(node)).copied().unwrap_or(0);
    rows.sum(node).map_or(0, |sum| key(node, sum + fixed))
}

impl Trees {
    pub(super) fn new(
        cluster: &Cluster,
        group_of: &[u32],
        fixed: &[i32],
        groups: usize,
        rows: &RowScores,
    ) -> Self {
        let mut trees = Self {
            places: IndexVec::new(),
            groups: Vec::new(),
            slots: cluster.nodes().row_count(),
            revision: cluster.revision(),
        };
        trees.groups.resize_with(groups, Slots::default);
        for node in cluster.nodes().rows() {
            let group = group_of.get(rows.order().place(node)).copied().unwrap_or(OUT);
            let slot = match trees.groups.get_mut(group as usize) {
                Some(slots) => slots.tree.push(row_key(node, fixed, rows)),
                None => 0,
            };
            trees.places.push(Place { group, slot: u32::try_from(slot).unwrap_or(OUT) });
        }
        for group in &mut trees.groups {
            group.tree.settle();
        }
        trees
    }

    /// How many bytes the trees take, roughly.
    pub(super) fn bytes(&self) -> usize {
        let trees: usize = self.groups.iter().map(|group| group.tree.bytes()).sum();
        self.places.len() * size_of::<Place>() + trees
    }

    /// Lets the rows that changed stand where they belong; `false` if the trees are to be made anew.
    pub(super) fn catch_up(
        &mut self,
        cluster: &Cluster,
        group_of: &[u32],
        fixed: &[i32],
        rows: &RowScores,
        work: &mut Work,
    ) -> bool {
        // Slots that rows left behind are used again, but rows may move through many groups.
        if self.slots > 4 * self.places.len() + 1024 {
            return false;
        }
        let Some(changes) = cluster.changes_since(self.revision) else { return false };
        work.moved += u64::try_from(changes.len()).unwrap_or(u64::MAX);
        for change in changes {
            let node = change.node;
            let group = group_of.get(rows.order().place(node)).copied().unwrap_or(OUT);
            if group != OUT {
                self.put(node, group, row_key(node, fixed, rows));
            }
        }
        self.revision = cluster.revision();
        true
    }

    fn put(&mut self, node: NodeIdx, group: u32, key: u64) {
        let mut place = self.places[node];
        if place.group != group {
            if let Some(before) = self.groups.get_mut(place.group as usize) {
                before.tree.set(place.slot as usize, 0);
                before.free.push(place.slot);
            }
            if self.groups.len() <= group as usize {
                self.groups.resize_with(group as usize + 1, Slots::default);
            }
            let Some(after) = self.groups.get_mut(group as usize) else { return };
            let slot = after.free.pop().unwrap_or_else(|| {
                self.slots += 1;
                let slot = after.tree.grow();
                u32::try_from(slot).unwrap_or(OUT)
            });
            place = Place { group, slot };
            self.places[node] = place;
        }
        if let Some(of) = self.groups.get_mut(group as usize) {
            of.tree.set(place.slot as usize, key);
        }
    }

    /// The best row and its total; `weights` are those of the groups, none for one that is closed.
    pub(super) fn best(
        &self,
        weights: impl Iterator<Item = Option<i32>>,
    ) -> Option<(NodeIdx, i32)> {
        let mut best: Option<(i32, NodeIdx)> = None;
        for (group, weight) in self.groups.iter().zip(weights) {
            let (Some(weight), top @ 1..) = (weight, group.tree.top()) else { continue };
            let (total, node) = (weight + sum_of(top), node_of(top));
            if best.is_none_or(|(most, first)| total > most || total == most && node < first) {
                best = Some((total, node));
            }
        }
        best.map(|(total, node)| (node, total))
    }
}
