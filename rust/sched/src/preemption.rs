//! `DefaultPreemption`: who could leave so that the pod fits?
//!
//! | extension point | what it does |
//! |---|---|
//! | PostFilter | tries every node where evicting pods may help, and chooses one |
//!
//! Follows `pkg/scheduler/framework/preemption/preemption.go` and
//! `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go` of v1.34.

mod prospects;
mod trace;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::prospects::{Domains, Prospects};
pub use self::trace::{
    Criteria, Criterion, NotCandidate, NotTried, PreemptionTrace, TriedCandidate,
};
use crate::cluster::Cluster;
use crate::decision::Preemption;
use crate::dry_run::{Beside, Evictions, RowTrial, Trial};
use crate::framework::Code;
use crate::go::len64;
use crate::go_sort::sort_slice;
use crate::index_vec::{NodeIdx, PodIdx, TemplateId};
use crate::nominated::node_of;
use crate::plan::Plan;

/// Who would leave a node.
#[derive(Debug, Clone)]
struct Candidate {
    node: NodeIdx,
    /// Its place among the nodes where evicting may help.
    at: usize,
    victims: Vec<PodIdx>,
    violations: usize,
}

/// The two lists of `DryRunPreemption`.
#[derive(Debug, Default)]
struct CandidateLists {
    /// How many candidates are enough; neither list grows longer.
    wanted: usize,
    non_violating: Vec<Candidate>,
    violating: Vec<Candidate>,
}

impl CandidateLists {
    fn add(&mut self, candidate: Candidate) {
        let list = match candidate.violations {
            0 => &mut self.non_violating,
            _ => &mut self.violating,
        };
        if list.len() < self.wanted {
            list.push(candidate);
        }
    }

    /// As many as wanted, and one of them violates no budget.
    fn are_enough(&self) -> bool {
        let found = self.non_violating.len() + self.violating.len();
        !self.non_violating.is_empty() && found >= self.wanted
    }

    /// Nodes without violations come first.
    fn in_order(mut self) -> Vec<Candidate> {
        self.non_violating.append(&mut self.violating);
        self.non_violating
    }
}

/// Why the pod may not preempt others (`PodEligibleToPreemptOthers`): its policy forbids it, or pods that were evicted for it are
/// still leaving the node to which it is nominated, and it could go there once they have.
pub(crate) fn ineligible(cluster: &Cluster, plan: &Plan, pod: PodIdx) -> Option<NotTried> {
    let preemptor = cluster.template(plan.template());
    if !preemptor.may_preempt() {
        return Some(NotTried::Never);
    }
    let node = node_of(cluster, pod)?;
    let rejection = plan.prefilter().cloned().or_else(|| plan.rejection(node));
    if rejection.is_some_and(|it| it.status.code == Code::UnschedulableAndUnresolvable) {
        return None;
    }
    let leaving = cluster.nodes().pods[node].iter().any(|&other| {
        let row = &cluster.pods()[other];
        row.preempted && cluster.template(row.template).priority() < preemptor.priority()
    });
    leaving.then_some(NotTried::VictimsLeaving)
}

/// What is wanted of preemption beside the choice.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// All candidates.
    pub(crate) candidates: bool,
    /// What was tried goes here.
    pub(crate) trace: Option<&'a mut PreemptionTrace>,
    /// How many nodes were tried is added to this.
    pub(crate) tried: u64,
}

/// Finds the node on which evicting pods lets the pod fit (`Evaluator.Preempt`); the cluster is left as it was.
///
/// `offset_and_number` says of so many nodes where evicting may help with which to begin, and how many candidates are enough
/// (`GetOffsetAndNumCandidates`); without it all are tried.
///
/// # Errors
/// kube-scheduler's own error when a plugin failed in the dry run and there is no such node.
pub(crate) fn preempt(
    cluster: &mut Cluster,
    plan: &mut Plan,
    offset_and_number: Option<impl FnOnce(usize) -> (usize, usize)>,
    wanted: &mut Wanted<'_>,
) -> Result<Option<Preemption>, String> {
    match offset_and_number {
        None if wanted.trace.is_none() && plan.answers_stay() => {
            let mut prospects = plan.take_prospects();
            wanted.tried += prospects.update(cluster, plan);
            let result = match prospects.best() {
                Some(best) if wanted.candidates => {
                    Ok(Some(preemption(best, prospects.candidates())))
                }
                Some(best) => Ok(Some(preemption(best, [].into_iter()))),
                None => nobody_evicted(&prospects.failures()),
            };
            plan.put_prospects(prospects);
            result
        }
        offset_and_number => try_all(cluster, plan, offset_and_number, wanted),
    }
}

