//! `Scheduler`: pending pods in queue order, a decision for each.
//!
//! Deciding one pod knows neither queue nor clock: [`Session::schedule_pod`] takes a pod and the cluster as it stands.
//!
//! Follows `pkg/scheduler/schedule_one.go` of v1.34.

use std::ops::ControlFlow;
use std::sync::Arc;

use bayplan_api::Str;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::cluster::Cluster;
use crate::config::{ConfigError, KubeSchedulerConfiguration, PluginRegistry};
use crate::decision::{Decision, Outcome, Trace};
use crate::diagnosis::NO_NODES_AVAILABLE;
use crate::framework::Plugin;
use crate::identity::Identity;
use crate::index_vec::{NodeIdx, PodIdx};
use crate::node_set::NodeSet;
use crate::nominated;
use crate::plan::Plan;
use crate::plans::{Plans, Work};
use crate::preemption::{NotTried, PreemptionTrace, Wanted, ineligible, preempt};
use crate::profile::Profile;
use crate::queue;
use crate::sampling::{Cycle, Sampling, SchedulerOptions, TieBreak, candidates_to_find};
use crate::view::{Pick, Picked};

/// How much of a decision is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The node, its score, the message.
    Placement,
    /// What each plugin said of each node, too.
    Trace,
    /// And what preemption tried on each.
    Preemption,
}

/// The profiles of a configuration, ready to decide.
#[derive(Debug, Clone)]
pub struct Scheduler {
    identity: Identity,
    profiles: IndexMap<Str, Profile, FxBuildHasher>,
    options: SchedulerOptions,
}

impl Default for Scheduler {
    /// The scheduler of the default configuration.
    #[expect(clippy::expect_used, reason = "a test builds the default configuration")]
    fn default() -> Self {
        Self::new(&KubeSchedulerConfiguration::default())
            .expect("the default configuration is valid")
    }
}

impl Scheduler {
    /// The scheduler of a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] with all that kube-scheduler, or bayplan, does not accept.
    pub fn new(config: &KubeSchedulerConfiguration) -> Result<Self, ConfigError> {
        Self::with_plugins(config, &PluginRegistry::default(), &[])
    }

    /// The scheduler of a configuration that may name plugins of the caller, which `registry` knows too.
    ///
    /// # Errors
    /// [`ConfigError`] with all that kube-scheduler, or bayplan, does not accept.
    pub fn with_plugins(
        config: &KubeSchedulerConfiguration,
        registry: &PluginRegistry,
        plugins: &[Arc<dyn Plugin>],
    ) -> Result<Self, ConfigError> {
        let profiles = config.expand(registry)?;
        let profiles = profiles.iter().enumerate().map(|(number, profile)| {
            (profile.scheduler_name.clone(), Profile::new(number, profile, plugins))
        });
        Ok(Self {
            identity: Identity::default(),
            profiles: profiles.collect(),
            options: SchedulerOptions::default(),
        })
    }

    /// The same scheduler with other options.
    #[must_use]
    pub fn with_options(self, options: SchedulerOptions) -> Self {
        Self { options, ..self }
    }

    /// What it does apart from its configuration.
    pub const fn options(&self) -> SchedulerOptions {
        self.options
    }

    /// What tells this scheduler from its copies.
    pub(crate) const fn identity(&self) -> u64 {
        self.identity.number()
    }

    /// The profiles in the order of the configuration.
    pub fn profiles(&self) -> impl ExactSizeIterator<Item = &Profile> {
        self.profiles.values()
    }

    /// The profile for pods of that `schedulerName`.
    pub fn profile(&self, scheduler_name: &str) -> Option<&Profile> {
        self.profiles.get(scheduler_name)
    }

    /// Whether the pod, if it waits, is in the queue: a profile is there for it, and it has no gates.
    pub(crate) fn is_queued(&self, cluster: &Cluster, pod: PodIdx) -> bool {
        let row = &cluster.pods()[pod];
        let name = &cluster.template(row.template).pod.spec.scheduler_name;
        self.profile(name).is_some_and(|profile| !profile.gates(row))
    }

