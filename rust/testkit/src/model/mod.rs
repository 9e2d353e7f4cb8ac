//! The readable model: what kube-scheduler v1.34 decides, node by node and pod by pod.
//!
//! It works on plain API objects, recomputes everything for every pod and node, and follows the Go
//! text of `pkg/scheduler` as literally as it can be read. It is slow on purpose: it exists to be
//! compared with. Objects must be valid for the API server and have its defaults filled in.
//!
//! All nodes are filtered and all feasible ones scored, in list order, unless the profile samples: then the nodes are walked
//! in kube-scheduler's order. Ties go to the first node that was looked at.

mod decision;
mod default_preemption;
mod go;
mod go_sort;
mod image_locality;
mod inter_pod_affinity;
mod labels;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_balanced_allocation;
mod node_resources_fit;
mod node_unschedulable;
mod node_volume_limits;
mod nominated;
mod pod_topology_spread;
mod profile;
mod resources;
mod sampling;
mod taint_toleration;
mod volume_binding;
mod volume_restrictions;
mod volume_zone;
mod volumes;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bayplan_api::{Node, Objects, Pod, PodPhase};

pub use decision::{Code, ModelDecision, ModelError, ModelPreemption, Status};
pub use profile::{DefaultConstraints, FitArgs, ModelProfile, Plugin, ScoringStrategy};
pub use sampling::ModelSampling;

use node_ports::HostPort;
use resources::{Requested, Resource};

/// A rejection before the plugin's name is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rejection {
    code: Code,
    reasons: Vec<String>,
}

impl Rejection {
    fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reasons: vec![reason.into()] }
    }

    fn by(self, plugin: Plugin) -> Status {
        Status { plugin: plugin.name(), code: self.code, reasons: self.reasons }
    }
}

/// Why a plugin does not let the pod pass.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Failure {
    /// It rejects the node, or the pod on all nodes.
    Rejected(Rejection),
    /// It fails, and the scheduling cycle with it.
    Error(String),
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Failure {
    /// With the plugin's name; an error says too, around the name, what was done.
    fn by(self, plugin: Plugin, before: &str, after: &str) -> Stop {
        match self {
            Self::Rejected(rejection) => Stop::Rejected(rejection.by(plugin)),
            Self::Error(message) => {
                let plugin = plugin.name();
                let message = format!("{before} {plugin:?}{after}: {message}");
                Stop::Error(ModelError { plugin, message })
            }
        }
    }
}

/// A [`Failure`] with the plugin's name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    Rejected(Status),
    Error(ModelError),
}

/// What a `PreFilter` answers when it does not reject the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PreFilter {
    /// The plugin's `Filter` has nothing to say.
    Skip,
    /// The plugin's `Filter` runs on all nodes.
    Run,
    /// Only the nodes of these names are left.
    Nodes(BTreeSet<String>),
}

/// A node and the pods on it: `framework.NodeInfo`.
#[derive(Debug, Clone)]
struct NodeInfo<'a> {
    node: &'a Node,
    /// In the order in which the scheduler holds them.
    pods: Vec<&'a Pod>,
    /// A set: of two pods with the same host port, removing one frees it.
    used_ports: BTreeSet<HostPort>,
}

impl<'a> NodeInfo<'a> {
    const fn new(node: &'a Node) -> Self {
        Self { node, pods: Vec::new(), used_ports: BTreeSet::new() }
    }

    fn name(&self) -> String {
        self.node.metadata.name.to_string()
    }

    fn allocatable(&self) -> Resource {
        let mut allocatable = Resource::default();
        for (name, quantity) in self.node.status.allocatable.iter() {
            allocatable.add(name, quantity);
        }
        allocatable
    }

    fn requested(&self) -> Requested {
        Requested::by(&self.pods)
    }

    fn add_pod(&mut self, pod: &'a Pod) {
        self.pods.push(pod);
        self.used_ports.extend(node_ports::host_ports(pod));
    }

