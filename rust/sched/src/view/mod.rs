//! `View`: the best node for a template, kept while pods come and go.
//!
//! A node's total has two parts. One only its own row knows: what is requested there, which images it has. The other takes few
//! distinct values: scores that are normalised, and those that count pods by topology domain. Nodes for which the second part
//! depends on the same things form a *group*; what plugins say of one node of a group they say of all. So
//!
//! - a placement changes one row, and perhaps the group that the row is in;
//! - a changed count, a changed maximum or a domain that is full are matters of a few groups, not of all nodes.
//!
//! What the rows say is kept once for all templates of a [shape](Shape), and the greatest sum of each block of rows. The best node
//! is found in one of two ways, by what changed since the view was last asked:
//!
//! - many rows, as when many templates take turns: a pass over the blocks, most of which cannot hold the best node even if their
//!   best row were in the best group;
//! - a few: each group keeps its rows in a [tree](tree::Tree) by their sums, and the best node is the best of the groups' best.
//!
//! A view knows the best node and how many are feasible, and nothing else. Whoever wants to see why asks the
//! [plan](crate::plan) of all rows, which is also what views are tested against.

mod order;
mod scan;
mod shared;
mod tree;
mod trees;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

pub(crate) use self::scan::scan;
use self::shared::is_of_row;
pub(crate) use self::shared::{RowScores, Shape, Shapes};
use self::trees::Trees;
use crate::cluster::Cluster;
use crate::framework::{Dependency, MAX_NODE_SCORE};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::kernels;
use crate::node_set::NodeSet;
use crate::plan::{PlannedFilter, PlannedScore};
use crate::plans::Work;

/// What stands for "does not fit" among sums and weights, which are never negative.
pub(crate) const UNFIT: i32 = i32::MIN / 4;
/// How many rows have one bound in common.
const BLOCK: usize = 64;

/// The best node for a template.
#[derive(Debug)]
pub(crate) struct View {
    /// The group of the row of each place; [`OUT`] if no pod can let it in.
    group_of: Vec<u32>,
    /// What scores that never change add to the row of each place; [`UNFIT`] if no pod can let it in.
    fixed: Vec<i32>,
    groups: Vec<Group>,
    /// What tells one group from another, in the order of the groups.
    keys: IndexSet<Box<[u64]>, FxBuildHasher>,
    /// The places of the filters and scores that make groups: those that do not say the same of all rows.
    dividing: (Vec<usize>, Vec<usize>),
    /// The groups of which rows are, or were, in each block of places.
    blocks: Vec<Block>,
    trees: Option<Trees>,
    /// How many questions in a row came after few changes.
    few: u32,
    /// The revision of the last question.
    revision: u64,
    /// Which rows came to fit, or ceased to, up to where this was noted.
    flips: u64,
    /// How often the rows were learnt anew.
    generation: u64,
    /// Whether what is said of groups must be asked again.
    stale: bool,
    /// Whether a score looks at how many nodes are feasible.
    counts: bool,
    buffers: Buffers,
}

/// No group.
const OUT: u32 = u32::MAX;

/// Nodes of which plugins say the same, but for those that look at the row.
#[derive(Debug, Clone)]
struct Group {
    /// One of its rows.
    member: NodeIdx,
    /// How many rows let the pod in, if the group does.
    fitting: usize,
    /// Whether filters let the pod into the group.
    open: bool,
    /// The weighted sum of the scores of the group.
    weight: i32,
}

/// What is known of the rows of a block of places.
#[derive(Debug, Clone, Default)]
struct Block {
    /// The greatest of what is fixed.
    fixed: i32,
    /// The group that was met first; [`OUT`] if no row is in a group.
    group: u32,
    /// The other groups.
    others: Vec<u32>,
}

impl Block {
    const EMPTY: Self = Self { fixed: 0, group: OUT, others: Vec::new() };

    /// The greatest weight of its groups.
    fn heaviest(&self, weight: impl Fn(u32) -> i32) -> i32 {
        self.others.iter().fold(weight(self.group), |most, &group| most.max(weight(group)))
    }

    fn note(&mut self, group: u32) {
        if self.group == OUT {
            self.group = group;
        } else if self.group != group && !self.others.contains(&group) {
            self.others.push(group);
        }
    }
}

/// Used again from call to call.
#[derive(Debug, Default)]
struct Buffers {
    key: Vec<u64>,
    nodes: Vec<NodeIdx>,
    groups: Vec<usize>,
    scores: Vec<i64>,
    weights: Vec<i32>,
    bounds: Vec<i32>,
}

/// The node that a view chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) node: NodeIdx,
    pub(crate) total: i64,
    /// How many nodes are feasible.
    pub(crate) feasible: usize,
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

