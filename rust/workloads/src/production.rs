//! `Production`: applications with replicas, as a production cluster has them, arriving in random order.
//!
//! No public data says how pods of production clusters constrain where they run, so the proportions are ours: those that charts and
//! operators bring along are common (preferred anti-affinity against one's own replicas is the default of widely used Helm
//! charts), what costs capacity is rare. What is known is followed: replicas have a heavy tail, the kubelet reports at most 50
//! images, admission adds the tolerations of `not-ready` and `unreachable`, and pods of a `StatefulSet` carry labels of their own.
//!
//! **Nodes**, of 50: 25 `general` (32 CPUs, 128 GiB), 7 `memory` (32, 256), 7 `compute` (64, 128), 7 `spot` (32, 128, tainted), 2 `gpu`
//! (64, 512, 8 GPUs, tainted), 2 `system` (16, 64, tainted). Three zones up to 4,999 nodes, four up to 9,999, six from 15,000
//! on. Up to 45 images a node: ten of the platform, the others applications', the larger the more often.
//!
//! **Applications**: 400 unless the size says more. Replicas fall with their rank *r* as (*r* + 10)^−1.5: of 125,000 pods the largest
//! has some 7,000, the smallest 28. Forty namespaces. All but 5 % are Deployments (a `ReplicaSet` owns the pods), the others
//! `StatefulSet`s, which are small. 60 % have a Service, 25 % a disruption budget.
//!
//! | of 100 applications | have |
//! |---|---|
//! | 25 | preferred anti-affinity by host name against themselves |
//! | 15 | a spread over zones, `ScheduleAnyway` |
//! | 5 | a spread over zones, `DoNotSchedule` |
//! | 4 | required anti-affinity by host name against themselves (small ones) |
//! | 3 | affinity by zone to another application, of their namespace as a rule: 1 required, 2 preferred |
//! | 48 | none of these: a Service or owner brings kube-scheduler's default spread |
//!
//! | of 100 applications | run on |
//! |---|---|
//! | 36 | any untainted node; a third of them prefer a zone |
//! | 30 | `general`, by node selector |
//! | 8, 8 | `memory`, `compute`, by required node affinity |
//! | 12 | `spot`, tolerated: half of them require it, half prefer it |
//! | 3 | `gpu`, tolerated, 1 or 2 GPUs a pod |
//! | 3 | `system`, tolerated, priority `system-cluster-critical` |
//!
//! Requests are one of 15 shapes from 50m and 64 MiB to 8 CPUs and 32 GiB, small ones mostly; 8 % request nothing. A quarter
//! of the applications have a proxy beside them, 5 % an init container. 10 % have a high priority, 15 % a low one. A shape that would take
//! a pool beyond two thirds of what it has gives way to a smaller one, and an application that has too many replicas for its pool runs
//! anywhere, so that all pods have a place.

use bayplan_api::{
    Container, ContainerImage, LabelSelector, NodeSelectorOperator as Operator, ObjectMeta,
    Objects, OwnerReference, Pod, PodDisruptionBudget, PreemptionPolicy, PreferredSchedulingTerm,
    PriorityClass, Quantity, ReplicaSet, ResourceList, Service, StatefulSet, Str, Taint,
    TaintEffect, Toleration, TolerationOperator, TopologySpreadConstraint,
    UnsatisfiableConstraintAction as Unsatisfiable, WeightedPodAffinityTerm,
};

use crate::Size;
use crate::objects::{
    GI, HOSTNAME, MI, ZONE, container, expressions, labels, named, namespace, node, node_affinity,
    pod as plain_pod, pod_affinity, pod_anti_affinity, require_node, requirement, resources,
    selector, term, uid,
};
use crate::random::Random;

const POOL: &str = "bayplan.dev/pool";
const SPOT: &str = "bayplan.dev/spot";
const CRITICAL: &str = "CriticalAddonsOnly";
const GPU: &str = "nvidia.com/gpu";
const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";
const TEMPLATE_HASH: &str = "pod-template-hash";
const REGISTRY: &str = "registry.example.com";

const NAMESPACES: u32 = 40;
/// Images that every node has.
const PLATFORM_IMAGES: u32 = 10;
const PROXY_IMAGE: &str = "registry.example.com/platform/proxy:v1";
/// Pods that a node takes.
const POD_CAPACITY: i64 = 110;
/// Of what a pool has, so much may be asked for, in percent.
const FILL: i64 = 66;
/// And so much by pods that can run nowhere else, if there are others.
const PINNED_FILL: i64 = 50;

