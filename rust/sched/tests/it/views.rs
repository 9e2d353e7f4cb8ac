//! What a placement lets be computed again, and what views may take.

use bayplan_api::{Objects, Pod, UnsatisfiableConstraintAction};
use bayplan_sched::cluster::Cluster;
use bayplan_sched::{Decided, Detail, Plans, Scheduler, Work};
use bayplan_testkit::builders::{constraint, match_labels, node, pod, term};
use proptest::prelude::*;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// A cluster of so many nodes in three zones, and pods that wait.
fn cluster(nodes: usize, pods: impl IntoIterator<Item = Pod>) -> Cluster {
    let nodes = (0..nodes).map(|number| {
        let name = format!("node-{number}");
        node(&name)
            .label("kubernetes.io/hostname", &name)
            .label("topology.kubernetes.io/zone", &format!("zone-{}", number % 3))
            .allocatable("cpu", "16")
            .allocatable("memory", "64Gi")
            .allocatable("pods", "110")
            .build()
    });
    let objects =
        Objects { nodes: nodes.collect(), pods: pods.into_iter().collect(), ..Objects::default() };
    Cluster::from_objects(objects).unwrap()
}

/// Pods of so many kinds in turn, each kind with a label and a request of its own.
fn kinds(kinds: usize, pods: usize) -> impl Iterator<Item = Pod> {
    (0..pods).map(move |number| {
        let kind = number % kinds;
        pod(&format!("pod-{number}"))
            .label("kind", &format!("kind-{kind}"))
            .container("image")
            .request("cpu", &format!("{}m", 100 + kind))
            .build()
    })
}

/// What was computed between two moments.
fn between(before: Work, after: Work) -> [u64; 6] {
    [
        after.plans - before.plans,
        after.views - before.views,
        after.rows - before.rows,
        after.moved - before.moved,
        after.weighed - before.weighed,
        after.passes - before.passes,
    ]
}

#[test]
fn placing_a_pod_scores_one_row_again() {
    let mut cluster = cluster(1000, kinds(1, 100));
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    let pods = scheduler.queue(&cluster);
    let (first, others) = pods.split_at(20);
    for &pod in first {
        session.schedule(&mut cluster, pod);
    }
    let work = session.work();
    // one for the first pod, which was forgotten at once, and one that stays
    assert_eq!((work.plans, work.scans, work.views), (2, 1, 1));
    for &pod in others {
        let before = session.work();
        assert!(matches!(session.schedule(&mut cluster, pod), Decided::Placed(_)));
        assert_eq!(between(before, session.work()), [0, 0, 1, 1, 0, 0]);
    }
}

#[test]
fn templates_that_take_turns_keep_their_views() {
    let mut cluster = cluster(600, kinds(50, 1000));
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    for pod in scheduler.queue(&cluster) {
        session.schedule(&mut cluster, pod);
    }
    let work = session.work();
    assert_eq!((work.plans, work.scans, work.views), (100, 50, 50));
    // each kind learns all rows once, and then those of the pods since its last turn
    assert!(work.rows <= 50 * 600 + 1000 * 50, "{work:?}");
}

#[test]
fn a_pod_that_fits_nowhere_looks_at_the_rows_that_changed() {
    let large = (0..50).map(|number| {
        pod(&format!("large-{number}")).container("image").request("cpu", "20").build()
    });
    let both = large.zip(kinds(1, 50)).flat_map(|(large, small)| [large, small]);
    let mut cluster = cluster(1000, both);
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    let mut refused = 0;
    for (at, pod) in scheduler.queue(&cluster).into_iter().enumerate() {
        let before = session.work();
        refused += usize::from(matches!(session.schedule(&mut cluster, pod), Decided::Refused(_)));
        if at >= 20 {
            let [plans, views, rows, ..] = between(before, session.work());
            assert_eq!((plans, views), (0, 0));
            assert!(rows <= 1, "{rows} rows");
        }
    }
    assert_eq!(refused, 50);
}

#[test]
fn views_take_no_more_than_they_may() {
    let scheduler = Scheduler::default();
    let start = cluster(2000, kinds(40, 400));
    let mut free = start.clone();
    let mut session = scheduler.session();
    let place = |session: &mut bayplan_sched::Session<'_>, cluster: &mut Cluster| {
        let decide = |pod| match session.schedule(cluster, pod) {
            Decided::Placed(placement) => placement,
            other => panic!("{other:?}"),
        };
        scheduler.queue(&start).into_iter().map(decide).collect::<Vec<_>>()
    };
    let expected = place(&mut session, &mut free);
    let plans = session.into_plans();
    let (all, work) = (plans.bytes(), plans.work());
    assert_eq!((work.plans, work.scans), (80, 40));

    let limit = all / 4;
    let mut bound = start.clone();
    let mut session = scheduler.resume(Plans::with_limit(limit));
    for (pod, expected) in scheduler.queue(&start).into_iter().zip(&expected) {
        assert_eq!(session.schedule(&mut bound, pod), Decided::Placed(*expected));
        assert!(session.plan_bytes() <= limit, "{} of {limit}", session.plan_bytes());
    }
    // all kinds take turns and do not fit: the one that comes next is the one that went first
    assert!(session.work().plans > 300, "{:?}", session.work());
}

