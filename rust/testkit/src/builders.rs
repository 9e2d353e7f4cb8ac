//! Objects in a few words, after the wrappers of kube-scheduler's own tests
//! (`pkg/scheduler/testing/wrappers.go`).
//!
//! What is built is what the API server would hand to the scheduler: defaults are filled in.
//!
//! ```
//! use bayplan_testkit::builders::{node, pod};
//!
//! let node = node("n").allocatable("cpu", "4").taint("dedicated", "db").build();
//! let pod = pod("p").request("cpu", "100m").label("app", "web").build();
//! assert_eq!(pod.metadata.namespace, "default");
//! assert!(node.spec.taints.iter().any(|taint| taint.key == "dedicated"));
//! ```

use bayplan_api::{
    Affinity, Container, ContainerImage, ContainerPort, LabelSelector, LabelSelectorOperator,
    LabelSelectorRequirement, Labels, Namespace, Node, NodeAffinity, NodeSelector,
    NodeSelectorRequirement, NodeSelectorTerm, OwnerReference, Pod, PodAffinity, PodAffinityTerm,
    PodPhase, PreemptionPolicy, PreferredSchedulingTerm, Protocol, Quantity, ResourceList,
    ResourceRequirements, Str, Taint, TaintEffect, Time, Toleration, TolerationOperator,
    TopologySpreadConstraint, UnsatisfiableConstraintAction, Volume, VolumeSource,
    WeightedPodAffinityTerm,
};

/// The quantity that `text` says.
///
/// # Panics
/// `text` is not a quantity.
pub fn quantity(text: &str) -> Quantity {
    #[expect(clippy::panic, reason = "a builder is given literals by tests")]
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// A node without anything.
pub fn node(name: &str) -> NodeBuilder {
    let mut node = Node::default();
    node.metadata.name = name.into();
    node.metadata.uid = format!("node/{name}").into();
    NodeBuilder(node)
}

/// Builds a [`Node`].
#[derive(Debug, Clone)]
#[must_use]
pub struct NodeBuilder(Node);

impl NodeBuilder {
    /// Adds a label.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.labels.insert(key.into(), value.into());
        self
    }

    /// Sets capacity and allocatable of a resource.
    pub fn allocatable(mut self, resource: &str, amount: &str) -> Self {
        self.0.status.capacity.insert(resource.into(), quantity(amount));
        self.0.status.allocatable.insert(resource.into(), quantity(amount));
        self
    }

    /// Adds a `NoSchedule` taint.
    pub fn taint(self, key: &str, value: &str) -> Self {
        self.taint_with(key, value, TaintEffect::NoSchedule)
    }

    /// Adds a taint.
    pub fn taint_with(mut self, key: &str, value: &str, effect: TaintEffect) -> Self {
        self.0.spec.taints.push(Taint { key: key.into(), value: value.into(), effect });
        self
    }

    /// Cordons the node.
    pub const fn unschedulable(mut self) -> Self {
        self.0.spec.unschedulable = true;
        self
    }

    /// Puts an image on the node.
    pub fn image(mut self, name: &str, size_bytes: i64) -> Self {
        self.0.status.images.push(ContainerImage { names: vec![name.into()], size_bytes });
        self
    }

    /// The node.
    pub fn build(self) -> Node {
        self.0
    }
}

/// A namespace with labels.
pub fn namespace(name: &str, labels: &[(&str, &str)]) -> Namespace {
    let mut namespace = Namespace::default();
    namespace.metadata.name = name.into();
    namespace.metadata.labels = to_labels(labels);
    namespace
}

/// A pending pod of priority 0 in the namespace `default`, without containers.
pub fn pod(name: &str) -> PodBuilder {
    let mut pod = Pod::default();
    pod.metadata.name = name.into();
    pod.metadata.namespace = "default".into();
    pod.spec.scheduler_name = "default-scheduler".into();
    pod.spec.priority = Some(0);
    pod.spec.preemption_policy = Some(PreemptionPolicy::PreemptLowerPriority);
    PodBuilder(pod)
}

/// Builds a [`Pod`].
#[derive(Debug, Clone)]
#[must_use]
pub struct PodBuilder(Pod);

