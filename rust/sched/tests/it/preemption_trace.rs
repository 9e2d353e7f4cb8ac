//! What a trace says of preemption is what preemption did.

#![expect(clippy::indexing_slicing, reason = "a row that is not there fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use bayplan_api::{Objects, Reader};
use bayplan_sched::cluster::Cluster;
use bayplan_sched::config::KubeSchedulerConfiguration;
use bayplan_sched::decision::{Decision, Outcome};
use bayplan_sched::framework::Code;
use bayplan_sched::index_vec::{NodeIdx, PodIdx};
use bayplan_sched::preemption::{Criteria, Criterion, NotCandidate, NotTried, PreemptionTrace};
use bayplan_sched::{Detail, Sampling, Scheduler, SchedulerOptions, TieBreak};
use bayplan_testkit::strategies::{ClusterShape, cluster};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A criterion and what a candidate has of it; the least is the best.
type Score<'a> = (Criterion, &'a dyn Fn(&Criteria) -> i128);

/// `pickOneNodeForPreemption`: what is left after each criterion, until one is left.
fn eliminate(candidates: &[(NodeIdx, Criteria)]) -> (Vec<NodeIdx>, Criterion) {
    let start = |own: &Criteria| own.earliest_start.map_or(i128::MAX, |start| start.unix_nanos);
    let scores: [Score<'_>; 5] = [
        (Criterion::Violations, &|own| i128::try_from(own.violations).unwrap()),
        (Criterion::HighestPriority, &|own| own.highest_priority.into()),
        (Criterion::SumOfPriorities, &|own| own.sum_of_priorities.into()),
        (Criterion::Victims, &|own| own.victims.into()),
        (Criterion::EarliestStart, &|own| -start(own)),
    ];
    let mut left = candidates.to_vec();
    if let [(node, _)] = left.as_slice() {
        return (vec![*node], Criterion::Only);
    }
    for (criterion, score) in scores {
        let best = left.iter().map(|(_, own)| score(own)).min().unwrap();
        left.retain(|(_, own)| score(own) == best);
        if let [(node, _)] = left.as_slice() {
            return (vec![*node], criterion);
        }
    }
    (left.into_iter().map(|(node, _)| node).collect(), Criterion::Order)
}

/// What the criteria are by the objects alone.
fn check_criteria(cluster: &Cluster, victims: &[PodIdx], criteria: &Criteria) {
    let pods = victims.iter().map(|&pod| {
        let row = &cluster.pods()[pod];
        let pod = &cluster.template(row.template).pod;
        (i64::from(pod.spec.priority.unwrap_or(0)), row.start_time())
    });
    let pods: Vec<_> = pods.collect();
    let highest = pods.iter().map(|(priority, _)| *priority).max().unwrap();
    assert_eq!(i64::from(criteria.highest_priority), highest);
    let sum: i64 = pods.iter().map(|(priority, _)| priority + (1_i64 << 31)).sum();
    assert_eq!(criteria.sum_of_priorities, sum);
    assert_eq!(criteria.victims, i64::try_from(pods.len()).unwrap());
    let starts = pods.iter().filter(|(priority, _)| *priority == highest);
    assert_eq!(criteria.earliest_start, starts.filter_map(|(_, start)| *start).min());
    assert!(criteria.violations <= victims.len());
}

