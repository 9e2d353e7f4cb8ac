//! What the API server fills in where an object leaves it out, as far as a decision reads it.
//!
//! Follows `pkg/apis/{core,scheduling,storage}/v1/{defaults,zz_generated.defaults}.go` and the admission plugin
//! `Priority` (`plugin/pkg/admission/priority`) of Kubernetes v1.34.1, with the feature gates of a new cluster.
//! Objects that an API server stored have all of this already and stay as they are: each function changes
//! nothing the second time.
//!
//! | kind | filled in |
//! |---|---|
//! | all | resource quantities are rounded up to thousandths |
//! | `Pod` | requests from limits, requests of the whole pod, `schedulerName`, host ports with `hostNetwork`, RBD pools |
//! | `Node` | `allocatable` from `capacity` |
//! | `Namespace` | the label `kubernetes.io/metadata.name` |
//! | `PriorityClass` | `preemptionPolicy` |
//! | `PersistentVolume`, `PersistentVolumeClaim` | `status.phase` |
//!
//! Some defaults are those of the types already: TCP, `Equal`, `Filesystem`, `Immediate`. Two are the decoder's,
//! which alone knows what was absent: `CSIDriver.spec.attachRequired` and the selector of a `ReplicationController`.
//!
//! **Not filled in:** what admission plugins add besides the priority (tolerations for `not-ready` and `unreachable`,
//! limit ranges, a default storage class): it is theirs by configuration, and in a dump it is there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::validation::{is_huge_pages, is_overcommit_allowed};
use crate::{
    Container, Namespace, Node, ObjectMeta, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec,
    PreemptionPolicy, PriorityClass, Quantity, ResourceList, ResourceRequirements, Str,
    VolumeSource,
};

/// `v1.DefaultSchedulerName`.
const DEFAULT_SCHEDULER_NAME: &str = "default-scheduler";
/// `v1.LabelMetadataName`.
const LABEL_METADATA_NAME: &str = "kubernetes.io/metadata.name";
/// `scheduling.SystemCriticalPriority`.
const SYSTEM_CRITICAL_PRIORITY: i32 = 2_000_000_000;

/// The priority classes that every cluster has, listed or not: name and value.
pub(crate) const SYSTEM_PRIORITY_CLASSES: [(&str, i32); 2] = [
    ("system-node-critical", SYSTEM_CRITICAL_PRIORITY + 1000),
    ("system-cluster-critical", SYSTEM_CRITICAL_PRIORITY),
];

/// `SetObjectDefaults_Pod`; the priority is for [`resolve_priorities`].
pub fn default_pod(pod: &mut Pod) {
    let spec = &mut pod.spec;
    for container in containers_mut(spec) {
        // The limit of a resource is its request, if it has none.
        fill_absent(&mut container.resources.requests, &container.resources.limits, |_| true);
    }
    default_pod_level_resources(spec);
    if spec.host_network {
        for port in containers_mut(spec).flat_map(|container| &mut container.ports) {
            if port.host_port == 0 {
                port.host_port = port.container_port;
            }
        }
    }
    if spec.scheduler_name.is_empty() {
        spec.scheduler_name = Str::from(DEFAULT_SCHEDULER_NAME);
    }
    for volume in &mut spec.volumes {
        match &mut volume.source {
            VolumeSource::Rbd { pool, .. } if pool.is_empty() => *pool = Str::from("rbd"),
            VolumeSource::Ephemeral { claim: Some(claim) } => round_both(&mut claim.resources),
            _ => {}
        }
    }
    for container in containers_mut(spec) {
        round_both(&mut container.resources);
    }
    round(&mut spec.overhead);
    if let Some(resources) = &mut spec.resources {
        round_both(resources);
    }
    let status = &mut pod.status;
    for status in status.container_statuses.iter_mut().chain(&mut status.init_container_statuses) {
        round(&mut status.allocated_resources);
        if let Some(resources) = &mut status.resources {
            round_both(resources);
        }
    }
}

fn containers_mut(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    spec.containers.iter_mut().chain(&mut spec.init_containers)
}

/// Takes over from `source` what `list` lacks and `wanted` names.
fn fill_absent(list: &mut ResourceList, source: &ResourceList, wanted: impl Fn(&str) -> bool) {
    for (name, quantity) in source.iter() {
        if !list.contains_key(name) && wanted(name) {
            list.insert(name.clone(), quantity.clone());
        }
    }
}

/// `SetDefaults_ResourceList`: rounded up to thousandths.
fn round(list: &mut ResourceList) {
    for quantity in list.values_mut() {
        quantity.round_up_to_milli();
    }
}

fn round_both(resources: &mut ResourceRequirements) {
    round(&mut resources.requests);
    round(&mut resources.limits);
}

