//! Sampling and ties: the engine decides what the model and kube-scheduler decide, and what is drawn is drawn fairly.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;

use bayplan_api::{Node, Objects, Pod, Reader, Str};
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::decision::Decision;
use bayplan_sched::index_vec::Idx;
use bayplan_sched::{Cycle, Detail, Sampling, Scheduler, SchedulerOptions, TieBreak};
use bayplan_testkit::builders::{node, pod};
use bayplan_testkit::model::{Model, ModelProfile, ModelSampling};
use bayplan_testkit::strategies::{ClusterShape, cluster, profile};
use bayplan_testkit::{json, oracle};
use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::Value;

const KUBE: SchedulerOptions =
    SchedulerOptions { sampling: Sampling::Kube, tie_break: TieBreak::First };
const ZONE: &str = "topology.kubernetes.io/zone";

fn scheduler(profile: &ModelProfile, options: SchedulerOptions) -> Scheduler {
    let text = json::configuration(profile).to_string();
    let read = KubeSchedulerConfiguration::read("profile.json", text.as_bytes());
    Scheduler::new(&read.unwrap()).unwrap().with_options(options)
}

fn trace(cluster: &Cluster, decision: &Decision) -> Value {
    serde_json::to_value(decision.trace_form(cluster)).unwrap()
}

fn decide(scheduler: &Scheduler, cluster: &mut Cluster) -> Vec<Value> {
    let mut decisions = Vec::new();
    scheduler.schedule_pending(cluster, Detail::Trace, |cluster, decision| {
        decisions.push(trace(cluster, &decision));
        ControlFlow::Continue(())
    });
    decisions
}

/// Engine and model decide the same.
fn agree(objects: &Objects, profile: &ModelProfile) -> Result<(), TestCaseError> {
    let mut cluster = Cluster::from_objects(objects.clone()).unwrap();
    let engine = decide(&scheduler(profile, KUBE), &mut cluster);
    let model = Model::new(objects, profile.clone()).run();
    prop_assert_eq!(engine.len(), model.len());
    for (engine, model) in engine.iter().zip(model.iter().map(oracle::to_json)) {
        let failed = model.get("error").is_some();
        prop_assert_eq!(engine.get("error").is_some(), failed, "error of {}", engine);
        for member in [
            "pod",
            "gated",
            "prefilter",
            "prefilter_nodes",
            "scores",
            "best",
            "chosen",
            "preemption",
        ] {
            prop_assert_eq!(engine.get(member), model.get(member), "{} of {}", member, engine);
        }
        if !failed {
            for member in ["filter", "message"] {
                prop_assert_eq!(engine.get(member), model.get(member), "{} of {}", member, engine);
            }
        }
    }
    Ok(())
}

fn sampling() -> impl Strategy<Value = ModelSampling> {
    let percentage = prop_oneof![Just(0), Just(1), 40..=100_i32];
    (percentage, prop_oneof![Just(0), 1..=60_i32], 1..=3_i32).prop_map(|(nodes, share, count)| {
        ModelSampling {
            percentage_of_nodes_to_score: nodes,
            min_candidate_nodes_percentage: share,
            min_candidate_nodes_absolute: count,
        }
    })
}

fn sampled_profile() -> impl Strategy<Value = ModelProfile> {
    (profile(), sampling())
        .prop_map(|(profile, sampling)| ModelProfile { sampling: Some(sampling), ..profile })
}