/// Whether evicting pods lets the pod fit somewhere, or fails; for a plan that knows no nominations.
pub(crate) fn may_help(cluster: &mut Cluster, plan: &mut Plan, tried: &mut u64) -> bool {
    let mut prospects = plan.take_prospects();
    *tried += prospects.update(cluster, plan);
    let helps = prospects.best().is_some() || !prospects.failures().is_empty();
    plan.put_prospects(prospects);
    helps
}

fn preemption<'a>(
    chosen: &Candidate,
    candidates: impl Iterator<Item = &'a Candidate>,
) -> Preemption {
    Preemption {
        node: chosen.node,
        victims: chosen.victims.clone(),
        candidates: candidates.map(|one| (one.node, one.victims.clone())).collect(),
    }
}

/// What comes of it when there is no candidate.
fn nobody_evicted(failures: &[String]) -> Result<Option<Preemption>, String> {
    match failures {
        [] => Ok(None),
        [failure] => Err(failure.clone()),
        _ => Err(format!("[{}]", failures.join(", "))),
    }
}

/// Tries one node after the other, as if nothing were known.
fn try_all(
    cluster: &mut Cluster,
    plan: &Plan,
    offset_and_number: Option<impl FnOnce(usize) -> (usize, usize)>,
    wanted: &mut Wanted<'_>,
) -> Result<Option<Preemption>, String> {
    let potential = plan.resolvable_nodes(cluster);
    if potential.is_empty() {
        if let Some(trace) = &mut wanted.trace {
            explain(trace, cluster, plan, &[], None);
        }
        return Ok(None);
    }
    let (offset, enough) = offset_and_number.map_or((0, potential.len()), |of| of(potential.len()));
    let mut found = CandidateLists { wanted: enough, ..CandidateLists::default() };
    let mut failures: Vec<String> = Vec::new();
    let mut domains = Domains::default();
    let in_words = wanted.trace.is_some();
    let in_turn = potential.iter().copied().enumerate().cycle().skip(offset);
    for (at, node) in in_turn.take(potential.len()) {
        if found.are_enough() {
            break;
        }
        wanted.tried += 1;
        match select_victims_on_node(cluster, plan, &mut domains, node, in_words) {
            Ok((victims, violations)) => found.add(Candidate { node, at, victims, violations }),
            Err(why) => {
                if let NotCandidate::Failed(failure) = &why
                    && !failures.contains(failure)
                {
                    failures.push(failure.clone());
                }
                if let Some(trace) = &mut wanted.trace {
                    trace.others.push((node, why));
                }
            }
        }
    }
    let candidates = found.in_order();
    let chosen = pick_one_node(cluster, &candidates);
    if let Some(trace) = &mut wanted.trace {
        explain(trace, cluster, plan, &candidates, chosen);
    }
    match chosen {
        Some(chosen) => Ok(Some(preemption(chosen, candidates.iter()))),
        None => nobody_evicted(&failures),
    }
}

/// Completes what was tried by the candidates, and by the nodes that did not come into question.
fn explain(
    trace: &mut PreemptionTrace,
    cluster: &Cluster,
    plan: &Plan,
    candidates: &[Candidate],
    chosen: Option<&Candidate>,
) {
    let mut tried: BTreeMap<NodeIdx, NotCandidate> = trace.others.drain(..).collect();
    let potential: BTreeSet<NodeIdx> = plan.resolvable_nodes(cluster).into_iter().collect();
    let found: BTreeSet<NodeIdx> = candidates.iter().map(|candidate| candidate.node).collect();
    let others = cluster.nodes().iter().filter(|node| !found.contains(node));
    trace.others.extend(others.map(|node| {
        let why = tried.remove(&node).unwrap_or_else(|| {
            if potential.contains(&node) {
                return NotCandidate::Enough;
            }
            NotCandidate::NotHelpful(plan.prefilter().cloned().or_else(|| plan.rejection(node)))
        });
        (node, why)
    }));
    let candidates = candidates.iter().map(|candidate| TriedCandidate {
        node: candidate.node,
        victims: candidate.victims.clone(),
        criteria: criteria(cluster, candidate),
        lost_by: None,
    });
    trace.choose(candidates.collect(), chosen.map(|chosen| chosen.node));
}