    fn remove_pod(&mut self, pod: &Pod) {
        if let Some(at) = self.pods.iter().position(|own| std::ptr::eq(*own, pod)) {
            self.pods.swap_remove(at);
            for port in node_ports::host_ports(pod) {
                self.used_ports.remove(&port);
            }
        }
    }
}

/// What `PreFilter` learnt: `framework.CycleState`.
#[derive(Debug, Clone, Default)]
struct CycleState {
    skip: BTreeSet<Plugin>,
    nodes: Option<BTreeSet<String>>,
    /// Plugins that narrowed the nodes.
    plugins_with_nodes: BTreeSet<&'static str>,
    spread: Option<pod_topology_spread::FilterState>,
    affinity: Option<inter_pod_affinity::FilterState>,
    restrictions: Option<volume_restrictions::FilterState>,
    binding: volume_binding::FilterState,
    zone: Option<volume_zone::FilterState>,
}

impl CycleState {
    /// `PreFilterExtensions`: `AddPod` (`delta` 1) and `RemovePod` (`delta` -1).
    fn update(&mut self, updated: &Pod, pod: &Pod, node: &Node, delta: i64) {
        if let Some(spread) = &mut self.spread {
            spread.update(updated, pod, node, delta);
        }
        if let Some(affinity) = &mut self.affinity {
            affinity.update(updated, pod, node, delta);
        }
        if let Some(restrictions) = &mut self.restrictions {
            restrictions.update(updated, delta);
        }
    }
}

/// The model of the scheduler over one cluster.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    objects: &'a Objects,
    profile: ModelProfile,
    nodes: Vec<NodeInfo<'a>>,
    assumed: volume_binding::Assumed,
    nominator: nominated::Nominator<'a>,
    /// Where in the list of nodes the next walk begins.
    next_start_node_index: usize,
}

impl<'a> Model<'a> {
    /// The scheduler with `profile`, before its first decision on the cluster of `objects`.
    pub fn new(objects: &'a Objects, profile: ModelProfile) -> Self {
        let mut nodes: Vec<NodeInfo<'a>> = objects.nodes.iter().map(NodeInfo::new).collect();
        for pod in objects.pods.iter().filter(|pod| exists(pod)) {
            if let Some(info) =
                nodes.iter_mut().find(|info| info.node.metadata.name == pod.spec.node_name)
            {
                info.add_pod(pod);
            }
        }
        Self {
            objects,
            nominator: nominated::Nominator::new(objects, &profile),
            profile,
            nodes,
            assumed: volume_binding::Assumed::default(),
            next_start_node_index: 0,
        }
    }

    /// Attempts each pending pod once, by priority, then in list order.
    pub fn run(mut self) -> Vec<ModelDecision> {
        let mut pending: Vec<&'a Pod> = self
            .objects
            .pods
            .iter()
            .filter(|pod| exists(pod) && pod.spec.node_name.is_empty())
            .filter(|pod| pod.spec.scheduler_name == *self.profile.scheduler_name)
            .collect();
        pending.sort_by_key(|pod| Reverse(priority(pod)));
        pending.into_iter().map(|pod| self.schedule_one(pod)).collect()
    }