/// Nodes of one sort.
#[derive(Debug)]
struct Pool {
    name: &'static str,
    /// How many of 50 nodes.
    share: u32,
    cpus: i64,
    gibibytes: i64,
    gpus: i64,
    taint: Option<(&'static str, &'static str)>,
}

const fn pool(name: &'static str, share: u32, cpus: i64, gibibytes: i64) -> Pool {
    Pool { name, share, cpus, gibibytes, gpus: 0, taint: None }
}

const NODES_A_PATTERN: u32 = 50;
const GENERAL: usize = 0;
const MEMORY: usize = 1;
const COMPUTE: usize = 2;
const SPOT_POOL: usize = 3;
const GPU_POOL: usize = 4;
const SYSTEM: usize = 5;
const POOLS: [Pool; 6] = [
    pool("general", 25, 32, 128),
    pool("memory", 7, 32, 256),
    pool("compute", 7, 64, 128),
    Pool { taint: Some((SPOT, "true")), ..pool("spot", 7, 32, 128) },
    Pool { taint: Some((GPU, "present")), gpus: 8, ..pool("gpu", 2, 64, 512) },
    Pool { taint: Some((CRITICAL, "true")), ..pool("system", 2, 16, 64) },
];

impl Pool {
    /// Thousandths of a CPU that pods may ask for: the kubelet and the system keep some.
    const fn milli_cpu(&self) -> i64 {
        self.cpus * 1_000 - 110
    }

    /// Bytes that pods may ask for.
    const fn memory(&self) -> i64 {
        self.gibibytes * GI - self.gibibytes * GI / 20 - 100 * MI
    }
}

/// The pool of a node, and the node's number in it.
fn place(index: u32) -> (usize, u32) {
    let position = index % NODES_A_PATTERN;
    let mut start = 0;
    for (number, pool) in POOLS.iter().enumerate() {
        if position < start + pool.share {
            return (number, index / NODES_A_PATTERN * pool.share + position - start);
        }
        start += pool.share;
    }
    (0, index)
}

/// How many zones so many nodes stand in.
const fn zones(nodes: u32) -> u32 {
    let more = nodes / 5_000;
    if more > 3 { 6 } else { 3 + more }
}

/// What a pod of the main container asks for: thousandths of a CPU, MiB, of how many in 100 applications; ascending. The
/// other 8 ask for nothing.
const SHAPES: [(i64, i64, u32); 15] = [
    (50, 64, 10),
    (100, 128, 18),
    (100, 256, 13),
    (200, 256, 9),
    (250, 512, 11),
    (500, 512, 5),
    (500, 1_024, 7),
    (1_000, 1_024, 5),
    (1_000, 2_048, 4),
    (2_000, 2_048, 2),
    (2_000, 4_096, 3),
    (2_000, 16_384, 1),
    (4_000, 8_192, 2),
    (4_000, 32_768, 1),
    (8_000, 16_384, 1),
];

/// Where the pods of an application may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Anywhere,
    /// A pool that it selects or requires.
    Only(usize),
    PrefersSpot,
}

/// How an application looks at other pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    None,
    AvoidsItself,
    Spreads,
    MustSpread,
    NeverTwice,
    Near { is_required: bool },
}

/// An application: how its pods look.
#[derive(Debug)]
struct Application {
    name: String,
    namespace: String,
    image: String,
    replicas: u32,
    traits: Traits,
    prototype: Pod,
}

/// All applications and the order in which their pods arrive.
#[derive(Debug)]
pub(crate) struct Plan {
    size: Size,
    applications: Vec<Application>,
    /// The application of each pod, and the pod's number in it.
    arrivals: Vec<(u16, u32)>,
}

impl Plan {
    pub(crate) fn new(size: Size) -> Self {
        let traits = Traits::of_all(size.applications);
        let replicas = replicas(size, &traits);
        let mut load = Load::new(size.nodes);
        let mut applications: Vec<Application> = Vec::with_capacity(traits.len());
        for (index, (traits, replicas)) in traits.iter().zip(replicas).enumerate() {
            let traits = &load.fitted(*traits, replicas);
            let near = near(&applications, traits.priority, index);
            let requests = load.take(traits, replicas);
            let context = Context { replicas, requests, near, nodes: size.nodes };
            applications.push(traits.application(&context));
        }
        let arrivals = arrivals(&applications);
        Self { size, applications, arrivals }
    }

