//! `Heterogeneous`: no two nodes and no two pods are alike, so nothing that was learnt of one helps with the next.
//!
//! **Nodes.** Six zones in turn; five pools in proportion 8 : 4 : 4 : 3 : 1 (`general`, `memory`, `compute`, `spot`, `gpu`), of
//! which `gpu` is tainted `NoSchedule` and `spot` `PreferNoSchedule`; one in eight others is tainted
//! `PreferNoSchedule` for one of five teams. Sizes, generation, rack, disk and 10 to 29 images are random, and the allocatable
//! memory is each node's own.
//!
//! **Pods.** Requests of 50m to 1,150m and of 64 MiB to 4 GiB, to the page each pod's own; 97 applications by label, 200 images,
//! four priorities; a third tolerate `spot`, one in 25 asks for a GPU, a tenth select a disk, a fifth require node affinity (by
//! pool, rack, generation), two fifths prefer nodes. Each third pod also has, in turn: spread over zones (`ScheduleAnyway`), over host names
//! (`ScheduleAnyway`), over zones (`DoNotSchedule`), preferred affinity by zone, preferred anti-affinity by host name, required
//! anti-affinity by host name.

use bayplan_api::{
    ContainerImage, NodeSelectorOperator as Operator, Objects, Pod, PreferredSchedulingTerm,
    Quantity, Str, Taint, TaintEffect, Toleration, TolerationOperator, TopologySpreadConstraint,
    UnsatisfiableConstraintAction as Unsatisfiable, WeightedPodAffinityTerm,
};

use crate::Size;
use crate::objects::{
    GI, HOSTNAME, MI, ZONE, container, expressions, named, namespace, node, node_affinity,
    pod as plain_pod, pod_affinity, pod_anti_affinity, require_node, requirement, resources,
    selector, term, uid,
};
use crate::random::Random;

const POOL: &str = "bayplan.dev/pool";
const RACK: &str = "bayplan.dev/rack";
const DISK: &str = "bayplan.dev/disk";
const GENERATION: &str = "bayplan.dev/generation";
const SPOT: &str = "bayplan.dev/spot";
const TEAM: &str = "bayplan.dev/team";
const GPU: &str = "nvidia.com/gpu";

const ZONES: [&str; 6] = ["zone-a", "zone-b", "zone-c", "zone-d", "zone-e", "zone-f"];
const TEAMS: [&str; 5] = ["ads", "feed", "mail", "maps", "search"];
const DISKS: [&str; 3] = ["hdd", "nvme", "ssd"];
const PRIORITIES: [i32; 5] = [-100, 0, 0, 1_000, 100_000];
const APPLICATIONS: u32 = 97;
const IMAGES: u32 = 200;
const RACKS: u32 = 40;
/// A page: what tells the memory of two nodes or two pods.
const PAGE: i64 = 4_096;
/// Pages that a pod may ask for beyond 64 MiB: up to 4 GiB.
const PAGES: i64 = (4 * GI - 64 * MI) / PAGE;
/// Has no divisor in common with `PAGES`, so that the first million pods all ask for different numbers of pages.
const STRIDE: i64 = 389_171;

/// Pool of a node: name, choices of CPUs, GiB a CPU; by the node's number modulo 20.
const fn pool(number: u32) -> (&'static str, [i64; 3], i64) {
    match number % 20 {
        0..8 => ("general", [8, 16, 32], 4),
        8..12 => ("memory", [8, 16, 32], 8),
        12..16 => ("compute", [16, 32, 64], 2),
        16..19 => ("spot", [8, 16, 16], 4),
        _ => ("gpu", [32, 48, 64], 8),
    }
}

pub(crate) fn cluster(size: Size) -> Objects {
    Objects {
        namespaces: ["default"].map(namespace).into(),
        nodes: (0..size.nodes).map(heterogeneous_node).collect(),
        ..Objects::default()
    }
}

fn image(number: u32) -> (Str, i64) {
    let size = Random::of("heterogeneous image", u64::from(number)).below(1_500);
    let name = format!("registry.example.com/team/app-{number:03}:v1");
    (name.into(), (20 + i64::from(size)) * MI)
}

fn heterogeneous_node(index: u32) -> bayplan_api::Node {
    let mut random = Random::of("heterogeneous node", u64::from(index));
    // Zone and pool are told apart by numbers without a common divisor, so that each zone has all pools.
    let (pool, cpus, gibibytes) = pool(index / 6 + index % 6 * 7);
    let cpus = random.pick(&cpus);
    // What the kubelet keeps for itself is never the same.
    let milli_cpu = cpus * 1_000 - 80 - i64::from(random.below(120));
    let memory = cpus * gibibytes * GI - 512 * MI - i64::from(index) * PAGE;
    let mut list = resources(milli_cpu, memory);
    let pods = random.pick(&[110, 110, 110, 250]);
    list.insert("pods".into(), Quantity::from_value(pods));
    if pool == "gpu" {
        list.insert(GPU.into(), Quantity::from_value(random.pick(&[4, 8])));
    }
    let mut node = node(&format!("node-{index:06}"), u64::from(index), list);
    let zone = ZONES.get((index % 6) as usize).copied().unwrap_or_default();
    let rack = format!("rack-{:02}", random.below(RACKS));
    let generation = (1 + random.below(6)).to_string();
    let disk = random.pick(&DISKS);
    for (key, value) in
        [(ZONE, zone), (POOL, pool), (RACK, &rack), (GENERATION, &generation), (DISK, disk)]
    {
        node.metadata.labels.insert(key.into(), value.into());
    }
    let mut taint = |key: &str, value: &str, effect| {
        node.spec.taints.push(Taint { key: key.into(), value: value.into(), effect });
    };
    match pool {
        "gpu" => taint(GPU, "present", TaintEffect::NoSchedule),
        "spot" => taint(SPOT, "true", TaintEffect::PreferNoSchedule),
        _ if random.below(8) == 0 => {
            taint(TEAM, random.pick(&TEAMS), TaintEffect::PreferNoSchedule);
        }
        _ => {}
    }
    let start = random.below(IMAGES);
    let stride = 1 + 2 * random.below(9);
    for number in 0..10 + random.below(20) {
        let (name, size_bytes) = image((start + number * stride) % IMAGES);
        let known = node.status.images.iter().any(|image| image.names.contains(&name));
        if !known {
            node.status.images.push(ContainerImage { names: vec![name], size_bytes });
        }
    }
    node
}

