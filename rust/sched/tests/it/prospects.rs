//! What preemption keeps between pods changes nothing: with it all is decided as by a session that tries every node anew.

use std::cell::Cell;

use bayplan_api::{Event, Object, ObjectKey, Objects, Pod, Str};
use bayplan_sched::cluster::{Cluster, ForkId};
use bayplan_sched::decision::{Decision, Outcome};
use bayplan_sched::index_vec::PodIdx;
use bayplan_sched::{Decided, Detail, Plans, Scheduler, Session};
use bayplan_testkit::builders::{match_labels, node, pod, seconds, term};
use bayplan_testkit::strategies::{ClusterShape, cluster, fill_up};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// Crowded nodes, and few templates of important pods, each of them often.
fn crowded(nominations: bool, storage: bool) -> impl Strategy<Value = Objects> {
    let shape = ClusterShape { nodes: 1..=6, running: 8..=30, pending: 1..=3, storage };
    (cluster(shape), prop::bool::weighted(0.8)).prop_map(move |(mut objects, full)| {
        if full {
            fill_up(&mut objects);
        }
        let mut more: Vec<Pod> = Vec::new();
        for pod in &mut objects.pods {
            if !nominations {
                pod.status.nominated_node_name = Str::EMPTY;
            }
            if pod.spec.node_name.is_empty() {
                more.extend(
                    (0..5).map(|copy| named(pod, &format!("{}-{copy}", pod.metadata.name))),
                );
            }
        }
        objects.pods.append(&mut more);
        objects
    })
}

fn named(pod: &Pod, name: &str) -> Pod {
    let mut copy = pod.clone();
    copy.metadata.name = name.into();
    copy.metadata.uid = format!("uid-of-{name}").into();
    copy
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A pod that waits is decided; without `stays`, the cluster is as before.
    Decide { which: Index, stays: bool },
    /// A pod goes.
    Delete(Index),
    /// A pod is said to have started at another time, and to have another's priority.
    Change { which: Index, other: Index, start: i64 },
    /// A budget allows another number of disruptions.
    Allow { which: Index, disruptions: i32 },
    /// A fork begins, or the last one is rolled back.
    Fork { rollback: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<Index>(), prop::bool::weighted(0.8)).prop_map(|(which, stays)| Step::Decide { which, stays }),
        1 => any::<Index>().prop_map(Step::Delete),
        1 => (any::<Index>(), any::<Index>(), 0..4_i64)
            .prop_map(|(which, other, start)| Step::Change { which, other, start }),
        1 => (any::<Index>(), 0..3).prop_map(|(which, disruptions)| Step::Allow { which, disruptions }),
        1 => any::<bool>().prop_map(|rollback| Step::Fork { rollback }),
    ]
}

/// A cluster, its forks, and what was learnt of it.
struct World {
    cluster: Cluster,
    forks: Vec<ForkId>,
}

impl World {
    fn pod(&self, which: Index, wanted: impl Fn(PodIdx) -> bool) -> Option<PodIdx> {
        let pods: Vec<PodIdx> = self.cluster.pods().indices().filter(|&pod| wanted(pod)).collect();
        (!pods.is_empty()).then(|| *which.get(&pods))
    }

    fn object(&self, pod: PodIdx) -> Option<Pod> {
        let row = &self.cluster.pods()[pod];
        let mut objects = self.cluster.to_objects().pods.into_iter();
        objects.find(|it| it.metadata.name == row.name && it.metadata.namespace == row.namespace)
    }

    /// Does what is no decision.
    fn change(&mut self, step: &Step) {
        let exists = |pod: PodIdx| self.cluster.pods()[pod].place.exists();
        let event = match step {
            Step::Decide { .. } => None,
            Step::Delete(which) => {
                self.pod(*which, exists).and_then(|pod| self.object(pod)).map(|pod| {
                    Event::Deleted(ObjectKey { uid: Str::EMPTY, ..Object::from(pod).key() })
                })
            }
            Step::Change { which, other, start } => {
                let priority = self.pod(*other, |_| true).and_then(|other| {
                    let template = self.cluster.pods()[other].template;
                    self.cluster.template(template).pod.spec.priority
                });
                let changed = self.pod(*which, exists).and_then(|pod| self.object(pod));
                changed.map(|mut pod| {
                    pod.status.start_time = Some(seconds(1_700_000_000 + start));
                    pod.spec.priority = priority;
                    Event::Modified(pod.into())
                })
            }
            Step::Allow { which, disruptions } => {
                let mut budgets = self.cluster.to_objects().pod_disruption_budgets;
                (!budgets.is_empty()).then(|| {
                    let mut budget = budgets.swap_remove(which.index(budgets.len()));
                    budget.disruptions_allowed = *disruptions;
                    Event::Modified(budget.into())
                })
            }
            Step::Fork { rollback: false } => {
                self.forks.push(self.cluster.fork());
                None
            }
            Step::Fork { rollback: true } => {
                if let Some(fork) = self.forks.pop() {
                    self.cluster.rollback(fork).unwrap();
                }
                None
            }
        };
        if let Some(event) = event {
            self.cluster.apply([event]).unwrap();
        }
    }
}

