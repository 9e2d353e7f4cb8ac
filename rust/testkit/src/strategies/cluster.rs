//! Random whole clusters.

use std::ops::RangeInclusive;

use bayplan_api::defaults;
use bayplan_api::{
    Labels, Namespace, Node, ObjectMeta, Objects, OwnerReference, PersistentVolumeClaim, Pod,
    PodDisruptionBudget, PodPhase, ReplicaSet, ReplicationController, Service, StatefulSet, Str,
    Volume, VolumeSource,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::node::{self, node};
use super::pod::{self, PodShape, pod};
use super::selector::{label_selector, labels_of_namespace};
use super::vocabulary::{NAMESPACES, POD_LABELS, labels, node_name, text};
use super::volume::{Storage, ephemeral_claim_spec, pod_volume, storage};
use crate::builders::{match_labels, quantity};

/// How large a cluster is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterShape {
    /// How many nodes.
    pub nodes: RangeInclusive<usize>,
    /// How many pods that run, or are said to run on a node that is not there.
    pub running: RangeInclusive<usize>,
    /// How many pods that wait for a node.
    pub pending: RangeInclusive<usize>,
    /// Whether there are volumes.
    pub storage: bool,
}

impl Default for ClusterShape {
    /// 0 to 8 nodes, 0 to 20 running and 1 to 6 pending pods, no volumes.
    fn default() -> Self {
        Self { nodes: 0..=8, running: 0..=20, pending: 1..=6, storage: false }
    }
}

/// A pod, a number that picks its node, and its volumes.
type Seed = (Pod, usize, Vec<VolumeSource>);

fn seed(shape: PodShape, storage: bool) -> impl Strategy<Value = Seed> {
    let volumes = if storage { 0..=2_usize } else { 0..=0 };
    (pod(shape), any::<usize>(), vec(pod_volume(), volumes))
}

/// The objects of a cluster.
pub fn cluster(shape: ClusterShape) -> impl Strategy<Value = Objects> {
    let most_nodes = *shape.nodes.end();
    let storage: BoxedStrategy<Storage> =
        if shape.storage { storage(most_nodes).boxed() } else { Just(Storage::default()).boxed() };
    (
        vec(node(), shape.nodes),
        vec(seed(PodShape::Running, shape.storage), shape.running),
        vec(seed(PodShape::Pending, shape.storage), shape.pending),
        owners(),
        vec(budget(), 0..=3),
        vec(labels_of_namespace(), NAMESPACES.len() - 1),
        storage,
        any::<u64>(),
    )
        .prop_map(
            |(mut nodes, running, pending, owners, budgets, namespaces, storage, order)| {
                for (index, node) in nodes.iter_mut().enumerate() {
                    node::name(node, index);
                }
                let mut objects = Objects { nodes, ..owners };
                objects.namespaces = NAMESPACES
                    .iter()
                    .zip(namespaces)
                    .map(|(name, labels)| Namespace {
                        metadata: ObjectMeta {
                            name: (*name).into(),
                            labels,
                            ..ObjectMeta::default()
                        },
                    })
                    .collect();
                objects.pod_disruption_budgets = budgets
                    .into_iter()
                    .enumerate()
                    .map(|(index, mut budget)| {
                        budget.metadata.name = format!("budget-{index}").into();
                        budget
                    })
                    .collect();
                add_storage(&mut objects, storage);
                let count = objects.nodes.len();
                add_pods(&mut objects, "run", running, |seed| {
                    // One position past the last node is a node that is not there.
                    Some(node_name(seed % (count + 1)))
                });
                add_pods(&mut objects, "pend", pending, |_| None);
                rotate(&mut objects.pods, order);
                fill_in_defaults(&mut objects);
                objects
            },
        )
}

fn fill_in_defaults(objects: &mut Objects) {
    objects.nodes.iter_mut().for_each(defaults::default_node);
    objects.pods.iter_mut().for_each(defaults::default_pod);
    objects.namespaces.iter_mut().for_each(defaults::default_namespace);
    objects.persistent_volumes.iter_mut().for_each(defaults::default_persistent_volume);
    objects.persistent_volume_claims.iter_mut().for_each(defaults::default_persistent_volume_claim);
}

fn add_storage(objects: &mut Objects, storage: Storage) {
    objects.storage_classes = storage.classes;
    objects.persistent_volumes = storage.volumes;
    objects.persistent_volume_claims = storage.claims;
    objects.csi_drivers = storage.drivers;
    objects.csi_storage_capacities = storage.capacities;
    objects.volume_attachments = storage.attachments;
    let exists = |nodes: &[Node], name: &str| nodes.iter().any(|node| node.metadata.name == *name);
    objects.csi_nodes = storage
        .csi_nodes
        .into_iter()
        .filter(|csi_node| exists(&objects.nodes, &csi_node.metadata.name))
        .collect();
}

