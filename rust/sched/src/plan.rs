//! `Plan`: a template compiled against a cluster, and kept up to date.
//!
//! A plan holds what each plugin said of every node. When pods come and go, each filter and score says which rows that
//! makes stale, and only those are looked at again.

use std::sync::Arc;

use bayplan_api::Str;

use crate::cluster::{Cluster, PodChange, PodInfo};
use crate::decision::{PluginScores, Rejection};
use crate::diagnosis::{Histogram, pre_filter_message};
use crate::dry_run::{DryRun, Trial, filter_failure};
use crate::framework::{
    Code, Dependency, Filter, MAX_NODE_SCORE, PreFilter, PreScore, Rows, Score, Stale, Status,
    StatusId, Verdicts,
};
use crate::index_vec::{Idx, IndexVec, NodeIdx, TemplateId};
use crate::node_set::NodeSet;
use crate::nominated::{Nominated, Nominees};
use crate::plans::Work;
use crate::plugins::FixedFilter;
use crate::preemption::{Prospects, may_help};
use crate::profile::Profile;
use crate::refusals::Refusals;
use crate::sampling::{feasible_nodes_to_find, list_order};
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
    /// Whether the best node was asked for before.
    asked: bool,
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
            asked: false,
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
                let nodes = match &self.narrowed {
                    None => cluster.nodes().live(),
                    Some(narrowed) => &narrowed.nodes,
                };
                // Many a template is met only once.
                if !std::mem::replace(&mut self.asked, true) {
                    return scan(cluster, nodes.clone(), &mut sources, work);
                }
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
    fn list(&self, cluster: &Cluster) -> Vec<NodeIdx> {
        let mut list = list_order(cluster.nodes());
        if let Some(narrowed) = self.narrowed.as_ref().filter(|_| self.prefilter.is_none()) {
            list.retain(|&node| narrowed.nodes.contains(node));
        }
        list
    }

    /// Takes the nodes to be scored; says whether they are others than before.
    fn take(&mut self, feasible: NodeSet) -> bool {
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
    fn passing(&mut self, cluster: &Cluster) -> NodeSet {
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

    /// The place of the first filter that rejects the node, if PreFilter leaves it, and what that says.
    fn refusal(&self, cluster: &Cluster, node: NodeIdx) -> Option<(u32, StatusId)> {
        if self.is_left_out(node) || !cluster.nodes().live().contains(node) {
            return None;
        }
        let mut filters = (0..).zip(&self.filters);
        filters.find_map(|(at, planned)| Some((at, planned.verdicts.id(node)?)))
    }

    /// Why the pod fits nowhere, if that is all that there is to be said: no plugin failed, and evicting pods does not help. No pod is
    /// nominated. Adds to `tried` on how many nodes preemption was tried; the cluster is left as it was.
    pub(crate) fn refused(&mut self, cluster: &mut Cluster, tried: &mut u64) -> Option<Str> {
        if self.prefilter.is_some() {
            return None;
        }
        self.forget_nominations();
        let mut refusals = self.take_refusals(cluster);
        let fails = self.may_fail();
        let resolvable = refusals.is_resolvable(|refusal| self.refusal_status(refusal));
        let helps = !fails && self.preempts && resolvable && may_help(cluster, self, tried);
        let message = (!fails && !helps).then(|| self.refusal_message(&mut refusals, cluster));
        self.refusals = Some(refusals);
        message
    }

    /// Who refuses the pod where, up to date; to be put back.
    fn take_refusals(&mut self, cluster: &Cluster) -> Refusals {
        self.refresh(cluster);
        self.refusals.take().unwrap_or_else(|| {
            let mut refusals = Refusals::new(cluster.nodes().row_count());
            for node in cluster.nodes().iter() {
                refusals.note(node, self.refusal(cluster, node));
            }
            refusals
        })
    }

    fn refusal_status(&self, (at, id): (u32, StatusId)) -> Option<&Status> {
        self.filters.get(usize::try_from(at).ok()?)?.verdicts.by_id(id)
    }

    /// The text of the event when no node is feasible, and nominations change nothing.
    fn refusal_message(&self, refusals: &mut Refusals, cluster: &Cluster) -> Str {
        let count = cluster.nodes().count();
        let left_out = self
            .narrowed
            .as_ref()
            .map(|narrowed| (&narrowed.rejection.status, count - narrowed.nodes.count()));
        refusals.message(count, left_out, |refusal| self.refusal_status(refusal))
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

    pub(crate) const fn prefilter(&self) -> Option<&Rejection> {
        self.prefilter.as_ref()
    }

    pub(crate) fn prefilter_nodes(&self) -> Option<&Vec<Str>> {
        let narrowed = self.narrowed.as_ref().filter(|_| self.prefilter.is_none());
        narrowed.map(|narrowed| &narrowed.names)
    }

    /// Why the node is not feasible: the first plugin that rejects it.
    pub(crate) fn rejection(&self, node: NodeIdx) -> Option<Rejection> {
        if self.nominated.fits == Some(node) {
            return None;
        }
        if let Some(rejection) = self.nominated.rejections.get(&node) {
            return Some(rejection.clone());
        }
        match &self.narrowed {
            Some(narrowed) if self.is_left_out(node) => Some(self.left_out(narrowed).clone()),
            _ => self.filter_rejection(node),
        }
    }

    /// What is said of the nodes that PreFilter leaves out.
    fn left_out<'plan>(&'plan self, narrowed: &'plan Narrowed) -> &'plan Rejection {
        self.nominated.left_out.as_ref().unwrap_or(&narrowed.rejection)
    }

    /// Whether PreFilter leaves the node out.
    fn is_left_out(&self, node: NodeIdx) -> bool {
        self.narrowed.as_ref().is_some_and(|narrowed| !narrowed.nodes.contains(node))
    }

    /// What the filters say of a node as it stands.
    fn filter_rejection(&self, node: NodeIdx) -> Option<Rejection> {
        self.filters.iter().find_map(|planned| {
            let status = planned.verdicts.get(node)?.clone();
            Some(Rejection { plugin: planned.plugin.clone(), status })
        })
    }

    /// Whether a plugin's PreScore failed, so that kube-scheduler has no scores at all.
    pub(crate) const fn pre_score_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Whether a plugin fails on the node, and the plugins before it let the pod pass.
    fn fails(&self, node: NodeIdx) -> bool {
        self.rejection(node).is_some_and(|rejection| rejection.status.code == Code::Error)
    }

    /// Whether a plugin may fail on a node.
    fn may_fail(&self) -> bool {
        let mut rejections = self.nominated.rejections.values();
        self.filters.iter().any(|planned| planned.verdicts.may_fail())
            || rejections.any(|rejection| rejection.status.code == Code::Error)
    }

    /// kube-scheduler's own error if a plugin fails on a node that the plugins before it let pass.
    pub(crate) fn filter_error(&self, cluster: &Cluster) -> Option<String> {
        if self.nominated.fits.is_some() || !self.may_fail() {
            return None;
        }
        let failed = match &self.walk {
            Some(walk) => walk.failed,
            None => cluster.nodes().iter().find(|&node| self.fails(node)),
        };
        let Rejection { plugin, status } = self.rejection(failed?)?;
        Some(filter_failure(&plugin, &status.reasons.join(", ")))
    }

    /// The nodes where evicting pods may help: those whose first rejection is not final. In node order, or after a walk in the
    /// order of kube-scheduler's list.
    pub(crate) fn resolvable_nodes(&self, cluster: &Cluster) -> Vec<NodeIdx> {
        let resolvable = self.resolvable_set(cluster);
        let of_list = |list: &[NodeIdx]| {
            list.iter().copied().filter(|&node| resolvable.contains(node)).collect()
        };
        match &self.list {
            _ if self.walk.is_none() => resolvable.iter().collect(),
            // The pod's own node is not in the list, but was tried.
            _ if self.nominated.tried.is_some_and(|tried| self.is_left_out(tried)) => {
                of_list(&list_order(cluster.nodes()))
            }
            Some(list) => of_list(list),
            None => resolvable.iter().collect(),
        }
    }

    fn resolvable_set(&self, cluster: &Cluster) -> NodeSet {
        let nodes = cluster.nodes();
        if let Some(prefilter) = &self.prefilter {
            let resolvable = prefilter.status.code == Code::Unschedulable;
            return if resolvable {
                nodes.live().clone()
            } else {
                NodeSet::empty(nodes.row_count())
            };
        }
        NodeSet::from_fn(nodes.row_count(), |node| self.is_resolvable(cluster, node))
    }

    /// Whether the node's first rejection is not final; without a rejection by PreFilter.
    pub(crate) fn is_resolvable(&self, cluster: &Cluster, node: NodeIdx) -> bool {
        if let Some(rejection) = self.nominated.rejections.get(&node) {
            return rejection.status.code == Code::Unschedulable;
        }
        let mut verdicts = self.filters.iter().map(|planned| &planned.verdicts);
        let first = verdicts.find(|verdicts| !verdicts.passing().contains(node));
        cluster.nodes().live().contains(node)
            && !self.is_left_out(node)
            && first.is_some_and(|verdicts| verdicts.is_resolvable(node))
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

    /// The text of the event when no node is feasible.
    pub(crate) fn message(&mut self, cluster: &Cluster) -> String {
        let count = cluster.nodes().count();
        if let Some(prefilter) = &self.prefilter {
            return pre_filter_message(count, &prefilter.status.reasons);
        }
        if self.nominated.rejections.is_empty() && self.nominated.left_out.is_none() {
            let mut refusals = self.take_refusals(cluster);
            let message = self.refusal_message(&mut refusals, cluster);
            self.refusals = Some(refusals);
            return message.as_str().to_owned();
        }
        let mut histogram = Histogram::default();
        let mut left = cluster.nodes().live().clone();
        let mut tried_outside = 0;
        for (&node, rejection) in &self.nominated.rejections {
            for reason in &rejection.status.reasons {
                histogram.add(reason, 1);
            }
            left.remove(node);
            tried_outside += usize::from(self.is_left_out(node));
        }
        if let Some(narrowed) = &self.narrowed {
            let outside = count - narrowed.nodes.count() - tried_outside;
            for reason in self.left_out(narrowed).status.reasons.iter().filter(|_| outside > 0) {
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
        let filters = self.filters.iter();
        let copies = filters.map(|planned| (planned.plugin.clone(), planned.filter.boxed_clone()));
        DryRun::new(copies.collect())
    }

    pub(crate) const fn template(&self) -> TemplateId {
        self.template
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

fn out_of_range(plugin: &Str, score: i64) -> String {
    format!(
        "applying score defaultWeights on Score plugins: plugin {:?} returns an invalid score {score}, \
         it should in the range of [0, {MAX_NODE_SCORE}] after normalizing",
        plugin.as_str()
    )
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
