//! `View`: the best node for a template, kept while pods come and go.
//!
//! A node's total has two parts. One only its own row knows: what is requested there, which images it has. The other takes few
//! distinct values: scores that are normalised, and those that count pods by topology domain. Nodes for which the second part
//! depends on the same things form a *group*; what plugins say of one node of a group they say of all. A group keeps its nodes
//! in a [`Tree`] by the first part, so that
//!
//! - a placement moves one node in one tree, or from one group to another;
//! - a changed count, a changed maximum or a domain that is full are matters of a few groups, not of all nodes;
//! - the best node is the best of the groups' best.
//!
//! A view knows the best node and how many are feasible, and nothing else. Whoever wants to see why asks the
//! [plan](crate::plan) of all rows, which is also what views are tested against.

mod shared;
mod tree;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use self::shared::is_of_row;
pub(crate) use self::shared::{RowScores, Shape, Shapes};
use self::tree::Tree;
use crate::cluster::Cluster;
use crate::framework::{Dependency, MAX_NODE_SCORE, Stale};
use crate::index_vec::{Idx, IndexVec, NodeIdx};
use crate::node_set::NodeSet;
use crate::plan::{PlannedFilter, PlannedScore};
use crate::plans::Work;

/// The best node for a template.
#[derive(Debug)]
pub(crate) struct View {
    /// Where each row stands.
    places: IndexVec<NodeIdx, Place>,
    /// What scores that never change add to a row; empty if that is nothing.
    fixed: IndexVec<NodeIdx, i32>,
    groups: Vec<Group>,
    /// What tells one group from another, in the order of the groups.
    keys: IndexSet<Box<[u64]>, FxBuildHasher>,
    /// The revision up to which rows stand where they belong.
    revision: u64,
    /// Whether a row that changed may belong to another group.
    moves: bool,
    /// Whether what is said of groups must be asked again.
    stale: bool,
    /// Whether a score looks at how many nodes are feasible.
    counts: bool,
    /// How many slots the trees have.
    slots: usize,
    buffers: Buffers,
}

/// Where a row stands: in no group if no pod can let it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    group: u32,
    slot: u32,
}

impl Place {
    const NONE: Self = Self { group: u32::MAX, slot: 0 };
}

/// Nodes of which plugins say the same, but for those that look at the row.
#[derive(Debug, Default)]
struct Group {
    rows: Tree,
    /// Slots of rows that left.
    free: Vec<u32>,
    /// How many rows let the pod in, if the group does.
    fitting: usize,
    /// Whether filters let the pod into the group.
    open: bool,
    /// The weighted sum of the scores of the group.
    weight: i64,
}

/// Used again from call to call.
#[derive(Debug, Default)]
struct Buffers {
    key: Vec<u64>,
    nodes: Vec<NodeIdx>,
    groups: Vec<usize>,
    scores: Vec<i64>,
}

/// The node that a view chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) node: NodeIdx,
    pub(crate) total: i64,
    /// How many nodes are feasible.
    pub(crate) feasible: usize,
}

/// What a view reads: the plugins of its plan and the rows of its shape, up to date.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) filters: &'a [PlannedFilter],
    pub(crate) scores: &'a mut [PlannedScore],
    pub(crate) rows: &'a RowScores,
    /// What every total has beside the scores.
    pub(crate) base_total: i64,
}

/// Row numbers take the lower half of a key, so that of equal sums the first row wins.
const ROW_BITS: u32 = 32;
const ROW_MASK: u64 = (1 << ROW_BITS) - 1;

/// The key of a row in its tree; the sum is not negative.
fn key_of(node: NodeIdx, sum: i64) -> u64 {
    let row = u64::try_from(node.index()).unwrap_or(ROW_MASK);
    (sum.cast_unsigned() + 1) << ROW_BITS | (ROW_MASK - row)
}

fn node_of(key: u64) -> NodeIdx {
    NodeIdx::from_index(usize::try_from(ROW_MASK - (key & ROW_MASK)).unwrap_or(usize::MAX))
}

fn sum_of(key: u64) -> i64 {
    (key >> ROW_BITS).cast_signed() - 1
}

/// Whether a filter is asked once a group.
fn is_of_group(planned: &PlannedFilter) -> bool {
    matches!(planned.depends_on, Dependency::Domain(_) | Dependency::FeasibleSet)
}

/// Whether a score never changes and is not normalised: it is a part of the row's sum.
fn is_fixed(planned: &PlannedScore) -> bool {
    planned.depends_on == Dependency::Static && !planned.score.has_normalize()
}

fn is_score_of_group(planned: &PlannedScore) -> bool {
    !is_of_row(planned) && !is_fixed(planned)
}

