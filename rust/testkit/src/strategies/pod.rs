//! Random pods, running and pending.

use bayplan_api::{
    Affinity, Container, ContainerPort, ContainerStatus, LabelSelector, NodeInclusionPolicy,
    ObjectMeta, OwnerReference, Pod, PodCondition, PodPhase, PreemptionPolicy, Protocol, Quantity,
    ResourceList, ResourceRequirements, Str, TaintEffect, Toleration, TolerationOperator,
    TopologySpreadConstraint, UnsatisfiableConstraintAction,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::selector::{label_selector, node_affinity, pod_affinity};
use super::vocabulary::{
    IMAGES, NAMESPACES, NODE_LABELS, POD_LABELS, TOPOLOGY_KEYS, amount, labels, node_name, one_of,
    sometimes, text,
};
use crate::builders;

/// Which pods to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodShape {
    /// A pod that runs, with a status; [`pod`] leaves its node open.
    Running,
    /// A pod that waits for a node.
    Pending,
}

/// A pod without a name.
pub fn pod(shape: PodShape) -> impl Strategy<Value = Pod> {
    // Few nodes, so that several pods are nominated to one.
    let nomination = (option::weighted(0.3, 0..4_usize), any::<bool>());
    (metadata(), placement(), containers(), lifecycle(shape), status(), nomination).prop_map(
        move |(metadata, placement, containers, lifecycle, status, (nominated, preempted))| {
            let mut pod = Pod { metadata, ..Pod::default() };
            pod.spec.scheduler_name = "default-scheduler".into();
            (pod.spec.node_selector, pod.spec.affinity) = (placement.0, placement.1);
            (pod.spec.tolerations, pod.spec.topology_spread_constraints) =
                (placement.2, placement.3);
            (pod.spec.containers, pod.spec.init_containers) = (containers.0, containers.1);
            (pod.spec.overhead, pod.spec.resources) = (containers.2, None);
            raise_pod_level_requests(&mut pod, containers.3);
            forget_duplicate_ports(&mut pod);
            let (priority, never, terminating, gated, foreign, ended) = lifecycle;
            pod.spec.priority = Some(priority);
            pod.spec.preemption_policy = Some(if never {
                PreemptionPolicy::Never
            } else {
                PreemptionPolicy::PreemptLowerPriority
            });
            if terminating {
                pod.metadata.deletion_timestamp = Some(builders::seconds(1_740_000_000));
            }
            if gated {
                pod.spec.scheduling_gates = vec!["example.com/wait".into()];
            }
            if foreign {
                pod.spec.scheduler_name = "another-scheduler".into();
            }
            if shape == PodShape::Running {
                pod.status.phase = if ended { PodPhase::Failed } else { PodPhase::Running };
                pod.status.start_time = status.0.map(builders::seconds);
                add_container_statuses(&mut pod, &status.1, status.2);
                if preempted {
                    pod.status.conditions.push(PodCondition {
                        condition_type: "DisruptionTarget".into(),
                        status: "True".into(),
                        reason: "PreemptionByScheduler".into(),
                    });
                }
            }
            if let Some(node) = nominated {
                pod.status.nominated_node_name = node_name(node).into();
            }
            pod
        },
    )
}

/// Names a pod.
pub(super) fn name(pod: &mut Pod, name: String) {
    pod.metadata.uid = format!("pod/{}/{name}", pod.metadata.namespace).into();
    pod.metadata.name = name.into();
}

fn metadata() -> impl Strategy<Value = ObjectMeta> {
    let owner = (
        one_of(&[
            ("v1", "ReplicationController"),
            ("apps/v1", "ReplicaSet"),
            ("apps/v1", "StatefulSet"),
            ("apps/v1beta2", "ReplicaSet"),
            ("batch/v1", "Job"),
        ]),
        text(&["owner-0", "owner-1", "gone"]),
        prop::bool::weighted(0.9),
    )
        .prop_map(|((api_version, kind), name, controller)| OwnerReference {
            api_version: api_version.into(),
            kind: kind.into(),
            uid: format!("{kind}/{name}").into(),
            name,
            controller,
        });
    (text(&NAMESPACES), labels(&POD_LABELS), option::weighted(0.3, owner)).prop_map(
        |(namespace, labels, owner)| ObjectMeta {
            namespace,
            labels,
            owner_references: owner.into_iter().collect(),
            ..ObjectMeta::default()
        },
    )
}

