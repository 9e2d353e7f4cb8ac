//! What the rows alone say: whether a pod fits, and the scores that look at nothing else.
//!
//! Resources are most of it. Pods of many templates request the same, so that what is learnt for one shape serves them all.

use std::sync::Arc;

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::order::Order;
use super::{BLOCK, UNFIT};
use crate::cluster::Cluster;
use crate::framework::{Dependency, Filter, MAX_NODE_SCORE, Score};
use crate::index_vec::{Idx, NodeIdx};
use crate::kernels;
use crate::node_set::NodeSet;
use crate::plan::{PlannedFilter, PlannedScore};
use crate::plans::Work;

/// What all plugins that look only at the row say of each row, for pods of one shape.
#[derive(Debug)]
pub(crate) struct RowScores {
    filters: Vec<Box<dyn Filter>>,
    scores: Vec<(i64, Box<dyn Score>)>,
    order: Arc<Order>,
    /// The weighted sum for each place of the order; [`UNFIT`] where the pod does not fit, or there is no row.
    sums: Vec<i32>,
    /// The greatest of `sums` in each block.
    most: Vec<i32>,
    /// Rows that came to fit, or ceased to, the last of them.
    flips: Vec<(NodeIdx, bool)>,
    /// How many came before those.
    flips_before: u64,
    /// How often the rows were learnt anew.
    generation: u64,
    /// Used again from call to call.
    rows: Vec<NodeIdx>,
    /// Whether a score was out of range: kube-scheduler then fails, which the plan of all rows tells.
    failed: bool,
    revision: u64,
    epoch: u64,
    /// When it was last used.
    pub(super) used: u64,
}

/// What the weights of all scores may come to, at most, so that totals are less than [`UNFIT`] is below zero. Profiles may have greater
/// weights, and negative ones; their pods have no views.
const MAX_WEIGHTS: i64 = 1 << 20;

/// The shapes that are known.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: IndexMap<Shape, RowScores, FxBuildHasher>,
    order: Option<Arc<Order>>,
}

/// What tells one shape from another: profile, plugins, and what each of them looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    plugins: Vec<Str>,
    numbers: Vec<i64>,
}

impl Shape {
    /// The shape of a template under a profile; `None` if a plugin that looks at the row cannot tell its own, or weights are negative
    /// or great.
    pub(crate) fn new(
        profile: usize,
        filters: &[PlannedFilter],
        scores: &[PlannedScore],
    ) -> Option<Self> {
        let mut shape = Self { plugins: Vec::new(), numbers: vec![i64::try_from(profile).ok()?] };
        for planned in filters.iter().filter(|planned| planned.depends_on == Dependency::Row) {
            shape.plugins.push(planned.plugin.clone());
            let from = shape.numbers.len();
            shape.numbers.push(0);
            if !planned.filter.shape(&mut shape.numbers) {
                return None;
            }
            shape.note_length(from)?;
        }
        shape.plugins.push(Str::EMPTY);
        for planned in scores.iter().filter(|planned| is_of_row(planned)) {
            shape.plugins.push(planned.plugin.clone());
            let from = shape.numbers.len();
            shape.numbers.push(0);
            if !planned.score.shape(&mut shape.numbers) {
                return None;
            }
            shape.note_length(from)?;
        }
        let weights = scores.iter().map(|planned| planned.weight);
        let bounded = weights.clone().all(|weight| (0..=MAX_WEIGHTS).contains(&weight));
        (bounded && weights.sum::<i64>() <= MAX_WEIGHTS).then_some(shape)
    }

    /// Writes how long the last part is in front of it, so that two shapes cannot be taken for each other.
    fn note_length(&mut self, from: usize) -> Option<()> {
        let length = i64::try_from(self.numbers.len() - from).ok()?;
        *self.numbers.get_mut(from)? = length;
        Some(())
    }
}

/// Whether the score looks at the row and nothing else.
pub(super) fn is_of_row(planned: &PlannedScore) -> bool {
    planned.depends_on == Dependency::Row && !planned.score.has_normalize()
}