/// The trace agrees with the decision, and with itself; `all` nodes are tried, or as many as are enough.
fn check_trace(cluster: &Cluster, decision: &Decision, trace: &PreemptionTrace, all: bool) {
    if let Some(why) = trace.not_tried {
        assert!(trace.candidates.is_empty() && trace.others.is_empty());
        assert_eq!(trace.chosen(), None);
        assert_eq!(why == NotTried::Fits, decision.outcome == Outcome::Placed);
        return;
    }
    let mut seen = BTreeSet::new();
    for node in trace.others.iter().map(|(node, _)| *node) {
        assert!(seen.insert(node));
    }
    assert!(trace.others.is_sorted_by_key(|(node, _)| *node));
    for candidate in &trace.candidates {
        assert!(seen.insert(candidate.node));
        check_criteria(cluster, &candidate.victims, &candidate.criteria);
    }
    assert!(cluster.nodes().iter().eq(seen));

    let own: Vec<_> = trace.candidates.iter().map(|own| (own.node, own.victims.clone())).collect();
    let preemption = decision.preemption.as_ref();
    let expected = preemption.map_or(Vec::new(), |preemption| preemption.candidates.clone());
    assert_eq!(expected, own);
    let chosen = trace.chosen().map(|chosen| chosen.node);
    assert_eq!(chosen, preemption.map(|preemption| preemption.node));
    if !trace.candidates.is_empty() {
        let criteria: Vec<_> =
            trace.candidates.iter().map(|own| (own.node, own.criteria)).collect();
        let (left, decided_by) = eliminate(&criteria);
        assert_eq!(trace.decided_by, Some(decided_by));
        if all {
            assert_eq!(chosen, left.first().copied());
        } else {
            assert!(left.contains(&chosen.unwrap()));
        }
        assert_eq!(trace.candidates.iter().filter(|own| own.lost_by.is_none()).count(), 1);
    }

    let filter: BTreeMap<_, _> =
        decision.trace.iter().flat_map(|trace| &trace.filter).map(|(n, r)| (*n, r)).collect();
    let priority = cluster.template(cluster.pods()[decision.pod].template).priority();
    for (node, why) in &trace.others {
        let lower = cluster.nodes().pods[*node]
            .iter()
            .any(|&pod| cluster.template(cluster.pods()[pod].template).priority() < priority);
        let rejection = filter.get(node).copied().unwrap_or(&decision.prefilter);
        let code = rejection.as_ref().unwrap().status.code;
        assert!(!all || *why != NotCandidate::Enough);
        match why {
            NotCandidate::NotHelpful(own) => {
                assert_eq!(own, rejection);
                assert_eq!(code, Code::UnschedulableAndUnresolvable);
            }
            NotCandidate::NoVictims => assert!(!lower),
            NotCandidate::StillRejected(own) => {
                assert!(lower && code == Code::Unschedulable);
                assert!(!own.as_ref().unwrap().status.reasons.is_empty());
            }
            NotCandidate::Failed(_) => assert!(lower),
            NotCandidate::Enough => assert_eq!(code, Code::Unschedulable),
        }
    }
}

fn check_cluster(objects: Objects, scheduler: &Scheduler) {
    let all = scheduler.options().sampling == Sampling::All;
    let mut cluster = Cluster::from_objects(objects).unwrap();
    let mut session = scheduler.session();
    for pod in scheduler.queue(&cluster) {
        let mut asked = session.schedule_pod(&mut cluster, pod, Detail::Preemption);
        let trace = asked.preemption_trace.take().unwrap();
        check_trace(&cluster, &asked, &trace, all);
        let decision = session.schedule_one(&mut cluster, pod, Detail::Trace);
        assert_eq!(decision.preemption_trace, None);
        // but for the trace, nothing is decided otherwise
        assert_eq!(asked, decision);
    }
}

