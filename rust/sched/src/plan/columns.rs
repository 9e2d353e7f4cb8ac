//! The columns of a plan: which nodes are feasible, what each scores, and which are the best.

use bayplan_api::Str;

use super::{Best, Pending, Plan, PlannedFilter, PlannedScore, Walk};
use crate::cluster::Cluster;
use crate::decision::PluginScores;
use crate::framework::{Dependency, MAX_NODE_SCORE, Rows, Verdicts};
use crate::index_vec::{IndexVec, NodeIdx};
use crate::node_set::NodeSet;
use crate::profile::Profile;
use crate::sampling::{feasible_nodes_to_find, list_order};

impl Plan {
    /// Finds all feasible nodes, or the one to which the pod is nominated.
    pub(crate) fn filter(&mut self, cluster: &Cluster) {
        self.walk = None;
        let feasible = match self.nominated.fits {
            Some(node) => NodeSet::from_fn(cluster.nodes().row_count(), |other| other == node),
            None => self.passing(cluster),
        };
        if self.take(feasible) {
            self.nodes = self.feasible.iter().collect();
        }
    }

    /// Finds as many feasible nodes as kube-scheduler would (`findNodesThatPassFilters`), walking its list of nodes from
    /// `start`; says at how many nodes it looked.
    pub(crate) fn sample(&mut self, profile: &Profile, cluster: &Cluster, start: usize) -> usize {
        if self.nominated.fits.is_some() {
            self.filter(cluster);
            return 0;
        }
        let passing = self.passing(cluster);
        let list = self.list.take().unwrap_or_else(|| self.list(cluster));
        if self.prefilter.is_some() {
            self.walk = Some(Walk { start, steps: list.len(), failed: None });
            self.list = Some(list);
            self.take(passing);
            self.nodes.clear();
            return 0;
        }
        let may_fail = self.may_fail();
        let wanted = match feasible_nodes_to_find(profile.percentage_of_nodes_to_score, list.len())
        {
            _ if !profile.has_scores => 1,
            wanted => wanted,
        };
        let (before, after) = list.split_at(start.checked_rem(list.len()).unwrap_or_default());
        let mut found = Vec::new();
        let mut feasible = NodeSet::empty(passing.universe());
        let mut failed = None;
        let mut steps = 0;
        let mut tried = self.nominated.tried;
        for &node in after.iter().chain(before) {
            if passing.contains(node) {
                // The search ends with the first feasible node that is one too many.
                if found.len() == wanted {
                    break;
                }
                found.push(node);
                feasible.insert(node);
            } else if may_fail && self.fails(node) {
                failed = Some(node);
                break;
            }
            steps += 1;
            tried = tried.filter(|&tried| tried != node);
        }
        self.walk = Some(Walk { start, steps, failed });
        self.list = Some(list);
        self.take(feasible);
        self.nodes = found;
        // The pod's own node counts, too, wherever it stands.
        steps + usize::from(tried.is_some())
    }

    /// The nodes that PreFilter leaves, in the order in which kube-scheduler lists them.
    pub(super) fn list(&self, cluster: &Cluster) -> Vec<NodeIdx> {
        let mut list = list_order(cluster.nodes());
        if let Some(narrowed) = self.narrowed.as_ref().filter(|_| self.prefilter.is_none()) {
            list.retain(|&node| narrowed.nodes.contains(node));
        }
        list
    }

    /// Takes the nodes to be scored; says whether they are others than before.
    pub(super) fn take(&mut self, feasible: NodeSet) -> bool {
        let changed = feasible != self.feasible || self.nodes.is_empty();
        if changed {
            for planned in &mut self.scores {
                if planned.needs_feasible() {
                    planned.pending = Pending::ALL;
                }
                planned.feasible_changed = true;
            }
            self.feasible = feasible;
        }
        changed
    }

    /// The nodes that pass all filters.
    pub(super) fn passing(&mut self, cluster: &Cluster) -> NodeSet {
        let count = cluster.nodes().row_count();
        if self.prefilter.is_some() {
            return NodeSet::empty(count);
        }
        let mut passing = match &self.narrowed {
            None => cluster.nodes().live().clone(),
            Some(narrowed) => narrowed.nodes.clone(),
        };
        self.refresh(cluster);
        for planned in &self.filters {
            passing.intersect(planned.verdicts.passing());
        }
        for &node in self.nominated.rejections.keys() {
            passing.remove(node);
        }
        passing
    }