/// Clusters of more than 100 nodes, of which most are free for most pods; every pending pod stands four times.
fn large() -> impl Strategy<Value = Objects> {
    let shape = ClusterShape { nodes: 101..=190, running: 0..=30, pending: 1..=4, storage: false };
    (cluster(shape), any::<u64>()).prop_map(|(mut objects, seed)| {
        let roomy = node("roomy")
            .allocatable("cpu", "8")
            .allocatable("memory", "32Gi")
            .allocatable("pods", "110")
            .build();
        for (row, node) in objects.nodes.iter_mut().enumerate() {
            if !(row + usize::try_from(seed % 7).unwrap()).is_multiple_of(9) {
                node.spec = roomy.spec.clone();
                node.status = roomy.status.clone();
            }
            if row % 4 == 1 && seed.is_multiple_of(3) {
                let zone: Str = if row % 8 == 1 { "a" } else { "b" }.into();
                node.metadata.labels.insert("failure-domain.beta.kubernetes.io/zone".into(), zone);
            }
        }
        let waits = |pod: &Pod| pod.spec.node_name.is_empty();
        let (waiting, mut pods): (Vec<Pod>, Vec<Pod>) = objects.pods.into_iter().partition(waits);
        for (round, pod) in (0..4).flat_map(|round| waiting.iter().map(move |pod| (round, pod))) {
            let mut pod = pod.clone();
            pod.metadata.name = format!("{}-{round}", pod.metadata.name).into();
            pod.metadata.uid = format!("{}-{round}", pod.metadata.uid).into();
            if round % 2 == 1 {
                pod.spec.affinity = None;
                pod.spec.node_selector = bayplan_api::Labels::default();
                pod.spec.topology_spread_constraints.clear();
            }
            pods.push(pod);
        }
        objects.pods = pods;
        objects
    })
}

