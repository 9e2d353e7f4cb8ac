//! `Plan`: a template compiled against a cluster, and kept up to date.
//!
//! A plan holds what each plugin said of every node. When pods come and go, each filter and score says which rows that
//! makes stale, and only those are looked at again.

use bayplan_api::Str;

use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::decision::{PluginScores, Rejection, Trace};
use crate::diagnosis::{Histogram, pre_filter_message};
use crate::framework::{
    Code, Dependency, Filter, MAX_NODE_SCORE, PreFilter, PreScore, Rows, Score, Stale, Status,
    Verdicts,
};
use crate::index_vec::{IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;
use crate::profile::Profile;

/// A template compiled against a cluster.
#[derive(Debug)]
pub(crate) struct Plan {
    template: TemplateId,
    prefilter: Option<Rejection>,
    narrowed: Option<Narrowed>,
    filters: Vec<PlannedFilter>,
    scores: Vec<PlannedScore>,
    has_scores: bool,
    error: Option<String>,
    feasible: NodeSet,
    revision: u64,
}

/// PreFilter left only some nodes.
#[derive(Debug)]
struct Narrowed {
    names: Vec<Str>,
    nodes: NodeSet,
    rejection: Rejection,
}

#[derive(Debug)]
struct PlannedFilter {
    plugin: Str,
    filter: Box<dyn Filter>,
    verdicts: Verdicts,
    stale: StaleRows,
}

#[derive(Debug)]
struct PlannedScore {
    plugin: Str,
    weight: i64,
    score: Box<dyn Score>,
    needs_feasible: bool,
    raw: IndexVec<NodeIdx, i64>,
    stale: StaleRows,
}

/// Rows to look at again.
#[derive(Debug)]
struct StaleRows {
    all: bool,
    rows: Vec<NodeIdx>,
}

impl StaleRows {
    const ALL: Self = Self { all: true, rows: Vec::new() };

    fn mark(&mut self, stale: Stale, node: NodeIdx) {
        match stale {
            Stale::Nothing => {}
            Stale::Row => self.rows.push(node),
            Stale::All => self.all = true,
        }
    }

    const fn is_fresh(&self) -> bool {
        !self.all && self.rows.is_empty()
    }

    fn rows(&self) -> Rows<'_> {
        if self.all { Rows::All } else { Rows::Some(&self.rows) }
    }

    fn clear(&mut self) {
        self.all = false;
        self.rows.clear();
    }
}

/// The best nodes and their total.
#[derive(Debug)]
pub(crate) struct Best {
    pub(crate) nodes: Vec<NodeIdx>,
    pub(crate) total: i64,
    pub(crate) error: Option<String>,
}

impl Plan {
    /// Asks every plugin of the profile once (`RunPreFilterPlugins`, `RunPreScorePlugins`).
    pub(crate) fn new(profile: &Profile, cluster: &Cluster, template: TemplateId) -> Self {
        let count = cluster.nodes().len();
        let pod = cluster.template(template);
        let mut plan = Self {
            template,
            prefilter: None,
            narrowed: None,
            filters: Vec::new(),
            scores: Vec::new(),
            has_scores: !profile.scores.is_empty(),
            error: None,
            feasible: NodeSet::full(count),
            revision: cluster.revision(),
        };
        plan.pre_filter(profile, cluster, pod);
        if plan
            .prefilter
            .as_ref()
            .is_none_or(|prefilter| prefilter.status.code == Code::Unschedulable)
        {
            plan.pre_score(profile, cluster, pod);
        }
        plan
    }

    fn pre_filter(&mut self, profile: &Profile, cluster: &Cluster, pod: &PodInfo) {
        let count = cluster.nodes().len();
        let mut names: Option<Vec<Str>> = None;
        let mut narrowing: Vec<Str> = Vec::new();
        let mut filters: Vec<(&Str, Box<dyn Filter>)> = Vec::new();
        for entry in &profile.filters {
            let Some(plugin) = entry.plugin.filter() else { continue };
            match plugin.pre_filter(pod, cluster) {
                Ok(PreFilter::Run { nodes, filter }) => {
                    if entry.filters {
                        if entry.needs_pre_filter && !entry.pre_filters {
                            self.error.get_or_insert(format!(
                                "running {:?} filter plugin: its PreFilter is disabled",
                                entry.name.as_str()
                            ));
                        }
                        filters.push((&entry.name, filter));
                    }
                    let Some(nodes) = nodes.filter(|_| entry.pre_filters) else { continue };
                    narrowing.push(entry.name.clone());
                    let merged = match names.take() {
                        None => nodes,
                        Some(mut before) => {
                            before.retain(|name| nodes.contains(name));
                            before
                        }
                    };
                    if merged.is_empty() {
                        self.reject("".into(), &did_not_satisfy_together(&mut narrowing));
                        return;
                    }
                    names = Some(merged);
                }
                Err(status) if entry.pre_filters => {
                    let resolvable = status.code == Code::Unschedulable;
                    self.reject(entry.name.clone(), &status);
                    if !resolvable {
                        return;
                    }
                }
                // Without its PreFilter the plugin can only say the same node by node.
                Ok(PreFilter::Skip) | Err(_) => {}
            }
        }
        filters.sort_by_key(|(name, _)| profile.filter_order.iter().position(|n| n == *name));
        self.filters = filters
            .into_iter()
            .map(|(plugin, filter)| PlannedFilter {
                plugin: plugin.clone(),
                filter,
                verdicts: Verdicts::new(count),
                stale: StaleRows::ALL,
            })
            .collect();
        self.narrowed = names.map(|names| {
            let mut nodes = NodeSet::empty(count);
            for node in names.iter().filter_map(|name| cluster.nodes().labels.find_node(name)) {
                nodes.insert(node);
            }
            narrowing.sort();
            let plugins: Vec<&str> = narrowing.iter().map(Str::as_str).collect();
            let reason = format!("node(s) didn't satisfy plugin(s) [{}]", plugins.join(" "));
            let rejection = Rejection { plugin: "".into(), status: Status::unresolvable(reason) };
            Narrowed { names, nodes, rejection }
        });
    }