#[test]
fn the_plan_in_use_stays_whatever_it_takes() {
    let scheduler = Scheduler::default();
    let mut cluster = cluster(500, kinds(1, 50));
    let mut session = scheduler.resume(Plans::with_limit(1));
    for pod in scheduler.queue(&cluster) {
        assert!(matches!(session.schedule(&mut cluster, pod), Decided::Placed(_)));
    }
    assert_eq!((session.work().plans, session.work().scans), (2, 1));
}

#[test]
fn what_was_learnt_is_of_use_to_no_other_cluster() {
    let scheduler = Scheduler::default();
    let mut one = cluster(50, kinds(3, 30));
    let mut other = one.clone();
    let mut session = scheduler.session();
    for pod in scheduler.queue(&one).into_iter().take(20) {
        session.schedule(&mut one, pod);
    }
    for pod in scheduler.queue(&other) {
        let mut plain = other.clone();
        let expected = scheduler.session().schedule_one(&mut plain, pod, Detail::Placement);
        match session.schedule(&mut other, pod) {
            Decided::Placed(placement) => assert_eq!(Some(placement.node), expected.chosen),
            decided => panic!("{decided:?}"),
        }
    }
}

/// Some pods of a kind that tells from others by what it asks, where it may go, and what it wants around it.
fn of_kind(kind: usize, number: usize) -> Pod {
    let app = format!("app-{kind}");
    let own = || Some(match_labels(&[("app", &app)]));
    let pod = pod(&format!("pod-{number}"))
        .label("app", &app)
        .container("image")
        .request("cpu", &format!("{}m", 100 * (1 + kind % 4)))
        .request("memory", &format!("{}Mi", 64 << (kind % 5)));
    let pod = if kind.is_multiple_of(3) { pod.node_selector("pool", "a") } else { pod };
    match kind % 7 {
        0 => pod.avoids(10, term(HOSTNAME, own())),
        1 => pod.prefers(5, term(HOSTNAME, own())),
        2 => pod.spread(constraint(
            1,
            ZONE.into(),
            UnsatisfiableConstraintAction::ScheduleAnyway,
            own(),
        )),
        3 => pod.spread(constraint(
            2,
            ZONE.into(),
            UnsatisfiableConstraintAction::DoNotSchedule,
            own(),
        )),
        4 => pod.anti_affinity(term(HOSTNAME, own())),
        5 => pod.affinity(term(ZONE, own())),
        _ => pod,
    }
    .build()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Over many blocks of rows: kinds that take turns and kinds that come in runs, and pods that leave.
    #[test]
    fn views_of_many_rows_decide_as_plans_of_all_rows(
        sizes in proptest::collection::vec((2_u32..20, 0_usize..4, 0_usize..3), 150..400),
        runs in proptest::collection::vec((0_usize..21, 1_usize..12, any::<bool>()), 10..50),
    ) {
        let nodes = sizes.iter().enumerate().map(|(number, &(cpu, pool, zone))| {
            let name = format!("node-{number}");
            node(&name)
                .label(HOSTNAME, &name)
                .label(ZONE, &format!("zone-{zone}"))
                .label("pool", ["a", "b", "c", "d"].get(pool).unwrap())
                .allocatable("cpu", &format!("{}00m", cpu * 2))
                .allocatable("memory", "8Gi")
                .allocatable("pods", "9")
                .build()
        });
        let objects = Objects { nodes: nodes.collect(), ..Objects::default() };
        let mut viewed = Cluster::from_objects(objects).unwrap();
        let mut plain = viewed.clone();
        let scheduler = Scheduler::default();
        let mut session = scheduler.session();
        let mut number = 0;
        for (kind, pods, leaves) in runs {
            let mut placed = Vec::new();
            for turn in 0..pods {
                number += 1;
                // every second run mixes kinds
                let kind = if pods.is_multiple_of(2) { (kind + turn) % 21 } else { kind };
                let pod = of_kind(kind, number);
                plain.add_pod(pod.clone()).unwrap();
                let pod = viewed.add_pod(pod).unwrap();
                let expected = scheduler.session().schedule_one(&mut plain, pod, Detail::Placement);
                let chosen = match session.schedule(&mut viewed, pod) {
                    Decided::Placed(placement) => {
                        prop_assert_eq!(
                            (Some(placement.score), placement.feasible_nodes),
                            (expected.score, expected.feasible_nodes)
                        );
                        placed.push(pod);
                        Some(placement.node)
                    }
                    Decided::Refused(refused) => {
                        prop_assert_eq!(Some(refused.message.as_str()), expected.message.as_deref());
                        None
                    }
                    Decided::Other(decision) => decision.chosen,
                };
                prop_assert_eq!(chosen, expected.chosen);
            }
            for pod in placed.into_iter().filter(|_| leaves) {
                viewed.evict_pod(pod);
                plain.evict_pod(pod);
            }
        }
        let work = session.work();
        prop_assert!(work.views > 0 && work.passes > 0 && work.scans > 0, "{:?}", work);
    }
}