    /// All objects but pods.
    pub(crate) fn cluster(&self) -> Objects {
        let namespaces = (0..NAMESPACES).map(|number| namespace(&namespace_name(number)));
        let mut objects = Objects {
            nodes: (0..self.size.nodes).map(|index| self.node(index)).collect(),
            namespaces: std::iter::once(namespace("default")).chain(namespaces).collect(),
            priority_classes: vec![
                priority_class("high", HIGH_PRIORITY),
                priority_class("batch", BATCH_PRIORITY),
            ],
            ..Objects::default()
        };
        for application in &self.applications {
            application.add_owners(&mut objects);
        }
        objects
    }

    /// The pod of that number among all, first pods and measured ones.
    pub(crate) fn pod(&self, number: u32) -> Pod {
        let Some(&(application, ordinal)) = self.arrivals.get(number as usize) else {
            return Pod::default();
        };
        let Some(application) = self.applications.get(usize::from(application)) else {
            return Pod::default();
        };
        let uid = uid("pod", u64::from(number));
        let prototype = &application.prototype;
        if !application.traits.has_stateful_set {
            let hash = prototype.metadata.labels.get(TEMPLATE_HASH).map_or("", Str::as_str);
            let name = format!("{}-{hash}-{}", application.name, suffix(number));
            return named(prototype, name, uid);
        }
        let mut pod = named(prototype, format!("{}-{ordinal}", application.name), uid);
        let name = pod.metadata.name.clone();
        pod.metadata.labels.insert("statefulset.kubernetes.io/pod-name".into(), name);
        let index = ordinal.to_string().into();
        pod.metadata.labels.insert("apps.kubernetes.io/pod-index".into(), index);
        pod
    }

    fn node(&self, index: u32) -> bayplan_api::Node {
        let (number, position) = place(index);
        let name = format!("node-{index:06}");
        let mut random = Random::of("production node", u64::from(index));
        let mut node = node(&name, u64::from(index), ResourceList::new());
        if let Some(pool) = POOLS.get(number) {
            node.status.allocatable = resources(pool.milli_cpu(), pool.memory());
            node.status.capacity = resources(pool.cpus * 1_000, pool.gibibytes * GI);
            for list in [&mut node.status.allocatable, &mut node.status.capacity] {
                list.insert("pods".into(), Quantity::from_value(POD_CAPACITY));
                if pool.gpus > 0 {
                    list.insert(GPU.into(), Quantity::from_value(pool.gpus));
                }
            }
            let zone = format!("zone-{}", position % zones(self.size.nodes) + 1);
            let instance = format!("{}-{}x-v{}", pool.name, pool.cpus, 1 + random.below(2));
            for (key, value) in [
                (ZONE, zone.as_str()),
                ("topology.kubernetes.io/region", "region-1"),
                ("kubernetes.io/arch", "amd64"),
                ("kubernetes.io/os", "linux"),
                (INSTANCE_TYPE, &instance),
                (POOL, pool.name),
            ] {
                node.metadata.labels.insert(key.into(), value.into());
            }
            if let Some((key, value)) = pool.taint {
                let effect = TaintEffect::NoSchedule;
                node.spec.taints.push(Taint { key: key.into(), value: value.into(), effect });
            }
        }
        node.spec.provider_id = format!("example:///region-1/{name}").into();
        node.status.kubelet_version = "v1.34.1".into();
        node.status.images = self.images(&mut random);
        node
    }

    /// What a kubelet reports: the platform's images, and those of applications that have run there.
    fn images(&self, random: &mut Random) -> Vec<ContainerImage> {
        let mut images: Vec<ContainerImage> = (1..PLATFORM_IMAGES)
            .map(|number| image(&format!("{REGISTRY}/platform/agent-{number}:v1")))
            .collect();
        images.push(image(PROXY_IMAGE));
        for _ in 0..6 + random.below(30) {
            // Whose pod is drawn has the more images about the more replicas it has.
            let drawn = random.below(u32::try_from(self.arrivals.len()).unwrap_or(u32::MAX));
            let drawn = self.arrivals.get(drawn as usize);
            let application = drawn.and_then(|&(at, _)| self.applications.get(usize::from(at)));
            let Some(application) = application else { continue };
            let known = |image: &ContainerImage| {
                image.names.iter().any(|name| *name == application.image.as_str())
            };
            if !images.iter().any(known) {
                images.push(image(&application.image));
            }
        }
        images
    }
}