    fn reject(&mut self, plugin: Str, status: &Status) {
        self.prefilter = Some(Rejection { plugin, status: status.clone() });
    }

    fn pre_score(&mut self, profile: &Profile, cluster: &Cluster, pod: &PodInfo) {
        for entry in &profile.scores {
            let Some(plugin) = entry.plugin.score() else { continue };
            match plugin.pre_score(pod, cluster) {
                Ok(PreScore::Skip) => {}
                Ok(PreScore::Run(score)) => self.scores.push(PlannedScore {
                    plugin: entry.name.clone(),
                    weight: entry.weight,
                    needs_feasible: score.depends_on() == Dependency::FeasibleSet,
                    score,
                    raw: IndexVec::filled(0, cluster.nodes().len()),
                    stale: StaleRows::ALL,
                }),
                Err(message) => {
                    let name = entry.name.as_str();
                    self.error
                        .get_or_insert(format!("running PreScore plugin {name:?}: {message}"));
                }
            }
        }
    }

    /// Takes what changed since the plan was last up to date; `false` if it must be made anew.
    pub(crate) fn catch_up(&mut self, cluster: &Cluster) -> bool {
        let Some(changes) = cluster.changes_since(self.revision) else { return false };
        if changes.len() > cluster.nodes().len().max(64) {
            return false;
        }
        for change in changes {
            for planned in &mut self.filters {
                let stale = planned.filter.pod_changed(cluster, change);
                planned.stale.mark(stale, change.node);
            }
            for planned in &mut self.scores {
                let stale = planned.score.pod_changed(cluster, change);
                planned.stale.mark(stale, change.node);
            }
        }
        self.revision = cluster.revision();
        true
    }

    /// Finds the feasible nodes (`findNodesThatFitPod`).
    pub(crate) fn filter(&mut self, cluster: &Cluster) {
        let count = cluster.nodes().len();
        if self.prefilter.is_some() {
            self.feasible = NodeSet::empty(count);
            return;
        }
        let mut feasible = match &self.narrowed {
            None => NodeSet::full(count),
            Some(narrowed) => narrowed.nodes.clone(),
        };
        for planned in &mut self.filters {
            if !planned.stale.is_fresh() {
                planned.filter.filter(cluster, planned.stale.rows(), &mut planned.verdicts);
                planned.stale.clear();
            }
            feasible.intersect(planned.verdicts.passing());
        }
        if feasible != self.feasible {
            for planned in self.scores.iter_mut().filter(|planned| planned.needs_feasible) {
                planned.stale.all = true;
            }
            self.feasible = feasible;
        }
    }

    /// Scores the feasible nodes (`prioritizeNodes`) and finds the best; fills the trace if there is one.
    pub(crate) fn prioritize(&mut self, cluster: &Cluster, mut trace: Option<&mut Trace>) -> Best {
        let nodes: Vec<NodeIdx> = self.feasible.iter().collect();
        // Without score plugins every node has a score of one.
        let mut totals = vec![i64::from(!self.has_scores); nodes.len()];
        let mut error = self.error.clone();
        let mut scores = Vec::with_capacity(nodes.len());
        for planned in &mut self.scores {
            if planned.score.is_skipped() {
                continue;
            }
            if !planned.stale.is_fresh() {
                if planned.needs_feasible {
                    planned.score.feasible(cluster, &self.feasible);
                }
                planned.score.score(cluster, planned.stale.rows(), &mut planned.raw);
                planned.stale.clear();
            }
            scores.clear();
            scores.extend(nodes.iter().map(|&node| planned.raw[node]));
            let raw = trace.as_ref().map(|_| scores.clone());
            planned.score.normalize(&nodes, &mut scores);
            for (score, total) in scores.iter_mut().zip(&mut totals) {
                if !(0..=MAX_NODE_SCORE).contains(score) {
                    let name = planned.plugin.as_str();
                    error.get_or_insert_with(|| {
                        format!(
                            "applying score defaultWeights on Score plugins: plugin {name:?} returns an invalid score \
                             {score}, it should in the range of [0, {MAX_NODE_SCORE}] after normalizing"
                        )
                    });
                }
                *score = score.wrapping_mul(planned.weight);
                *total = total.wrapping_add(*score);
            }
            if let (Some(trace), Some(raw)) = (trace.as_deref_mut(), raw) {
                let (plugin, weighted) = (planned.plugin.clone(), scores.clone());
                trace.scores.push(PluginScores { plugin, raw, weighted });
            }
        }
        let total = totals.iter().copied().max().unwrap_or(0);
        let best = nodes.iter().zip(&totals).filter(|(_, of_node)| **of_node == total);
        let best = best.map(|(&node, _)| node).collect();
        if let Some(trace) = trace {
            trace.feasible = nodes;
            trace.totals = totals;
        }
        Best { nodes: best, total, error }
    }

