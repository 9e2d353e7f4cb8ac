//! `Plan`: a template compiled against a cluster, and kept up to date.
//!
//! A plan holds what each plugin said of every node. When pods come and go, each filter and score says which rows that
//! makes stale, and only those are looked at again.

mod columns;
mod rejections;

use std::sync::Arc;

use bayplan_api::Str;

use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::decision::Rejection;
use crate::dry_run::{DryRun, Trial};
use crate::framework::{
    Code, Dependency, Filter, PreFilter, PreScore, Rows, Score, Stale, Status, Verdicts,
};
use crate::index_vec::{Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;
use crate::nominated::{Nominated, Nominees};
use crate::plans::Work;
use crate::plugins::FixedFilter;
use crate::preemption::Prospects;
use crate::profile::Profile;
use crate::refusals::Refusals;
use crate::view::{Picked, Shape, Shapes, Sources, View, scan};

/// A template compiled against a cluster.
#[derive(Debug)]
pub(crate) struct Plan {
    template: TemplateId,
    prefilter: Option<Rejection>,
    narrowed: Option<Narrowed>,
    filters: Vec<PlannedFilter>,
    scores: Vec<PlannedScore>,
    error: Option<String>,
    /// The nodes to be scored: all that passed the filters, or those of them that a walk found.
    feasible: NodeSet,
    /// The same in the order in which they were looked at.
    nodes: Vec<NodeIdx>,
    /// The nodes that PreFilter leaves, in the order in which kube-scheduler lists them; made when it is first asked for.
    list: Option<Vec<NodeIdx>>,
    walk: Option<Walk>,
    /// What nominations change of the decision that is being made.
    nominated: Nominated,
    /// The total of each feasible node; other rows mean nothing.
    totals: IndexVec<NodeIdx, i64>,
    /// What every total has beside the scores: one, if there are no score plugins.
    base_total: i64,
    revision: u64,
    epoch: u64,
    /// The revision of the storage that the plan knows, if it reads any.
    storage_revision: Option<u64>,
    /// What tells pods that ask the same of rows from others; `None` if there can be no view.
    shape: Option<Shape>,
    view: Option<View>,
    /// Made when no node was feasible.
    refusals: Option<Refusals>,
    /// Rows that may be of another class than the view knows.
    touched: Vec<NodeIdx>,
    /// Of which templates pods make a difference to plugins that look at domains; grown as templates are met.
    concerning: Vec<Option<bool>>,
    /// Used again from call to call.
    relevant: Vec<PodChange>,
    /// Whether columns were made.
    has_columns: bool,
    /// Whether pods may be evicted for the pod.
    preempts: bool,
    /// What preemption found; made when it is first asked for.
    prospects: Option<Prospects>,
}

/// PreFilter left only some nodes.
#[derive(Debug)]
struct Narrowed {
    names: Vec<Str>,
    nodes: NodeSet,
    /// By whom, sorted.
    plugins: Vec<Str>,
    /// What is said of the other nodes.
    rejection: Rejection,
}

/// The nodes that PreFilter leaves.
fn left_by<'a>(narrowed: Option<&'a Narrowed>, cluster: &'a Cluster) -> &'a NodeSet {
    narrowed.map_or_else(|| cluster.nodes().live(), |narrowed| &narrowed.nodes)
}

#[derive(Debug)]
pub(crate) struct PlannedFilter {
    pub(crate) plugin: Str,
    pub(crate) filter: Box<dyn Filter>,
    pub(crate) depends_on: Dependency,
    /// Made when it is first asked for.
    verdicts: Verdicts,
    pending: Pending,
}

#[derive(Debug)]
pub(crate) struct PlannedScore {
    pub(crate) plugin: Str,
    pub(crate) weight: i64,
    pub(crate) score: Box<dyn Score>,
    pub(crate) depends_on: Dependency,
    /// Made when it is first asked for, as is `weighted`.
    raw: IndexVec<NodeIdx, i64>,
    /// What the plugin adds to the total of each feasible node: normalised, times the weight.
    weighted: IndexVec<NodeIdx, i64>,
    /// The first score out of range, of a feasible node.
    invalid: Option<i64>,
    /// Whether the feasible nodes are others than when the scores were weighed.
    feasible_changed: bool,
    /// Whether the plugin was skipped when the totals were summed.
    was_skipped: bool,
    pending: Pending,
}

/// How a walk over kube-scheduler's list of nodes went.
#[derive(Debug)]
struct Walk {
    /// Where it began; the list goes round.
    start: usize,
    /// At how many nodes it looked.
    steps: usize,
    /// The node on which a filter failed: it ended there.
    failed: Option<NodeIdx>,
}

/// Which answers of a column are to be asked again.
#[derive(Debug, Clone, Copy)]
struct Pending {
    stale: Stale,
    /// The revision of which the others are.
    since: u64,
}

impl Pending {
    /// Nothing was asked yet.
    const ALL: Self = Self { stale: Stale::All, since: 0 };

    /// Takes what the changes up to a revision made stale.
    fn note(&mut self, stale: Stale, revision: u64) {
        self.stale = self.stale.max(stale);
        if self.stale == Stale::Nothing {
            self.since = revision;
        }
    }

    /// The rows to ask again; `buffer` holds them if they are some.
    fn rows<'a>(self, cluster: &Cluster, buffer: &'a mut Vec<NodeIdx>) -> Option<Rows<'a>> {
        buffer.clear();
        match self.stale {
            Stale::Nothing => None,
            Stale::Row => match cluster.changes_since(self.since) {
                None => Some(Rows::All),
                Some(changes) => {
                    buffer.extend(changes.iter().map(|change| change.node));
                    buffer.sort_unstable();
                    buffer.dedup();
                    Some(Rows::Some(buffer))
                }
            },
            Stale::Classes | Stale::All => Some(Rows::All),
        }
    }

    /// All is asked as of a revision.
    fn clear(&mut self, revision: u64) {
        *self = Self { stale: Stale::Nothing, since: revision };
    }
}