type Placement =
    (bayplan_api::Labels, Option<Box<Affinity>>, Vec<Toleration>, Vec<TopologySpreadConstraint>);

fn placement() -> impl Strategy<Value = Placement> {
    let node_selector = prop_oneof![
        6 => Just(bayplan_api::Labels::new()),
        1 => one_of(&NODE_LABELS).prop_flat_map(|(key, values)| text(values)
            .prop_map(move |value| [(Str::from(key), value)].into_iter().collect())),
    ];
    let affinity = (
        option::weighted(0.4, node_affinity()),
        option::weighted(0.4, pod_affinity()),
        option::weighted(0.4, pod_affinity()),
    )
        .prop_map(|(node_affinity, pod_affinity, pod_anti_affinity)| {
            Box::new(Affinity { node_affinity, pod_affinity, pod_anti_affinity })
        });
    (
        node_selector,
        option::weighted(0.45, affinity),
        vec(toleration(), 0..=2),
        sometimes(0.4, spread_constraint(), 1..=2).prop_map(forget_duplicate_constraints),
    )
}

fn toleration() -> impl Strategy<Value = Toleration> {
    (
        text(&["", "dedicated", "maintenance", "node.kubernetes.io/unschedulable"]),
        any::<bool>(),
        text(&["", "db", "gpu"]),
        option::of(one_of(&[
            TaintEffect::NoSchedule,
            TaintEffect::PreferNoSchedule,
            TaintEffect::NoExecute,
        ])),
    )
        .prop_map(|(key, exists, value, effect)| {
            // Without a key only `Exists` is valid, and it takes no value.
            let exists = exists || key.is_empty();
            Toleration {
                key,
                operator: if exists {
                    TolerationOperator::Exists
                } else {
                    TolerationOperator::Equal
                },
                value: if exists { "".into() } else { value },
                effect,
                toleration_seconds: None,
            }
        })
}

fn spread_constraint() -> impl Strategy<Value = TopologySpreadConstraint> {
    let policy = || {
        option::weighted(0.3, one_of(&[NodeInclusionPolicy::Honor, NodeInclusionPolicy::Ignore]))
    };
    (
        1..=3_i32,
        text(&TOPOLOGY_KEYS),
        one_of(&[
            UnsatisfiableConstraintAction::DoNotSchedule,
            UnsatisfiableConstraintAction::ScheduleAnyway,
        ]),
        option::weighted(0.93, label_selector(&POD_LABELS)),
        option::weighted(0.25, 1..=4_i32),
        policy(),
        policy(),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(max_skew, topology_key, when, selector, min_domains, affinity, taints, keys)| {
                let hard = when == UnsatisfiableConstraintAction::DoNotSchedule;
                // A key may not stand in the selector too.
                let free = |selector: &LabelSelector| {
                    !selector.match_labels.contains_key("version")
                        && !selector.match_expressions.iter().any(|own| own.key == "version")
                };
                let keys = keys && selector.as_ref().is_some_and(free);
                TopologySpreadConstraint {
                    max_skew,
                    topology_key,
                    when_unsatisfiable: when,
                    label_selector: selector,
                    min_domains: min_domains.filter(|_| hard),
                    node_affinity_policy: affinity,
                    node_taints_policy: taints,
                    match_label_keys: if keys { vec!["version".into()] } else { Vec::new() },
                }
            },
        )
}

/// A pod may not have two constraints of one kind over the same key.
fn forget_duplicate_constraints(
    constraints: Vec<TopologySpreadConstraint>,
) -> Vec<TopologySpreadConstraint> {
    let mut unique: Vec<TopologySpreadConstraint> = Vec::new();
    for constraint in constraints {
        let twin = unique.iter().any(|own| {
            own.topology_key == constraint.topology_key
                && own.when_unsatisfiable == constraint.when_unsatisfiable
        });
        if !twin {
            unique.push(constraint);
        }
    }
    unique
}

