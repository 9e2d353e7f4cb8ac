//! `DefaultPreemption`: which pods of lower priority go, so that the pod fits?
//!
//! Follows `plugins/defaultpreemption/default_preemption.go`, `framework/preemption/preemption.go`
//! and `util/utils.go` of v1.34. Every node where evicting might help is tried, in list order, or as many as the profile says;
//! the search begins at the first.

use std::cmp::Ordering;

use bayplan_api::{Pod, PodDisruptionBudget, PreemptionPolicy};

use super::go_sort::sort_slice;
use super::labels::Selector;
use super::{
    CycleState, Model, ModelDecision, ModelError, ModelPreemption, NodeInfo, Plugin, key, priority,
};

/// A node, and the pods that would go there.
#[derive(Debug)]
struct Candidate<'a> {
    node: String,
    /// The most important first.
    victims: Vec<&'a Pod>,
    violations: usize,
}

/// Whether the pod's policy lets it preempt others.
pub(super) fn may_preempt(pod: &Pod) -> bool {
    pod.spec.preemption_policy != Some(PreemptionPolicy::Never)
}

/// `PodEligibleToPreemptOthers`.
fn is_eligible(model: &Model<'_>, pod: &Pod, decision: &ModelDecision) -> bool {
    if !may_preempt(pod) {
        return false;
    }
    let Some(node) = model.nominator.node_of(pod) else { return true };
    let status = decision.filter.get(&node).and_then(Option::as_ref);
    if status.is_some_and(|status| status.code == super::Code::UnschedulableAndUnresolvable) {
        return true;
    }
    let Some(info) = model.nodes.iter().find(|info| info.name() == node) else { return true };
    !info.pods.iter().any(|other| priority(other) < priority(pod) && is_terminating(other))
}

/// `podTerminatingByPreemption`.
fn is_terminating(pod: &Pod) -> bool {
    let mut conditions = pod.status.conditions.iter();
    let target = conditions.find(|condition| condition.condition_type == "DisruptionTarget");
    pod.metadata.deletion_timestamp.is_some()
        && target.is_some_and(|condition| {
            condition.status == "True" && condition.reason == "PreemptionByScheduler"
        })
}

/// `PostFilter`: evicts the victims and puts the pod in their place.
pub(super) fn post_filter<'a>(
    model: &mut Model<'a>,
    pod: &'a Pod,
    state: &CycleState,
    decision: &mut ModelDecision,
) {
    if !is_eligible(model, pod, decision) {
        return;
    }
    let might_help = |info: &&NodeInfo<'a>| {
        let status = decision.filter.get(&info.name()).and_then(Option::as_ref);
        status.is_some_and(|status| status.code == super::Code::Unschedulable)
    };
    let mut potential: Vec<&NodeInfo<'a>> =
        model.list().iter().filter_map(|position| model.nodes.get(*position)).collect();
    potential.retain(might_help);
    let wanted = match model.profile.sampling {
        None => potential.len(),
        Some(sampling) => sampling.candidates_to_find(potential.len()),
    };
    // Either list holds as many as are wanted, and no more.
    let (mut non_violating, mut violating) = (Vec::new(), Vec::new());
    let mut fault = None;
    for (place, info) in potential.into_iter().enumerate() {
        match select_victims_on_node(model, pod, info, state) {
            Ok(Some(candidate)) => {
                let list =
                    if candidate.violations == 0 { &mut non_violating } else { &mut violating };
                if list.len() < wanted {
                    list.push((place, candidate));
                }
                if !non_violating.is_empty() && non_violating.len() + violating.len() >= wanted {
                    break;
                }
            }
            Ok(None) => {}
            Err(message) => fault = fault.or(Some(message)),
        }
    }
    // The choice breaks ties by the place in the list.
    let mut candidates = non_violating;
    candidates.append(&mut violating);
    candidates.sort_by_key(|(place, _)| *place);
    let candidates: Vec<Candidate<'a>> =
        candidates.into_iter().map(|(_, candidate)| candidate).collect();
    let Some(best) = select_candidate(&candidates) else {
        match fault {
            None => model.nominator.delete(pod),
            Some(message) => {
                let plugin = Plugin::DefaultPreemption.name();
                decision.error = Some(ModelError { plugin, message });
            }
        }
        return;
    };

    let names = |victims: &[&Pod]| victims.iter().map(|victim| key(victim)).collect();
    decision.preemption = Some(ModelPreemption {
        node: best.node.clone(),
        victims: names(&best.victims),
        candidates: candidates
            .iter()
            .map(|candidate| (candidate.node.clone(), names(&candidate.victims)))
            .collect(),
    });
    // If all of them are leaving already, kube-scheduler has nothing to prepare.
    if best.victims.iter().any(|victim| victim.metadata.deletion_timestamp.is_none()) {
        model.nominator.clear_lower(pod, &best.node);
    }
    model.nominator.delete(pod);
    if let Some(info) = model.nodes.iter_mut().find(|info| info.name() == best.node) {
        for victim in &best.victims {
            info.remove_pod(victim);
        }
        info.add_pod(pod);
    }
}