    fn schedule_one(&mut self, pod: &'a Pod) -> ModelDecision {
        let mut decision = ModelDecision { pod: key(pod), ..ModelDecision::default() };
        // `SchedulingGates.PreEnqueue`
        if !pod.spec.scheduling_gates.is_empty() {
            decision.gated = true;
            return decision;
        }
        // `skipPodSchedule`
        if pod.metadata.deletion_timestamp.is_some() {
            decision.message = Some(format!("skip schedule deleting pod: {}", key(pod)));
            self.nominator.done(pod);
            return decision;
        }
        if self.nodes.is_empty() {
            decision.message = Some("no nodes available to schedule pods".to_owned());
            self.nominator.delete(pod);
            return decision;
        }

        let mut state = match self.pre_filter(pod) {
            Ok(state) => state,
            Err(Stop::Rejected(status)) => {
                decision.message = Some(self.fit_error(&status.reasons.join(", ")));
                decision.prefilter = Some(status);
                // No `PreFilter` of the model rejects in a way that evicting pods could heal.
                if self.profile.preemption && default_preemption::may_preempt(pod) {
                    self.nominator.delete(pod);
                }
                return decision;
            }
            Err(Stop::Error(error)) => return self.fail(decision, pod, error),
        };
        decision.prefilter_nodes =
            state.nodes.as_ref().map(|names| names.iter().cloned().collect());
        let mut pod_volumes = BTreeMap::new();
        let statuses = &mut decision.filter;
        let feasible =
            match self.evaluate_nominated_node(pod, &mut state, statuses, &mut pod_volumes) {
                Some(position) => vec![position],
                None => match self.find_nodes(pod, &state, statuses, &mut pod_volumes) {
                    Ok(feasible) => feasible,
                    Err(error) => return self.fail(decision, pod, error),
                },
            };
        let feasible: Vec<&NodeInfo<'a>> =
            feasible.iter().filter_map(|position| self.nodes.get(*position)).collect();
        if feasible.is_empty() {
            let statuses = decision.filter.values().flatten();
            decision.message = Some(self.fit_error(&histogram(statuses)));
            if self.profile.preemption {
                default_preemption::post_filter(self, pod, &state, &mut decision);
            }
            return decision;
        }

        self.score(pod, &feasible, &mut decision);
        self.nominator.delete(pod);
        if let Some(name) = decision.chosen.clone() {
            self.place(pod, &name, pod_volumes.remove(&name).unwrap_or_default());
        }
        decision
    }

    /// The positions of the nodes in the order in which they are listed.
    fn list(&self) -> Vec<usize> {
        match self.profile.sampling {
            None => (0..self.nodes.len()).collect(),
            Some(_) => sampling::tree_order(&self.nodes),
        }
    }

    /// `evaluateNominatedNode`: the position of the node to which the pod is nominated, if it fits there. `PreFilter` may have
    /// left that node out.
    fn evaluate_nominated_node(
        &self,
        pod: &Pod,
        state: &mut CycleState,
        statuses: &mut BTreeMap<String, Option<Status>>,
        pod_volumes: &mut BTreeMap<String, volume_binding::PodVolumes>,
    ) -> Option<usize> {
        let name = self.nominator.node_of(pod)?;
        let position = self.nodes.iter().position(|info| info.name() == name)?;
        match self.filter_with_nominated_pods(pod, self.nodes.get(position)?, state) {
            Ok(found) => {
                pod_volumes.insert(name.clone(), found);
                statuses.insert(name, None);
                Some(position)
            }
            Err(Stop::Rejected(status)) => {
                // One set in the original: who rejected the node is later said to have narrowed the nodes, too.
                state.plugins_with_nodes.insert(status.plugin);
                statuses.insert(name, Some(status));
                None
            }
            Err(Stop::Error(_)) => None,
        }
    }