/// Whether a pod of a lower priority than the template's is on the node.
fn has_lower_priority(cluster: &Cluster, preemptor: TemplateId, node: NodeIdx) -> bool {
    let priority = cluster.template(preemptor).priority();
    let mut pods = cluster.nodes().pods[node].iter();
    pods.any(|&pod| cluster.template(cluster.pods()[pod].template).priority() < priority)
}

/// `SelectVictimsOnNode`: who leaves the node so that the pod fits, and how many of them a budget protects.
fn select_victims_on_node(
    cluster: &mut Cluster,
    plan: &Plan,
    domains: &mut Domains,
    node: NodeIdx,
    in_words: bool,
) -> Result<(Vec<PodIdx>, usize), NotCandidate> {
    let priority = cluster.template(plan.template()).priority();
    let mut potential = Vec::new();
    let mut of_row = true;
    for &pod in &cluster.nodes().pods[node] {
        let template = cluster.pods()[pod].template;
        if cluster.template(template).priority() < priority {
            of_row = of_row && !domains.concern(plan, cluster, template);
            potential.push(pod);
        }
    }
    if potential.is_empty() {
        return Err(NotCandidate::NoVictims);
    }
    let nominated = plan.nominated().on(node);
    if of_row && nominated.is_empty() {
        evict(&mut RowTrial::new(cluster, plan.filters(), node), potential, node, in_words)
    } else {
        let trial = Trial::new(cluster, plan.dry_run(), node);
        evict(&mut Beside { trial, nominated }, potential, node, in_words)
    }
}

/// All of the pods leave; then as many as possible come back, the most important first.
fn evict(
    trial: &mut impl Evictions,
    mut potential: Vec<PodIdx>,
    node: NodeIdx,
    in_words: bool,
) -> Result<(Vec<PodIdx>, usize), NotCandidate> {
    for &pod in &potential {
        trial.remove(pod);
    }
    if trial.fits() {
        sort_by_importance(trial.cluster(), &mut potential);
        let (violating, others) = split_by_budget(trial.cluster(), &potential);
        let mut victims = Vec::new();
        let mut violations = 0;
        for (pods, violates) in [(&violating, 1), (&others, 0)] {
            for &pod in pods {
                trial.add(pod);
                if !trial.fits() {
                    trial.remove(pod);
                    victims.push(pod);
                    violations += violates;
                }
            }
        }
        if !violating.is_empty() && !others.is_empty() {
            sort_by_importance(trial.cluster(), &mut victims);
        }
        if victims.is_empty() {
            let name = trial.cluster().nodes().name(node);
            let failure = format!("expected at least one victim pod on node {:?}", name.as_str());
            return Err(NotCandidate::Failed(failure));
        }
        Ok((victims, violations))
    } else if let Some(failure) = trial.failure() {
        Err(NotCandidate::Failed(failure))
    } else {
        Err(NotCandidate::StillRejected(if in_words { trial.rejection() } else { None }))
    }
}

/// `MoreImportantPod`: higher priority first, then the one that started earlier; a pod that has not started started last.
fn importance(cluster: &Cluster, pod: PodIdx) -> (Reverse<i32>, i128) {
    let row = &cluster.pods()[pod];
    let start = row.start_time().map_or(i128::MAX, |start| start.unix_nanos);
    (Reverse(cluster.template(row.template).priority()), start)
}

fn sort_by_importance(cluster: &Cluster, pods: &mut [PodIdx]) {
    sort_slice(pods, |&a, &b| importance(cluster, a) < importance(cluster, b));
}

/// `filterPodsWithPDBViolation`: those whose eviction would exceed a budget, and the others.
fn split_by_budget(cluster: &Cluster, pods: &[PodIdx]) -> (Vec<PodIdx>, Vec<PodIdx>) {
    let budgets = || cluster.pod_disruption_budgets.values();
    let mut allowed: Vec<i32> = budgets().map(|budget| budget.disruptions_allowed).collect();
    pods.iter().partition(|&&pod| {
        let row = &cluster.pods()[pod];
        let labels = &cluster.template(row.template).pod.metadata.labels;
        let mut violated = false;
        for (budget, allowed) in budgets().zip(&mut allowed) {
            let selected = budget.metadata.namespace == row.namespace
                && budget.selector.as_ref().is_some_and(|selector| {
                    !labels.is_empty() && !selector.is_empty() && selector.matches(labels)
                });
            if selected && !budget.disrupted_pods.contains(&row.name) {
                *allowed = allowed.wrapping_sub(1);
                violated |= *allowed < 0;
            }
        }
        violated
    })
}