fn add_pods(
    objects: &mut Objects,
    prefix: &str,
    seeds: Vec<Seed>,
    place: impl Fn(usize) -> Option<String>,
) {
    for (index, (mut pod, seed, sources)) in seeds.into_iter().enumerate() {
        pod::name(&mut pod, format!("{prefix}-{index}"));
        if let Some(node) = place(seed) {
            pod.spec.node_name = node.into();
        }
        for (index, source) in sources.into_iter().enumerate() {
            let volume = Volume { name: format!("v{index}").into(), source };
            if matches!(volume.source, VolumeSource::Ephemeral { .. }) {
                objects.persistent_volume_claims.extend(ephemeral_claim(&pod, &volume, seed));
            }
            pod.spec.volumes.push(volume);
        }
        objects.pods.push(pod);
    }
}

/// The claim of an ephemeral volume: the pod's own, somebody else's, or none.
fn ephemeral_claim(pod: &Pod, volume: &Volume, seed: usize) -> Option<PersistentVolumeClaim> {
    let mut claim = PersistentVolumeClaim::default();
    claim.metadata.name = format!("{}-{}", pod.metadata.name, volume.name).into();
    claim.metadata.namespace = pod.metadata.namespace.clone();
    claim.metadata.uid = format!("claim/{}/{}", pod.metadata.uid, volume.name).into();
    claim.spec = ephemeral_claim_spec();
    claim.phase = "Pending".into();
    match seed % 8 {
        0 => {}
        1 => return None,
        _ => claim.metadata.owner_references.push(OwnerReference {
            api_version: "v1".into(),
            kind: "Pod".into(),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            controller: true,
        }),
    }
    Some(claim)
}

/// Lets the nodes take no more pods than they have, so that one must leave where another is to come; what waits is important.
pub fn fill_up(objects: &mut Objects) {
    for node in &mut objects.nodes {
        let runs = |pod: &&Pod| {
            let ended = matches!(pod.status.phase, PodPhase::Succeeded | PodPhase::Failed);
            !ended && pod.spec.node_name == node.metadata.name
        };
        let pods = objects.pods.iter().filter(runs).count();
        node.status.allocatable.insert("pods".into(), quantity(&pods.to_string()));
    }
    for pod in objects.pods.iter_mut().filter(|pod| pod.spec.node_name.is_empty()) {
        pod.spec.priority = pod.spec.priority.map(|priority| priority.saturating_add(10));
    }
}

/// Running and pending pods need not stand apart in the list.
fn rotate(pods: &mut [Pod], by: u64) {
    if let Ok(length) = u64::try_from(pods.len())
        && length > 0
    {
        pods.rotate_left(usize::try_from(by % length).unwrap_or_default());
    }
}

/// Services, replication controllers, replica sets and stateful sets.
fn owners() -> impl Strategy<Value = Objects> {
    let selector = || labels(&POD_LABELS);
    let service = (text(&NAMESPACES), option::weighted(0.9, selector()));
    let controller = (text(&NAMESPACES), selector());
    // Of these two kinds the selector `{}` is not valid.
    let set = || {
        let selector = label_selector(&POD_LABELS).prop_map(|selector| {
            if selector.is_empty() { match_labels(&[("app", "web")]) } else { selector }
        });
        (text(&NAMESPACES), selector)
    };
    (vec(service, 0..=3), vec(controller, 0..=2), vec(set(), 0..=2), vec(set(), 0..=2)).prop_map(
        |(services, controllers, replica_sets, stateful_sets)| {
            let meta = |prefix: &str, index: usize, namespace| ObjectMeta {
                name: format!("{prefix}-{index}").into(),
                namespace,
                ..ObjectMeta::default()
            };
            let mut objects = Objects::default();
            for (index, (namespace, selector)) in services.into_iter().enumerate() {
                let metadata = meta("service", index, namespace);
                objects.services.push(Service { metadata, selector });
            }
            for (index, (namespace, mut selector)) in controllers.into_iter().enumerate() {
                if selector.is_empty() {
                    selector = Labels::from_iter([("app".into(), "web".into())]);
                }
                let metadata = meta("owner", index, namespace);
                objects.replication_controllers.push(ReplicationController { metadata, selector });
            }
            for (index, (namespace, selector)) in replica_sets.into_iter().enumerate() {
                let metadata = meta("owner", index, namespace);
                objects.replica_sets.push(ReplicaSet { metadata, selector: Some(selector) });
            }
            for (index, (namespace, selector)) in stateful_sets.into_iter().enumerate() {
                let metadata = meta("owner", index, namespace);
                objects.stateful_sets.push(StatefulSet { metadata, selector: Some(selector) });
            }
            objects
        },
    )
}

fn budget() -> impl Strategy<Value = PodDisruptionBudget> {
    (
        text(&NAMESPACES),
        option::weighted(0.95, label_selector(&POD_LABELS)),
        0..=2_i32,
        btree_set(0..20_usize, 0..=2),
    )
        .prop_map(|(namespace, selector, disruptions_allowed, disrupted)| {
            let mut disrupted_pods: Vec<Str> =
                disrupted.iter().map(|index| format!("run-{index}").into()).collect();
            disrupted_pods.sort();
            PodDisruptionBudget {
                metadata: ObjectMeta { namespace, ..ObjectMeta::default() },
                selector,
                disruptions_allowed,
                disrupted_pods,
            }
        })
}