/// What scoring came to.
#[derive(Debug)]
pub(crate) struct Best {
    /// The highest total.
    pub(crate) total: i64,
    /// The first score out of range.
    pub(crate) error: Option<String>,
}

impl Plan {
    /// Asks every plugin of the profile once (`RunPreFilterPlugins`, `RunPreScorePlugins`).
    pub(crate) fn new(profile: &Profile, cluster: &Cluster, template: TemplateId) -> Self {
        let count = cluster.nodes().row_count();
        let pod = cluster.template(template);
        // Without score plugins every node has a score of one.
        let base_total = i64::from(profile.scores.is_empty());
        let mut plan = Self {
            template,
            prefilter: None,
            narrowed: None,
            filters: Vec::new(),
            scores: Vec::new(),
            error: None,
            feasible: NodeSet::empty(count),
            nodes: Vec::new(),
            list: None,
            walk: None,
            nominated: Nominated::default(),
            totals: IndexVec::new(),
            base_total,
            revision: cluster.revision(),
            epoch: cluster.epoch(),
            storage_revision: pod.has_claims().then(|| cluster.storage().revision()),
            shape: None,
            view: None,
            refusals: None,
            touched: Vec::new(),
            concerning: Vec::new(),
            relevant: Vec::new(),
            has_columns: false,
            preempts: profile.preempts && pod.may_preempt(),
            prospects: None,
        };
        plan.pre_filter(profile, cluster, pod);
        if plan
            .prefilter
            .as_ref()
            .is_none_or(|prefilter| prefilter.status.code == Code::Unschedulable)
        {
            plan.pre_score(profile, cluster, pod);
        }
        if plan.prefilter.is_none() && plan.error.is_none() && plan.storage_revision.is_none() {
            plan.shape = Shape::new(profile.number, &plan.filters, &plan.scores);
        }
        plan
    }

    /// The best node as the cluster stands, from a look at all nodes of which nothing is kept; only for pods without nominations.
    pub(crate) fn scan(
        &mut self,
        cluster: &Cluster,
        sums: &mut Vec<i32>,
        work: &mut Work,
    ) -> Picked {
        if self.shape.is_none() {
            return Picked::Unknown;
        }
        let nodes = left_by(self.narrowed.as_ref(), cluster).clone();
        let plugins = (self.filters.as_slice(), self.scores.as_mut_slice());
        scan(cluster, nodes, plugins, self.base_total, sums, work)
    }