    /// `findNodesThatPassFilters`, with one node after another: positions of feasible nodes.
    fn find_nodes(
        &mut self,
        pod: &Pod,
        state: &CycleState,
        statuses: &mut BTreeMap<String, Option<Status>>,
        pod_volumes: &mut BTreeMap<String, volume_binding::PodVolumes>,
    ) -> Result<Vec<usize>, ModelError> {
        let mut tried = self.nominator.node_of(pod).filter(|name| statuses.contains_key(name));
        let mut nodes = Vec::new();
        for position in self.list() {
            let Some(info) = self.nodes.get(position) else { continue };
            // A node that `PreFilter` left out is not walked; its status is known.
            match outside(info, state) {
                None => nodes.push(position),
                rejection => {
                    statuses.entry(info.name()).or_insert(rejection);
                }
            }
        }
        let (start, wanted) = match self.profile.sampling {
            None => (0, nodes.len()),
            Some(_) if self.profile.score.is_empty() => (self.next_start_node_index, 1),
            Some(sampling) => {
                (self.next_start_node_index, sampling.feasible_nodes_to_find(nodes.len()))
            }
        };
        let mut feasible = Vec::new();
        let mut processed = 0;
        let mut error = None;
        for step in 0..nodes.len() {
            let position = nodes.get((start + step) % nodes.len()).copied().unwrap_or_default();
            let Some(info) = self.nodes.get(position) else { continue };
            match self.filter_with_nominated_pods(pod, info, state) {
                Ok(_) if feasible.len() == wanted => break,
                Ok(found) => {
                    pod_volumes.insert(info.name(), found);
                    statuses.insert(info.name(), None);
                    feasible.push(position);
                }
                Err(Stop::Rejected(status)) => {
                    statuses.insert(info.name(), Some(status));
                }
                Err(Stop::Error(failure)) => {
                    error = Some(failure);
                    break;
                }
            }
            tried = tried.filter(|tried| *tried != info.name());
            processed += 1;
        }
        // The node that was tried first has a status, wherever it stands.
        processed += usize::from(tried.is_some());
        self.next_start_node_index = (self.next_start_node_index + processed) % self.nodes.len();
        error.map_or(Ok(feasible), Err)
    }

    /// `assume` and `Reserve`.
    fn place(&mut self, pod: &'a Pod, name: &str, found: volume_binding::PodVolumes) {
        if let Some(info) = self.nodes.iter_mut().find(|info| info.name() == name) {
            info.add_pod(pod);
            volume_binding::reserve(pod, info.node, found, self.objects, &mut self.assumed);
        }
    }

    /// `RunPreFilterPlugins`.
    fn pre_filter(&self, pod: &Pod) -> Result<CycleState, Stop> {
        let mut state = CycleState::default();
        for plugin in &self.profile.pre_filter {
            let answer = self.pre_filter_of(*plugin, pod, &mut state);
            match answer.map_err(|failure| failure.by(*plugin, "running PreFilter plugin", ""))? {
                PreFilter::Skip => {
                    state.skip.insert(*plugin);
                }
                PreFilter::Run => {}
                PreFilter::Nodes(names) => {
                    state.plugins_with_nodes.insert(plugin.name());
                    state.nodes = Some(match state.nodes.take() {
                        None => names,
                        Some(others) => others.intersection(&names).cloned().collect(),
                    });
                }
            }
        }
        Ok(state)
    }

    fn pre_filter_of(
        &self,
        plugin: Plugin,
        pod: &Pod,
        state: &mut CycleState,
    ) -> Result<PreFilter, Failure> {
        let skip_if = |skip| if skip { PreFilter::Skip } else { PreFilter::Run };
        Ok(match plugin {
            Plugin::NodeAffinity => {
                node_affinity::pre_filter(pod, self.profile.added_affinity.as_ref())?
            }
            Plugin::NodePorts => node_ports::pre_filter(pod),
            Plugin::VolumeRestrictions => {
                state.restrictions =
                    volume_restrictions::pre_filter(pod, &self.nodes, self.objects)?;
                skip_if(state.restrictions.is_none())
            }
            Plugin::NodeVolumeLimits => node_volume_limits::pre_filter(pod),
            Plugin::VolumeBinding => {
                let (answer, binding) =
                    volume_binding::pre_filter(pod, self.objects, &self.assumed)?;
                state.binding = binding;
                answer
            }
            Plugin::VolumeZone => {
                state.zone = volume_zone::pre_filter(pod, self.objects)?;
                skip_if(state.zone.is_none())
            }
            Plugin::PodTopologySpread => {
                state.spread = pod_topology_spread::pre_filter(
                    pod,
                    &self.nodes,
                    self.objects,
                    &self.profile.default_constraints,
                );
                skip_if(state.spread.is_none())
            }
            Plugin::InterPodAffinity => {
                state.affinity =
                    inter_pod_affinity::pre_filter(pod, &self.nodes, &self.objects.namespaces);
                skip_if(state.affinity.is_none())
            }
            _ => PreFilter::Run,
        })
    }