fn requests() -> impl Strategy<Value = ResourceRequirements> {
    let entry = |probability: f64, name: &'static str, usual: &[&'static str]| {
        option::weighted(probability, amount(usual)).prop_map(move |amount| (name, amount))
    };
    (
        entry(0.6, "cpu", &["100m", "250m", "1", "1500m"]),
        entry(0.6, "memory", &["1", "200Mi", "1Gi", "2Gi"]),
        entry(0.15, "ephemeral-storage", &["1Gi", "20Gi"]),
        entry(0.15, "example.com/gpu", &["1", "2"]),
        entry(0.06, "hugepages-2Mi", &["2Mi", "64Mi"]),
    )
        .prop_map(|(cpu, memory, storage, gpu, huge)| {
            let mut resources = ResourceRequirements::default();
            for (name, amount) in [cpu, memory, storage, gpu, huge] {
                let Some(amount) = amount else { continue };
                // Huge pages come in whole pages, and need cpu or memory beside them.
                let is_huge = name.starts_with("hugepages-");
                let page = Quantity::from_value(2 << 20);
                let pages = amount.value() % page.value() == 0;
                let beside =
                    ["cpu", "memory"].iter().any(|own| resources.requests.contains_key(own));
                if !is_huge || (pages && beside) {
                    builders::insert_request(&mut resources, name, amount);
                }
            }
            resources
        })
}

fn port() -> impl Strategy<Value = ContainerPort> {
    (
        prop_oneof![1 => Just(0), 4 => one_of(&[80, 443])],
        text(&["", "0.0.0.0", "10.0.0.1", "::"]),
        one_of(&[Protocol::Tcp, Protocol::Tcp, Protocol::Udp]),
    )
        .prop_map(|(host_port, host_ip, protocol)| ContainerPort {
            host_port,
            container_port: 8080,
            host_ip,
            protocol,
        })
}

fn container() -> impl Strategy<Value = Container> {
    let ports = sometimes(0.17, port(), 1..=2);
    (text(&IMAGES), requests(), ports).prop_map(|(image, resources, ports)| Container {
        image,
        resources,
        ports,
        ..Container::default()
    })
}

type Containers = (Vec<Container>, Vec<Container>, ResourceList, Option<Vec<(Str, Quantity)>>);

/// Containers, init containers, overhead, and what pod-level requests add to the containers'.
fn containers() -> impl Strategy<Value = Containers> {
    let init = (container(), any::<bool>()).prop_map(|(mut container, sidecar)| {
        container.restart_policy_always = sidecar;
        container
    });
    let overhead = prop_oneof![
        9 => Just(ResourceList::new()),
        1 => one_of(&[&[("cpu", "250m")][..], &[("memory", "120Mi"), ("cpu", "0")][..]])
            .prop_map(builders::resources),
    ];
    let pod_level = vec(
        (text(&["cpu", "memory"]), one_of(&["0", "100m", "1Gi"]).prop_map(builders::quantity)),
        1..=2,
    );
    (
        vec(container(), 1..=2),
        sometimes(0.25, init, 1..=2),
        overhead,
        option::weighted(0.08, pod_level),
    )
        .prop_map(|(mut containers, mut init, overhead, pod_level)| {
            for (index, container) in containers.iter_mut().enumerate() {
                container.name = format!("c{index}").into();
            }
            for (index, container) in init.iter_mut().enumerate() {
                container.name = format!("init{index}").into();
            }
            (containers, init, overhead, pod_level)
        })
}

