//! Nominated pods: what was recorded of kube-scheduler, and what changes of a cluster do to nominations.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;

use bayplan_api::{Event, Node, Object, Objects, Pod, PodCondition, Reader};
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::preemption::NotTried;
use bayplan_sched::{Detail, Scheduler};
use bayplan_testkit::builders::{node, pod};
use flate2::read::GzDecoder;
use serde_json::Value;

const RECORDS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/nominated/cases.jsonl.gz");

fn decide(scheduler: &Scheduler, cluster: &mut Cluster) -> Vec<Value> {
    let mut decisions = Vec::new();
    scheduler.schedule_pending(cluster, Detail::Trace, |cluster, decision| {
        decisions.push(serde_json::to_value(decision.trace_form(cluster)).unwrap());
        ControlFlow::Continue(())
    });
    decisions
}

/// What kube-scheduler v1.34.1 decided with its own queue: `tests/data/nominated/README.md`.
#[test]
fn decides_as_recorded() {
    let mut decided = 0;
    for line in BufReader::new(GzDecoder::new(File::open(RECORDS).unwrap())).lines() {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let case = &record["case"];
        let config = match &case["config"] {
            Value::Null => KubeSchedulerConfiguration::default(),
            config => {
                KubeSchedulerConfiguration::read("config", config.to_string().as_bytes()).unwrap()
            }
        };
        let mut reader = Reader::new();
        reader.read_bytes("objects", case["objects"].to_string().as_bytes()).unwrap();
        let mut cluster = Cluster::from_objects(reader.finish().unwrap()).unwrap();
        let decisions = decide(&Scheduler::new(&config).unwrap(), &mut cluster);
        let wanted = record["expected"]["decisions"].as_array().unwrap();
        assert_eq!(decisions.len(), wanted.len(), "{}", case["id"]);
        for (decision, wanted) in decisions.iter().zip(wanted) {
            for (field, wanted) in wanted.as_object().unwrap() {
                assert_eq!(&decision[field], wanted, "{} {} {field}", case["id"], decision["pod"]);
            }
            decided += 1;
        }
    }
    assert!(decided > 200, "{decided} decisions");
}

fn nodes(names: &[&str]) -> Vec<Node> {
    let node = |name: &&str| node(name).allocatable("cpu", "1").allocatable("pods", "9").build();
    names.iter().map(node).collect()
}

/// A pod that takes a whole node, nominated to one.
fn nominated(name: &str, priority: i32, node: &str) -> Pod {
    let mut pod = pod(name).request("cpu", "1").priority(priority).build();
    pod.status.nominated_node_name = node.into();
    pod
}

fn load(nodes: Vec<Node>, pods: Vec<Pod>) -> Cluster {
    Cluster::from_objects(Objects { nodes, pods, ..Objects::default() }).unwrap()
}

/// Which pod goes where.
fn placements(cluster: &Cluster) -> Vec<(String, Value)> {
    let decisions = decide(&Scheduler::default(), &mut cluster.clone());
    let name = |decision: &Value| decision["pod"].as_str().unwrap_or_default().to_owned();
    decisions.iter().map(|decision| (name(decision), decision["chosen"].clone())).collect()
}

fn placed(pairs: &[(&str, Option<&str>)]) -> Vec<(String, Value)> {
    let value = |node: Option<&str>| node.map_or(Value::Null, Value::from);
    pairs.iter().map(|(pod, node)| (format!("default/{pod}"), value(*node))).collect()
}

#[test]
fn a_pod_goes_to_its_node_and_others_leave_it_room() {
    let pods = vec![pod("first").request("cpu", "1").build(), nominated("second", 0, "a")];
    let mut cluster = load(nodes(&["a", "b"]), pods);
    assert_eq!(placements(&cluster), placed(&[("first", Some("b")), ("second", Some("a"))]));
    let scheduler = Scheduler::default();
    let (first, second) =
        (cluster.find_pod("default", "first"), cluster.find_pod("default", "second"));
    let fits = |pod| scheduler.session().feasible_nodes(&cluster, pod).unwrap().count();
    assert_eq!((fits(first.unwrap()), fits(second.unwrap())), (1, 2));
    // Its own node is enough: no other is looked at.
    let decision =
        scheduler.session().schedule_pod(&mut cluster, second.unwrap(), Detail::Placement);
    assert_eq!((decision.feasible_nodes, decision.cut_short), (1, true));
}