impl PodBuilder {
    /// Puts the pod into a namespace.
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.0.metadata.namespace = namespace.into();
        self
    }

    /// Adds a label.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.labels.insert(key.into(), value.into());
        self
    }

    /// Makes `kind` `name` the pod's controller.
    pub fn controlled_by(mut self, api_version: &str, kind: &str, name: &str) -> Self {
        self.0.metadata.owner_references.push(OwnerReference {
            api_version: api_version.into(),
            kind: kind.into(),
            name: name.into(),
            uid: format!("{kind}/{name}").into(),
            controller: true,
        });
        self
    }

    /// Runs the pod on a node.
    pub fn on(mut self, node: &str) -> Self {
        self.0.spec.node_name = node.into();
        self.0.status.phase = PodPhase::Running;
        self
    }

    /// Sets `spec.priority`.
    pub const fn priority(mut self, priority: i32) -> Self {
        self.0.spec.priority = Some(priority);
        self
    }

    /// The pod never evicts others.
    pub const fn never_preempts(mut self) -> Self {
        self.0.spec.preemption_policy = Some(PreemptionPolicy::Never);
        self
    }

    /// Sets `status.startTime`, in seconds since 1970.
    pub fn started(mut self, unix_seconds: i64) -> Self {
        self.0.status.start_time = Some(seconds(unix_seconds));
        self
    }

    /// The pod is being deleted.
    pub fn terminating(mut self) -> Self {
        self.0.metadata.deletion_timestamp = Some(seconds(0));
        self
    }

    /// Adds a scheduling gate.
    pub fn gate(mut self, name: &str) -> Self {
        self.0.spec.scheduling_gates.push(name.into());
        self
    }

    /// Sets a request, and where it must be equal the limit, of the last container; adds one if there is
    /// none.
    pub fn request(mut self, resource: &str, amount: &str) -> Self {
        if self.0.spec.containers.is_empty() {
            self = self.container("registry.k8s.io/pause:3.10");
        }
        if let Some(container) = self.0.spec.containers.last_mut() {
            insert_request(&mut container.resources, resource, quantity(amount));
        }
        self
    }

    /// Adds a container.
    pub fn container(mut self, image: &str) -> Self {
        let name = format!("c{}", self.0.spec.containers.len());
        self.0.spec.containers.push(container(&name, image, &[]));
        self
    }

    /// Adds an init container with requests.
    pub fn init_container(mut self, requests: &[(&str, &str)]) -> Self {
        let name = format!("init{}", self.0.spec.init_containers.len());
        self.0.spec.init_containers.push(container(&name, "busybox", requests));
        self
    }

    /// Adds a sidecar (an init container that keeps running) with requests.
    pub fn sidecar(mut self, requests: &[(&str, &str)]) -> Self {
        let name = format!("sidecar{}", self.0.spec.init_containers.len());
        let mut sidecar = container(&name, "envoy", requests);
        sidecar.restart_policy_always = true;
        self.0.spec.init_containers.push(sidecar);
        self
    }

    /// Adds to `spec.overhead`.
    pub fn overhead(mut self, resource: &str, amount: &str) -> Self {
        self.0.spec.overhead.insert(resource.into(), quantity(amount));
        self
    }

    /// Sets a pod-level request.
    pub fn pod_request(mut self, resource: &str, amount: &str) -> Self {
        let resources = self.0.spec.resources.get_or_insert_default();
        resources.requests.insert(resource.into(), quantity(amount));
        self
    }

    /// Adds a TCP host port to the last container; adds one if there is none.
    pub fn host_port(self, port: i32) -> Self {
        self.host_port_with(port, Protocol::Tcp, "")
    }

    /// Adds a host port to the last container; adds one if there is none.
    pub fn host_port_with(mut self, port: i32, protocol: Protocol, host_ip: &str) -> Self {
        if self.0.spec.containers.is_empty() {
            self = self.container("registry.k8s.io/pause:3.10");
        }
        if let Some(container) = self.0.spec.containers.last_mut() {
            container.ports.push(ContainerPort {
                host_port: port,
                container_port: port,
                host_ip: host_ip.into(),
                protocol,
            });
        }
        self
    }

    /// Adds a toleration: of a value with `Equal`, or with `Exists` of any value.
    pub fn toleration(
        mut self,
        key: &str,
        value: Option<&str>,
        effect: Option<TaintEffect>,
    ) -> Self {
        self.0.spec.tolerations.push(Toleration {
            key: key.into(),
            operator: match value {
                Some(_) => TolerationOperator::Equal,
                None => TolerationOperator::Exists,
            },
            value: value.unwrap_or_default().into(),
            effect,
            toleration_seconds: None,
        });
        self
    }

    /// Adds to `spec.nodeSelector`.
    pub fn node_selector(mut self, key: &str, value: &str) -> Self {
        self.0.spec.node_selector.insert(key.into(), value.into());
        self
    }

    /// Adds a term to the required node affinity.
    pub fn node_affinity(mut self, term: NodeSelectorTerm) -> Self {
        let required: &mut NodeSelector = self.node_affinity_mut().required.get_or_insert_default();
        required.node_selector_terms.push(term);
        self
    }

    /// Adds a preferred node affinity.
    pub fn prefers_node(mut self, weight: i32, preference: NodeSelectorTerm) -> Self {
        let term = PreferredSchedulingTerm { weight, preference };
        self.node_affinity_mut().preferred.push(term);
        self
    }

    /// Adds a required pod affinity.
    pub fn affinity(mut self, term: PodAffinityTerm) -> Self {
        self.pod_affinity_mut().required.push(term);
        self
    }

    /// Adds a required pod anti-affinity.
    pub fn anti_affinity(mut self, term: PodAffinityTerm) -> Self {
        self.pod_anti_affinity_mut().required.push(term);
        self
    }

    /// Adds a preferred pod affinity.
    pub fn prefers(mut self, weight: i32, term: PodAffinityTerm) -> Self {
        self.pod_affinity_mut().preferred.push(WeightedPodAffinityTerm { weight, term });
        self
    }

    /// Adds a preferred pod anti-affinity.
    pub fn avoids(mut self, weight: i32, term: PodAffinityTerm) -> Self {
        self.pod_anti_affinity_mut().preferred.push(WeightedPodAffinityTerm { weight, term });
        self
    }

    /// Adds a topology spread constraint.
    pub fn spread(mut self, constraint: TopologySpreadConstraint) -> Self {
        self.0.spec.topology_spread_constraints.push(constraint);
        self
    }

    /// Adds a volume.
    pub fn volume(mut self, source: VolumeSource) -> Self {
        let name: Str = format!("v{}", self.0.spec.volumes.len()).into();
        self.0.spec.volumes.push(Volume { name, source });
        self
    }

    /// The pod; its UID is made of namespace and name.
    pub fn build(mut self) -> Pod {
        let meta = &mut self.0.metadata;
        meta.uid = format!("pod/{}/{}", meta.namespace, meta.name).into();
        self.0
    }

    fn affinity_mut(&mut self) -> &mut Affinity {
        self.0.spec.affinity.get_or_insert_default()
    }

    fn node_affinity_mut(&mut self) -> &mut NodeAffinity {
        self.affinity_mut().node_affinity.get_or_insert_default()
    }

    fn pod_affinity_mut(&mut self) -> &mut PodAffinity {
        self.affinity_mut().pod_affinity.get_or_insert_default()
    }

    fn pod_anti_affinity_mut(&mut self) -> &mut PodAffinity {
        self.affinity_mut().pod_anti_affinity.get_or_insert_default()
    }
}