    /// Asks the filters again about what is stale.
    pub(crate) fn refresh(&mut self, cluster: &Cluster) {
        let mut buffer = Vec::new();
        let mut changed = Vec::new();
        self.has_columns = true;
        for PlannedFilter { filter, verdicts, pending, .. } in &mut self.filters {
            let Some(rows) = pending.rows(cluster, &mut buffer) else { continue };
            if verdicts.passing().universe() != cluster.nodes().row_count() {
                *verdicts = Verdicts::new(cluster.nodes().row_count());
            }
            filter.filter(cluster, rows, verdicts);
            pending.clear(self.revision);
            match rows {
                Rows::All => self.refusals = None,
                Rows::Some(rows) => changed.extend_from_slice(rows),
            }
        }
        if let Some(mut refusals) = self.refusals.take() {
            for node in changed {
                refusals.note(node, self.refusal(cluster, node));
            }
            self.refusals = Some(refusals);
        }
    }

    /// Scores the feasible nodes (`prioritizeNodes`) and finds the best.
    ///
    /// Only what changed is scored again: rows that a filter or score called stale, and all rows of a plugin that
    /// normalises once its raw scores or the feasible nodes changed.
    pub(crate) fn prioritize(&mut self, cluster: &Cluster) -> Best {
        let mut error = self.error.clone();
        let mut sum_all = false;
        let mut changed = Vec::new();
        if self.totals.len() != cluster.nodes().row_count() {
            self.totals = IndexVec::filled(self.base_total, cluster.nodes().row_count());
            sum_all = true;
        }
        for planned in &mut self.scores {
            let skipped = planned.score.is_skipped();
            sum_all |= std::mem::replace(&mut planned.was_skipped, skipped) != skipped;
            if !skipped {
                let at = self.revision;
                sum_all |= planned.update(cluster, &self.feasible, &self.nodes, at, &mut changed);
                if let Some(score) = planned.invalid {
                    error.get_or_insert_with(|| out_of_range(&planned.plugin, score));
                }
            }
        }
        let scores = || self.scores.iter().filter(|planned| !planned.was_skipped);
        let sum = |node: NodeIdx| {
            let weighted = scores().map(|planned| planned.weighted[node]);
            weighted.fold(self.base_total, i64::wrapping_add)
        };
        if sum_all {
            for &node in &self.nodes {
                self.totals[node] = self.base_total;
            }
            for planned in self.scores.iter().filter(|planned| !planned.was_skipped) {
                for &node in &self.nodes {
                    let total = &mut self.totals[node];
                    *total = total.wrapping_add(planned.weighted[node]);
                }
            }
        } else {
            for node in changed {
                self.totals[node] = sum(node);
            }
        }
        let totals = self.nodes.iter().map(|&node| self.totals[node]);
        Best { total: totals.max().unwrap_or(0), error }
    }

    /// The feasible nodes with that total, in the order in which they were looked at.
    pub(crate) fn nodes_with_total(&self, total: i64) -> impl Iterator<Item = NodeIdx> {
        self.nodes.iter().copied().filter(move |&node| self.totals[node] == total)
    }

    /// The scores as they stand after [`Plan::prioritize`].
    pub(crate) fn scores(&self) -> Vec<PluginScores> {
        let column =
            |column: &IndexVec<NodeIdx, i64>| self.nodes.iter().map(|&node| column[node]).collect();
        let scores = self.scores.iter().filter(|planned| !planned.was_skipped);
        scores
            .map(|planned| PluginScores {
                plugin: planned.plugin.clone(),
                raw: column(&planned.raw),
                weighted: column(&planned.weighted),
            })
            .collect()
    }

    /// The totals of the feasible nodes after [`Plan::prioritize`].
    pub(crate) fn totals(&self) -> Vec<i64> {
        self.nodes.iter().map(|&node| self.totals[node]).collect()
    }

