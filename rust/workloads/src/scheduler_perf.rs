//! The workloads of `test/integration/scheduler_perf`.
//!
//! Follows `{affinity,misc,topology_spreading,volumes}/performance-config.yaml` and `templates/` there, v1.34.1.

use bayplan_api::{
    AccessMode, CsiNode, CsiNodeDriver, Labels, NodeSelectorOperator, NodeSelectorTerm, ObjectMeta,
    ObjectReference, Objects, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeSource, PersistentVolumeSpec, Pod, Quantity, ResourceList,
    ResourceRequirements, Service, Str, TopologySpreadConstraint, UnsatisfiableConstraintAction,
    Volume, VolumeMode, VolumeSource, WeightedPodAffinityTerm,
};

use crate::objects::{
    GI, HOSTNAME, MI, ZONE, container, expressions, labels, named, namespace, node, pod,
    pod_affinity, pod_anti_affinity, require_node, requirement, resources, selector, term, uid,
};
use crate::workload::{ONE_LARGE_IN, ONE_NODE_PODS, PODS_A_NODE, VOLUMES_A_NODE};
use crate::{Shape, Size};

const IMAGE: &str = "registry.k8s.io/pause:3.10.1";
/// The node that all pods of `SchedulingDaemonset` and `SchedulingWhileGated` are for.
const NAMED_NODE: &str = "scheduler-perf-node";
const DRIVER: &str = "ebs.csi.aws.com";
/// Namespaces of the first and of the measured pods where affinity names both, and in that order.
const FIRST_NAMESPACE: &str = "sched-0";
const MEASURED_NAMESPACE: &str = "sched-1";
const BOTH_NAMESPACES: [&str; 2] = [MEASURED_NAMESPACE, FIRST_NAMESPACE];

/// All objects but pods.
pub(crate) fn cluster(shape: Shape, size: Size) -> Objects {
    let mut objects = Objects {
        namespaces: ["default", "sched-0", "sched-1", "service-ns"].map(namespace).into(),
        ..Objects::default()
    };
    if matches!(shape, Shape::SchedulingDaemonset | Shape::SchedulingWhileGated) {
        objects.nodes.push(node(NAMED_NODE, u64::from(size.nodes), allocatable(ONE_NODE_PODS)));
    }
    if shape != Shape::SchedulingWhileGated {
        objects.nodes.extend((0..size.nodes).map(|index| perf_node(shape, index)));
    }
    match shape {
        Shape::DefaultTopologySpreading => objects.services.push(Service {
            metadata: ObjectMeta {
                name: "service".into(),
                namespace: "service-ns".into(),
                uid: uid("service", 0),
                ..ObjectMeta::default()
            },
            selector: Some(labels(&[("app", "scheduler-perf")])),
        }),
        Shape::SchedulingCSIPVs => {
            objects.csi_nodes = (0..size.nodes).map(csi_node).collect();
        }
        _ => {}
    }
    if matches!(shape, Shape::SchedulingInTreePVs | Shape::SchedulingCSIPVs) {
        let numbers = || 0..size.first + size.measured;
        objects.persistent_volumes = numbers().map(|number| volume(shape, number)).collect();
        objects.persistent_volume_claims = numbers().map(claim).collect();
    }
    objects
}

fn node_name(index: u32) -> String {
    format!("scheduler-perf-{index:06}")
}

fn allocatable(pods: u32) -> ResourceList {
    let mut list = resources(4_000, 32 * GI);
    list.insert("pods".into(), Quantity::from_value(i64::from(pods)));
    list
}

fn perf_node(shape: Shape, index: u32) -> bayplan_api::Node {
    let mut node = node(&node_name(index), u64::from(index), allocatable(PODS_A_NODE));
    let zone: Str = match shape {
        Shape::SchedulingPodAffinity
        | Shape::SchedulingNodeAffinity
        | Shape::MixedSchedulingBasePod => "zone1".into(),
        Shape::TopologySpreading
        | Shape::PreferredTopologySpreading
        | Shape::DefaultTopologySpreading => format!("moon-{}", index % 3 + 1).into(),
        Shape::SchedulingCSIPVs => {
            let name = Str::from(format!("attachable-volumes-csi-{DRIVER}"));
            let count = Quantity::from_value(i64::from(VOLUMES_A_NODE));
            node.status.allocatable.insert(name.clone(), count.clone());
            node.status.capacity.insert(name, count);
            return node;
        }
        _ => return node,
    };
    node.metadata.labels.insert(ZONE.into(), zone);
    node
}

fn csi_node(index: u32) -> CsiNode {
    let name: Str = node_name(index).into();
    CsiNode {
        metadata: ObjectMeta {
            name: name.clone(),
            uid: uid("csinode", u64::from(index)),
            ..ObjectMeta::default()
        },
        drivers: vec![CsiNodeDriver {
            name: DRIVER.into(),
            node_id: name,
            topology_keys: Vec::new(),
            allocatable_count: i32::try_from(VOLUMES_A_NODE).ok(),
        }],
    }
}