impl View {
    /// The view of a template over the nodes that PreFilter leaves; `None` if a plugin cannot say what its answers depend on, or a
    /// score is out of range.
    pub(crate) fn new(
        cluster: &Cluster,
        mut nodes: NodeSet,
        sources: &Sources<'_>,
    ) -> Option<Self> {
        let never = sources.filters.iter();
        for planned in never.filter(|planned| planned.depends_on == Dependency::Static) {
            planned.filter.narrow(cluster, &mut nodes);
        }
        let mut view = Self {
            places: IndexVec::filled(Place::NONE, cluster.nodes().row_count()),
            fixed: fixed_sums(cluster, &nodes, sources)?,
            groups: Vec::new(),
            keys: IndexSet::default(),
            revision: cluster.revision(),
            moves: false,
            stale: true,
            counts: sources.scores.iter().any(|p| p.depends_on == Dependency::FeasibleSet),
            slots: nodes.count(),
            buffers: Buffers::default(),
        };
        let mut last = None;
        for node in &nodes {
            let before = std::mem::take(&mut view.buffers.key);
            let mut key = Vec::with_capacity(before.len());
            if !class(cluster, node, sources, &mut key) {
                return None;
            }
            // Neighbours are often alike.
            let group = match last {
                Some(group) if key == before => group,
                _ => view.group(&key),
            };
            view.buffers.key = key;
            last = Some(group);
            let key = view.row_key(node, sources.rows);
            if let Some(of) = view.groups.get_mut(group) {
                of.fitting += usize::from(key != 0);
                view.places[node] = place(group, of.rows.push(key));
            }
        }
        for group in &mut view.groups {
            group.rows.settle();
        }
        Some(view)
    }

    /// Takes note of what group plugins said of changes: [`Stale::All`] ends a view.
    pub(crate) fn note(&mut self, stale: Stale) {
        self.moves |= stale >= Stale::Row;
        self.stale |= stale >= Stale::Classes;
    }