    /// Begins to decide: what is learnt of templates is kept until the session ends.
    pub fn session(&self) -> Session<'_> {
        self.resume(Plans::default())
    }

    /// Begins to decide with what an earlier session has learnt ([`Session::into_plans`]).
    pub fn resume(&self, plans: Plans) -> Session<'_> {
        Session { scheduler: self, plans, undetermined: false }
    }

    /// The pending pods for which there is a profile, in the order in which they are attempted.
    pub fn queue(&self, cluster: &Cluster) -> Vec<PodIdx> {
        queue::pending(self, cluster)
    }

    /// Decides every pending pod of a known `schedulerName` once, in queue order; each decision changes the cluster for
    /// the next. `each` gets them one by one and may stop.
    pub fn schedule_pending(
        &self,
        cluster: &mut Cluster,
        detail: Detail,
        mut each: impl FnMut(&Cluster, Decision) -> ControlFlow<()>,
    ) {
        let mut session = self.session();
        for pod in self.queue(cluster) {
            let decision = session.schedule_one(cluster, pod, detail);
            if each(cluster, decision).is_break() {
                break;
            }
        }
    }
}

/// Plans of templates for one run over one cluster.
#[derive(Debug)]
pub struct Session<'a> {
    scheduler: &'a Scheduler,
    plans: Plans,
    undetermined: bool,
}

/// A decision as brief as can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// The pod was placed, as most are.
    Placed(Placement),
    /// No node is feasible, and evicting pods does not help.
    Refused(Refused),
    /// Something else, or something of which there is more to say.
    Other(Box<Decision>),
}

/// A pod that was placed on the best of its feasible nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The pod.
    pub pod: PodIdx,
    /// The node.
    pub node: NodeIdx,
    /// The node's total.
    pub score: i64,
    /// How many nodes are feasible.
    pub feasible_nodes: usize,
}

/// A pod that fits nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The pod.
    pub pod: PodIdx,
    /// The text of kube-scheduler's event `FailedScheduling`, without what preemption adds.
    pub message: Str,
}

/// What came of an attempt to decide a pod.
struct Attempt {
    decision: Decision,
    /// What it leaves to the next beside the pods.
    cycle: Cycle,
    /// Whether the pod is not nominated to a node any more, if it was.
    loses_nomination: bool,
}