/// What does not depend on how much was asked for.
fn brief(decision: &Decision) -> impl PartialEq + std::fmt::Debug + use<> {
    let preemption = decision.preemption.as_ref();
    (
        (decision.outcome, decision.chosen, decision.score, decision.feasible_nodes),
        (decision.message.clone(), decision.error.clone()),
        preemption.map(|preemption| (preemption.node, preemption.victims.clone())),
    )
}

/// Decides as the steps say, in one session and in one that tries all anew, with a trace of what was tried; says how many preempted.
fn check(objects: Objects, steps: &[Step], scheduler: &Scheduler) -> usize {
    let mut world = World { cluster: Cluster::from_objects(objects).unwrap(), forks: Vec::new() };
    let mut plans = Plans::default();
    let mut preempting = 0;
    for step in steps {
        world.change(step);
        let Step::Decide { which, stays } = step else { continue };
        let queue = scheduler.queue(&world.cluster);
        if queue.is_empty() {
            continue;
        }
        let pod = *which.get(&queue);
        let before = world.cluster.clone();
        let cluster = &mut world.cluster;
        let mut anew = scheduler.session().schedule_pod(cluster, pod, Detail::Preemption);
        anew.preemption_trace = None;
        let mut session: Session<'_> = scheduler.resume(std::mem::take(&mut plans));
        let kept = session.schedule_pod(cluster, pod, Detail::Trace);
        assert_eq!(kept, anew);
        assert!(before == *cluster, "a decision changes the cluster");
        if *stays {
            let decided = session.schedule_one(cluster, pod, Detail::Placement);
            assert_eq!(brief(&decided), brief(&anew));
        }
        preempting += usize::from(anew.outcome == Outcome::Preempting);
        plans = session.into_plans();
    }
    preempting
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_decides_as_trying_anew_among_nominations(
        objects in crowded(true, false), steps in vec(step(), 1..20)
    ) {
        check(objects, &steps, &Scheduler::default());
    }

    #[test]
    fn what_is_kept_decides_as_trying_anew_with_volumes(
        objects in crowded(false, true), steps in vec(step(), 1..20)
    ) {
        check(objects, &steps, &Scheduler::default());
    }
}

#[test]
fn what_is_kept_decides_as_trying_anew() {
    let mut config = ProptestConfig { cases: 512, ..ProptestConfig::default() };
    config.failure_persistence = None;
    let preempting = Cell::new(0);
    let law = |(objects, steps): (Objects, Vec<Step>)| {
        preempting.set(preempting.get() + check(objects, &steps, &Scheduler::default()));
        Ok(())
    };
    TestRunner::new(config).run(&(crowded(false, false), vec(step(), 1..40)), law).unwrap();
    assert!(preempting.get() > 200, "{preempting:?} pods preempted others");
}

const NODES: usize = 50;

/// Nodes of 4 CPUs with four pods of 900m each, and pods that need three of those gone.
fn full() -> Cluster {
    let mut objects = Objects::default();
    for at in 0..NODES {
        let name = format!("node-{at}");
        objects.nodes.push(node(&name).allocatable("cpu", "4").allocatable("pods", "9").build());
        for low in 0..4 {
            let low = pod(&format!("low-{at}-{low}")).request("cpu", "900m").on(&name);
            objects.pods.push(low.build());
        }
    }
    for at in 0..NODES {
        let high = pod(&format!("high-{at}")).label("app", "high").request("cpu", "3").priority(10);
        objects.pods.push(high.build());
    }
    Cluster::from_objects(objects).unwrap()
}

#[test]
fn a_preemptor_tries_the_nodes_that_changed() {
    let mut cluster = full();
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    for (at, pod) in scheduler.queue(&cluster).into_iter().enumerate() {
        let Decided::Other(decision) = session.schedule(&mut cluster, pod) else {
            panic!("a full node is not feasible")
        };
        let preemption = decision.preemption.unwrap();
        assert_eq!(
            (preemption.node, preemption.victims.len()),
            (cluster.nodes().iter().nth(at).unwrap(), 3)
        );
        // All of them first, then the one that the last preemptor is on.
        assert_eq!(session.work().tried, u64::try_from(NODES + at).unwrap());
    }
}

#[test]
fn nodes_are_tried_again_when_something_changed_for_them() {
    let mut cluster = full();
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    let first = cluster.find_pod("default", "high-0").unwrap();
    let tries = |session: &mut Session<'_>, cluster: &mut Cluster| {
        let before = session.work().tried;
        session.schedule_pod(cluster, first, Detail::Placement);
        session.work().tried - before
    };
    let all = u64::try_from(NODES).unwrap();
    assert_eq!(tries(&mut session, &mut cluster), all);
    assert_eq!(tries(&mut session, &mut cluster), 0);
    // one that is of no interest to the pod
    let added = Object::from(pod("plain").on("node-7").build());
    cluster.apply([Event::Added(added)]).unwrap();
    assert_eq!(tries(&mut session, &mut cluster), 1);
    // nodes and budgets may be others in another epoch
    cluster.apply([Event::Cordon { node: "node-9".into() }]).unwrap();
    assert_eq!(tries(&mut session, &mut cluster), all - 1);
    let beside = term("zone", Some(match_labels(&[("app", "high")])));
    let added = Object::from(pod("keeps-away").anti_affinity(beside).on("node-7").build());
    cluster.apply([Event::Added(added)]).unwrap();
    assert_eq!(tries(&mut session, &mut cluster), all - 1);
}