/// A container with requests.
pub fn container(name: &str, image: &str, requests: &[(&str, &str)]) -> Container {
    let mut container =
        Container { name: name.into(), image: image.into(), ..Container::default() };
    for (resource, amount) in requests {
        insert_request(&mut container.resources, resource, quantity(amount));
    }
    container
}

/// Sets a request; of resources that cannot be overcommitted the limit too, as the API server wants it.
pub fn insert_request(resources: &mut ResourceRequirements, resource: &str, amount: Quantity) {
    if resource.contains('/') || resource.starts_with("hugepages-") {
        resources.limits.insert(resource.into(), amount.clone());
    }
    resources.requests.insert(resource.into(), amount);
}

/// A resource list.
pub fn resources(entries: &[(&str, &str)]) -> ResourceList {
    entries.iter().map(|(name, amount)| (Str::from(*name), quantity(amount))).collect()
}

/// Labels.
pub fn to_labels(entries: &[(&str, &str)]) -> Labels {
    entries.iter().map(|(key, value)| (Str::from(*key), Str::from(*value))).collect()
}

/// A label selector by `matchLabels`; `{}` when there are none.
pub fn match_labels(entries: &[(&str, &str)]) -> LabelSelector {
    LabelSelector { match_labels: to_labels(entries), match_expressions: Vec::new() }
}

/// A label selector with one requirement.
pub fn match_expression(
    key: &str,
    operator: LabelSelectorOperator,
    values: &[&str],
) -> LabelSelector {
    LabelSelector {
        match_labels: Labels::new(),
        match_expressions: vec![LabelSelectorRequirement {
            key: key.into(),
            operator,
            values: values.iter().map(|value| Str::from(*value)).collect(),
        }],
    }
}

/// A node selector term with `matchExpressions`.
pub fn node_term(requirements: Vec<NodeSelectorRequirement>) -> NodeSelectorTerm {
    NodeSelectorTerm { match_expressions: requirements, match_fields: Vec::new() }
}

/// A pod affinity term in the pod's own namespace.
pub fn term(topology_key: &str, selector: Option<LabelSelector>) -> PodAffinityTerm {
    PodAffinityTerm {
        topology_key: topology_key.into(),
        label_selector: selector,
        ..PodAffinityTerm::default()
    }
}

/// A topology spread constraint.
pub const fn constraint(
    max_skew: i32,
    topology_key: Str,
    when_unsatisfiable: UnsatisfiableConstraintAction,
    label_selector: Option<LabelSelector>,
) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        max_skew,
        topology_key,
        when_unsatisfiable,
        label_selector,
        min_domains: None,
        node_affinity_policy: None,
        node_taints_policy: None,
        match_label_keys: Vec::new(),
    }
}

/// A time stamp, in seconds since 1970-01-01T00:00:00Z.
pub fn seconds(unix_seconds: i64) -> Time {
    Time { unix_nanos: i128::from(unix_seconds) * 1_000_000_000 }
}