impl Session<'_> {
    /// What was learnt, for a session to come.
    pub fn into_plans(self) -> Plans {
        self.plans
    }

    /// How many bytes the plans take, as [`Plans::bytes`] counts them.
    pub fn plan_bytes(&self) -> usize {
        self.plans.bytes()
    }

    /// What was computed so far.
    pub const fn work(&self) -> Work {
        self.plans.work()
    }

    /// Decides one pod and lets it count where it was placed, as [`Session::schedule_one`] does, but says no more than is needed.
    pub fn schedule(&mut self, cluster: &mut Cluster, pod: PodIdx) -> Decided {
        match self.pick(cluster, pod) {
            Picked::Best(Pick { node, total, feasible }) => {
                self.reserve(cluster, pod, node);
                cluster.assume_pod(pod, node);
                let placement = Placement { pod, node, score: total, feasible_nodes: feasible };
                return Decided::Placed(placement);
            }
            // A nomination would be lost.
            Picked::None if cluster.pods()[pod].nominated.is_empty() => {
                let template = cluster.pods()[pod].template;
                if let Some(message) = self.plans.refused(cluster, template) {
                    return Decided::Refused(Refused { pod, message });
                }
            }
            Picked::None | Picked::Unknown => {}
        }
        Decided::Other(Box::new(self.schedule_one(cluster, pod, Detail::Placement)))
    }

    /// The pod's node, if a view knows it.
    fn pick(&mut self, cluster: &Cluster, pod: PodIdx) -> Picked {
        let options = self.scheduler.options;
        let row = &cluster.pods()[pod];
        if options.sampling != Sampling::All
            || options.tie_break != TieBreak::First
            || self.undetermined
            || row.terminating
            || cluster.nodes().is_empty()
            || cluster.nominated_pods().next().is_some()
        {
            return Picked::Unknown;
        }
        self.plans.belong_to(self.scheduler, cluster);
        let facts = self.plans.facts(self.scheduler, cluster, row.template);
        let number = facts.profile.filter(|_| facts.unsupported.is_none());
        let profile = number.and_then(|number| self.scheduler.profiles.get_index(number));
        match profile {
            Some((_, profile)) if !profile.gates(row) => {
                self.plans.pick(profile, cluster, row.template)
            }
            _ => Picked::Unknown,
        }
    }

    /// Decides one pod and lets it count where it was placed; pods evicted for it are gone.
    pub fn schedule_one(&mut self, cluster: &mut Cluster, pod: PodIdx, detail: Detail) -> Decision {
        let Attempt { decision, cycle, loses_nomination } = self.attempt(cluster, pod, detail);
        cluster.set_cycle(cycle);
        if let Some(node) = decision.chosen {
            self.reserve(cluster, pod, node);
            cluster.assume_pod(pod, node);
        } else if let Some(preemption) = &decision.preemption {
            // kube-scheduler has nothing more to do when all of them are leaving already.
            if preemption.victims.iter().any(|&victim| !cluster.pods()[victim].terminating) {
                for other in nominated::outranked(self.scheduler, cluster, pod, preemption.node) {
                    cluster.nominate(other, Str::EMPTY);
                }
            }
            let name = cluster.nodes().name(preemption.node).clone();
            cluster.nominate(pod, name);
            for &victim in &preemption.victims {
                cluster.evict_pod(victim);
            }
            cluster.assume_pod(pod, preemption.node);
        } else if decision.outcome == Outcome::Terminating {
            cluster.pass_over(pod);
        } else if loses_nomination {
            cluster.nominate(pod, Str::EMPTY);
        }
        decision
    }

    /// Keeps for a pod what it will use on the node that was chosen for it (`RunReservePluginsReserve`).
    fn reserve(&self, cluster: &mut Cluster, pod: PodIdx, node: NodeIdx) {
        let template = cluster.pods()[pod].template;
        let name = &cluster.template(template).pod.spec.scheduler_name;
        let Some(profile) = self.scheduler.profile(name) else { return };
        let mut changes = Vec::new();
        for plugin in profile.reserve.iter().filter_map(|plugin| plugin.reserve()) {
            changes.extend(plugin.reserve(cluster.template(template), cluster, node));
        }
        cluster.reserve(pod, changes);
    }

    /// Decides one pod; the cluster stays as it is.
    pub fn schedule_pod(&mut self, cluster: &mut Cluster, pod: PodIdx, detail: Detail) -> Decision {
        self.attempt(cluster, pod, detail).decision
    }

    /// Decides one pod, and says what that leaves to the next decision; the cluster stays as it is.
    fn attempt(&mut self, cluster: &mut Cluster, pod: PodIdx, detail: Detail) -> Attempt {
        let mut cycle = cluster.cycle();
        let (mut decision, loses_nomination) = self.attempt_in(&mut cycle, cluster, pod, detail);
        if detail == Detail::Preemption && decision.preemption_trace.is_none() {
            let why = if cluster.nodes().is_empty() && decision.outcome == Outcome::Unschedulable {
                NotTried::NoNodes
            } else {
                NotTried::of(decision.outcome)
            };
            decision.preemption_trace = Some(Box::new(PreemptionTrace::not_tried(why)));
        }
        Attempt { decision, cycle, loses_nomination }
    }

    fn attempt_in(
        &mut self,
        cycle: &mut Cycle,
        cluster: &mut Cluster,
        pod: PodIdx,
        detail: Detail,
    ) -> (Decision, bool) {
        let row = &cluster.pods()[pod];
        let template = row.template;
        let info = cluster.template(template);
        let name = &info.pod.spec.scheduler_name;
        let Some(profile) = self.scheduler.profile(name) else {
            let mut decision = Decision::new(cluster, pod, Outcome::Failed);
            decision.error =
                Some(format!("profile not found for scheduler name {:?}", name.as_str()));
            return (decision, false);
        };
        if profile.gates(row) {
            return (Decision::new(cluster, pod, Outcome::Gated), false);
        }
        if row.terminating {
            let mut decision = Decision::new(cluster, pod, Outcome::Terminating);
            decision.message = Some(format!("skip schedule deleting pod: {}", decision.name));
            return (decision, false);
        }
        if self.undetermined {
            return (Decision::new(cluster, pod, Outcome::Undetermined), false);
        }
        if let Some(what) = profile.unsupported(info) {
            self.undetermined = true;
            let mut decision = Decision::new(cluster, pod, Outcome::Unsupported);
            decision.error = Some(what);
            return (decision, false);
        }
        let mut decision = Decision::new(cluster, pod, Outcome::Unschedulable);
        if cluster.nodes().is_empty() {
            decision.message = Some(NO_NODES_AVAILABLE.to_owned());
            return (decision, true);
        }
        self.plans.belong_to(self.scheduler, cluster);
        let plan = self.plans.plan(profile, cluster, template);
        let own = nominated::node_of(cluster, pod);
        let nominees = nominated::nominees(self.scheduler, cluster, pod);
        if own.is_none() && nominees.is_empty() {
            plan.forget_nominations();
        } else {
            plan.nominate(cluster, own, nominees);
        }
        let options = self.scheduler.options;
        let mut search = Search { profile, options, cycle };
        decide(cluster, plan, &mut search, detail, &mut decision);
        let mut loses_nomination = decision.outcome == Outcome::Failed;
        if decision.outcome == Outcome::Unschedulable && profile.preempts {
            let mut trace = (detail == Detail::Preemption).then(Box::<PreemptionTrace>::default);
            let sampled = options.sampling != Sampling::All;
            let offset_and_number = sampled.then_some(|nodes| search.offset_and_candidates(nodes));
            let candidates = detail != Detail::Placement;
            let mut wanted = Wanted { candidates, trace: trace.as_deref_mut(), tried: 0 };
            if let Some(why) = ineligible(cluster, plan, pod) {
                if let Some(trace) = wanted.trace {
                    *trace = PreemptionTrace::not_tried(why);
                }
            } else {
                match preempt(cluster, plan, offset_and_number, &mut wanted) {
                    Ok(None) => loses_nomination = true,
                    Ok(preemption) => {
                        decision.outcome = Outcome::Preempting;
                        decision.preemption = preemption;
                    }
                    Err(error) => decision.error = Some(error),
                }
                let tried = wanted.tried;
                self.plans.tried(template, tried);
            }
            decision.preemption_trace = trace;
        }
        (decision, loses_nomination)
    }

    /// The nodes on which the pod fits as the cluster stands, gated or not: all of them, with sampling too.
    ///
    /// # Errors
    /// [`NotDecided`] for a pod about which the filters have nothing to say.
    pub fn feasible_nodes(
        &mut self,
        cluster: &Cluster,
        pod: PodIdx,
    ) -> Result<NodeSet, NotDecided> {
        let plan = self.filtered(cluster, pod)?;
        Ok(plan.feasible().clone())
    }

    /// The nodes on which the pod fits as the cluster stands, gated or not, and the total of each, in node order: all of them,
    /// with sampling too.
    ///
    /// # Errors
    /// [`NotDecided`] for a pod about which the filters or scores have nothing to say.
    pub fn totals(
        &mut self,
        cluster: &Cluster,
        pod: PodIdx,
    ) -> Result<Vec<(NodeIdx, i64)>, NotDecided> {
        let plan = self.filtered(cluster, pod)?;
        if plan.feasible().is_empty() {
            return Ok(Vec::new());
        }
        match plan.prioritize(cluster).error {
            Some(error) => Err(NotDecided::Failed(error)),
            None => Ok(plan.nodes().iter().copied().zip(plan.totals()).collect()),
        }
    }

    fn filtered(&mut self, cluster: &Cluster, pod: PodIdx) -> Result<&mut Plan, NotDecided> {
        let template = cluster.pods()[pod].template;
        let info = cluster.template(template);
        let name = &info.pod.spec.scheduler_name;
        let foreign = || NotDecided::Foreign(name.clone());
        let profile = self.scheduler.profile(name).ok_or_else(foreign)?;
        if let Some(what) = profile.unsupported(info) {
            return Err(NotDecided::Unsupported(what));
        }
        self.plans.belong_to(self.scheduler, cluster);
        let plan = self.plans.plan(profile, cluster, template);
        let nominees = nominated::nominees(self.scheduler, cluster, pod);
        if nominees.is_empty() {
            plan.forget_nominations();
        } else {
            // A dry run needs a cluster that it may change.
            plan.nominate(&mut cluster.clone(), None, nominees);
        }
        plan.filter(cluster);
        match plan.filter_error(cluster) {
            Some(error) => Err(NotDecided::Failed(error)),
            None => Ok(plan),
        }
    }
}