fn one_gibibyte() -> ResourceList {
    let mut list = ResourceList::new();
    list.insert("storage".into(), Quantity::from_value(GI));
    list
}

fn volume_name(number: u32) -> String {
    format!("default-vol-{number}")
}

fn claim_name(number: u32) -> String {
    format!("pvc-{number}")
}

fn volume(shape: Shape, number: u32) -> PersistentVolume {
    let name: Str = volume_name(number).into();
    let source = if shape == Shape::SchedulingCSIPVs {
        PersistentVolumeSource::Csi { driver: DRIVER.into(), volume_handle: name.clone() }
    } else {
        PersistentVolumeSource::AwsElasticBlockStore { volume_id: format!("vol-{number}").into() }
    };
    PersistentVolume {
        metadata: ObjectMeta {
            name,
            uid: uid("persistentvolume", u64::from(number)),
            ..ObjectMeta::default()
        },
        spec: PersistentVolumeSpec {
            capacity: one_gibibyte(),
            access_modes: vec![AccessMode::ReadOnlyMany],
            claim_ref: Some(ObjectReference {
                kind: "PersistentVolumeClaim".into(),
                namespace: "default".into(),
                name: claim_name(number).into(),
                uid: uid("persistentvolumeclaim", u64::from(number)),
            }),
            storage_class_name: Str::EMPTY,
            volume_mode: VolumeMode::Filesystem,
            volume_attributes_class_name: None,
            node_affinity: None,
            source,
        },
        phase: "Bound".into(),
    }
}

fn claim(number: u32) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: claim_name(number).into(),
            namespace: "default".into(),
            uid: uid("persistentvolumeclaim", u64::from(number)),
            annotations: labels(&[("pv.kubernetes.io/bind-completed", "true")]),
            ..ObjectMeta::default()
        },
        spec: PersistentVolumeClaimSpec {
            access_modes: vec![AccessMode::ReadOnlyMany],
            resources: ResourceRequirements {
                requests: one_gibibyte(),
                limits: ResourceList::new(),
            },
            volume_name: volume_name(number).into(),
            ..PersistentVolumeClaimSpec::default()
        },
        phase: "Bound".into(),
    }
}

/// The pods of a workload: prototypes, of which each pod is a copy with a name of its own.
#[derive(Debug)]
pub(crate) struct Pods {
    shape: Shape,
    size: Size,
    first: Vec<Pod>,
    measured: Vec<Pod>,
}

impl Pods {
    pub(crate) fn new(shape: Shape, size: Size) -> Self {
        let (first, measured) = prototypes(shape);
        Self { shape, size, first, measured }
    }

    /// The pod of that index among the first: sorts one after another, as many of each.
    pub(crate) fn first(&self, index: u32) -> Pod {
        let sorts = u32::try_from(self.first.len()).unwrap_or(1).max(1);
        let of_a_sort = self.size.first.div_ceil(sorts).max(1);
        let prototype = self.first.get((index / of_a_sort) as usize);
        self.copy(prototype, "first", index, index)
    }

    /// The pod of that index among the measured.
    pub(crate) fn measured(&self, index: u32) -> Pod {
        let is_large = index.is_multiple_of(ONE_LARGE_IN) && self.measured.len() > 1;
        let prototype = self.measured.get(usize::from(is_large));
        self.copy(prototype, "pod", index, self.size.first + index)
    }

    /// `number` is the pod's among all.
    fn copy(&self, prototype: Option<&Pod>, prefix: &str, index: u32, number: u32) -> Pod {
        let Some(prototype) = prototype else { return Pod::default() };
        let name = format!("{prefix}-{index:06}");
        let mut pod = named(prototype, name, uid("pod", u64::from(number)));
        if matches!(self.shape, Shape::SchedulingInTreePVs | Shape::SchedulingCSIPVs) {
            let claim_name = claim_name(number).into();
            pod.spec.volumes = vec![Volume {
                name: "vol".into(),
                source: VolumeSource::PersistentVolumeClaim { claim_name, read_only: false },
            }];
        }
        pod
    }
}