/// `SelectVictimsOnNode`: all pods of lower priority leave, then as many as possible come back.
fn select_victims_on_node<'a>(
    model: &Model<'a>,
    pod: &'a Pod,
    info: &NodeInfo<'a>,
    state: &CycleState,
) -> Result<Option<Candidate<'a>>, String> {
    let mut info = info.clone();
    let mut state = state.clone();
    let mut potential: Vec<&'a Pod> =
        info.pods.iter().copied().filter(|victim| priority(victim) < priority(pod)).collect();
    if potential.is_empty() {
        return Ok(None);
    }
    for victim in &potential {
        info.remove_pod(victim);
        state.update(victim, pod, info.node, -1);
    }
    if !model.fits(pod, &info, &state)? {
        return Ok(None);
    }

    sort_by_importance(&mut potential);
    let (violating, non_violating) =
        split_by_budget(&potential, &model.objects.pod_disruption_budgets);
    let mut victims = Vec::new();
    let mut violations = 0;
    for (victims_of_kind, violates) in [(&violating, 1), (&non_violating, 0)] {
        for victim in victims_of_kind {
            info.add_pod(victim);
            state.update(victim, pod, info.node, 1);
            // A filter that fails is here as good as one that rejects.
            if !model.fits(pod, &info, &state).unwrap_or_default() {
                info.remove_pod(victim);
                state.update(victim, pod, info.node, -1);
                victims.push(*victim);
                violations += violates;
            }
        }
    }
    if !violating.is_empty() && !non_violating.is_empty() {
        sort_by_importance(&mut victims);
    }
    if victims.is_empty() {
        return Err(format!("expected at least one victim pod on node {:?}", info.name()));
    }
    Ok(Some(Candidate { node: info.name(), victims, violations }))
}

/// `MoreImportantPod` as an order: higher priority, then the earlier start; not started is latest.
fn by_importance(a: &Pod, b: &Pod) -> Ordering {
    let start = |pod: &Pod| pod.status.start_time.map_or(i128::MAX, |time| time.unix_nanos);
    priority(b).cmp(&priority(a)).then(start(a).cmp(&start(b)))
}

fn sort_by_importance(pods: &mut [&Pod]) {
    sort_slice(pods, |a, b| by_importance(a, b) == Ordering::Less);
}

/// `filterPodsWithPDBViolation`: those whose eviction a budget does not allow, and the others.
fn split_by_budget<'a>(
    pods: &[&'a Pod],
    budgets: &[PodDisruptionBudget],
) -> (Vec<&'a Pod>, Vec<&'a Pod>) {
    let mut allowed: Vec<i64> =
        budgets.iter().map(|budget| i64::from(budget.disruptions_allowed)).collect();
    pods.iter().copied().partition(|pod| {
        let mut violated = false;
        for (budget, allowed) in budgets.iter().zip(&mut allowed) {
            let selector = Selector::from_label_selector(budget.selector.as_ref());
            // Here, and unlike in the API, the selector `{}` selects nothing.
            let guards = budget.metadata.namespace == pod.metadata.namespace
                && !pod.metadata.labels.is_empty()
                && !selector.is_empty()
                && selector.matches(&pod.metadata.labels)
                && !budget.disrupted_pods.contains(&pod.metadata.name);
            if guards {
                *allowed -= 1;
                violated |= *allowed < 0;
            }
        }
        violated
    })
}

/// `pickOneNodeForPreemption`: the first of the best in the order of its criteria.
fn select_candidate<'c, 'a>(candidates: &'c [Candidate<'a>]) -> Option<&'c Candidate<'a>> {
    candidates.iter().min_by_key(|candidate| {
        let highest = candidate.victims.first().map(|victim| priority(victim));
        let sum: i64 = candidate
            .victims
            .iter()
            .map(|victim| i64::from(priority(victim)) + i64::from(i32::MAX) + 1)
            .sum();
        let earliest_start = candidate
            .victims
            .iter()
            .filter(|victim| {
                Some(priority(victim)) == candidate.victims.iter().map(|v| priority(v)).max()
            })
            .map(|victim| victim.status.start_time.map_or(i128::MAX, |time| time.unix_nanos))
            .min();
        (
            candidate.violations,
            highest,
            sum,
            candidate.victims.len(),
            std::cmp::Reverse(earliest_start),
        )
    })
}