/// An image as a kubelet reports it: by digest and by tag.
fn image(name: &str) -> ContainerImage {
    let mut random = Random::of(name, 0);
    let digest: String = (0..64).filter_map(|_| char::from_digit(random.below(16), 16)).collect();
    let repository = name.split_once(':').map_or(name, |(repository, _)| repository);
    ContainerImage {
        names: vec![format!("{repository}@sha256:{digest}").into(), name.into()],
        size_bytes: (30 + i64::from(random.below(1_200))) * MI + i64::from(random.below(1 << 20)),
    }
}

fn namespace_name(number: u32) -> String {
    format!("team-{number:02}")
}

const SYSTEM_PRIORITY: i32 = 2_000_000_000;
const HIGH_PRIORITY: i32 = 100_000;
const BATCH_PRIORITY: i32 = -100;

fn priority_class(name: &str, value: i32) -> PriorityClass {
    PriorityClass {
        metadata: ObjectMeta { name: name.into(), uid: uid(name, 0), ..ObjectMeta::default() },
        value,
        global_default: false,
        preemption_policy: Some(PreemptionPolicy::PreemptLowerPriority),
    }
}

/// The letters of which controllers make names.
const LETTERS: [u8; 27] = *b"bcdfghjklmnpqrstvwxz2456789";

/// Five letters as controllers give them to pods, others for each number: a controller, too, tries again where a name is
/// taken.
fn suffix(number: u32) -> String {
    // The factor has no divisor in common with 27⁵, so that no two numbers below that give the same.
    let mut rest = u64::from(number) * 5_700_001 % 27_u64.pow(5);
    let letters = std::iter::repeat_with(|| {
        let letter = usize::try_from(rest % 27).ok().and_then(|at| LETTERS.get(at));
        rest /= 27;
        letter.copied().map_or('b', char::from)
    });
    letters.take(5).collect()
}

/// Five letters at random.
fn letters(random: &mut Random) -> String {
    (0..5).map(|_| char::from(random.pick(&LETTERS))).collect()
}

const fn where_of(percentile: u32) -> Where {
    match percentile {
        0..36 => Where::Anywhere,
        36..66 => Where::Only(GENERAL),
        66..74 => Where::Only(MEMORY),
        74..82 => Where::Only(COMPUTE),
        82..88 => Where::Only(SPOT_POOL),
        88..94 => Where::PrefersSpot,
        94..97 => Where::Only(GPU_POOL),
        _ => Where::Only(SYSTEM),
    }
}

const fn relation_of(percentile: u32) -> Relation {
    match percentile {
        0..25 => Relation::AvoidsItself,
        25..40 => Relation::Spreads,
        40..45 => Relation::MustSpread,
        45..49 => Relation::NeverTwice,
        49 => Relation::Near { is_required: true },
        50..52 => Relation::Near { is_required: false },
        _ => Relation::None,
    }
}

/// The shape of the main container; `None` asks for nothing.
fn shape_of(percentile: u32) -> Option<usize> {
    let mut end = 0;
    SHAPES.iter().position(|&(_, _, share)| {
        end += share;
        percentile < end
    })
}

/// What an application is, apart from what others leave it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent answers, each with its share")]
struct Traits {
    number: u32,
    place: Where,
    relation: Relation,
    priority: i32,
    shape: Option<usize>,
    gpus: i64,
    has_stateful_set: bool,
    has_proxy: bool,
    has_init_container: bool,
    has_service: bool,
    has_budget: bool,
}

/// What others leave an application.
struct Context {
    replicas: u32,
    /// Thousandths of a CPU and bytes of the main container.
    requests: (i64, i64),
    /// The application that it may be near to, and that one's namespace.
    near: Option<(String, String)>,
    nodes: u32,
}

/// A number below 100 for each application: as many of each, in an order of their own for each `question`; of few
/// applications none is at an end, where the rare answers are.
fn percentiles(question: &str, applications: u32) -> Vec<u32> {
    let mut numbers: Vec<u32> =
        (0..applications).map(|number| (number * 100 + 50) / applications).collect();
    Random::of(question, 0).shuffle(&mut numbers);
    numbers
}