    /// The best node as the cluster stands, if a view can tell; only for pods without nominations.
    pub(crate) fn pick(
        &mut self,
        cluster: &Cluster,
        shapes: &mut Shapes,
        used: u64,
        work: &mut Work,
    ) -> Picked {
        let Some(shape) = &self.shape else { return Picked::Unknown };
        let Self { filters, scores, .. } = self;
        let rows = shapes.get(shape, cluster, used, filters, scores, work);
        if rows.failed() {
            return Picked::Unknown;
        }
        let mut sources = Sources { filters, scores, rows, base_total: self.base_total };
        let view = match &mut self.view {
            Some(view) => view,
            none => {
                let nodes = left_by(self.narrowed.as_ref(), cluster);
                let Some(made) = View::new(cluster, nodes.clone(), &sources) else {
                    self.shape = None;
                    return Picked::Unknown;
                };
                work.views += 1;
                self.touched.clear();
                none.insert(made)
            }
        };
        let picked = view.pick(cluster, &mut sources, &mut self.touched, work);
        match picked {
            Picked::Best(_) if self.has_columns => self.forget_columns(),
            Picked::Unknown => self.view = None,
            _ => {}
        }
        picked
    }

    /// Which of its great parts the plan has: a view, columns, prospects.
    pub(crate) const fn parts(&self) -> [bool; 3] {
        [self.view.is_some(), self.has_columns, self.prospects.is_some()]
    }

    /// Lets go of what only those need who want to see all rows.
    fn forget_columns(&mut self) {
        for planned in &mut self.filters {
            planned.verdicts = Verdicts::new(0);
            planned.pending = Pending::ALL;
        }
        for planned in &mut self.scores {
            planned.raw = IndexVec::new();
            planned.weighted = IndexVec::new();
            planned.pending = Pending::ALL;
            planned.feasible_changed = true;
        }
        self.totals = IndexVec::new();
        self.nodes = Vec::new();
        self.refusals = None;
        self.has_columns = false;
    }

