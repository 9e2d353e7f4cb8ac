//! What is kept between pods changes nothing: a plan that took deltas decides as one made anew.

use bayplan_api::Objects;
use bayplan_sched::cluster::Cluster;
use bayplan_sched::decision::{Decision, Outcome, Preemption};
use bayplan_sched::{Decided, Detail, Scheduler};
use bayplan_testkit::model::ModelProfile;
use bayplan_testkit::strategies::{ClusterShape, cluster, profile};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use super::properties::scheduler;

/// A random cluster in which every pending pod stands several times, so that plans are used again.
fn repeated(times: usize) -> impl Strategy<Value = Objects> {
    cluster(ClusterShape::default()).prop_map(move |mut objects| {
        let pending = objects.pods.iter().filter(|pod| pod.spec.node_name.is_empty());
        let again: Vec<_> = pending.cloned().collect();
        for copy in 1..times {
            objects.pods.extend(again.iter().cloned().map(|mut pod| {
                pod.metadata.name = format!("{}-{copy}", pod.metadata.name).into();
                pod.metadata.uid = format!("{}-{copy}", pod.metadata.uid).into();
                pod
            }));
        }
        objects
    })
}

fn trace(cluster: &Cluster, decision: &Decision) -> Value {
    serde_json::to_value(decision.trace_form(cluster)).unwrap()
}

/// A profile, of which some have a negative weight, and some one as great as a configuration may say.
fn weighty() -> impl Strategy<Value = ModelProfile> {
    (profile(), 0..4_u8, any::<Index>()).prop_map(|(mut profile, kind, which)| {
        if let [first, others @ ..] = profile.score.as_mut_slice()
            && let Some(other) = others.get_mut(which.index(others.len().max(1)))
        {
            match kind {
                0 => {
                    // kube-scheduler takes no weight behind a sum below zero
                    first.1 = 100;
                    other.1 = -7;
                }
                1 => other.1 = i64::from(i32::MAX),
                _ => {}
            }
        }
        profile
    })
}

/// Decides the pods in one session that knows views, and each by a plan of its own.
fn decides_both_ways(scheduler: &Scheduler, objects: Objects) -> Result<(), TestCaseError> {
    let mut plain = Cluster::from_objects(objects).unwrap();
    let mut viewed = plain.clone();
    let mut session = scheduler.session();
    for pod in scheduler.queue(&plain) {
        let expected = scheduler.session().schedule_one(&mut plain, pod, Detail::Placement);
        match session.schedule(&mut viewed, pod) {
            Decided::Refused(refused) => prop_assert_eq!(
                (Outcome::Unschedulable, Some(refused.message.as_str()), None),
                (expected.outcome, expected.message.as_deref(), expected.error)
            ),
            Decided::Other(decision) => prop_assert_eq!(*decision, expected),
            Decided::Placed(placement) => prop_assert_eq!(
                (Some(placement.node), Some(placement.score), placement.feasible_nodes),
                (expected.chosen, expected.score, expected.feasible_nodes)
            ),
        }
    }
    prop_assert!(plain == viewed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_kept_up_to_date_decides_as_one_made_anew(objects in repeated(3)) {
        let scheduler = Scheduler::default();
        let mut kept = Cluster::from_objects(objects).unwrap();
        let mut anew = kept.clone();
        let mut session = scheduler.session();
        for pod in scheduler.queue(&kept) {
            let with_kept = session.schedule_one(&mut kept, pod, Detail::Trace);
            let with_new = scheduler.session().schedule_one(&mut anew, pod, Detail::Trace);
            prop_assert_eq!(trace(&kept, &with_kept), trace(&anew, &with_new));
        }
    }

    #[test]
    fn deciding_a_pod_leaves_the_cluster_as_it_was(objects in repeated(3)) {
        let scheduler = Scheduler::default();
        let mut cluster = Cluster::from_objects(objects).unwrap();
        let mut session = scheduler.session();
        for pod in scheduler.queue(&cluster) {
            let first = session.schedule_pod(&mut cluster, pod, Detail::Trace);
            let second = session.schedule_pod(&mut cluster, pod, Detail::Trace);
            prop_assert_eq!(trace(&cluster, &first), trace(&cluster, &second));
        }
    }

    #[test]
    fn less_detail_decides_the_same(objects in repeated(3)) {
        let scheduler = Scheduler::default();
        let mut traced = Cluster::from_objects(objects).unwrap();
        let mut brief = traced.clone();
        let (mut one, mut other) = (scheduler.session(), scheduler.session());
        for pod in scheduler.queue(&traced) {
            let traced = one.schedule_one(&mut traced, pod, Detail::Trace);
            let brief = other.schedule_one(&mut brief, pod, Detail::Placement);
            prop_assert_eq!(
                (traced.chosen, traced.score, traced.message, traced.outcome),
                (brief.chosen, brief.score, brief.message, brief.outcome)
            );
            // without a trace nobody asks for the candidates that were not chosen
            let evicted = |preemption: Option<Preemption>| {
                preemption.map(|Preemption { node, victims, .. }| (node, victims))
            };
            prop_assert_eq!(evicted(traced.preemption), evicted(brief.preemption));
        }
    }

    #[test]
    fn a_view_decides_as_the_plan_of_all_rows(objects in repeated(9)) {
        decides_both_ways(&Scheduler::default(), objects)?;
    }

    #[test]
    fn a_view_follows_every_profile(objects in repeated(6), profile in weighty()) {
        decides_both_ways(&scheduler(&profile), objects)?;
    }
}