impl Traits {
    fn of_all(applications: u32) -> Vec<Self> {
        let questions = [
            "place",
            "relation",
            "priority",
            "shape",
            "stateful set",
            "proxy",
            "init container",
            "service",
            "budget",
        ]
        .map(|question| percentiles(question, applications).into_iter());
        let [
            mut place,
            mut relation,
            mut priority,
            mut shape,
            mut stateful_set,
            mut proxy,
            mut init_container,
            mut service,
            mut budget,
        ] = questions;
        let next = |answers: &mut std::vec::IntoIter<u32>| answers.next().unwrap_or(99);
        let traits = (0..applications).map(|number| {
            let place = where_of(next(&mut place));
            let priority = match (place, next(&mut priority)) {
                (Where::Only(SYSTEM), _) => SYSTEM_PRIORITY,
                (_, 0..10) => HIGH_PRIORITY,
                (_, 10..25) => BATCH_PRIORITY,
                _ => 0,
            };
            Self {
                number,
                place,
                relation: relation_of(next(&mut relation)),
                priority,
                shape: shape_of(next(&mut shape)),
                gpus: if place == Where::Only(GPU_POOL) { 1 + i64::from(number % 2) } else { 0 },
                has_stateful_set: next(&mut stateful_set) < 5,
                has_proxy: next(&mut proxy) < 25,
                has_init_container: next(&mut init_container) < 5,
                has_service: next(&mut service) < 60,
                has_budget: next(&mut budget) < 25,
            }
        });
        traits.collect()
    }

    /// Whether few replicas are wanted.
    fn is_small(&self) -> bool {
        self.has_stateful_set
            || self.relation == Relation::NeverTwice
            || matches!(self.place, Where::Only(GPU_POOL | SYSTEM))
    }

    fn application(&self, context: &Context) -> Application {
        let number = self.number;
        let namespace = namespace_name(number % NAMESPACES);
        let name = format!("app-{number:04}");
        let image = format!("{REGISTRY}/{namespace}/{name}:v{}", 1 + number % 9);
        let (milli_cpu, memory) = context.requests;
        let mut requests = resources(milli_cpu, memory);
        let mut limits = resources(0, memory);
        if self.gpus > 0 {
            for list in [&mut requests, &mut limits] {
                list.insert(GPU.into(), Quantity::from_value(self.gpus));
            }
        }
        let mut containers = vec![container("main", &image, 8_080, requests, limits)];
        if self.has_proxy {
            containers.push(proxy());
        }
        let mut pod = plain_pod(&namespace, containers);
        if self.has_init_container {
            let list = resources(PROXY_MILLI_CPU, PROXY_MEMORY);
            pod.spec.init_containers.push(container("setup", &image, 0, list.clone(), list));
        }
        pod.metadata.labels =
            labels(&[("app", &name), ("app.kubernetes.io/managed-by", "helm"), ("tier", "web")]);
        if !self.has_stateful_set {
            let hash = letters(&mut Random::of("template hash", u64::from(number)));
            pod.metadata.labels.insert(TEMPLATE_HASH.into(), hash.into());
        }
        pod.spec.priority = Some(self.priority);
        pod.spec.priority_class_name = match self.priority {
            SYSTEM_PRIORITY => "system-cluster-critical".into(),
            HIGH_PRIORITY => "high".into(),
            BATCH_PRIORITY => "batch".into(),
            _ => Str::EMPTY,
        };
        self.add_place(&mut pod, context.nodes);
        self.add_relation(&mut pod, &name, context.near.as_ref());
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            pod.spec.tolerations.push(Toleration {
                effect: Some(TaintEffect::NoExecute),
                toleration_seconds: Some(300),
                ..tolerates(key)
            });
        }
        let mut application = Application {
            name,
            namespace,
            image,
            replicas: context.replicas,
            traits: *self,
            prototype: pod,
        };
        let owner = application.owner();
        application.prototype.metadata.owner_references.push(owner);
        application
    }

    fn add_place(&self, pod: &mut Pod, nodes: u32) {
        let name = |pool: usize| POOLS.get(pool).map_or("", |pool| pool.name);
        let prefer = |pod: &mut Pod, weight, key, value: &str| {
            let preference = expressions(vec![requirement(key, Operator::In, &[value])]);
            node_affinity(pod).preferred.push(PreferredSchedulingTerm { weight, preference });
        };
        if let Where::Only(pool) = self.place
            && let Some((key, _)) = POOLS.get(pool).and_then(|pool| pool.taint)
        {
            pod.spec.tolerations.push(tolerates(key));
        }
        match self.place {
            Where::Anywhere if self.number.is_multiple_of(3) => {
                let zone = format!("zone-{}", self.number % zones(nodes) + 1);
                prefer(pod, 10, ZONE, &zone);
            }
            Where::Anywhere => {}
            Where::Only(pool @ (GENERAL | GPU_POOL)) => {
                pod.spec.node_selector.insert(POOL.into(), name(pool).into());
            }
            Where::Only(pool) => {
                let term = expressions(vec![requirement(POOL, Operator::In, &[name(pool)])]);
                require_node(pod, term);
            }
            Where::PrefersSpot => {
                pod.spec.tolerations.push(tolerates(SPOT));
                prefer(pod, 50, POOL, name(SPOT_POOL));
            }
        }
    }

    fn add_relation(&self, pod: &mut Pod, name: &str, near: Option<&(String, String)>) {
        let own = [("app", name)];
        let mut spread = |max_skew, when_unsatisfiable| {
            pod.spec.topology_spread_constraints.push(TopologySpreadConstraint {
                max_skew,
                topology_key: ZONE.into(),
                when_unsatisfiable,
                label_selector: Some(selector(&own)),
                min_domains: None,
                node_affinity_policy: None,
                node_taints_policy: None,
                match_label_keys: Vec::new(),
            });
        };
        match self.relation {
            Relation::None => {}
            Relation::Spreads => spread(1, Unsatisfiable::ScheduleAnyway),
            Relation::MustSpread => spread(2, Unsatisfiable::DoNotSchedule),
            Relation::AvoidsItself => {
                let term = term(HOSTNAME, &own, &[]);
                let term = WeightedPodAffinityTerm { weight: 100, term };
                pod_anti_affinity(pod).preferred.push(term);
            }
            Relation::NeverTwice => {
                pod_anti_affinity(pod).required.push(term(HOSTNAME, &own, &[]));
            }
            Relation::Near { is_required } => {
                let Some((near, namespace)) = near else { return };
                let is_own = pod.metadata.namespace == namespace.as_str();
                let namespaces: &[&str] = if is_own { &[] } else { &[namespace] };
                let term = term(ZONE, &[("app", near)], namespaces);
                if is_required {
                    pod_affinity(pod).required.push(term);
                } else {
                    let term = WeightedPodAffinityTerm { weight: 50, term };
                    pod_affinity(pod).preferred.push(term);
                }
            }
        }
    }
}