    /// How many bytes the plan takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let rows = self.feasible.universe();
        let columns =
            if self.has_columns { 5 * self.filters.len() + 16 * self.scores.len() + 12 } else { 1 };
        let counters = 8 * (self.filters.len() + self.scores.len());
        let prospects = self.prospects.as_ref().map_or(0, Prospects::bytes);
        let views = self.view.as_ref().map_or(0, View::bytes);
        rows * (columns + counters) + views + prospects + self.concerning.len()
    }

    fn pre_filter(&mut self, profile: &Profile, cluster: &Cluster, pod: &Arc<PodInfo>) {
        let count = cluster.nodes().row_count();
        let mut names: Option<Vec<Str>> = None;
        let mut narrowing: Vec<Str> = Vec::new();
        let mut filters: Vec<(&Str, Box<dyn Filter>)> = Vec::new();
        for entry in &profile.filters {
            let Some(plugin) = entry.plugin.filter() else { continue };
            if entry.filters && entry.needs_pre_filter && !entry.pre_filters {
                let failure = Status::error("its PreFilter is disabled");
                filters.push((
                    &entry.name,
                    Box::new(FixedFilter::new(NodeSet::empty(count), failure)),
                ));
                continue;
            }
            match plugin.pre_filter(pod, cluster) {
                Ok(PreFilter::Run { nodes, filter }) => {
                    if entry.filters {
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
                Err(status) if entry.filters => {
                    let filter = FixedFilter::new(NodeSet::empty(count), status);
                    filters.push((&entry.name, Box::new(filter)));
                }
                Ok(PreFilter::Skip) | Err(_) => {}
            }
        }
        filters.sort_by_key(|(name, _)| profile.filter_order.iter().position(|n| n == *name));
        self.filters = filters
            .into_iter()
            .map(|(plugin, filter)| PlannedFilter {
                plugin: plugin.clone(),
                depends_on: filter.depends_on(),
                filter,
                verdicts: Verdicts::new(0),
                pending: Pending::ALL,
            })
            .collect();
        self.narrowed = names.map(|mut names| {
            let find = |name: &Str| cluster.nodes().labels.find_node(name);
            // Node order, then names of no node.
            names.sort_by_key(|name| (find(name).is_none(), find(name), name.clone()));
            let mut nodes = NodeSet::empty(count);
            for node in names.iter().filter_map(find) {
                nodes.insert(node);
            }
            narrowing.sort();
            let rejection = did_not_satisfy(&narrowing);
            Narrowed { names, nodes, plugins: narrowing, rejection }
        });
    }

    fn reject(&mut self, plugin: Str, status: &Status) {
        self.prefilter = Some(Rejection { plugin, status: status.clone() });
    }

    fn pre_score(&mut self, profile: &Profile, cluster: &Cluster, pod: &Arc<PodInfo>) {
        for (name, plugin) in &profile.pre_scores_only {
            if let Some(Err(message)) = plugin.score().map(|plugin| plugin.pre_score(pod, cluster))
            {
                self.error.get_or_insert_with(|| pre_score_failure(name, &message));
            }
        }
        for entry in &profile.scores {
            let Some(plugin) = entry.plugin.score() else { continue };
            let made = if entry.pre_scores {
                plugin.pre_score(pod, cluster)
            } else {
                plugin.without_pre_score(pod, cluster)
            };
            match made {
                Ok(PreScore::Skip) => {}
                Ok(PreScore::Run(score)) => self.scores.push(PlannedScore {
                    plugin: entry.name.clone(),
                    weight: entry.weight,
                    depends_on: score.depends_on(),
                    score,
                    raw: IndexVec::new(),
                    weighted: IndexVec::new(),
                    invalid: None,
                    feasible_changed: true,
                    was_skipped: false,
                    pending: Pending::ALL,
                }),
                Err(message) => {
                    let name = entry.name.as_str();
                    self.error.get_or_insert_with(|| {
                        if entry.pre_scores {
                            pre_score_failure(&entry.name, &message)
                        } else {
                            format!("running Score plugins: plugin {name:?} failed with: {message}")
                        }
                    });
                }
            }
        }
    }

    /// Takes what changed since the plan was last up to date; `false` if it must be made anew.
    pub(crate) fn catch_up(&mut self, cluster: &Cluster) -> bool {
        if self.epoch != cluster.epoch() {
            return false;
        }
        if self.storage_revision.is_some_and(|known| known != cluster.storage().revision()) {
            return false;
        }
        let Some(changes) = cluster.changes_since(self.revision) else { return false };
        if changes.len() > cluster.nodes().row_count().max(64) {
            return false;
        }
        if changes.is_empty() {
            return true;
        }
        self.revision = cluster.revision();
        let mut of_domains = Stale::Nothing;
        let mut relevant = std::mem::take(&mut self.relevant);
        relevant.clear();
        for change in changes {
            let known = self.concerning.get(change.template.index()).copied().flatten();
            if known.unwrap_or_else(|| self.concerns(cluster, change.template)) {
                relevant.push(*change);
            }
        }
        let touched = &mut self.touched;
        let mut follow =
            |depends_on: &Dependency, take: &mut dyn FnMut(&PodChange) -> Stale| match depends_on {
                Dependency::Static => Stale::Nothing,
                Dependency::Row => Stale::Row,
                Dependency::Domain(_) | Dependency::FeasibleSet => {
                    let stale = take_changes(&relevant, touched, take);
                    of_domains = of_domains.max(stale);
                    stale
                }
            };
        for PlannedFilter { filter, depends_on, pending, .. } in &mut self.filters {
            let stale = follow(depends_on, &mut |change| filter.pod_changed(cluster, change));
            pending.note(stale, self.revision);
        }
        for PlannedScore { score, depends_on, pending, .. } in &mut self.scores {
            let stale = follow(depends_on, &mut |change| score.pod_changed(cluster, change));
            pending.note(stale, self.revision);
        }
        self.relevant = relevant;
        match &mut self.view {
            Some(_) if of_domains == Stale::All => self.view = None,
            Some(view) => view.note(of_domains == Stale::Classes),
            None => {}
        }
        if self.view.is_none() {
            self.touched.clear();
        }
        true
    }

    /// Whether pods of the template, running, may make a difference to a plugin that looks at domains.
    fn concerns(&mut self, cluster: &Cluster, template: TemplateId) -> bool {
        let at = template.index();
        if self.concerning.len() <= at {
            self.concerning.resize(at + 1, None);
        }
        let Some(known) = self.concerning.get_mut(at) else { return true };
        *known.get_or_insert_with(|| {
            let mut filters = self.filters.iter().filter(|it| it.depends_on.is_beyond_row());
            let mut scores = self.scores.iter().filter(|it| it.depends_on.is_beyond_row());
            filters.any(|it| it.filter.concerns(cluster, template))
                || scores.any(|it| it.score.concerns(cluster, template))
        })
    }

    /// Forgets the nominations of the last decision: this one knows none.
    pub(crate) fn forget_nominations(&mut self) {
        self.nominated = Nominated::default();
    }

    /// Takes the nominations that count in this decision: the pod's `own` node, and the pods to which it must leave room.
    /// The cluster is left as it was.
    pub(crate) fn nominate(
        &mut self,
        cluster: &mut Cluster,
        own: Option<NodeIdx>,
        nominees: Nominees,
    ) {
        self.nominated = Nominated { nominees, ..Nominated::default() };
        if self.prefilter.is_some() {
            return;
        }
        self.refresh(cluster);
        for (&node, guests) in &self.nominated.nominees {
            if own == Some(node) || !self.is_left_out(node) {
                let mut trial = Trial::new(cluster, self.dry_run(), node);
                if let Some(rejection) = trial.rejection_beside(guests) {
                    self.nominated.rejections.insert(node, rejection);
                }
            }
        }
        let Some(own) = own else { return };
        let beside = self.nominated.rejections.get(&own).cloned();
        match beside.or_else(|| self.filter_rejection(own)) {
            None => self.nominated.fits = Some(own),
            // kube-scheduler then goes on as if it had not tried.
            Some(rejection) if rejection.status.code == Code::Error => {
                if self.is_left_out(own) {
                    self.nominated.rejections.remove(&own);
                }
            }
            Some(rejection) => {
                // v1.34 notes who rejected that node in the set of plugins that narrowed the nodes.
                self.nominated.left_out = self.narrowed.as_ref().map(|narrowed| {
                    let mut plugins = narrowed.plugins.clone();
                    if let Err(at) = plugins.binary_search(&rejection.plugin) {
                        plugins.insert(at, rejection.plugin.clone());
                    }
                    did_not_satisfy(&plugins)
                });
                self.nominated.tried = Some(own);
                self.nominated.rejections.insert(own, rejection);
            }
        }
    }

    /// What nominations change of the decision that is being made.
    pub(crate) const fn nominated(&self) -> &Nominated {
        &self.nominated
    }

    pub(crate) const fn prefilter(&self) -> Option<&Rejection> {
        self.prefilter.as_ref()
    }

    pub(crate) fn prefilter_nodes(&self) -> Option<&Vec<Str>> {
        let narrowed = self.narrowed.as_ref().filter(|_| self.prefilter.is_none());
        narrowed.map(|narrowed| &narrowed.names)
    }

    /// Whether a plugin's PreScore failed, so that kube-scheduler has no scores at all.
    pub(crate) const fn pre_score_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Whether what preemption finds holds for pods to come: PreFilter lets the pod pass, and nominations change nothing.
    pub(crate) fn answers_stay(&self) -> bool {
        let Nominated { nominees, rejections, .. } = &self.nominated;
        self.prefilter.is_none() && nominees.is_empty() && rejections.is_empty()
    }

    /// What preemption found, to be brought up to date and [put back](Self::put_prospects).
    pub(crate) fn take_prospects(&mut self) -> Prospects {
        self.prospects.take().unwrap_or_default()
    }

    /// Keeps what preemption found.
    pub(crate) fn put_prospects(&mut self, prospects: Prospects) {
        self.prospects = Some(prospects);
    }

    /// The filters in their order.
    pub(crate) fn filters(&self) -> &[PlannedFilter] {
        &self.filters
    }

    /// Copies of the filters, for a dry run.
    pub(crate) fn dry_run(&self) -> DryRun {
        let filters = self.filters.iter();
        let copies = filters.map(|planned| (planned.plugin.clone(), planned.filter.boxed_clone()));
        DryRun::new(copies.collect())
    }

    pub(crate) const fn template(&self) -> TemplateId {
        self.template
    }
}

/// Lets a plugin take changes one after the other; notes the rows that it says may be of another class.
fn take_changes(
    changes: &[PodChange],
    touched: &mut Vec<NodeIdx>,
    mut take: impl FnMut(&PodChange) -> Stale,
) -> Stale {
    let mut all = Stale::Nothing;
    for change in changes {
        let stale = take(change);
        if stale >= Stale::Row {
            touched.push(change.node);
        }
        all = all.max(stale);
    }
    all
}

/// The status of the nodes that PreFilter leaves out; `plugins` are sorted.
fn did_not_satisfy(plugins: &[Str]) -> Rejection {
    let plugins: Vec<&str> = plugins.iter().map(Str::as_str).collect();
    let reason = format!("node(s) didn't satisfy plugin(s) [{}]", plugins.join(" "));
    Rejection { plugin: "".into(), status: Status::unresolvable(reason) }
}

fn did_not_satisfy_together(plugins: &mut [Str]) -> Status {
    plugins.sort();
    let names: Vec<&str> = plugins.iter().map(Str::as_str).collect();
    Status::unresolvable(match names.as_slice() {
        [one] => format!("node(s) didn't satisfy plugin {one}"),
        _ => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", names.join(" ")),
    })
}

fn pre_score_failure(plugin: &Str, error: &str) -> String {
    format!("running PreScore plugin {:?}: {error}", plugin.as_str())
}