/// Why filters or scores say nothing about a pod.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDecided {
    /// No profile has the pod's scheduler name.
    #[error("no profile has the scheduler name {0:?}")]
    Foreign(Str),
    /// The pod needs something that bayplan cannot decide.
    #[error("{0}")]
    Unsupported(String),
    /// kube-scheduler's own decision ends in an error.
    #[error("{0}")]
    Failed(String),
}

/// How one decision looks for nodes, and what it leaves to the next.
struct Search<'a> {
    profile: &'a Profile,
    options: SchedulerOptions,
    cycle: &'a mut Cycle,
}

impl Search<'_> {
    /// Finds the feasible nodes.
    fn filter(&mut self, cluster: &Cluster, plan: &mut Plan) {
        match self.options.sampling {
            Sampling::All => plan.filter(cluster),
            Sampling::Kube => {
                let steps = plan.sample(self.profile, cluster, self.cycle.next_start_node);
                self.cycle.walked(steps, cluster.nodes().count());
            }
        }
    }

    /// Takes one of the nodes with that total (`selectHost`).
    fn select(&mut self, plan: &Plan, total: i64) -> Option<NodeIdx> {
        let at = match self.options.tie_break {
            TieBreak::First => 0,
            random @ TieBreak::Random { .. } => {
                random.pick(plan.nodes_with_total(total).count(), self.cycle)
            }
        };
        plan.nodes_with_total(total).nth(at)
    }

    /// `GetOffsetAndNumCandidates`.
    fn offset_and_candidates(&mut self, nodes: usize) -> (usize, usize) {
        match self.options.sampling {
            Sampling::All => (0, nodes),
            Sampling::Kube => {
                let offset = self.options.tie_break.pick(nodes, self.cycle);
                (offset, candidates_to_find(&self.profile.preemption, nodes))
            }
        }
    }
}