/// What a view reads: the plugins of its plan and the rows of its shape, up to date.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) filters: &'a [PlannedFilter],
    pub(crate) scores: &'a mut [PlannedScore],
    pub(crate) rows: &'a RowScores,
    /// What every total has beside the scores.
    pub(crate) base_total: i64,
}

/// Whether a filter is asked once a group.
fn is_of_group(planned: &PlannedFilter) -> bool {
    planned.depends_on.is_beyond_row()
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
        let filters = sources.filters.iter().enumerate();
        let filters = filters.filter(|(_, it)| is_of_group(it) && !it.filter.is_uniform());
        let scores = sources.scores.iter().enumerate();
        let scores = scores.filter(|(_, it)| is_score_of_group(it) && !it.score.is_uniform());
        let dividing = (filters.map(|(at, _)| at).collect(), scores.map(|(at, _)| at).collect());
        let mut view = Self {
            group_of: vec![OUT; sources.rows.order().len()],
            fixed: Vec::new(),
            groups: Vec::new(),
            keys: IndexSet::default(),
            dividing,
            blocks: Vec::new(),
            trees: None,
            few: 0,
            revision: cluster.revision(),
            flips: sources.rows.flips(),
            generation: sources.rows.generation(),
            stale: true,
            counts: sources.scores.iter().any(|p| p.depends_on == Dependency::FeasibleSet),
            buffers: Buffers::default(),
        };
        view.divide(cluster, &nodes, sources)?;
        let order = sources.rows.order();
        let fixed = fixed_sums(cluster, &nodes, sources)?;
        view.fixed = vec![UNFIT; order.len()];
        view.blocks = vec![Block::EMPTY; order.len() / BLOCK];
        for node in &nodes {
            let place = order.place(node);
            let Some(block) = view.blocks.get_mut(place / BLOCK) else { continue };
            let fixed = fixed.get(node).copied().unwrap_or(0);
            block.note(view.group_of.get(place).copied().unwrap_or(OUT));
            block.fixed = block.fixed.max(fixed);
            if let Some(slot) = view.fixed.get_mut(place) {
                *slot = fixed;
            }
        }
        Some(view)
    }

    /// Puts each of the nodes into its group.
    fn divide(&mut self, cluster: &Cluster, nodes: &NodeSet, sources: &Sources<'_>) -> Option<()> {
        if self.dividing.0.is_empty() && self.dividing.1.is_empty() {
            let Some(first) = nodes.iter().next() else { return Some(()) };
            let group = self.group(&[], first);
            for node in nodes {
                self.set_group(sources.rows.order().place(node), group);
            }
            let fitting = nodes.iter().filter(|&node| sources.rows.fits(node)).count();
            self.groups.first_mut()?.fitting = fitting;
            return Some(());
        }
        // The groups met last, by a digest of their keys.
        let mut met = [OUT; MET];
        let mut key = Vec::new();
        for node in nodes {
            key.clear();
            if !self.class(cluster, node, sources, &mut key) {
                return None;
            }
            let digest = key.iter().fold(0_u64, |sum, &part| {
                (sum ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
            });
            let slot = met.get_mut(usize::try_from(digest % MET as u64).unwrap_or(0))?;
            let known = self.keys.get_index(*slot as usize);
            let group = match known {
                Some(known) if **known == *key => *slot,
                _ => self.group(&key, node),
            };
            *slot = group;
            self.set_group(sources.rows.order().place(node), group);
            if let Some(group) = self.groups.get_mut(group as usize) {
                group.fitting += usize::from(sources.rows.fits(node));
            }
        }
        Some(())
    }

    /// Takes note of what group plugins said of changes: whether they may say something else of groups now.
    pub(crate) const fn note(&mut self, classes: bool) {
        self.stale |= classes;
    }

    /// How many bytes the view takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let columns = size_of::<u32>() * (self.group_of.len() + self.fixed.len());
        columns
            + size_of::<Block>() * self.blocks.len()
            + self.trees.as_ref().map_or(0, Trees::bytes)
    }

    /// The best node as the cluster stands; `touched` are the rows that may be of another class since the last question.
    pub(crate) fn pick(
        &mut self,
        cluster: &Cluster,
        sources: &mut Sources<'_>,
        touched: &mut Vec<NodeIdx>,
        work: &mut Work,
    ) -> Picked {
        if !self.take_flips(sources.rows) {
            return Picked::Unknown;
        }
        for node in touched.drain(..) {
            self.classify(cluster, node, sources);
        }
        if self.stale {
            work.weighed += 1;
            if !self.ask_groups(cluster, sources) {
                return Picked::Unknown;
            }
        }
        let feasible =
            self.groups.iter().filter(|group| group.open).map(|group| group.fitting).sum();
        if feasible == 0 {
            return Picked::None;
        }
        let best = self.best(cluster, sources.rows, work);
        self.revision = cluster.revision();
        let Some((node, total)) = best else { return Picked::Unknown };
        let total = i64::from(total) + sources.base_total;
        Picked::Best(Pick { node, total, feasible })
    }

    /// The best node and its total, by the way that is shorter.
    fn best(
        &mut self,
        cluster: &Cluster,
        rows: &RowScores,
        work: &mut Work,
    ) -> Option<(NodeIdx, i32)> {
        let count = cluster.nodes().row_count();
        let changes = cluster.changes_since(self.revision);
        // One row in a tree takes as long as some hundred in a pass.
        let few = changes.is_some_and(|it| it.len() <= 1 + count / ROWS_A_CHANGE);
        self.few = if few { self.few.saturating_add(1) } else { 0 };
        if !few {
            self.trees = None;
        } else if self.trees.is_none() && self.few >= PATIENCE {
            let groups = self.groups.len();
            let trees = Trees::new(cluster, &self.group_of, &self.fixed, groups, rows);
            self.trees = Some(trees);
        }
        if let Some(trees) = &mut self.trees {
            if trees.catch_up(cluster, &self.group_of, &self.fixed, rows, work) {
                let open = self.groups.iter().map(|group| group.open.then_some(group.weight));
                return trees.best(open);
            }
            self.trees = None;
            self.few = 0;
        }
        work.passes += 1;
        self.pass(rows)
    }

    /// The best node and its total, from one pass over the blocks.
    fn pass(&mut self, rows: &RowScores) -> Option<(NodeIdx, i32)> {
        let Self { groups, blocks, buffers, group_of, fixed, .. } = self;
        let Buffers { weights, bounds, .. } = buffers;
        weights.clear();
        weights.extend(groups.iter().map(|it| if it.open { it.weight } else { UNFIT }));
        let weight = |group: u32| weights.get(group as usize).copied().unwrap_or(UNFIT);
        bounds.clear();
        bounds.extend(blocks.iter().zip(rows.most()).map(|(block, &most)| {
            // one UNFIT outweighs the rest
            most + block.fixed + block.heaviest(weight)
        }));
        let order = rows.order();
        let best_of = |at: usize, mut best: Option<(i32, NodeIdx)>| {
            let from = at * BLOCK;
            let sums = rows.sums().get(from..from + BLOCK).unwrap_or_default();
            let fixed = fixed.get(from..from + BLOCK).unwrap_or_default();
            let Some(block) = blocks.get(at) else { return best };
            // What each row says is nearly all alike, and the weights are those of the group or of few.
            let most = kernels::greatest_of_both(sums, fixed);
            let heaviest = block.heaviest(weight);
            let mut needed = best.map_or(0, |(total, _)| total - heaviest);
            if most < needed || most < 0 {
                return best;
            }
            let is_alike = block.others.is_empty();
            if is_alike {
                needed = most;
            }
            for (place, (sum, fixed)) in (from..).zip(sums.iter().zip(fixed)) {
                let sum = sum + fixed;
                if sum < needed || sum < 0 {
                    continue;
                }
                let Some(node) = order.row(place) else { continue };
                let own = group_of.get(place).map_or(UNFIT, |&group| weight(group));
                let total = sum + if is_alike { heaviest } else { own };
                let is_better =
                    best.is_none_or(|(most, first)| total > most || total == most && node < first);
                if total >= 0 && is_better {
                    best = Some((total, node));
                    needed = needed.max(total - heaviest);
                }
                if is_alike {
                    break;
                }
            }
            best
        };
        // A block that promises most makes most others needless.
        let greatest = kernels::greatest(bounds);
        let first = kernels::place(bounds, greatest).filter(|_| greatest >= 0)?;
        let mut best = best_of(first, None);
        for (at, &bound) in bounds.iter().enumerate().filter(|(at, _)| *at != first) {
            if bound >= best.map_or(0, |(total, _)| total) {
                best = best_of(at, best);
            }
        }
        best.map(|(total, node)| (node, total))
    }

    /// Takes note of rows that came to fit, or ceased to.
    fn take_flips(&mut self, rows: &RowScores) -> bool {
        if self.generation != rows.generation() {
            return false;
        }
        let Some(flips) = rows.flips_since(self.flips) else { return false };
        for &(node, fits) in flips {
            let place = rows.order().place(node);
            let group = self.group_of.get(place).and_then(|&at| self.groups.get_mut(at as usize));
            let Some(group) = group else { continue };
            if fits {
                group.fitting += 1;
            } else {
                group.fitting -= 1;
            }
            // A group that comes into question, or does so no more, changes what is normalised.
            let shown = group.fitting == usize::from(fits);
            self.stale |= shown || self.counts;
        }
        self.flips = rows.flips();
        true
    }

    /// Puts a row into the group to which it belongs now.
    fn classify(&mut self, cluster: &Cluster, node: NodeIdx, sources: &Sources<'_>) {
        let order = sources.rows.order();
        let place = order.place(node);
        let before = self.group_of.get(place).copied().unwrap_or(OUT);
        if before == OUT {
            return;
        }
        let mut key = std::mem::take(&mut self.buffers.key);
        key.clear();
        self.class(cluster, node, sources, &mut key);
        let after = self.group(&key, node);
        self.buffers.key = key;
        if after == before {
            return;
        }
        if let Some(block) = self.blocks.get_mut(place / BLOCK) {
            block.note(after);
        }
        self.set_group(place, after);
        let fits = sources.rows.fits(node);
        if let Some(group) = self.groups.get_mut(before as usize) {
            group.fitting -= usize::from(fits);
            self.stale |= fits && group.fitting == 0;
            if group.member == node {
                // The rows before it mostly left for the same reason.
                let (earlier, later) = self.group_of.split_at_checked(place).unwrap_or_default();
                let at = kernels::position(later, before).map(|at| at + place);
                let at = at.or_else(|| kernels::position(earlier, before));
                group.member = at.and_then(|at| order.row(at)).unwrap_or(node);
            }
        }
        let Some(group) = self.groups.get_mut(after as usize) else { return };
        if group.fitting == 0 {
            group.member = node;
            self.stale |= fits;
        }
        group.fitting += usize::from(fits);
    }

    fn set_group(&mut self, place: usize, group: u32) {
        if let Some(slot) = self.group_of.get_mut(place) {
            *slot = group;
        }
    }

    /// The number of a group, made if it is new with the node as its first.
    fn group(&mut self, key: &[u64], node: NodeIdx) -> u32 {
        let group = self.keys.get_index_of(key).unwrap_or_else(|| {
            self.groups.push(Group { member: node, fitting: 0, open: false, weight: 0 });
            self.stale = true;
            self.keys.insert_full(key.into()).0
        });
        u32::try_from(group).unwrap_or(OUT)
    }

    /// Writes what tells the row's group from others; `false` if a plugin cannot say it.
    fn class(
        &self,
        cluster: &Cluster,
        node: NodeIdx,
        sources: &Sources<'_>,
        key: &mut Vec<u64>,
    ) -> bool {
        let (filters, scores) = (&self.dividing.0, &self.dividing.1);
        let mut filters = filters.iter().filter_map(|&at| sources.filters.get(at));
        let mut scores = scores.iter().filter_map(|&at| sources.scores.get(at));
        filters.all(|planned| planned.filter.class(cluster, node, key))
            && scores.all(|planned| planned.score.class(cluster, node, key))
    }

    /// Asks what plugins say of each group; `false` if a score is out of range.
    fn ask_groups(&mut self, cluster: &Cluster, sources: &mut Sources<'_>) -> bool {
        let Buffers { nodes, groups, scores, weights, .. } = &mut self.buffers;
        nodes.clear();
        groups.clear();
        weights.clear();
        for (at, group) in self.groups.iter_mut().enumerate() {
            let mut filters = sources.filters.iter().filter(|planned| is_of_group(planned));
            let open = group.fitting > 0
                && filters.all(|planned| planned.filter.fits(cluster, group.member));
            group.open = open;
            if open {
                nodes.push(group.member);
                groups.push(at);
                weights.push(0);
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
            for (sum, &score) in weights.iter_mut().zip(&*scores) {
                if !(0..=MAX_NODE_SCORE).contains(&score) {
                    return false;
                }
                let weighted = i32::try_from(score.saturating_mul(planned.weight));
                let Ok(weighted) = weighted else { return false };
                *sum += weighted;
            }
        }
        for (&at, &weight) in groups.iter().zip(&*weights) {
            let Some(group) = self.groups.get_mut(at) else { continue };
            group.weight = weight;
        }
        self.stale = false;
        true
    }
}

/// How many rows a pass looks at in the time that one change takes in a tree, roughly.
const ROWS_A_CHANGE: usize = 1024;

/// How many questions in a row must come after few changes before trees are made, which takes as long as some dozen passes.
const PATIENCE: u32 = 4;

/// How many groups are remembered while rows are divided.
const MET: usize = 64;

/// The weighted sum of the scores that never change, for each of the nodes; `None` if one is out of range.
fn fixed_sums(
    cluster: &Cluster,
    nodes: &NodeSet,
    sources: &Sources<'_>,
) -> Option<IndexVec<NodeIdx, i32>> {
    let mut sums = IndexVec::new();
    for planned in sources.scores.iter().filter(|planned| is_fixed(planned)) {
        if planned.score.is_uniform()
            && nodes.iter().next().is_none_or(|node| planned.score.raw(cluster, node) == 0)
        {
            continue;
        }
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