    /// How many bytes the view takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let trees: usize = self.groups.iter().map(|group| group.rows.bytes()).sum();
        self.places.len() * size_of::<Place>() + self.fixed.len() * size_of::<i32>() + trees
    }

    /// The best node as the cluster stands; `None` if none is feasible, `Some(None)` if a score is out of range.
    pub(crate) fn pick(
        &mut self,
        cluster: &Cluster,
        sources: &mut Sources<'_>,
        work: &mut Work,
    ) -> Picked {
        if !self.catch_up(cluster, sources, work) {
            return Picked::Unknown;
        }
        if self.stale {
            work.weighed += 1;
            if !self.ask_groups(cluster, sources) {
                return Picked::Unknown;
            }
        }
        let mut best: Option<(i64, NodeIdx)> = None;
        let mut feasible = 0;
        for group in self.groups.iter().filter(|group| group.open && group.fitting > 0) {
            feasible += group.fitting;
            let top = group.rows.top();
            let (total, node) = (group.weight.wrapping_add(sum_of(top)), node_of(top));
            if best.is_none_or(|(most, first)| total > most || total == most && node < first) {
                best = Some((total, node));
            }
        }
        match best {
            None => Picked::None,
            Some((total, node)) => Picked::Best(Pick { node, total, feasible }),
        }
    }

    /// Lets the rows that changed stand where they belong; `false` if that cannot be told.
    fn catch_up(&mut self, cluster: &Cluster, sources: &Sources<'_>, work: &mut Work) -> bool {
        let Some(changes) = cluster.changes_since(self.revision) else { return false };
        let moves = std::mem::replace(&mut self.moves, false);
        // Slots that rows left behind are used again, but rows may move through many groups.
        if self.slots > 4 * self.places.len() + 1024 {
            return false;
        }
        work.moved += u64::try_from(changes.len()).unwrap_or(u64::MAX);
        for change in changes {
            let place = self.places[change.node];
            if place != Place::NONE {
                self.update(cluster, change.node, place, moves, sources);
            }
        }
        self.revision = cluster.revision();
        true
    }

    fn update(
        &mut self,
        cluster: &Cluster,
        node: NodeIdx,
        place: Place,
        moves: bool,
        sources: &Sources<'_>,
    ) {
        let key = self.row_key(node, sources.rows);
        let group = if moves {
            let mut class_key = std::mem::take(&mut self.buffers.key);
            class_key.clear();
            class(cluster, node, sources, &mut class_key);
            let group = self.group(&class_key);
            self.buffers.key = class_key;
            group
        } else {
            place.group as usize
        };
        if group == place.group as usize {
            self.put(place, key);
            return;
        }
        self.put(place, 0);
        if let Some(before) = self.groups.get_mut(place.group as usize) {
            before.free.push(place.slot);
        }
        let Some(after) = self.groups.get_mut(group) else { return };
        let slot = after.free.pop().map_or_else(
            || {
                self.slots += 1;
                let slot = after.rows.push(0);
                after.rows.settle();
                slot
            },
            |slot| slot as usize,
        );
        let place = self::place(group, slot);
        self.places[node] = place;
        self.put(place, key);
    }

    /// Puts a row's key into its slot.
    fn put(&mut self, place: Place, key: u64) {
        let Some(group) = self.groups.get_mut(place.group as usize) else { return };
        let slot = place.slot as usize;
        let before = group.rows.get(slot);
        if before == key {
            return;
        }
        group.rows.set(slot, key);
        if (before == 0) != (key == 0) {
            if key == 0 {
                group.fitting -= 1;
            } else {
                group.fitting += 1;
            }
            // A group that comes into question, or does so no more, changes what is normalised.
            let shown = if key == 0 { group.fitting == 0 } else { group.fitting == 1 };
            self.stale |= shown || self.counts;
        }
    }

    /// The row's key in its tree; 0 if the row does not let the pod in.
    fn row_key(&self, node: NodeIdx, rows: &RowScores) -> u64 {
        let fixed = self.fixed.get(node).copied().unwrap_or(0);
        rows.sum(node).map_or(0, |sum| key_of(node, i64::from(sum) + i64::from(fixed)))
    }

    /// The number of a group, made if it is new.
    fn group(&mut self, key: &[u64]) -> usize {
        if let Some(group) = self.keys.get_index_of(key) {
            return group;
        }
        self.groups.push(Group::default());
        self.stale = true;
        self.keys.insert_full(key.into()).0
    }

    /// Asks what plugins say of each group; `false` if a score is out of range.
    fn ask_groups(&mut self, cluster: &Cluster, sources: &mut Sources<'_>) -> bool {
        let Buffers { nodes, groups, scores, .. } = &mut self.buffers;
        nodes.clear();
        groups.clear();
        for (at, group) in self.groups.iter_mut().enumerate().filter(|(_, group)| group.fitting > 0)
        {
            let node = node_of(group.rows.top());
            let mut filters = sources.filters.iter().filter(|planned| is_of_group(planned));
            group.open = filters.all(|planned| planned.filter.fits(cluster, node));
            group.weight = sources.base_total;
            if group.open {
                nodes.push(node);
                groups.push(at);
            }
        }
        for planned in sources.scores.iter_mut().filter(|planned| is_score_of_group(planned)) {
            if planned.score.is_skipped() {
                continue;
            }
            if planned.depends_on == Dependency::FeasibleSet {
                let counts = groups.iter().map(|&at| self.groups.get(at).map_or(0, |g| g.fitting));
                planned.score.feasible(cluster, &mut nodes.iter().copied().zip(counts));
            }
            scores.clear();
            scores.extend(nodes.iter().map(|&node| planned.score.raw(cluster, node)));
            if planned.score.has_normalize() {
                planned.score.normalize(nodes, scores);
            }
            for (&at, &score) in groups.iter().zip(&*scores) {
                if !(0..=MAX_NODE_SCORE).contains(&score) {
                    return false;
                }
                if let Some(group) = self.groups.get_mut(at) {
                    let weighted = score.wrapping_mul(planned.weight);
                    group.weight = group.weight.wrapping_add(weighted);
                }
            }
        }
        self.stale = false;
        true
    }
}

/// What a view says of the best node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picked {
    /// This one.
    Best(Pick),
    /// No node is feasible.
    None,
    /// The view cannot tell.
    Unknown,
}

fn place(group: usize, slot: usize) -> Place {
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Place { group: number(group), slot: number(slot) }
}

/// Writes what tells the row's group from others; `false` if a plugin cannot say it.
fn class(cluster: &Cluster, node: NodeIdx, sources: &Sources<'_>, key: &mut Vec<u64>) -> bool {
    let mut filters = sources.filters.iter().filter(|planned| is_of_group(planned));
    let mut scores = sources.scores.iter().filter(|planned| is_score_of_group(planned));
    filters.all(|planned| planned.filter.class(cluster, node, key))
        && scores.all(|planned| planned.score.class(cluster, node, key))
}

/// The weighted sum of the scores that never change, for each of the nodes; `None` if one is out of range.
fn fixed_sums(
    cluster: &Cluster,
    nodes: &NodeSet,
    sources: &Sources<'_>,
) -> Option<IndexVec<NodeIdx, i32>> {
    let mut sums = IndexVec::new();
    for planned in sources.scores.iter().filter(|planned| is_fixed(planned)) {
        for node in nodes {
            let raw = planned.score.raw(cluster, node);
            if !(0..=MAX_NODE_SCORE).contains(&raw) {
                return None;
            }
            if raw != 0 {
                if sums.is_empty() {
                    sums = IndexVec::filled(0_i32, cluster.nodes().row_count());
                }
                let weighted = i32::try_from(raw.checked_mul(planned.weight)?).ok()?;
                sums[node] = sums[node].checked_add(weighted)?;
            }
        }
    }
    Some(sums)
}