    pub(crate) const fn feasible(&self) -> &NodeSet {
        &self.feasible
    }

    pub(crate) const fn prefilter(&self) -> Option<&Rejection> {
        self.prefilter.as_ref()
    }

    pub(crate) fn prefilter_nodes(&self) -> Option<&Vec<Str>> {
        let narrowed = self.narrowed.as_ref().filter(|_| self.prefilter.is_none());
        narrowed.map(|narrowed| &narrowed.names)
    }

    /// Why the node is not feasible: the first plugin that rejects it.
    pub(crate) fn rejection(&self, node: NodeIdx) -> Option<Rejection> {
        if let Some(narrowed) = &self.narrowed
            && !narrowed.nodes.contains(node)
        {
            return Some(narrowed.rejection.clone());
        }
        self.filters.iter().find_map(|planned| {
            let status = planned.verdicts.get(node)?.clone();
            Some(Rejection { plugin: planned.plugin.clone(), status })
        })
    }

    /// The nodes where evicting pods may help: those whose first rejection is not final.
    pub(crate) fn resolvable_nodes(&self, cluster: &Cluster) -> Vec<NodeIdx> {
        if let Some(prefilter) = &self.prefilter {
            let resolvable = prefilter.status.code == Code::Unschedulable;
            return cluster.nodes().indices().filter(|_| resolvable).collect();
        }
        let candidates = cluster.nodes().indices().filter(|&node| {
            self.narrowed.as_ref().is_none_or(|narrowed| narrowed.nodes.contains(node))
        });
        let resolvable = candidates.filter(|&node| {
            let mut verdicts = self.filters.iter().map(|planned| &planned.verdicts);
            let first = verdicts.find(|verdicts| !verdicts.passing().contains(node));
            first.is_some_and(|verdicts| verdicts.is_resolvable(node))
        });
        resolvable.collect()
    }

    /// The text of the event when no node is feasible.
    pub(crate) fn message(&self, cluster: &Cluster) -> String {
        let count = cluster.nodes().len();
        if let Some(prefilter) = &self.prefilter {
            return pre_filter_message(count, &prefilter.status.reasons);
        }
        let mut histogram = Histogram::default();
        let mut left = NodeSet::full(count);
        if let Some(narrowed) = &self.narrowed {
            let outside = count - narrowed.nodes.count();
            for reason in narrowed.rejection.status.reasons.iter().filter(|_| outside > 0) {
                histogram.add(reason, outside);
            }
            left.intersect(&narrowed.nodes);
        }
        for planned in &self.filters {
            let mut rejected = left.clone();
            rejected.subtract(planned.verdicts.passing());
            for status in rejected.iter().filter_map(|node| planned.verdicts.get(node)) {
                for reason in &status.reasons {
                    histogram.add(reason, 1);
                }
            }
            left.intersect(planned.verdicts.passing());
        }
        histogram.message(count)
    }

    /// Copies of the filters, for a dry run.
    pub(crate) fn dry_run(&self) -> DryRun {
        let filters = self.filters.iter().map(|planned| planned.filter.boxed_clone());
        DryRun { filters: filters.collect() }
    }

    pub(crate) const fn template(&self) -> TemplateId {
        self.template
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

fn did_not_satisfy_together(plugins: &mut [Str]) -> Status {
    plugins.sort();
    let names: Vec<&str> = plugins.iter().map(Str::as_str).collect();
    Status::unresolvable(match names.as_slice() {
        [one] => format!("node(s) didn't satisfy plugin {one}"),
        _ => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", names.join(" ")),
    })
}

/// The filters of a plan, free to be changed.
#[derive(Debug)]
pub(crate) struct DryRun {
    filters: Vec<Box<dyn Filter>>,
}

impl DryRun {
    pub(crate) fn fits(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        self.filters.iter().all(|filter| filter.fits(cluster, node))
    }

    pub(crate) fn pod_changed(&mut self, cluster: &Cluster, change: &PodChange) {
        for filter in &mut self.filters {
            filter.dry_run(cluster, change);
        }
    }
}