/// The pod of that number among all, first pods and measured ones.
pub(crate) fn pod(number: u32) -> Pod {
    let mut random = Random::of("heterogeneous pod", u64::from(number));
    let milli_cpu = 50 + 10 * i64::from(random.below(111));
    let memory = 64 * MI + i64::from(number) * STRIDE % PAGES * PAGE;
    let app = format!("app-{:02}", random.below(APPLICATIONS));
    let (image, _) = image(random.below(IMAGES));
    let list = resources(milli_cpu, memory);
    let mut pod = plain_pod("default", vec![container("main", &image, 8_080, list.clone(), list)]);
    pod.spec.priority = Some(random.pick(&PRIORITIES));
    let tier = random.pick(&["back", "cache", "front"]);
    for (key, value) in [("app", app.as_str()), ("tier", tier)] {
        pod.metadata.labels.insert(key.into(), value.into());
    }
    if random.below(3) == 0 {
        pod.spec.tolerations.push(tolerates(SPOT));
    }
    if random.percent(4) {
        let gpu = Quantity::from_value(1);
        for container in &mut pod.spec.containers {
            container.resources.requests.insert(GPU.into(), gpu.clone());
            container.resources.limits.insert(GPU.into(), gpu.clone());
        }
        pod.spec.tolerations.push(tolerates(GPU));
    } else if random.percent(10) {
        pod.spec.node_selector.insert(DISK.into(), random.pick(&DISKS).into());
    } else if random.percent(22) {
        let rack = format!("rack-{:02}", random.below(RACKS));
        let required = match random.below(3) {
            0 => requirement(POOL, Operator::In, &["general", random.pick(&["memory", "compute"])]),
            1 => requirement(RACK, Operator::NotIn, &[&rack]),
            _ => requirement(GENERATION, Operator::Gt, &[random.pick(&["1", "2", "3"])]),
        };
        require_node(&mut pod, expressions(vec![required]));
    }
    if random.percent(40) {
        for _ in 0..=random.below(2) {
            let preference = match random.below(3) {
                0 => requirement(ZONE, Operator::In, &[random.pick(&ZONES)]),
                1 => requirement(DISK, Operator::NotIn, &[random.pick(&DISKS)]),
                _ => requirement(POOL, Operator::In, &[random.pick(&["general", "spot"])]),
            };
            let weight = 1 + i32::try_from(random.below(100)).unwrap_or_default();
            let term =
                PreferredSchedulingTerm { weight, preference: expressions(vec![preference]) };
            node_affinity(&mut pod).preferred.push(term);
        }
    }
    if number.is_multiple_of(3) {
        add_relation(&mut pod, number / 3 % 6, &app, &mut random);
    }
    named(&pod, format!("pod-{number:07}"), uid("pod", u64::from(number)))
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

/// Makes the pod look at other pods.
fn add_relation(pod: &mut Pod, sort: u32, app: &str, random: &mut Random) {
    let own = [("app", app)];
    let weight = 1 + i32::try_from(random.below(100)).unwrap_or_default();
    let max_skew = 1 + i32::try_from(random.below(3)).unwrap_or_default();
    let mut spread = |topology_key: &str, when_unsatisfiable| {
        pod.spec.topology_spread_constraints.push(TopologySpreadConstraint {
            max_skew,
            topology_key: topology_key.into(),
            when_unsatisfiable,
            label_selector: Some(selector(&own)),
            min_domains: None,
            node_affinity_policy: None,
            node_taints_policy: None,
            match_label_keys: Vec::new(),
        });
    };
    match sort {
        0 => spread(ZONE, Unsatisfiable::ScheduleAnyway),
        1 => spread(HOSTNAME, Unsatisfiable::ScheduleAnyway),
        2 => spread(ZONE, Unsatisfiable::DoNotSchedule),
        3 => {
            let other = format!("app-{:02}", random.below(APPLICATIONS));
            let term = term(ZONE, &[("app", &other)], &[]);
            pod_affinity(pod).preferred.push(WeightedPodAffinityTerm { weight, term });
        }
        4 => {
            let term = term(HOSTNAME, &own, &[]);
            pod_anti_affinity(pod).preferred.push(WeightedPodAffinityTerm { weight, term });
        }
        _ => pod_anti_affinity(pod).required.push(term(HOSTNAME, &own, &[])),
    }
}