/// One candidate is enough, and the search begins anywhere.
fn hasty(seed: u64) -> Scheduler {
    let configuration = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "profiles": [{"pluginConfig": [{"name": "DefaultPreemption",
            "args": {"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 1}}]}]});
    let tie_break = TieBreak::Random { seed };
    scheduler(&configuration).with_options(SchedulerOptions { sampling: Sampling::Kube, tie_break })
}

fn scheduler(configuration: &Value) -> Scheduler {
    let text = configuration.to_string();
    let read = KubeSchedulerConfiguration::read("c.json", text.as_bytes()).unwrap();
    Scheduler::new(&read).unwrap()
}

proptest! {
    #[test]
    fn a_trace_tells_what_preemption_did_where_one_candidate_is_enough(
        objects in cluster(ClusterShape { nodes: 1..=6, running: 10..=40, ..ClusterShape::default() }),
        seed in 0..100_u64,
    ) {
        check_cluster(objects, &hasty(seed));
    }

    #[test]
    fn a_trace_tells_what_preemption_did(objects in cluster(ClusterShape::default())) {
        check_cluster(objects, &Scheduler::default());
    }

    #[test]
    fn a_trace_tells_what_preemption_did_where_there_are_victims(
        objects in cluster(ClusterShape { nodes: 1..=4, running: 10..=30, ..ClusterShape::default() })
    ) {
        check_cluster(objects, &Scheduler::default());
    }

    #[test]
    fn a_trace_tells_what_preemption_did_with_volumes(
        objects in cluster(ClusterShape { nodes: 1..=3, running: 5..=20, storage: true, ..ClusterShape::default() })
    ) {
        check_cluster(objects, &Scheduler::default());
    }
}

fn node(name: &str, cpu: &str, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "spec": spec,
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"allocatable": {"cpu": cpu, "memory": "64Gi", "pods": "110"}}})
}

fn pod(name: &str, node: &str, cpu: &str, priority: i32, more: &Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": name, "namespace": "n", "labels": {"app": name}},
    "spec": {"nodeName": node, "priority": priority, "containers": [
        {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    ]}});
    for (key, value) in more.as_object().into_iter().flatten() {
        pod[key.as_str()] = value.clone();
    }
    pod
}

/// The trace form of what preemption tried for the pod `vip`.
fn explain(items: &[Value], scheduler: &Scheduler) -> Value {
    let mut reader = Reader::new();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    reader.read_bytes("list", list.to_string().as_bytes()).unwrap();
    let mut cluster = Cluster::from_objects(reader.finish().unwrap()).unwrap();
    let vip = cluster.pods().indices().find(|&pod| cluster.pods()[pod].name == "vip").unwrap();
    let decision = scheduler.session().schedule_pod(&mut cluster, vip, Detail::Preemption);
    serde_json::to_value(decision.preemption_trace.unwrap().form(&cluster)).unwrap()
}

fn started(time: &str) -> Value {
    json!({"status": {"phase": "Running", "startTime": time}})
}

#[test]
fn each_criterion_decides_when_those_before_it_do_not() {
    let plain = json!({});
    let old = started("2025-01-01T00:00:00Z");
    let young = started("2025-06-01T00:00:00Z");
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "n"}, "spec": {"selector": {"matchLabels": {"app": "a0"}}}});
    let vip = pod("vip", "", "4", 100, &plain);
    let cases: [(&[Value], &str, &str, &str); 7] = [
        (
            &[pod("a0", "a", "4", 0, &plain), budget, pod("b0", "b", "4", 9, &plain)],
            "b",
            "fewest PDB violations",
            "more PDB violations",
        ),
        (
            &[pod("a0", "a", "4", 2, &plain), pod("b0", "b", "4", 1, &plain)],
            "b",
            "lowest highest priority",
            "higher highest priority",
        ),
        (
            // each victim counts, whatever its priority is
            &[
                pod("a0", "a", "2", 2, &plain),
                pod("a1", "a", "2", -9, &plain),
                pod("b0", "b", "4", 2, &plain),
            ],
            "b",
            "lowest sum of priorities",
            "higher sum of priorities",
        ),
        (
            &[
                pod("a0", "a", "2", 2, &plain),
                pod("a1", "a", "2", i32::MIN, &plain),
                pod("b0", "b", "4", 2, &plain),
            ],
            "b",
            "fewest victims",
            "more victims",
        ),
        (
            &[pod("a0", "a", "4", 2, &old), pod("b0", "b", "4", 2, &young)],
            "b",
            "latest earliest start",
            "earlier earliest start",
        ),
        (
            &[pod("a0", "a", "4", 2, &young), pod("b0", "b", "4", 2, &plain)],
            "b",
            "latest earliest start",
            "earlier earliest start",
        ),
        (
            &[pod("a0", "a", "4", 2, &old), pod("b0", "b", "4", 2, &old)],
            "a",
            "first of equal candidates",
            "later of equal candidates",
        ),
    ];
    for (objects, chosen, won, lost) in cases {
        let mut items = vec![node("a", "4", &plain), node("b", "4", &plain), vip.clone()];
        items.extend_from_slice(objects);
        let form = explain(&items, &Scheduler::default());
        assert_eq!((&form["node"], &form["decidedBy"]), (&json!(chosen), &json!(won)));
        for candidate in form["candidates"].as_array().unwrap() {
            let is_chosen = candidate["name"] == chosen;
            assert_eq!(candidate["chosen"], json!(is_chosen));
            assert_eq!(candidate["lostBy"], if is_chosen { Value::Null } else { json!(lost) });
        }
        assert_eq!(form["others"], json!([]));
    }
}