/// `pickOneNodeForPreemption`: fewest violations, lowest highest priority, lowest sum of priorities, fewest victims,
/// latest start of the most important victims; then the first of the nodes where evicting may help.
fn pick_one_node<'a>(cluster: &Cluster, candidates: &'a [Candidate]) -> Option<&'a Candidate> {
    candidates.iter().min_by_key(|&candidate| (criteria(cluster, candidate).order(), candidate.at))
}

fn criteria(cluster: &Cluster, candidate: &Candidate) -> Criteria {
    let priority = |pod: PodIdx| cluster.template(cluster.pods()[pod].template).priority();
    let victims = &candidate.victims;
    let lift = i64::from(i32::MAX) + 1;
    let highest = victims.iter().map(|&pod| priority(pod)).max();
    let important = victims.iter().filter(|&&pod| Some(priority(pod)) == highest);
    Criteria {
        violations: candidate.violations,
        highest_priority: victims.first().map_or(i32::MIN, |&pod| priority(pod)),
        sum_of_priorities: victims.iter().map(|&pod| i64::from(priority(pod)) + lift).sum(),
        victims: len64(victims.len()),
        earliest_start: important.filter_map(|&pod| cluster.pods()[pod].start_time()).min(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use bayplan_api::Objects;
    use bayplan_testkit::strategies::{self, ClusterShape, cluster};
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::cluster::Place;
    use crate::scheduler::Scheduler;

    #[test]
    fn a_trial_of_the_row_alone_comes_to_what_one_in_a_fork_does() {
        let shape = ClusterShape { nodes: 1..=4, running: 10..=30, pending: 1..=4, storage: true };
        let scheduler = Scheduler::default();
        let (trials, evicting) = (Cell::new(0), Cell::new(0));
        let law = |mut objects: Objects| {
            strategies::fill_up(&mut objects);
            let mut cluster = Cluster::from_objects(objects).unwrap();
            for pod in cluster.pods().indices().collect::<Vec<_>>() {
                let row = &cluster.pods()[pod];
                let template = row.template;
                let info = cluster.template(template);
                let profile = scheduler.profile(&info.pod.spec.scheduler_name);
                let Some(profile) = profile.filter(|_| row.place == Place::Pending) else {
                    continue;
                };
                let priority = info.priority();
                let plan = Plan::new(profile, &cluster, template);
                let mut domains = Domains::default();
                for node in cluster.nodes().iter().collect::<Vec<_>>() {
                    let template = |pod: PodIdx| cluster.pods()[pod].template;
                    let mut lower = cluster.nodes().pods[node].clone();
                    lower.retain(|&pod| cluster.template(template(pod)).priority() < priority);
                    let mut templates = lower.iter().map(|&pod| template(pod));
                    if templates.any(|template| domains.concern(&plan, &cluster, template)) {
                        continue;
                    }
                    let before = cluster.clone();
                    let mut of_row = RowTrial::new(&mut cluster, plan.filters(), node);
                    let found = evict(&mut of_row, lower.clone(), node, true);
                    drop(of_row);
                    prop_assert!(before == cluster, "the row is not what it was");
                    let trial = Trial::new(&mut cluster, plan.dry_run(), node);
                    let mut in_fork = Beside { trial, nominated: &[] };
                    prop_assert_eq!(&found, &evict(&mut in_fork, lower, node, true));
                    trials.set(trials.get() + 1);
                    evicting.set(evicting.get() + usize::from(found.is_ok()));
                }
            }
            Ok(())
        };
        let mut config = ProptestConfig { cases: 512, ..ProptestConfig::default() };
        config.failure_persistence = None;
        TestRunner::new(config).run(&cluster(shape), law).unwrap();
        assert!(trials.get() > 500 && evicting.get() > 50, "{trials:?} {evicting:?}");
    }
}