/// Pod-level requests must cover those of the containers; here they are all of them and some more.
fn raise_pod_level_requests(pod: &mut Pod, more: Option<Vec<(Str, Quantity)>>) {
    let Some(more) = more else { return };
    let mut requests = ResourceList::new();
    for name in ["cpu", "memory"] {
        let mut sum = Quantity::from_value(0);
        let mut asked = false;
        for container in pod.spec.containers.iter().chain(&pod.spec.init_containers) {
            if let Some(amount) = container.resources.requests.get(name) {
                sum.add(amount);
                asked = true;
            }
        }
        if let Some((_, extra)) = more.iter().find(|(own, _)| *own == name) {
            sum.add(extra);
            asked = true;
        }
        if asked {
            requests.insert(name.into(), sum);
        }
    }
    // The pod then has to name the huge pages that its containers ask for.
    let huge = "hugepages-2Mi";
    let containers = || pod.spec.containers.iter().chain(&pod.spec.init_containers);
    let has_huge = containers().any(|own| own.resources.requests.contains_key(huge));
    // What is read back is no more than 63 bits wide.
    let fits = requests.iter().all(|(_, sum)| builders::quantity(&sum.to_string()) == *sum);
    if !requests.is_empty() && !has_huge && fits {
        pod.spec.resources =
            Some(Box::new(ResourceRequirements { requests, ..ResourceRequirements::default() }));
    }
}

/// A pod may not ask for the same host port twice.
fn forget_duplicate_ports(pod: &mut Pod) {
    let mut seen = Vec::new();
    for container in pod.spec.containers.iter_mut().chain(&mut pod.spec.init_containers) {
        container.ports.retain(|port| {
            let key = (port.host_port, port.protocol, port.host_ip.clone());
            let twin = port.host_port != 0 && seen.contains(&key);
            seen.push(key);
            !twin
        });
    }
}

type Lifecycle = (i32, bool, bool, bool, bool, bool);

/// Priority, never preempts, terminating, gated, another scheduler's, ended.
fn lifecycle(shape: PodShape) -> impl Strategy<Value = Lifecycle> {
    let pending = shape == PodShape::Pending;
    let when = move |probability: f64| prop::bool::weighted(probability);
    (
        prop_oneof![4 => Just(0), 3 => one_of(&[-10, 5, 100]), 1 => one_of(&[i32::MIN, 1_000_000_000])],
        when(0.1),
        when(0.08),
        when(if pending { 0.05 } else { 0.0 }),
        when(if pending { 0.05 } else { 0.0 }),
        when(if pending { 0.0 } else { 0.05 }),
    )
}

type StatusParts =
    (Option<i64>, Vec<(bool, ResourceRequirements, ResourceRequirements)>, Option<bool>);

/// Start time, what the kubelet reports of each container, a resize that is infeasible or deferred.
fn status() -> impl Strategy<Value = StatusParts> {
    let container = (prop::bool::weighted(0.3), requests(), requests());
    (
        option::weighted(0.8, one_of(&[1_700_000_000_i64, 1_700_000_001, 1_740_000_000])),
        vec(container, 0..=3),
        option::weighted(0.1, any::<bool>()),
    )
}

fn add_container_statuses(
    pod: &mut Pod,
    reported: &[(bool, ResourceRequirements, ResourceRequirements)],
    resize: Option<bool>,
) {
    let status = |container: &Container,
                  (with_resources, resources, allocated): &(
        bool,
        ResourceRequirements,
        ResourceRequirements,
    )| ContainerStatus {
        name: container.name.clone(),
        allocated_resources: allocated.requests.clone(),
        resources: with_resources.then(|| Box::new(resources.clone())),
    };
    let mut reported = reported.iter();
    let of = |containers: &[Container], reported: &mut std::slice::Iter<'_, _>| {
        containers.iter().zip(reported).map(|(own, parts)| status(own, parts)).collect()
    };
    pod.status.container_statuses = of(&pod.spec.containers, &mut reported);
    pod.status.init_container_statuses = of(&pod.spec.init_containers, &mut reported);
    if let Some(infeasible) = resize {
        pod.status.conditions.push(PodCondition {
            condition_type: "PodResizePending".into(),
            status: "True".into(),
            reason: if infeasible { "Infeasible" } else { "Deferred" }.into(),
        });
    }
}