const PROXY_MILLI_CPU: i64 = 100;
const PROXY_MEMORY: i64 = 128 * MI;

fn proxy() -> Container {
    let requests = resources(PROXY_MILLI_CPU, PROXY_MEMORY);
    container("proxy", PROXY_IMAGE, 15_090, requests, resources(2_000, GI))
}

fn tolerates(key: &str) -> Toleration {
    Toleration {
        key: key.into(),
        operator: TolerationOperator::Exists,
        value: Str::EMPTY,
        effect: None,
        toleration_seconds: None,
    }
}

impl Application {
    fn owner_name(&self) -> String {
        match self.prototype.metadata.labels.get(TEMPLATE_HASH) {
            Some(hash) => format!("{}-{hash}", self.name),
            None => self.name.clone(),
        }
    }

    /// Who owns the pods.
    fn owner(&self) -> OwnerReference {
        let kind = if self.traits.has_stateful_set { "StatefulSet" } else { "ReplicaSet" };
        OwnerReference {
            api_version: "apps/v1".into(),
            kind: kind.into(),
            name: self.owner_name().into(),
            uid: uid(kind, u64::from(self.traits.number)),
            controller: true,
        }
    }

    /// Adds what stands beside the pods: their owner, a Service, a disruption budget.
    fn add_owners(&self, objects: &mut Objects) {
        let own = || selector(&[("app", &self.name)]);
        let metadata = |sort: &str, name: String| ObjectMeta {
            name: name.into(),
            namespace: self.namespace.as_str().into(),
            uid: uid(sort, u64::from(self.traits.number)),
            ..ObjectMeta::default()
        };
        if self.traits.has_stateful_set {
            let metadata = metadata("StatefulSet", self.owner_name());
            objects.stateful_sets.push(StatefulSet { metadata, selector: Some(own()) });
        } else {
            let mut match_labels = own().match_labels;
            let hash = self.prototype.metadata.labels.get(TEMPLATE_HASH).cloned();
            match_labels.insert(TEMPLATE_HASH.into(), hash.unwrap_or_default());
            let selector = Some(LabelSelector { match_labels, match_expressions: Vec::new() });
            let metadata = metadata("ReplicaSet", self.owner_name());
            objects.replica_sets.push(ReplicaSet { metadata, selector });
        }
        if self.traits.has_service {
            let metadata = metadata("Service", self.name.clone());
            objects.services.push(Service { metadata, selector: Some(own().match_labels) });
        }
        if self.traits.has_budget {
            objects.pod_disruption_budgets.push(PodDisruptionBudget {
                metadata: metadata("PodDisruptionBudget", self.name.clone()),
                selector: Some(own()),
                disruptions_allowed: i32::try_from(self.replicas / 4).unwrap_or(i32::MAX),
                disrupted_pods: Vec::new(),
            });
        }
    }
}