/// `schedulePod`: filter, score, pick.
fn decide(
    cluster: &Cluster,
    plan: &mut Plan,
    search: &mut Search<'_>,
    detail: Detail,
    decision: &mut Decision,
) {
    search.filter(cluster, plan);
    decision.prefilter = plan.prefilter().cloned();
    decision.prefilter_nodes = plan.prefilter_nodes().cloned();
    decision.feasible_nodes = plan.feasible().count();
    decision.cut_short = plan.is_cut_short(cluster);
    if let Some(error) = plan.filter_error(cluster) {
        decision.outcome = Outcome::Failed;
        decision.message = Some(error.clone());
        decision.error = Some(error);
        return;
    }
    let mut trace = (detail != Detail::Placement).then(|| {
        let searched = plan.searched(cluster);
        Box::new(Trace {
            filter: match plan.prefilter() {
                None => searched.iter().map(|node| (node, plan.rejection(node))).collect(),
                Some(_) => Vec::new(),
            },
            feasible: Vec::new(),
            scores: Vec::new(),
            totals: Vec::new(),
        })
    });
    if decision.feasible_nodes == 0 {
        decision.message = Some(plan.message(cluster));
    } else {
        let best = plan.prioritize(cluster);
        // With one feasible node kube-scheduler does not score, and no score can fail.
        let failed = best.error.is_some() && decision.feasible_nodes > 1;
        decision.outcome = if failed { Outcome::Failed } else { Outcome::Placed };
        decision.chosen = if failed { None } else { search.select(plan, best.total) };
        decision.message = best.error.clone().filter(|_| failed);
        if best.error.is_none() {
            decision.score = Some(best.total);
        }
        if let Some(trace) = &mut trace {
            trace.feasible = plan.nodes().to_vec();
            trace.scores = plan.scores();
            trace.totals = plan.totals();
            if best.error.is_none() {
                decision.best = plan.nodes_with_total(best.total).collect();
            } else {
                // A PreScore that fails comes before any score.
                trace.forget_scores(failed || plan.pre_score_failed());
            }
        }
        decision.error = best.error;
    }
    decision.trace = trace;
}