#[test]
fn the_form_has_every_node() {
    let plain = json!({});
    let tainted = json!({"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]});
    let mut vip = pod("vip", "", "4", 100, &plain);
    vip["spec"]["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "peer"}}, "topologyKey": "kubernetes.io/hostname"}
    ]}});
    let items = [
        node("small", "2", &plain),
        node("tainted", "4", &tainted),
        node("full", "4", &plain),
        node("peer", "4", &plain),
        node("good", "4", &plain),
        pod("high", "full", "4", 100, &plain),
        pod("peer", "peer", "1", 200, &plain),
        pod("low", "peer", "3", 0, &plain),
        pod("small", "small", "1", 0, &plain),
        pod("one", "good", "3", 7, &started("2025-01-01T00:00:00Z")),
        pod("two", "good", "1", -1, &plain),
        vip,
    ];
    let form = explain(&items, &Scheduler::default());
    let expected = json!({
        "notTried": null,
        "node": "good",
        "decidedBy": "only candidate",
        "candidates": [{
            "name": "good", "chosen": true, "lostBy": null, "pdbViolations": 0, "highestPriority": 7,
            "sumOfPriorities": 2 * (1_i64 << 31) + 6, "earliestStart": "2025-01-01T00:00:00Z",
            "victims": ["n/one", "n/two"],
        }],
        "others": [
            {"name": "small", "why": "evicting pods does not help", "plugin": "NodeResourcesFit",
             "reasons": ["Insufficient cpu"]},
            {"name": "tainted", "why": "evicting pods does not help", "plugin": "TaintToleration",
             "reasons": ["node(s) had untolerated taint {k: v}"]},
            {"name": "full", "why": "no pod of lower priority", "plugin": null, "reasons": []},
            {"name": "peer", "why": "does not fit without them either", "plugin": "NodeResourcesFit",
             "reasons": ["Insufficient cpu"]},
        ],
    });
    assert_eq!(form, expected);
}

#[test]
fn nodes_beyond_those_that_are_enough_say_so() {
    let plain = json!({});
    let mut items = vec![pod("vip", "", "4", 100, &plain)];
    for name in ["a", "b", "c"] {
        items.push(node(name, "4", &plain));
        items.push(pod(&format!("{name}0"), name, "4", 0, &plain));
    }
    let form = explain(&items, &hasty(1));
    assert_eq!(form["decidedBy"], "only candidate");
    assert_eq!(form["candidates"].as_array().unwrap().len(), 1);
    let others = form["others"].as_array().unwrap();
    assert_eq!(others.len(), 2);
    assert!(others.iter().all(|other| other["why"] == "enough candidates without it"));
}

#[test]
fn a_pod_for_which_no_node_is_tried_says_why() {
    let plain = json!({});
    let full = [node("a", "4", &plain), pod("low", "a", "4", 0, &plain)];
    let not_tried = |nodes: &[Value], change: &dyn Fn(&mut Value), off: bool| {
        let mut vip = pod("vip", "", "4", 100, &plain);
        change(&mut vip["spec"]);
        let configuration = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "profiles": [{"plugins": {"postFilter": {"disabled": [{"name": "*"}]}}}]});
        let scheduler = if off { scheduler(&configuration) } else { Scheduler::default() };
        let form = explain(&[nodes, &[vip]].concat(), &scheduler);
        assert_eq!((&form["node"], &form["candidates"]), (&Value::Null, &json!([])));
        form["notTried"].as_str().map(str::to_owned)
    };
    let says = |text: &str| Some(text.to_owned());
    let nothing = |_: &mut Value| {};
    assert_eq!(not_tried(&full[..1], &nothing, false), says("the pod fits without it"));
    let never = |spec: &mut Value| spec["preemptionPolicy"] = json!("Never");
    assert_eq!(not_tried(&full, &never, false), says("not eligible due to preemptionPolicy=Never"));
    let gated = |spec: &mut Value| spec["schedulingGates"] = json!([{"name": "x.io/g"}]);
    assert_eq!(not_tried(&full, &gated, false), says("the attempt does not come to it"));
    let foreign = |spec: &mut Value| spec["schedulerName"] = json!("other");
    assert_eq!(not_tried(&full, &foreign, false), says("the attempt does not come to it"));
    assert_eq!(not_tried(&[], &nothing, false), says("there are no nodes"));
    assert_eq!(
        not_tried(&full, &nothing, true),
        says("the profile does not have DefaultPreemption")
    );
}