/// Whom application `index` is near to: the last before it in its namespace, or else anywhere, that its queue puts before it
/// too, so that it is there when the first pod looks for it.
fn near(before: &[Application], priority: i32, index: usize) -> Option<(String, String)> {
    let namespace = namespace_name(u32::try_from(index).ok()? % NAMESPACES);
    let waits = |other: &&Application| other.traits.priority >= priority;
    let own = before.iter().rev().filter(|other| other.namespace == namespace).find(waits);
    let other = own.or_else(|| before.iter().rev().find(waits))?;
    Some((other.name.clone(), other.namespace.clone()))
}

/// How many pods each application has, first pods and measured ones together.
fn replicas(size: Size, traits: &[Traits]) -> Vec<u32> {
    let pods = u64::from(size.first) + u64::from(size.measured);
    let count = u64::from(size.applications);
    // (rank + 10)^−1.5 in whole numbers, largest first.
    let weights: Vec<u64> = (10..10 + count)
        .map(|rank| 1_000_000_000_000 / (rank * (rank * 1_000_000).isqrt()))
        .collect();
    let total: u64 = weights.iter().sum();
    // Each has one; what rounding leaves goes to the largest.
    let shares = weights.iter().map(|weight| 1 + (pods - count) * weight / total.max(1));
    let mut shares: Vec<u64> = shares.collect();
    let left = pods.saturating_sub(shares.iter().sum());
    if let Some(largest) = shares.first_mut() {
        *largest += left;
    }
    let mut shares: Vec<u32> =
        shares.iter().map(|&share| u32::try_from(share).unwrap_or(u32::MAX)).collect();
    let small = shares.split_off(shares.len() - traits.iter().filter(|it| it.is_small()).count());
    Random::of("production ranks", 0).shuffle(&mut shares);
    let (mut small, mut others) = (small.into_iter(), shares.into_iter());
    let share =
        |traits: &Traits| if traits.is_small() { small.next() } else { others.next() }.unwrap_or(1);
    traits.iter().map(share).collect()
}

/// What pods ask for, pool by pool.
struct Load {
    /// What there is: CPUs in thousandths, bytes, pods, GPUs.
    has: [[i64; 4]; POOLS.len()],
    asked: [[i64; 4]; POOLS.len()],
    /// Of pods that run on any untainted node.
    asked_anywhere: [i64; 4],
}

const UNTAINTED: [usize; 3] = [GENERAL, MEMORY, COMPUTE];

impl Load {
    fn new(nodes: u32) -> Self {
        let mut has = [[0; 4]; POOLS.len()];
        for index in 0..nodes {
            let (number, _) = place(index);
            if let (Some(has), Some(pool)) = (has.get_mut(number), POOLS.get(number)) {
                let node = [pool.milli_cpu(), pool.memory(), POD_CAPACITY, pool.gpus];
                for (has, more) in has.iter_mut().zip(node) {
                    *has += more;
                }
            }
        }
        Self { has, asked: [[0; 4]; POOLS.len()], asked_anywhere: [0; 4] }
    }

    /// The application with what there is room for: few applications have so many replicas each that a small pool, or one
    /// pod a node, is too little.
    fn fitted(&self, mut traits: Traits, replicas: u32) -> Traits {
        let pods = i64::from(replicas);
        if !self.has_room(traits.place, [0, 0, pods, pods * traits.gpus]) {
            traits.place = Where::Anywhere;
            traits.gpus = 0;
        }
        let nodes = match traits.place {
            Where::Only(pool) => self.nodes(pool),
            _ => UNTAINTED.iter().map(|&pool| self.nodes(pool)).sum(),
        };
        if traits.relation == Relation::NeverTwice && pods > nodes / 2 {
            traits.relation = Relation::AvoidsItself;
        }
        traits
    }