    /// `RunFilterPluginsWithNominatedPods`: with the pods on the node that are nominated there and no less important, if there
    /// are any, and then without them.
    fn filter_with_nominated_pods(
        &self,
        pod: &Pod,
        info: &NodeInfo<'_>,
        state: &CycleState,
    ) -> Result<volume_binding::PodVolumes, Stop> {
        let added = self.nominator.pods_for(pod, &info.name());
        if !added.is_empty() {
            let (mut info, mut state) = (info.clone(), state.clone());
            for nominated in added {
                info.add_pod(nominated);
                state.update(nominated, pod, info.node, 1);
            }
            self.filter(pod, &info, &state)?;
        }
        self.filter(pod, info, state)
    }

    /// `RunFilterPlugins`: the first rejection counts. Otherwise what `VolumeBinding` found.
    fn filter(
        &self,
        pod: &Pod,
        info: &NodeInfo<'_>,
        state: &CycleState,
    ) -> Result<volume_binding::PodVolumes, Stop> {
        let mut found = volume_binding::PodVolumes::default();
        for plugin in &self.profile.filter {
            if !state.skip.contains(plugin) {
                self.filter_of(*plugin, pod, info, state, &mut found)
                    .map_err(|failure| failure.by(*plugin, "running", " filter plugin"))?;
            }
        }
        Ok(found)
    }

    /// Whether the pod passes all filters on the node.
    fn fits(&self, pod: &Pod, info: &NodeInfo<'_>, state: &CycleState) -> Result<bool, String> {
        match self.filter_with_nominated_pods(pod, info, state) {
            Ok(_) => Ok(true),
            Err(Stop::Rejected(_)) => Ok(false),
            Err(Stop::Error(error)) => Err(error.message),
        }
    }

    fn filter_of(
        &self,
        plugin: Plugin,
        pod: &Pod,
        info: &NodeInfo<'_>,
        state: &CycleState,
        found: &mut volume_binding::PodVolumes,
    ) -> Result<(), Failure> {
        match plugin {
            Plugin::NodeUnschedulable => node_unschedulable::filter(pod, info.node)?,
            Plugin::NodeName => node_name::filter(pod, info.node)?,
            Plugin::TaintToleration => taint_toleration::filter(pod, info.node)?,
            Plugin::NodeAffinity => {
                node_affinity::filter(pod, info.node, self.profile.added_affinity.as_ref())?;
            }
            Plugin::NodePorts => node_ports::filter(pod, &info.used_ports)?,
            Plugin::NodeResourcesFit => node_resources_fit::filter(pod, info, &self.profile.fit)?,
            Plugin::VolumeRestrictions => {
                if let Some(state) = &state.restrictions {
                    state.filter(pod, info)?;
                }
            }
            Plugin::NodeVolumeLimits => node_volume_limits::filter(pod, info, self.objects)?,
            Plugin::VolumeBinding => {
                *found =
                    volume_binding::filter(&state.binding, info.node, self.objects, &self.assumed)?;
            }
            Plugin::VolumeZone => {
                if let Some(state) = &state.zone {
                    state.filter(info.node)?;
                }
            }
            Plugin::PodTopologySpread => {
                if let Some(state) = &state.spread {
                    state.filter(pod, info.node)?;
                }
            }
            Plugin::InterPodAffinity => {
                if let Some(state) = &state.affinity {
                    state.filter(pod, info.node)?;
                }
            }
            Plugin::SchedulingGates
            | Plugin::PrioritySort
            | Plugin::DefaultPreemption
            | Plugin::NodeResourcesBalancedAllocation
            | Plugin::ImageLocality => {}
        }
        Ok(())
    }