/// Nodes with many pods: there is somebody to evict, on more nodes than are tried.
fn crowded() -> impl Strategy<Value = Objects> {
    cluster(ClusterShape { nodes: 3..=8, running: 20..=50, ..ClusterShape::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn looks_at_the_nodes_at_which_the_model_looks(objects in large(), profile in sampled_profile()) {
        agree(&objects, &profile)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn tries_the_candidates_that_the_model_tries(objects in crowded(), profile in sampled_profile()) {
        agree(&objects, &profile)?;
    }

    #[test]
    fn plans_that_are_kept_draw_as_plans_made_anew(objects in crowded(), seed: u64) {
        let options =
            SchedulerOptions { sampling: Sampling::Kube, tie_break: TieBreak::Random { seed } };
        let scheduler = Scheduler::default().with_options(options);
        let mut bulk = Cluster::from_objects(objects).unwrap();
        let mut single = bulk.clone();
        let queue = scheduler.queue(&bulk);
        let decisions = decide(&scheduler, &mut bulk);
        for (pod, expected) in queue.into_iter().zip(decisions) {
            let before = single.cycle();
            let asked = scheduler.session().schedule_pod(&mut single, pod, Detail::Trace);
            prop_assert_eq!(&trace(&single, &asked), &expected);
            prop_assert_eq!(single.cycle(), before);
            let decision = scheduler.session().schedule_one(&mut single, pod, Detail::Trace);
            prop_assert_eq!(trace(&single, &decision), expected);
        }
        prop_assert_eq!(single.cycle(), bulk.cycle());
    }
}

/// Equal nodes in zones, and equal pods that wait.
fn equals(nodes: usize, zones: usize, pods: usize) -> Cluster {
    let nodes: Vec<Node> = (0..nodes)
        .map(|row| {
            node(&format!("n{row}"))
                .label(ZONE, &format!("z{}", row * zones / nodes))
                .allocatable("cpu", "4")
                .allocatable("memory", "8Gi")
                .allocatable("pods", "110")
                .build()
        })
        .collect();
    let pods = (0..pods).map(|row| pod(&format!("p{row}")).request("cpu", "1").build()).collect();
    Cluster::from_objects(Objects { nodes, pods, ..Objects::default() }).unwrap()
}

fn looked_at(decision: &Decision) -> Vec<usize> {
    let trace = decision.trace.as_ref().unwrap();
    trace.feasible.iter().map(|node| node.index()).collect()
}

#[test]
fn a_walk_goes_on_where_the_last_one_stopped() {
    let mut cluster = equals(150, 1, 3);
    let scheduler = Scheduler::default().with_options(KUBE);
    let mut session = scheduler.session();
    let mut walks = Vec::new();
    for pod in scheduler.queue(&cluster) {
        let decision = session.schedule_one(&mut cluster, pod, Detail::Trace);
        assert_eq!((decision.feasible_nodes, decision.cut_short), (100, true));
        walks.push((looked_at(&decision), cluster.cycle().next_start_node));
    }
    // The pod on the first node makes that node worse, not infeasible.
    let rows = |from: usize| (0..100).map(|step| (from + step) % 150).collect::<Vec<_>>();
    assert_eq!(walks, [(rows(0), 100), (rows(100), 50), (rows(50), 0)]);
}

#[test]
fn zones_take_turns_and_the_first_of_equals_is_the_first_of_the_walk() {
    let mut cluster = equals(150, 2, 2);
    let scheduler = Scheduler::default().with_options(KUBE);
    let mut session = scheduler.session();
    let mut chosen = Vec::new();
    for pod in scheduler.queue(&cluster) {
        let decision = session.schedule_one(&mut cluster, pod, Detail::Trace);
        let rows = looked_at(&decision);
        assert_eq!(decision.best.first(), decision.chosen.as_ref());
        chosen.push((rows[..4].to_vec(), decision.chosen.unwrap().index()));
    }
    assert_eq!(chosen, [(vec![0, 75, 1, 76], 0), (vec![50, 125, 51, 126], 50)]);
}

#[test]
fn small_clusters_are_looked_at_whole() {
    let mut cluster = equals(99, 1, 1);
    let scheduler = Scheduler::default().with_options(KUBE);
    let pod = scheduler.queue(&cluster)[0];
    let decision = scheduler.session().schedule_one(&mut cluster, pod, Detail::Placement);
    assert_eq!((decision.feasible_nodes, decision.cut_short), (99, false));
    assert_eq!(cluster.cycle(), Cycle::default());
}

#[test]
fn masks_and_totals_speak_of_all_nodes() {
    let cluster = equals(150, 1, 1);
    let scheduler = Scheduler::default().with_options(KUBE);
    let pod = scheduler.queue(&cluster)[0];
    let mut session = scheduler.session();
    assert_eq!(session.feasible_nodes(&cluster, pod).unwrap().count(), 150);
    assert_eq!(session.totals(&cluster, pod).unwrap().len(), 150);
    let decision = session.schedule_pod(&mut cluster.clone(), pod, Detail::Trace);
    assert_eq!(decision.feasible_nodes, 100);
    assert_eq!(session.totals(&cluster, pod).unwrap().len(), 150);
}

#[test]
fn ties_are_drawn_evenly_and_the_same_seed_draws_the_same() {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for seed in 0..1000 {
        let options = SchedulerOptions {
            tie_break: TieBreak::Random { seed },
            ..SchedulerOptions::default()
        };
        let scheduler = Scheduler::default().with_options(options);
        let run = || {
            let mut cluster = equals(5, 1, 2);
            let decisions = decide(&scheduler, &mut cluster);
            let rolls = cluster.cycle().rolls;
            let chosen: Vec<Value> = decisions.iter().map(|d| d["chosen"].clone()).collect();
            (chosen, rolls, looked_up(&decisions[0]))
        };
        let (chosen, rolls, row) = run();
        assert_eq!(run(), (chosen, rolls, row));
        assert!(rolls >= 2, "{rolls} numbers for two ties");
        *counts.entry(row).or_default() += 1;
    }
    assert_eq!(counts.len(), 5);
    assert!(counts.values().all(|count| (140..=260).contains(count)), "{counts:?}");
}

/// The row of the chosen node.
fn looked_up(decision: &Value) -> usize {
    decision["chosen"].as_str().unwrap()[1..].parse().unwrap()
}

#[test]
fn without_a_draw_the_first_of_equals_is_taken() {
    let mut cluster = equals(5, 3, 3);
    let decisions = decide(&Scheduler::default(), &mut cluster);
    let chosen: Vec<&str> = decisions.iter().map(|d| d["chosen"].as_str().unwrap()).collect();
    assert_eq!(chosen, ["n0", "n1", "n2"]);
    assert_eq!(cluster.cycle(), Cycle::default());
}

#[test]
fn the_search_for_candidates_begins_anywhere_when_drawn() {
    let profile = ModelProfile {
        sampling: Some(ModelSampling {
            percentage_of_nodes_to_score: 0,
            min_candidate_nodes_percentage: 0,
            min_candidate_nodes_absolute: 2,
        }),
        ..ModelProfile::default()
    };
    let candidates = |tie_break| {
        let nodes: Vec<Node> = (0..6)
            .map(|row| {
                let node = node(&format!("n{row}")).allocatable("cpu", "1");
                node.allocatable("memory", "1Gi").allocatable("pods", "9").build()
            })
            .collect();
        let full = |row| {
            let pod = pod(&format!("low{row}")).request("cpu", "1");
            pod.on(&format!("n{row}")).build()
        };
        let mut pods: Vec<Pod> = (0..6).map(full).collect();
        pods.push(pod("high").request("cpu", "1").priority(9).build());
        let objects = Objects { nodes, pods, ..Objects::default() };
        let mut cluster = Cluster::from_objects(objects).unwrap();
        let options = SchedulerOptions { sampling: Sampling::Kube, tie_break };
        let decisions = decide(&scheduler(&profile, options), &mut cluster);
        let candidates = decisions[0]["preemption"]["candidates"].as_object().unwrap();
        candidates.keys().cloned().collect::<Vec<String>>()
    };
    assert_eq!(candidates(TieBreak::First), ["n0", "n1"]);
    let drawn: std::collections::BTreeSet<Vec<String>> =
        (0..60).map(|seed| candidates(TieBreak::Random { seed })).collect();
    let wanted =
        [["n0", "n1"], ["n0", "n5"], ["n1", "n2"], ["n2", "n3"], ["n3", "n4"], ["n4", "n5"]];
    assert_eq!(drawn, wanted.map(|pair| pair.map(str::to_owned).to_vec()).into());
}

const RECORDS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/sampling/cases.jsonl.gz");

/// What kube-scheduler v1.34.1 decided with its own search: `tests/data/sampling/README.md`.
#[test]
fn looks_at_the_nodes_at_which_kube_scheduler_looked() {
    let (mut decided, mut cut_short) = (0, 0);
    for line in BufReader::new(GzDecoder::new(File::open(RECORDS).unwrap())).lines() {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let case = &record["case"];
        let config = case["config"].to_string();
        let config = KubeSchedulerConfiguration::read("config", config.as_bytes()).unwrap();
        let mut reader = Reader::new();
        reader.read_bytes("objects", case["objects"].to_string().as_bytes()).unwrap();
        let mut cluster = Cluster::from_objects(reader.finish().unwrap()).unwrap();
        let nodes = cluster.nodes().count();
        let scheduler = Scheduler::new(&config).unwrap().with_options(KUBE);
        let decisions = decide(&scheduler, &mut cluster);
        let wanted = record["expected"]["decisions"].as_array().unwrap();
        assert_eq!(decisions.len(), wanted.len(), "{}", case["id"]);
        for (decision, wanted) in decisions.iter().zip(wanted) {
            for (field, wanted) in wanted.as_object().unwrap() {
                assert_eq!(&decision[field], wanted, "{} {} {field}", case["id"], wanted);
            }
            decided += 1;
            let looked_at = wanted["filter"].as_object().unwrap().len();
            cut_short += usize::from((1..nodes).contains(&looked_at));
        }
    }
    assert!(decided >= 100 && cut_short >= 50, "{cut_short} of {decided} decisions cut short");
}