    /// How many nodes a pool has.
    fn nodes(&self, pool: usize) -> i64 {
        self.has.get(pool).map_or(0, |[_, _, pods, _]| pods / POD_CAPACITY)
    }

    /// Thousandths of a CPU and bytes for the main container: its own shape, or the largest smaller one for which there
    /// is room.
    fn take(&mut self, traits: &Traits, replicas: u32) -> (i64, i64) {
        let largest = traits.shape.map_or(0, |shape| shape + 1);
        for shape in (0..=largest).rev() {
            let (milli_cpu, mebibytes) = match shape.checked_sub(1).and_then(|at| SHAPES.get(at)) {
                Some(&(milli_cpu, mebibytes, _)) => (milli_cpu, mebibytes),
                None => (0, 0),
            };
            // A pod that asks for more than a quarter of a node may find none with so much in one piece.
            let is_large = match traits.place {
                Where::Only(pool) => POOLS.get(pool).is_some_and(|pool| {
                    milli_cpu > pool.cpus * 250 || mebibytes > pool.gibibytes * 256
                }),
                _ => milli_cpu > 8_000 || mebibytes > 32_768,
            };
            let proxy = if traits.has_proxy { (PROXY_MILLI_CPU, PROXY_MEMORY) } else { (0, 0) };
            let pods = i64::from(replicas);
            let asked = [
                pods * (milli_cpu + proxy.0),
                pods * (mebibytes * MI + proxy.1),
                pods,
                pods * traits.gpus,
            ];
            if shape == 0 || !is_large && self.has_room(traits.place, asked) {
                self.add(traits.place, asked);
                return (milli_cpu, mebibytes * MI);
            }
        }
        (0, 0)
    }

    fn add(&mut self, place: Where, more: [i64; 4]) {
        let (pool, anywhere) = match place {
            Where::Only(pool) => (Some(pool), UNTAINTED.contains(&pool)),
            Where::Anywhere => (None, true),
            // It may be on either side.
            Where::PrefersSpot => (Some(SPOT_POOL), true),
        };
        let pool = pool.and_then(|pool| self.asked.get_mut(pool));
        for asked in pool.into_iter().chain(anywhere.then_some(&mut self.asked_anywhere)) {
            for (asked, more) in asked.iter_mut().zip(more) {
                *asked += more;
            }
        }
    }

    fn has_room(&self, place: Where, more: [i64; 4]) -> bool {
        let within = |has: &[i64; 4], asked: &[i64; 4], fill: i64| {
            (has.iter().zip(asked).zip(more))
                .all(|((has, asked), more)| asked + more <= has * fill / 100)
        };
        let mut untainted = [0; 4];
        for has in UNTAINTED.iter().filter_map(|&pool| self.has.get(pool)) {
            for (sum, has) in untainted.iter_mut().zip(has) {
                *sum += has;
            }
        }
        let anywhere = || within(&untainted, &self.asked_anywhere, FILL);
        let only = |pool: usize, fill| match (self.has.get(pool), self.asked.get(pool)) {
            (Some(has), Some(asked)) => within(has, asked, fill),
            _ => false,
        };
        match place {
            Where::Anywhere => anywhere(),
            Where::Only(pool) if UNTAINTED.contains(&pool) => only(pool, PINNED_FILL) && anywhere(),
            Where::Only(pool) => only(pool, FILL),
            Where::PrefersSpot => only(SPOT_POOL, FILL) && anywhere(),
        }
    }
}

/// The order in which pods arrive: one of each application, in turn, then all others shuffled.
fn arrivals(applications: &[Application]) -> Vec<(u16, u32)> {
    let numbered = || (0_u16..).zip(applications);
    let mut order: Vec<u16> = numbered().map(|(number, _)| number).collect();
    for (number, application) in numbered() {
        order.extend((1..application.replicas).map(|_| number));
    }
    if let Some(others) = order.get_mut(applications.len()..) {
        Random::of("production arrivals", 0).shuffle(others);
    }
    let mut seen = vec![0_u32; applications.len()];
    let numbered = order.into_iter().map(|application| {
        let ordinal = seen.get_mut(usize::from(application)).map_or(0, |seen| {
            *seen += 1;
            *seen - 1
        });
        (application, ordinal)
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::suffix;

    #[test]
    fn no_two_pods_have_one_suffix() {
        let suffixes: BTreeSet<String> = (0..200_000).map(suffix).collect();
        assert_eq!(suffixes.len(), 200_000);
        assert!(suffixes.iter().all(|suffix| suffix.len() == 5));
    }
}