/// What the first pods, sort by sort, and the measured pods look like; of two measured sorts the second is the rare one.
fn prototypes(shape: Shape) -> (Vec<Pod>, Vec<Pod>) {
    let same = |of: fn(&str) -> Pod| (vec![of(FIRST_NAMESPACE)], vec![of(MEASURED_NAMESPACE)]);
    match shape {
        Shape::SchedulingPodAntiAffinity => same(avoids_green),
        Shape::SchedulingPodAffinity => same(needs_blue),
        Shape::SchedulingPreferredPodAffinity => same(prefers_red),
        Shape::SchedulingPreferredPodAntiAffinity => same(prefers_no_yellow),
        Shape::SchedulingNodeAffinity => (vec![in_two_zones()], vec![in_two_zones()]),
        Shape::TopologySpreading => {
            (vec![plain("default")], vec![spread(UnsatisfiableConstraintAction::DoNotSchedule)])
        }
        Shape::PreferredTopologySpreading => {
            (vec![plain("default")], vec![spread(UnsatisfiableConstraintAction::ScheduleAnyway)])
        }
        Shape::DefaultTopologySpreading => {
            let mut of_service = light("service-ns");
            of_service.metadata.labels = labels(&[("app", "scheduler-perf")]);
            (vec![plain("default")], vec![of_service])
        }
        Shape::MixedSchedulingBasePod => {
            let sorts = [plain, needs_blue, avoids_green, prefers_red, prefers_no_yellow];
            (sorts.map(|of| of(FIRST_NAMESPACE)).into(), vec![plain("default")])
        }
        Shape::Unschedulable => {
            let large = asking(resources(9_000, 500 * MI), ResourceList::new(), 10);
            (vec![plain("default")], vec![plain("default"), large])
        }
        Shape::PreemptionBasic => {
            let [low, high] = [(900, 0), (3_000, 10)].map(|(milli_cpu, priority)| {
                let list = resources(milli_cpu, 500 * MI);
                asking(list.clone(), list, priority)
            });
            (vec![low], vec![high])
        }
        Shape::SchedulingDaemonset => {
            let mut for_node = light("default");
            let field = requirement("metadata.name", NodeSelectorOperator::In, &[NAMED_NODE]);
            require_node(
                &mut for_node,
                NodeSelectorTerm { match_expressions: Vec::new(), match_fields: vec![field] },
            );
            (Vec::new(), vec![for_node])
        }
        Shape::SchedulingWhileGated => {
            let mut gated = light("default");
            gated.spec.scheduling_gates = vec!["test.k8s.io/hold".into()];
            (vec![gated], vec![light("default")])
        }
        _ => (vec![plain("default")], vec![plain("default")]),
    }
}

/// `pod-default.yaml`.
fn plain(namespace: &str) -> Pod {
    let list = resources(100, 500 * MI);
    pod(namespace, vec![container("pause", IMAGE, 80, list.clone(), list)])
}

/// `light-pod.yaml`: no requests, no ports.
fn light(namespace: &str) -> Pod {
    let none = ResourceList::new();
    pod(namespace, vec![container("pause", IMAGE, 0, none.clone(), none)])
}

fn asking(requests: ResourceList, limits: ResourceList, priority: i32) -> Pod {
    let mut pod = pod("default", vec![container("pause", IMAGE, 80, requests, limits)]);
    pod.spec.priority = Some(priority);
    pod
}

fn coloured(namespace: &str, color: &str) -> Pod {
    let mut pod = plain(namespace);
    pod.metadata.labels = colour(color);
    pod
}

fn colour(color: &str) -> Labels {
    labels(&[("color", color)])
}

/// `pod-with-pod-affinity.yaml`.
fn needs_blue(namespace: &str) -> Pod {
    let mut pod = coloured(namespace, "blue");
    pod_affinity(&mut pod).required.push(term(ZONE, &[("color", "blue")], &BOTH_NAMESPACES));
    pod
}

/// `pod-with-pod-anti-affinity.yaml`.
fn avoids_green(namespace: &str) -> Pod {
    let mut pod = coloured(namespace, "green");
    let term = term(HOSTNAME, &[("color", "green")], &BOTH_NAMESPACES);
    pod_anti_affinity(&mut pod).required.push(term);
    pod
}

/// `pod-with-preferred-pod-affinity.yaml`.
fn prefers_red(namespace: &str) -> Pod {
    let mut pod = coloured(namespace, "red");
    let term = term(HOSTNAME, &[("color", "red")], &BOTH_NAMESPACES);
    pod_affinity(&mut pod).preferred.push(WeightedPodAffinityTerm { weight: 1, term });
    pod
}

/// `pod-with-preferred-pod-anti-affinity.yaml`.
fn prefers_no_yellow(namespace: &str) -> Pod {
    let mut pod = coloured(namespace, "yellow");
    let term = term(HOSTNAME, &[("color", "yellow")], &BOTH_NAMESPACES);
    pod_anti_affinity(&mut pod).preferred.push(WeightedPodAffinityTerm { weight: 1, term });
    pod
}

/// `pod-with-node-affinity.yaml`.
fn in_two_zones() -> Pod {
    let mut pod = plain("default");
    let zones = requirement(ZONE, NodeSelectorOperator::In, &["zone1", "zone2"]);
    require_node(&mut pod, expressions(vec![zones]));
    pod
}

/// `pod-with-topology-spreading.yaml` and `pod-with-preferred-topology-spreading.yaml`.
fn spread(when_unsatisfiable: UnsatisfiableConstraintAction) -> Pod {
    let mut pod = coloured("default", "blue");
    pod.spec.topology_spread_constraints.push(TopologySpreadConstraint {
        max_skew: 5,
        topology_key: ZONE.into(),
        when_unsatisfiable,
        label_selector: Some(selector(&[("color", "blue")])),
        min_domains: None,
        node_affinity_policy: None,
        node_taints_policy: None,
        match_label_keys: Vec::new(),
    });
    pod
}