    /// `prioritizeNodes` and `selectHost`.
    fn score(&self, pod: &Pod, feasible: &[&NodeInfo<'a>], decision: &mut ModelDecision) {
        if self.profile.score.is_empty() {
            // Nobody scores: all nodes are worth one.
            decision.totals = feasible.iter().map(|info| (info.name(), 1)).collect();
            decision.best = feasible.iter().map(|info| info.name()).collect();
            decision.chosen = decision.best.first().cloned();
            return;
        }
        if self.profile.pre_score.contains(&Plugin::NodeAffinity)
            && let Err(error) = node_affinity::pre_score(pod)
        {
            let name = Plugin::NodeAffinity.name();
            let message = format!("running PreScore plugin {name:?}: {error}");
            return fail_to_score(decision, name, message, feasible);
        }
        for (plugin, _) in &self.profile.score {
            if let Some((raw, normalized)) = self.score_of(*plugin, pod, feasible) {
                decision.raw_scores.insert(plugin.name(), raw);
                decision.scores.insert(plugin.name(), normalized);
            }
        }
        for (plugin, weight) in &self.profile.score {
            let Some(scores) = decision.scores.get_mut(plugin.name()) else { continue };
            if let Some(score) = scores.values().find(|score| !(0..=100).contains(*score)) {
                let message = format!(
                    "applying score defaultWeights on Score plugins: plugin {:?} returns an invalid \
                     score {score}, it should in the range of [0, 100] after normalizing",
                    plugin.name(),
                );
                return fail_to_score(decision, plugin.name(), message, feasible);
            }
            for score in scores.values_mut() {
                *score *= weight;
            }
        }
        for info in feasible {
            let of_node = |scores: &BTreeMap<String, i64>| scores.get(&info.name()).copied();
            let total = decision.scores.values().filter_map(of_node).sum();
            decision.totals.insert(info.name(), total);
        }
        let highest = decision.totals.values().copied().max();
        decision.best = feasible
            .iter()
            .map(|info| info.name())
            .filter(|name| decision.totals.get(name).copied() == highest)
            .collect();
        decision.chosen = decision.best.first().cloned();
    }

    /// `PreScore`, `Score` and `NormalizeScore` of a plugin: raw and normalised scores, or `None` when
    /// `PreScore` skips.
    fn score_of(
        &self,
        plugin: Plugin,
        pod: &Pod,
        feasible: &[&NodeInfo<'a>],
    ) -> Option<(BTreeMap<String, i64>, BTreeMap<String, i64>)> {
        let profile = &self.profile;
        let each = |score: &dyn Fn(&NodeInfo<'a>) -> i64| -> BTreeMap<String, i64> {
            feasible.iter().map(|info| (info.name(), score(info))).collect()
        };
        let all_nodes: Vec<&Node> = self.nodes.iter().map(|info| info.node).collect();
        match plugin {
            Plugin::TaintToleration => {
                let raw = each(&|info| taint_toleration::score(pod, info.node));
                let mut scores = raw.clone();
                default_normalize_score(&mut scores, true);
                Some((raw, scores))
            }
            Plugin::NodeAffinity => {
                let added = profile.added_affinity.as_ref();
                if !node_affinity::has_preferences(pod, added) {
                    return None;
                }
                let raw = each(&|info| node_affinity::score(pod, info.node, added));
                let mut scores = raw.clone();
                default_normalize_score(&mut scores, false);
                Some((raw, scores))
            }
            Plugin::NodeResourcesFit => {
                let raw = each(&|info| node_resources_fit::score(pod, info, &profile.fit));
                Some((raw.clone(), raw))
            }
            Plugin::NodeResourcesBalancedAllocation => {
                use node_resources_balanced_allocation::{is_best_effort, score};
                if is_best_effort(pod, &profile.balanced_resources) {
                    return None;
                }
                let raw = each(&|info| score(pod, info, &profile.balanced_resources));
                Some((raw.clone(), raw))
            }
            Plugin::ImageLocality => {
                let raw = each(&|info| image_locality::score(pod, info.node, &all_nodes));
                Some((raw.clone(), raw))
            }
            Plugin::PodTopologySpread => {
                let state = pod_topology_spread::pre_score(
                    pod,
                    feasible,
                    &self.nodes,
                    self.objects,
                    &profile.default_constraints,
                )?;
                let raw = each(&|info| state.score(pod, info));
                let mut scores = raw.clone();
                state.normalize(&mut scores);
                Some((raw, scores))
            }
            Plugin::InterPodAffinity => {
                let state = inter_pod_affinity::pre_score(
                    pod,
                    &self.nodes,
                    &self.objects.namespaces,
                    profile.hard_pod_affinity_weight,
                    profile.ignore_preferred_terms_of_existing_pods,
                )?;
                let raw = each(&|info| state.score(info.node));
                let mut scores = raw.clone();
                inter_pod_affinity::normalize(&mut scores);
                Some((raw, scores))
            }
            _ => None,
        }
    }

    /// The scheduling cycle failed.
    fn fail(&mut self, mut decision: ModelDecision, pod: &Pod, error: ModelError) -> ModelDecision {
        self.nominator.delete(pod);
        decision.message = Some(error.message.clone());
        decision.error = Some(error);
        decision
    }

    /// `FitError.Error` without the part about preemption.
    fn fit_error(&self, reasons: &str) -> String {
        format!("0/{} nodes are available: {reasons}.", self.nodes.len())
    }
}

/// The status of a node that `PreFilter` left out.
fn outside(info: &NodeInfo<'_>, state: &CycleState) -> Option<Status> {
    let names = state.nodes.as_ref()?;
    let plugins: Vec<&str> = state.plugins_with_nodes.iter().copied().collect();
    (!names.contains(&info.name())).then(|| Status {
        plugin: "",
        code: Code::UnschedulableAndUnresolvable,
        reasons: vec![format!("node(s) didn't satisfy plugin(s) [{}]", plugins.join(" "))],
    })
}

/// Scoring failed. With one feasible node the scheduler does not score at all, so the pod is placed.
fn fail_to_score(
    decision: &mut ModelDecision,
    plugin: &'static str,
    message: String,
    feasible: &[&NodeInfo<'_>],
) {
    decision.scores.clear();
    if let [only] = feasible {
        decision.chosen = Some(only.name());
    } else {
        decision.raw_scores.clear();
        decision.message = Some(message.clone());
    }
    decision.error = Some(ModelError { plugin, message });
}

/// How many nodes have each reason, sorted as strings.
fn histogram<'s>(statuses: impl Iterator<Item = &'s Status>) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for reason in statuses.flat_map(|status| &status.reasons) {
        *counts.entry(reason).or_default() += 1;
    }
    let mut lines: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    lines.sort();
    lines.join(", ")
}

/// `helper.DefaultNormalizeScore`: the highest becomes 100, or, in reverse, 0.
fn default_normalize_score(scores: &mut BTreeMap<String, i64>, reverse: bool) {
    let max = scores.values().copied().max().unwrap_or_default().max(0);
    for score in scores.values_mut() {
        let scaled = if max == 0 { 0 } else { 100 * *score / max };
        *score = match (reverse, max) {
            (true, _) => 100 - scaled,
            (false, 0) => *score,
            (false, _) => scaled,
        };
    }
}

/// Whether the pod has not ended: the scheduler does not know of others.
fn exists(pod: &Pod) -> bool {
    !matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed)
}

/// `corev1helpers.PodPriority`.
fn priority(pod: &Pod) -> i32 {
    pod.spec.priority.unwrap_or_default()
}

/// `namespace/name`.
fn key(pod: &Pod) -> String {
    format!("{}/{}", pod.metadata.namespace, pod.metadata.name)
}