/// `IsSupportedPodLevelResource`: what a pod as a whole may ask for.
pub(crate) fn is_pod_level_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || is_huge_pages(name)
}

/// `AggregateContainerRequests` and `AggregateContainerLimits`, without statuses and overhead.
///
/// The containers and sidecars together, or more where an init container needs more beside the sidecars that
/// start before it.
pub(crate) fn max_container_resources(
    spec: &PodSpec,
    list: impl Fn(&Container) -> &ResourceList,
) -> ResourceList {
    type Sums<'a> = BTreeMap<&'a Str, Quantity>;
    fn add<'a>(sums: &mut Sums<'a>, name: &'a Str, quantity: &Quantity) {
        match sums.entry(name) {
            Entry::Occupied(sum) => sum.into_mut().add(quantity),
            Entry::Vacant(sum) => {
                sum.insert(quantity.clone());
            }
        }
    }
    fn raise<'a>(most: &mut Sums<'a>, name: &'a Str, quantity: Quantity) {
        if most.get(name).is_none_or(|most| quantity > *most) {
            most.insert(name, quantity);
        }
    }
    // Each step looks at the names of one container only: a hostile pod may have very many of both.
    let mut sum = Sums::new();
    for container in &spec.containers {
        for (name, quantity) in list(container).iter() {
            add(&mut sum, name, quantity);
        }
    }
    let (mut sidecars, mut init) = (Sums::new(), Sums::new());
    for container in &spec.init_containers {
        for (name, quantity) in list(container).iter() {
            let needed = if container.restart_policy_always {
                add(&mut sum, name, quantity);
                add(&mut sidecars, name, quantity);
                sidecars.get(name).cloned().unwrap_or_default()
            } else {
                let mut needed = quantity.clone();
                if let Some(beside) = sidecars.get(name) {
                    needed.add(beside);
                }
                needed
            };
            raise(&mut init, name, needed);
        }
    }
    for (name, quantity) in init {
        raise(&mut sum, name, quantity);
    }
    sum.into_iter().map(|(name, quantity)| (name.clone(), quantity)).collect()
}

/// `defaultHugePagePodLimits` and `defaultPodRequests`, of the feature `PodLevelResources`.
fn default_pod_level_resources(spec: &mut PodSpec) {
    let Some(mut resources) = spec.resources.take() else {
        return;
    };
    if !resources.limits.is_empty() || !resources.requests.is_empty() {
        let limits = max_container_resources(spec, |container| &container.resources.limits);
        let requests = &resources.requests;
        let wanted = |name: &str| is_huge_pages(name) && !requests.contains_key(name);
        fill_absent(&mut resources.limits, &limits, wanted);
    }
    if !resources.limits.is_empty() {
        let requests = max_container_resources(spec, |container| &container.resources.requests);
        let wanted = |name: &str| is_pod_level_resource(name) && is_overcommit_allowed(name);
        fill_absent(&mut resources.requests, &requests, wanted);
        fill_absent(&mut resources.requests, &resources.limits, is_pod_level_resource);
    }
    spec.resources = Some(resources);
}

/// `SetObjectDefaults_Node`.
pub fn default_node(node: &mut Node) {
    // An empty list does not survive the way to the store, so it counts as none.
    if node.status.allocatable.is_empty() {
        node.status.allocatable = node.status.capacity.clone();
    }
    round(&mut node.status.capacity);
    round(&mut node.status.allocatable);
}

/// `SetDefaults_Namespace`: namespaces are selected by name through a label.
pub fn default_namespace(namespace: &mut Namespace) {
    let ObjectMeta { name, labels, .. } = &mut namespace.metadata;
    if !name.is_empty() && labels.get(LABEL_METADATA_NAME) != Some(name) {
        labels.insert(Str::from(LABEL_METADATA_NAME), name.clone());
    }
}

/// `SetDefaults_PriorityClass`.
pub fn default_priority_class(class: &mut PriorityClass) {
    class.preemption_policy.get_or_insert(PreemptionPolicy::PreemptLowerPriority);
}

/// `SetObjectDefaults_PersistentVolume`.
pub fn default_persistent_volume(volume: &mut PersistentVolume) {
    round(&mut volume.spec.capacity);
    if volume.phase.is_empty() {
        volume.phase = Str::from("Pending");
    }
}

/// `SetObjectDefaults_PersistentVolumeClaim`.
pub fn default_persistent_volume_claim(claim: &mut PersistentVolumeClaim) {
    round_both(&mut claim.spec.resources);
    if claim.phase.is_empty() {
        claim.phase = Str::from("Pending");
    }
}

