//! Objects as an API server would have stored them: defaults filled in, UIDs given.

use bayplan_api::{
    Affinity, Container, ContainerPort, LabelSelector, Labels, Namespace, Node, NodeAffinity,
    NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm, ObjectMeta, Pod,
    PodAffinity, PodAffinityTerm, PreemptionPolicy, Protocol, Quantity, ResourceList,
    ResourceRequirements, Str,
};

use crate::random::Random;

pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";
pub(crate) const MI: i64 = 1 << 20;
pub(crate) const GI: i64 = 1 << 30;

/// A UID in the form of RFC 9562, version 4, that the two numbers determine.
pub(crate) fn uid(sort: &str, index: u64) -> Str {
    let mut random = Random::of(sort, index);
    let (high, low) = (random.next(), random.next());
    let text = format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff,
    );
    text.into()
}

pub(crate) fn labels(entries: &[(&str, &str)]) -> Labels {
    entries.iter().map(|&(key, value)| (Str::from(key), Str::from(value))).collect()
}

pub(crate) fn selector(entries: &[(&str, &str)]) -> LabelSelector {
    LabelSelector { match_labels: labels(entries), match_expressions: Vec::new() }
}

/// Thousandths of a CPU and bytes of memory; what is 0 is left out.
pub(crate) fn resources(milli_cpu: i64, memory: i64) -> ResourceList {
    let mut list = ResourceList::new();
    if milli_cpu > 0 {
        list.insert("cpu".into(), Quantity::from_milli_value(milli_cpu));
    }
    if memory > 0 {
        list.insert("memory".into(), Quantity::from_value(memory));
    }
    list
}

/// A namespace as it is when it has been created.
pub(crate) fn namespace(name: &str) -> Namespace {
    Namespace {
        metadata: ObjectMeta {
            name: name.into(),
            uid: uid(name, 0),
            labels: labels(&[("kubernetes.io/metadata.name", name)]),
            ..ObjectMeta::default()
        },
    }
}

/// A node with the label of its host name.
pub(crate) fn node(name: &str, index: u64, allocatable: ResourceList) -> Node {
    let mut node = Node::default();
    node.metadata.name = name.into();
    node.metadata.uid = uid("node", index);
    node.metadata.labels = labels(&[(HOSTNAME, name)]);
    node.status.capacity = allocatable.clone();
    node.status.allocatable = allocatable;
    node
}

/// A pending pod of priority 0 with these containers, without name and UID.
pub(crate) fn pod(namespace: &str, containers: Vec<Container>) -> Pod {
    let mut pod = Pod::default();
    pod.metadata.namespace = namespace.into();
    pod.spec.scheduler_name = "default-scheduler".into();
    pod.spec.priority = Some(0);
    pod.spec.preemption_policy = Some(PreemptionPolicy::PreemptLowerPriority);
    pod.spec.containers = containers;
    pod
}

/// A copy of the pod with a name and UID of its own.
pub(crate) fn named(prototype: &Pod, name: String, uid: Str) -> Pod {
    let mut pod = prototype.clone();
    pod.metadata.name = name.into();
    pod.metadata.uid = uid;
    pod
}

/// A container with a port; 0 for none.
pub(crate) fn container(
    name: &str,
    image: &str,
    port: i32,
    requests: ResourceList,
    limits: ResourceList,
) -> Container {
    let ports = (port > 0).then_some(ContainerPort {
        host_port: 0,
        container_port: port,
        host_ip: Str::EMPTY,
        protocol: Protocol::Tcp,
    });
    Container {
        name: name.into(),
        image: image.into(),
        resources: ResourceRequirements { requests, limits },
        ports: ports.into_iter().collect(),
        restart_policy_always: false,
    }
}

/// A pod affinity term over the pods with these labels.
pub(crate) fn term(key: &str, matched: &[(&str, &str)], namespaces: &[&str]) -> PodAffinityTerm {
    PodAffinityTerm {
        label_selector: Some(selector(matched)),
        namespaces: namespaces.iter().map(|&name| Str::from(name)).collect(),
        topology_key: key.into(),
        ..PodAffinityTerm::default()
    }
}

/// A requirement on a node's label or field.
pub(crate) fn requirement(
    key: &str,
    operator: NodeSelectorOperator,
    values: &[&str],
) -> NodeSelectorRequirement {
    NodeSelectorRequirement {
        key: key.into(),
        operator,
        values: values.iter().map(|&value| Str::from(value)).collect(),
    }
}

/// A term in which all of the requirements on labels must hold.
pub(crate) fn expressions(requirements: Vec<NodeSelectorRequirement>) -> NodeSelectorTerm {
    NodeSelectorTerm { match_expressions: requirements, match_fields: Vec::new() }
}

/// Adds a term, one of which must hold, to the required node affinity.
pub(crate) fn require_node(pod: &mut Pod, term: NodeSelectorTerm) {
    let required: &mut NodeSelector = node_affinity(pod).required.get_or_insert_default();
    required.node_selector_terms.push(term);
}

pub(crate) fn node_affinity(pod: &mut Pod) -> &mut NodeAffinity {
    affinity(pod).node_affinity.get_or_insert_default()
}

pub(crate) fn pod_affinity(pod: &mut Pod) -> &mut PodAffinity {
    affinity(pod).pod_affinity.get_or_insert_default()
}

pub(crate) fn pod_anti_affinity(pod: &mut Pod) -> &mut PodAffinity {
    affinity(pod).pod_anti_affinity.get_or_insert_default()
}

fn affinity(pod: &mut Pod) -> &mut Affinity {
    pod.spec.affinity.get_or_insert_default()
}