    /// Whether a walk ended before it had looked at all nodes, or the pod's own node was enough.
    pub(crate) fn is_cut_short(&self, cluster: &Cluster) -> bool {
        if self.nominated.fits.is_some() {
            return cluster.nodes().count() > 1;
        }
        let length = self.list.as_ref().map_or(0, Vec::len);
        self.walk.as_ref().is_some_and(|walk| walk.failed.is_none() && walk.steps < length)
    }

    /// The nodes that were looked at, or that PreFilter left out.
    pub(crate) fn searched(&self, cluster: &Cluster) -> NodeSet {
        if self.nominated.fits.is_some() {
            return self.feasible.clone();
        }
        let mut searched = cluster.nodes().live().clone();
        if let (Some(walk), Some(list)) = (&self.walk, &self.list) {
            let (before, after) =
                list.split_at(walk.start.checked_rem(list.len()).unwrap_or_default());
            for &node in after.iter().chain(before).skip(walk.steps) {
                searched.remove(node);
            }
        }
        if let Some(tried) = self.nominated.tried {
            searched.insert(tried);
        }
        searched
    }

    /// The feasible nodes in the order in which they were looked at.
    pub(crate) fn nodes(&self) -> &[NodeIdx] {
        &self.nodes
    }

    pub(crate) const fn feasible(&self) -> &NodeSet {
        &self.feasible
    }
}

impl PlannedScore {
    /// Scores stale rows and weighs what that changes; tells whether that may be all rows, else names them in `changed`.
    fn update(
        &mut self,
        cluster: &Cluster,
        feasible: &NodeSet,
        nodes: &[NodeIdx],
        revision: u64,
        changed: &mut Vec<NodeIdx>,
    ) -> bool {
        if self.raw.len() != cluster.nodes().row_count() {
            self.raw = IndexVec::filled(0, cluster.nodes().row_count());
            self.weighted = IndexVec::filled(0, cluster.nodes().row_count());
        }
        let mut buffer = Vec::new();
        let stale = self.pending.rows(cluster, &mut buffer);
        if let Some(rows) = stale {
            // With other feasible nodes all is stale again: nobody asks for the rows of the others.
            let rows = if self.needs_feasible() {
                self.score.feasible(cluster, &mut nodes.iter().map(|&node| (node, 1)));
                if let Rows::All = rows { Rows::Some(nodes) } else { rows }
            } else {
                rows
            };
            self.score.score(cluster, rows, &mut self.raw);
        }
        self.pending.clear(revision);
        let feasible_changed = std::mem::replace(&mut self.feasible_changed, false);
        match stale {
            None if !feasible_changed => false,
            Some(Rows::Some(rows))
                if !feasible_changed && !self.score.has_normalize() && self.invalid.is_none() =>
            {
                for &node in rows.iter().filter(|&&node| feasible.contains(node)) {
                    self.weigh(node, self.raw[node]);
                    changed.push(node);
                }
                false
            }
            _ => {
                self.weigh_all(nodes);
                true
            }
        }
    }

    fn needs_feasible(&self) -> bool {
        self.depends_on == Dependency::FeasibleSet
    }

    fn weigh_all(&mut self, nodes: &[NodeIdx]) {
        self.invalid = None;
        if self.score.has_normalize() {
            let mut scores: Vec<i64> = nodes.iter().map(|&node| self.raw[node]).collect();
            self.score.normalize(nodes, &mut scores);
            for (&node, score) in nodes.iter().zip(scores) {
                self.weigh(node, score);
            }
        } else {
            for &node in nodes {
                self.weigh(node, self.raw[node]);
            }
        }
    }

    fn weigh(&mut self, node: NodeIdx, score: i64) {
        if !(0..=MAX_NODE_SCORE).contains(&score) {
            self.invalid.get_or_insert(score);
        }
        self.weighted[node] = score.wrapping_mul(self.weight);
    }
}

fn out_of_range(plugin: &Str, score: i64) -> String {
    format!(
        "applying score defaultWeights on Score plugins: plugin {:?} returns an invalid score {score}, \
         it should in the range of [0, {MAX_NODE_SCORE}] after normalizing",
        plugin.as_str()
    )
}