/// A pod whose priority class does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("spec.priorityClassName: Not found: no PriorityClass with name {class:?} was found")]
pub struct UnknownPriorityClass {
    /// Index of the pod in the list.
    pub pod: usize,
    /// Name of the class.
    pub class: Str,
}

/// The admission plugin `Priority`: fills `priority`, `priorityClassName` and `preemptionPolicy`.
///
/// Pods with a priority keep it: they were admitted, whatever their class says now. The others get that of their class,
/// or of the global default (the least, if there are several), or 0. The two system classes exist unlisted.
///
/// # Errors
///
/// [`UnknownPriorityClass`] for the first pod whose class is not there; no pod is changed then.
pub fn resolve_priorities(
    pods: &mut [Pod],
    classes: &[PriorityClass],
) -> Result<(), UnknownPriorityClass> {
    if pods.iter().all(|pod| pod.spec.priority.is_some()) {
        return Ok(());
    }
    let mut known = PriorityClasses::default();
    for class in classes {
        known.insert(class);
    }
    for (index, pod) in pods.iter().enumerate() {
        known.class_of(&pod.spec).map_err(|class| UnknownPriorityClass { pod: index, class })?;
    }
    for (index, pod) in pods.iter_mut().enumerate() {
        known.resolve(pod).map_err(|class| UnknownPriorityClass { pod: index, class })?;
    }
    Ok(())
}

/// The priority classes of a cluster, for the pods that come in.
#[derive(Debug, Default)]
pub(crate) struct PriorityClasses {
    by_name: BTreeMap<Str, KnownClass>,
    /// Names by UID, of those that have one.
    by_uid: BTreeMap<Str, Str>,
    /// The global defaults by value, then in the order in which they came, as the original takes them.
    defaults: BTreeMap<(i32, u64), Str>,
    count: u64,
}

#[derive(Debug, Clone)]
struct KnownClass {
    value: i32,
    preemption_policy: Option<PreemptionPolicy>,
    uid: Str,
    /// Its place among all.
    number: u64,
}

impl PriorityClasses {
    /// Takes in a class, in place of an earlier one of its name.
    pub(crate) fn insert(&mut self, class: &PriorityClass) {
        let ObjectMeta { name, uid, .. } = &class.metadata;
        // what is modified keeps its place
        let number = self.remove(name, "").unwrap_or(self.count);
        self.count += 1;
        if !uid.is_empty() {
            self.by_uid.insert(uid.clone(), name.clone());
        }
        if class.global_default {
            self.defaults.insert((class.value, number), name.clone());
        }
        let known = KnownClass {
            value: class.value,
            preemption_policy: class.preemption_policy,
            uid: uid.clone(),
            number,
        };
        self.by_name.insert(name.clone(), known);
    }

    /// Takes out the class of this name and UID, either of which may be empty, and returns its place.
    pub(crate) fn remove(&mut self, name: &str, uid: &str) -> Option<u64> {
        let name = if name.is_empty() { self.by_uid.get(uid)?.clone() } else { Str::from(name) };
        let known = self.by_name.get(&name)?;
        if !uid.is_empty() && !known.uid.is_empty() && known.uid != uid {
            return None;
        }
        let KnownClass { value, number, uid, .. } = self.by_name.remove(&name)?;
        self.by_uid.remove(&uid);
        self.defaults.remove(&(value, number));
        Some(number)
    }

    /// What the class of a pod without a priority says; `None` for a pod that has a priority.
    fn class_of(
        &self,
        spec: &PodSpec,
    ) -> Result<Option<(Str, i32, Option<PreemptionPolicy>)>, Str> {
        if spec.priority.is_some() {
            return Ok(None);
        }
        let mut name = &spec.priority_class_name;
        if name.is_empty() {
            name = self.defaults.values().next().unwrap_or(name);
        }
        let lower = Some(PreemptionPolicy::PreemptLowerPriority);
        if let Some(known) = self.by_name.get(name) {
            return Ok(Some((name.clone(), known.value, known.preemption_policy)));
        }
        let system = SYSTEM_PRIORITY_CLASSES.iter().find(|(system, _)| name == system);
        match system {
            Some((_, value)) => Ok(Some((name.clone(), *value, lower))),
            None if name.is_empty() => Ok(Some((Str::EMPTY, 0, lower))),
            None => Err(name.clone()),
        }
    }

    /// As [`resolve_priorities`] for one pod; the error is the name of the class that is not there.
    pub(crate) fn resolve(&self, pod: &mut Pod) -> Result<(), Str> {
        let spec = &mut pod.spec;
        if let Some((name, value, policy)) = self.class_of(spec)? {
            spec.priority_class_name = name;
            spec.priority = Some(value);
            spec.preemption_policy = spec.preemption_policy.or(policy);
        }
        Ok(())
    }
}