impl Shapes {
    /// What the rows say for a shape, up to date; made if it is new.
    pub(crate) fn get(
        &mut self,
        shape: &Shape,
        cluster: &Cluster,
        used: u64,
        filters: &[PlannedFilter],
        scores: &[PlannedScore],
        work: &mut Work,
    ) -> &RowScores {
        let known = self.order.take().filter(|order| order.epoch() == cluster.epoch());
        let order = self.order.insert(known.unwrap_or_else(|| Arc::new(Order::new(cluster))));
        let at = self.known.get_index_of(shape).unwrap_or_else(|| {
            let made = RowScores::new(cluster, order, filters, scores, work);
            self.known.insert_full(shape.clone(), made).0
        });
        let rows = &mut self.known[at];
        rows.used = used;
        rows.catch_up(cluster, order, work);
        rows
    }

    /// When each shape was last used.
    pub(crate) fn uses(&self) -> impl Iterator<Item = u64> {
        self.known.values().map(|rows| rows.used)
    }

    /// Forgets the shapes that were last used at some moment or before, but those used `now`.
    pub(crate) fn forget_until(&mut self, moment: u64, now: u64) {
        self.known.retain(|_, rows| rows.used > moment || rows.used == now);
    }

    /// How many bytes the columns take.
    pub(crate) fn bytes(&self) -> usize {
        let places = self.order.as_ref().map_or(0, |order| order.len());
        self.known.len() * places * size_of::<i32>()
    }
}

impl RowScores {
    fn new(
        cluster: &Cluster,
        order: &Arc<Order>,
        filters: &[PlannedFilter],
        scores: &[PlannedScore],
        work: &mut Work,
    ) -> Self {
        let filters = filters.iter().filter(|planned| planned.depends_on == Dependency::Row);
        let scores = scores.iter().filter(|planned| is_of_row(planned));
        let mut rows = Self {
            filters: filters.map(|planned| planned.filter.boxed_clone()).collect(),
            scores: scores.map(|planned| (planned.weight, planned.score.boxed_clone())).collect(),
            order: Arc::clone(order),
            sums: Vec::new(),
            most: Vec::new(),
            flips: Vec::new(),
            flips_before: 0,
            generation: 0,
            rows: Vec::new(),
            failed: false,
            revision: 0,
            epoch: 0,
            used: 0,
        };
        rows.learn(cluster, order, work);
        rows
    }

    /// The weighted sum of a row; `None` where the pod does not fit.
    pub(super) fn sum(&self, node: NodeIdx) -> Option<i32> {
        self.sums.get(self.order.place(node)).copied().filter(|&sum| sum > UNFIT)
    }

    /// In which order the sums are.
    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    /// The weighted sum for each place, [`UNFIT`] where the pod does not fit.
    pub(super) fn sums(&self) -> &[i32] {
        &self.sums
    }

    /// The greatest sum of each block of places.
    pub(super) fn most(&self) -> &[i32] {
        &self.most
    }

    /// Whether the row lets the pod in.
    pub(super) fn fits(&self, node: NodeIdx) -> bool {
        self.sum(node).is_some()
    }

    /// How many rows came to fit, or ceased to, so far.
    pub(super) fn flips(&self) -> u64 {
        self.flips_before + u64::try_from(self.flips.len()).unwrap_or(u64::MAX)
    }

    /// Those since some moment; `None` if they are no longer known.
    pub(super) fn flips_since(&self, moment: u64) -> Option<&[(NodeIdx, bool)]> {
        let from = usize::try_from(moment.checked_sub(self.flips_before)?).ok()?;
        self.flips.get(from..)
    }

    /// How often the rows were learnt anew: then flips say nothing of those before.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether a score was out of range.
    pub(crate) const fn failed(&self) -> bool {
        self.failed
    }

