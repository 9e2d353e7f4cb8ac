//! What the rows alone say: whether a pod fits, and the scores that look at nothing else.
//!
//! Resources are most of it. Pods of many templates request the same, so that what is learnt for one shape serves them all.

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::Cluster;
use crate::framework::{Dependency, Filter, MAX_NODE_SCORE, Score};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::plan::{PlannedFilter, PlannedScore};
use crate::plans::Work;

/// What all plugins that look only at the row say of each row, for pods of one shape.
#[derive(Debug)]
pub(crate) struct RowScores {
    filters: Vec<Box<dyn Filter>>,
    scores: Vec<(i64, Box<dyn Score>)>,
    /// The weighted sum for each row; negative where the pod does not fit.
    sums: IndexVec<NodeIdx, i32>,
    /// Whether a score was out of range: kube-scheduler then fails, which the plan of all rows tells.
    failed: bool,
    revision: u64,
    epoch: u64,
    /// When it was last used.
    pub(super) used: u64,
}

/// Does not fit.
const UNFIT: i32 = -1;
/// What the weights of the scores may come to, at most.
const MAX_WEIGHTS: i64 = 1 << 20;

/// The shapes that are known.
#[derive(Debug, Default)]
pub(crate) struct Shapes(IndexMap<Shape, RowScores, FxBuildHasher>);

/// What tells one shape from another: profile, plugins, and what each of them looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    plugins: Vec<Str>,
    numbers: Vec<i64>,
}

impl Shape {
    /// The shape of a template under a profile; `None` if a plugin that looks at the row cannot tell its own.
    pub(crate) fn new(
        profile: usize,
        filters: &[PlannedFilter],
        scores: &[PlannedScore],
    ) -> Option<Self> {
        let mut shape =
            Self { plugins: Vec::new(), numbers: vec![i64::try_from(profile).ok()?] };
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
        let mut weights = 0_i64;
        for planned in scores.iter().filter(|planned| is_of_row(planned)) {
            shape.plugins.push(planned.plugin.clone());
            let from = shape.numbers.len();
            shape.numbers.push(0);
            if !planned.score.shape(&mut shape.numbers) {
                return None;
            }
            shape.note_length(from)?;
            weights = weights.saturating_add(planned.weight);
        }
        (weights <= MAX_WEIGHTS).then_some(shape)
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
        let rows = match self.0.get_index_of(shape) {
            Some(at) => at,
            None => {
                let made = RowScores::new(cluster, filters, scores, work);
                self.0.insert_full(shape.clone(), made).0
            }
        };
        let rows = &mut self.0[rows];
        rows.used = used;
        rows.catch_up(cluster, work);
        rows
    }

    /// Forgets the shape that was unused longest; says whether there was one.
    pub(crate) fn forget_one(&mut self) -> bool {
        let oldest = self.0.values().enumerate().min_by_key(|(_, rows)| rows.used);
        let Some((at, _)) = oldest else { return false };
        self.0.swap_remove_index(at);
        true
    }

    /// How many bytes the columns take.
    pub(crate) fn bytes(&self) -> usize {
        self.0.values().map(|rows| rows.sums.len() * size_of::<i32>()).sum()
    }
}

impl RowScores {
    fn new(
        cluster: &Cluster,
        filters: &[PlannedFilter],
        scores: &[PlannedScore],
        work: &mut Work,
    ) -> Self {
        let filters = filters.iter().filter(|planned| planned.depends_on == Dependency::Row);
        let scores = scores.iter().filter(|planned| is_of_row(planned));
        let mut rows = Self {
            filters: filters.map(|planned| planned.filter.boxed_clone()).collect(),
            scores: scores.map(|planned| (planned.weight, planned.score.boxed_clone())).collect(),
            sums: IndexVec::new(),
            failed: false,
            revision: 0,
            epoch: 0,
            used: 0,
        };
        rows.learn(cluster, work);
        rows
    }

    /// The weighted sum of a row; `None` where the pod does not fit.
    pub(super) fn sum(&self, node: NodeIdx) -> Option<i32> {
        self.sums.get(node).copied().filter(|&sum| sum >= 0)
    }

    /// Whether a score was out of range.
    pub(crate) const fn failed(&self) -> bool {
        self.failed
    }

    fn learn(&mut self, cluster: &Cluster, work: &mut Work) {
        self.failed = false;
        let rows = cluster.nodes().rows();
        work.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.sums = rows.map(|node| self.ask(cluster, node)).collect();
        self.failed = self.sums.iter().any(|&sum| sum < UNFIT);
        self.revision = cluster.revision();
        self.epoch = cluster.epoch();
    }

    fn catch_up(&mut self, cluster: &Cluster, work: &mut Work) {
        let changes = cluster.changes_since(self.revision).filter(|changes| {
            self.epoch == cluster.epoch() && changes.len() <= cluster.nodes().row_count().max(64)
        });
        let Some(changes) = changes else { return self.learn(cluster, work) };
        work.rows += u64::try_from(changes.len()).unwrap_or(u64::MAX);
        for change in changes {
            let sum = self.ask(cluster, change.node);
            self.failed |= sum < UNFIT;
            self.sums[change.node] = sum;
        }
        self.revision = cluster.revision();
    }

    /// Asks filters and scores about a row; less than [`UNFIT`] if a score is out of range.
    fn ask(&self, cluster: &Cluster, node: NodeIdx) -> i32 {
        if !self.filters.iter().all(|filter| filter.fits(cluster, node)) {
            return UNFIT;
        }
        let mut sum = 0_i64;
        for (weight, score) in &self.scores {
            let raw = score.raw(cluster, node);
            if !(0..=MAX_NODE_SCORE).contains(&raw) {
                return i32::MIN;
            }
            sum += raw * weight;
        }
        i32::try_from(sum).unwrap_or(i32::MIN)
    }
}