#[test]
fn a_session_forgets_what_nominations_said_when_they_are_gone() {
    let pods = vec![pod("first").request("cpu", "1").build(), nominated("second", 0, "a")];
    let mut cluster = load(nodes(&["a"]), pods);
    let first = cluster.find_pod("default", "first").unwrap();
    let scheduler = Scheduler::default();
    let mut session = scheduler.session();
    let fork = cluster.fork();
    assert!(session.feasible_nodes(&cluster, first).unwrap().is_empty());
    let unnominated = Object::from(pod("second").request("cpu", "1").build());
    cluster.apply(vec![Event::Modified(unnominated)]).unwrap();
    assert_eq!(session.feasible_nodes(&cluster, first).unwrap().count(), 1);
    cluster.rollback(fork).unwrap();
    assert!(session.feasible_nodes(&cluster, first).unwrap().is_empty());
}

#[test]
fn a_rollback_brings_a_nomination_back() {
    let pods = vec![nominated("high", 1, "b"), nominated("low", 0, "a")];
    let mut cluster = load(nodes(&["a", "b"]), pods);
    let before = cluster.clone();
    let decided = placements(&cluster);
    let fork = cluster.fork();
    for name in ["high", "low"] {
        cluster.apply(vec![Event::Modified(Object::from(nominated(name, 0, "nowhere")))]).unwrap();
    }
    cluster.apply(vec![Event::Added(Object::from(nominated("more", 2, "a")))]).unwrap();
    assert_ne!(placements(&cluster), decided);
    cluster.rollback(fork).unwrap();
    assert_eq!((cluster == before, placements(&cluster)), (true, decided));
}

#[test]
fn a_pod_that_fits_nowhere_loses_its_nomination_and_one_that_may_not_preempt_keeps_it() {
    let large = |name| {
        let containers = pod(name).request("cpu", "4").build().spec.containers;
        let mut pod = nominated(name, 1, "a");
        pod.spec.containers = containers;
        pod
    };
    let mut never = large("never");
    never.spec.preemption_policy = Some(bayplan_api::PreemptionPolicy::Never);
    for (pod, node) in [(large("tries"), ""), (never, "a")] {
        let name = pod.metadata.name.clone();
        let mut cluster = load(nodes(&["a"]), vec![pod]);
        decide(&Scheduler::default(), &mut cluster);
        let row = cluster.find_pod("default", &name).unwrap();
        assert_eq!(cluster.pods()[row].nominated, node, "{name}");
        assert_eq!(cluster.to_objects().pods[0].status.nominated_node_name, node, "{name}");
    }
}

#[test]
fn a_pod_waits_for_those_that_were_evicted_for_it() {
    let leaving = |reason: &str| {
        let mut pod = pod("leaving").request("cpu", "1").on("a").terminating().build();
        pod.status.conditions = vec![PodCondition {
            condition_type: "DisruptionTarget".into(),
            status: "True".into(),
            reason: reason.into(),
        }];
        pod
    };
    for (reason, waits) in [("PreemptionByScheduler", true), ("EvictionByEvictionAPI", false)] {
        let mut cluster = load(nodes(&["a"]), vec![leaving(reason), nominated("high", 1, "a")]);
        let high = cluster.find_pod("default", "high").unwrap();
        let scheduler = Scheduler::default();
        let decision = scheduler.session().schedule_pod(&mut cluster, high, Detail::Preemption);
        assert_eq!(decision.preemption.is_none(), waits, "{reason}");
        let not_tried = decision.preemption_trace.unwrap().not_tried;
        assert_eq!(not_tried, waits.then_some(NotTried::VictimsLeaving), "{reason}");
    }
}

#[test]
fn preempting_takes_the_nomination_from_pods_of_lower_priority() {
    let pods = vec![
        pod("victim").request("cpu", "1").on("a").build(),
        nominated("high", 9, ""),
        nominated("low", 1, "a"),
    ];
    let mut cluster = load(nodes(&["a"]), pods);
    decide(&Scheduler::default(), &mut cluster);
    let nominated: Vec<_> = cluster.pods().iter().map(|row| row.nominated.as_str()).collect();
    assert_eq!(nominated, ["", "a", ""]);
}