    fn learn(&mut self, cluster: &Cluster, order: &Arc<Order>, work: &mut Work) {
        let count = cluster.nodes().row_count();
        work.rows += u64::try_from(count).unwrap_or(u64::MAX);
        let sums = &mut vec![0; count];
        for filter in &self.filters {
            filter.bar(cluster, UNFIT, sums);
        }
        let nodes = NodeSet::of_fitting(sums);
        let mut scores = self.scores.iter();
        self.failed = !scores.all(|(weight, score)| {
            i32::try_from(*weight).is_ok_and(|weight| score.add_to(cluster, &nodes, weight, sums))
        });
        // What was added to those on which the pod does not fit means nothing.
        nodes.each_absent(|row| sums[row] = UNFIT);
        let of_place = |place| order.row(place).and_then(|row| sums.get(row.index()).copied());
        self.sums = (0..order.len()).map(|place| of_place(place).unwrap_or(UNFIT)).collect();
        self.most = self.sums.chunks(BLOCK).map(kernels::greatest).collect();
        self.order = Arc::clone(order);
        self.revision = cluster.revision();
        self.epoch = cluster.epoch();
        self.generation += 1;
        self.flips_before = self.flips();
        self.flips.clear();
    }

    fn catch_up(&mut self, cluster: &Cluster, order: &Arc<Order>, work: &mut Work) {
        let changes = cluster.changes_since(self.revision).filter(|changes| {
            self.epoch == cluster.epoch() && changes.len() <= cluster.nodes().row_count().max(64)
        });
        let Some(changes) = changes else { return self.learn(cluster, order, work) };
        if changes.is_empty() {
            return;
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        rows.extend(changes.iter().map(|change| change.node));
        self.ask(cluster, &rows, work);
        self.rows = rows;
        self.revision = cluster.revision();
        let limit = self.sums.len().max(64);
        if self.flips.len() > 2 * limit {
            self.flips.drain(..limit);
            self.flips_before += u64::try_from(limit).unwrap_or(u64::MAX);
        }
    }

    /// Asks filters and scores about rows.
    fn ask(&mut self, cluster: &Cluster, rows: &[NodeIdx], work: &mut Work) {
        work.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        // Mostly one pod was placed since the last question.
        if rows.len() <= 4 {
            self.ask_by::<4>(cluster, rows);
        } else {
            self.ask_by::<BLOCK>(cluster, rows);
        }
    }

    /// The same, `N` rows at a time.
    fn ask_by<const N: usize>(&mut self, cluster: &Cluster, rows: &[NodeIdx]) {
        let (mut fits, mut raws, mut sums) = ([true; N], [0_i64; N], [0_i64; N]);
        for nodes in rows.chunks(N) {
            let fits = &mut fits[..nodes.len()];
            let raws = &mut raws[..nodes.len()];
            let sums = &mut sums[..nodes.len()];
            fits.fill(true);
            for filter in &self.filters {
                filter.fit(cluster, nodes, fits);
            }
            sums.fill(0);
            let mut failed = false;
            for (weight, score) in &self.scores {
                score.raws(cluster, nodes, raws);
                for ((sum, &raw), &fits) in sums.iter_mut().zip(&*raws).zip(&*fits) {
                    failed |= fits & !(0..=MAX_NODE_SCORE).contains(&raw);
                    *sum = sum.wrapping_add(raw.wrapping_mul(*weight));
                }
            }
            self.failed |= failed;
            for ((&node, &sum), &fits) in nodes.iter().zip(&*sums).zip(&*fits) {
                let sum = if fits { i32::try_from(sum).unwrap_or(0) } else { UNFIT };
                let place = self.order.place(node);
                let Some(slot) = self.sums.get_mut(place) else { continue };
                let before = std::mem::replace(slot, sum);
                if (before == UNFIT) == fits {
                    self.flips.push((node, fits));
                }
                let block = place / BLOCK;
                let Some(most) = self.most.get_mut(block) else { continue };
                if sum >= *most {
                    *most = sum;
                } else if before == *most {
                    let rows = self.sums.get(block * BLOCK..(block + 1) * BLOCK);
                    *most = kernels::greatest(rows.unwrap_or_default());
                }
            }
        }
    }
}
