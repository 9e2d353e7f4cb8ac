//! The workloads that speed is measured by decide, pod by pod, as the plain path does.

use bayplan_sched::cluster::Cluster;
use bayplan_sched::decision::Outcome;
use bayplan_sched::{Decided, Detail, Scheduler};
use bayplan_workloads::Workload;

/// So many of the measured pods are decided both ways: the plain path learns everything anew for each.
const MEASURED: usize = 300;

/// Decides the pods in one session, which keeps what it learns, and each in a session of its own; gives how many were
/// placed, refused, and placed by evicting others.
fn decide_both_ways(workload: &str) -> (usize, usize, usize) {
    let generated = workload.parse::<Workload>().unwrap().generate();
    let scheduler = Scheduler::default();
    let mut plain = Cluster::from_objects(generated.cluster.clone()).unwrap();
    for pod in generated.first() {
        plain.add_pod(pod).unwrap();
    }
    let mut session = scheduler.session();
    for pod in scheduler.queue(&plain) {
        session.schedule(&mut plain, pod);
    }
    for pod in generated.measured().take(MEASURED) {
        plain.add_pod(pod).unwrap();
    }
    let mut fast = plain.clone();
    let mut session = scheduler.session();
    let (mut placed, mut refused, mut preempting) = (0, 0, 0);
    for pod in scheduler.queue(&plain) {
        let expected = scheduler.session().schedule_one(&mut plain, pod, Detail::Placement);
        match (&expected.chosen, &expected.preemption) {
            (Some(_), _) => placed += 1,
            (None, Some(_)) => preempting += 1,
            (None, None) => refused += 1,
        }
        match session.schedule(&mut fast, pod) {
            Decided::Other(decision) => assert_eq!(*decision, expected),
            Decided::Refused(refused) => assert_eq!(
                (Outcome::Unschedulable, Some(refused.message.as_str()), None),
                (expected.outcome, expected.message.as_deref(), expected.error),
                "{}",
                expected.name
            ),
            Decided::Placed(placement) => assert_eq!(
                (Some(placement.node), Some(placement.score), placement.feasible_nodes),
                (expected.chosen, expected.score, expected.feasible_nodes),
                "{}",
                expected.name
            ),
        }
    }
    assert!(plain == fast, "the clusters differ afterwards");
    (placed, refused, preempting)
}

macro_rules! decide {
    ($($name:ident: $workload:literal => $outcomes:expr;)*) => {
        $(#[test]
        fn $name() {
            assert_eq!(decide_both_ways($workload), $outcomes);
        })*

        #[test]
        fn every_workload_is_decided_both_ways() {
            let tested = [$($workload),*];
            let all: Vec<&str> = bayplan_workloads::Shape::ALL.iter().map(|it| it.name()).collect();
            let names = tested.iter().map(|it| it.split('/').next().unwrap_or_default());
            assert_eq!(names.collect::<Vec<_>>(), all);
        }
    };
}

// Smallest sizes; where upstream's smallest has five nodes, one that has some more pods to decide.
decide! {
    scheduling_basic: "SchedulingBasic/20Nodes" => (200, 0, 0);
    scheduling_pod_anti_affinity: "SchedulingPodAntiAffinity/50Nodes_40Pods" => (40, 0, 0);
    scheduling_pod_affinity: "SchedulingPodAffinity/20Nodes_200Pods" => (200, 0, 0);
    scheduling_preferred_pod_affinity: "SchedulingPreferredPodAffinity/20Nodes_200Pods" => (200, 0, 0);
    scheduling_preferred_pod_anti_affinity: "SchedulingPreferredPodAntiAffinity/20Nodes_200Pods" => (200, 0, 0);
    scheduling_node_affinity: "SchedulingNodeAffinity/20Nodes_200Pods" => (200, 0, 0);
    topology_spreading: "TopologySpreading/20Nodes_200Pods" => (200, 0, 0);
    preferred_topology_spreading: "PreferredTopologySpreading/20Nodes_200Pods" => (200, 0, 0);
    default_topology_spreading: "DefaultTopologySpreading/20Nodes_200Pods" => (200, 0, 0);
    mixed_scheduling_base_pod: "MixedSchedulingBasePod/20Nodes_200Pods" => (200, 0, 0);
    unschedulable: "Unschedulable/20Nodes_300Pods" => (297, 3, 0);
    preemption_basic: "PreemptionBasic/20Nodes" => (0, 0, 20);
    scheduling_daemonset: "SchedulingDaemonset/20Nodes_100Pods" => (100, 0, 0);
    scheduling_in_tree_pvs: "SchedulingInTreePVs/20Nodes_100Pods" => (100, 0, 0);
    scheduling_csi_pvs: "SchedulingCSIPVs/20Nodes_100Pods" => (100, 0, 0);
    scheduling_while_gated: "SchedulingWhileGated/1Node_10GatedPods_100Pods" => (100, 10, 0);
    heterogeneous: "Heterogeneous/500Nodes" => (300, 0, 0);
    production: "Production/500Nodes" => (300, 0, 0);
}
