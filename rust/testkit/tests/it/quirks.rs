//! What kube-scheduler does and one would not expect: each claim was checked against the real one.

use bayplan_api::{
    LabelSelectorOperator, Namespace, Node, NodeSelectorOperator, NodeSelectorRequirement, Objects,
    Pod, PodAffinityTerm, PodDisruptionBudget, TaintEffect, UnsatisfiableConstraintAction,
};
use bayplan_testkit::builders::{
    NodeBuilder, PodBuilder, constraint, match_expression, match_labels, namespace, node,
    node_term, pod, term,
};
use bayplan_testkit::model::{Model, ModelDecision, ModelProfile};

const HOSTNAME: &str = "kubernetes.io/hostname";

fn decide(
    nodes: impl IntoIterator<Item = NodeBuilder>,
    pods: impl IntoIterator<Item = PodBuilder>,
) -> Vec<ModelDecision> {
    decide_in(nodes, pods, Vec::new(), Vec::new())
}

fn decide_in(
    nodes: impl IntoIterator<Item = NodeBuilder>,
    pods: impl IntoIterator<Item = PodBuilder>,
    namespaces: Vec<Namespace>,
    pod_disruption_budgets: Vec<PodDisruptionBudget>,
) -> Vec<ModelDecision> {
    let nodes: Vec<Node> = nodes
        .into_iter()
        .map(|node| {
            let mut node = node.allocatable("pods", "110").build();
            let name = node.metadata.name.clone();
            node.metadata.labels.insert(HOSTNAME.into(), name);
            node
        })
        .collect();
    let pods: Vec<Pod> = pods.into_iter().map(PodBuilder::build).collect();
    let objects = Objects { nodes, pods, namespaces, pod_disruption_budgets, ..Objects::default() };
    Model::new(&objects, ModelProfile::default()).run()
}

/// The reasons of the one decision for a node; none when it is feasible.
fn reasons<'d>(decisions: &'d [ModelDecision], node: &str) -> &'d [String] {
    let decision = decisions.first().unwrap();
    let status = decision.filter.get(node).and_then(Option::as_ref);
    status.map_or(&[], |status| &status.reasons)
}

#[test]
fn a_namespace_selector_that_matches_no_labels_matches_every_namespace() {
    let not_production = match_expression("env", LabelSelectorOperator::NotIn, &["prod"]);
    let everybody = PodAffinityTerm {
        namespace_selector: Some(not_production),
        ..term(HOSTNAME, Some(match_labels(&[])))
    };
    let decisions = decide_in(
        [node("n")],
        [pod("running").namespace("prod").on("n"), pod("waiting").anti_affinity(everybody)],
        vec![namespace("prod", &[("env", "prod")]), namespace("default", &[])],
        Vec::new(),
    );
    assert_eq!(reasons(&decisions, "n"), ["node(s) didn't match pod anti-affinity rules"]);
}

#[test]
fn of_two_pods_with_one_host_port_the_first_to_leave_frees_it() {
    let decisions = decide(
        [node("n")],
        [
            pod("stays").on("n").priority(100).host_port(80),
            pod("leaves").on("n").host_port(80),
            pod("waiting").priority(50).host_port(80),
        ],
    );
    let preemption = decisions.first().unwrap().preemption.as_ref().unwrap();
    assert_eq!(preemption.victims, ["default/leaves"]);
}

#[test]
fn a_budget_with_the_selector_of_everything_guards_nothing() {
    let budget = |selector| {
        let mut budget = PodDisruptionBudget::default();
        budget.metadata.namespace = "default".into();
        budget.selector = Some(selector);
        budget
    };
    let nodes = || [node("a").allocatable("cpu", "1"), node("b").allocatable("cpu", "1")];
    let pods = || {
        let filler = |name: &str| pod(name).label("app", name).request("cpu", "1");
        [
            filler("guarded").on("a").started(0),
            filler("free").on("b").started(1),
            pod("waiting").priority(1).request("cpu", "1"),
        ]
    };
    let node = |budget| {
        let decisions = decide_in(nodes(), pods(), Vec::new(), vec![budget]);
        decisions.first().unwrap().preemption.clone().unwrap().node
    };
    // Of equals the one that started last goes, so `b` in both cases but where its pod is guarded.
    assert_eq!(node(budget(match_labels(&[]))), "b");
    assert_eq!(node(budget(match_labels(&[("app", "free")]))), "a");
}

#[test]
fn a_preference_for_a_number_that_is_none_fails_the_pod() {
    let term = node_term(vec![NodeSelectorRequirement {
        key: "gen".into(),
        operator: NodeSelectorOperator::Gt,
        values: vec!["x".into()],
    }]);
    let waiting = || pod("waiting").prefers_node(1, term.clone());
    let two = decide([node("a"), node("b")], [waiting()]);
    let decision = two.first().unwrap();
    assert_eq!(decision.error.as_ref().unwrap().plugin, "NodeAffinity");
    assert_eq!(decision.chosen, None);
    // With one node left nothing is scored.
    let one = decide([node("a")], [waiting()]);
    assert_eq!(one.first().unwrap().chosen.as_deref(), Some("a"));
}

#[test]
fn the_spread_selector_of_everything_counts_nobody_but_the_pod_itself() {
    let hard = |selector| {
        constraint(1, HOSTNAME.into(), UnsatisfiableConstraintAction::DoNotSchedule, Some(selector))
    };
    let on_a = |selector| {
        decide(
            [node("a"), node("b")],
            [
                pod("running").label("app", "web").on("a"),
                pod("waiting").label("app", "web").spread(hard(selector)),
            ],
        )
    };
    assert_eq!(reasons(&on_a(match_labels(&[])), "a"), [""; 0]);
    assert_eq!(
        reasons(&on_a(match_labels(&[("app", "web")])), "a"),
        ["node(s) didn't match pod topology spread constraints"]
    );
}

#[test]
fn an_empty_tainted_domain_holds_the_minimum_at_zero() {
    let hard = constraint(
        1,
        HOSTNAME.into(),
        UnsatisfiableConstraintAction::DoNotSchedule,
        Some(match_labels(&[("app", "web")])),
    );
    let decisions = decide(
        [node("a"), node("closed").taint("dedicated", "db")],
        [
            pod("running").label("app", "web").on("a"),
            pod("waiting").label("app", "web").spread(hard),
        ],
    );
    assert_eq!(decisions.first().unwrap().chosen, None);
}

#[test]
fn the_fit_score_alone_ignores_pod_level_requests() {
    let nodes = || [node("n").allocatable("cpu", "1").allocatable("memory", "1Gi")];
    let score = |pod: PodBuilder| {
        let decisions = decide(nodes(), [pod]);
        let scores = &decisions.first().unwrap().raw_scores;
        let of = |plugin| scores.get(plugin).and_then(|nodes| nodes.get("n")).copied();
        (of("NodeResourcesFit"), of("NodeResourcesBalancedAllocation"))
    };
    let plain = score(pod("p").container("image"));
    let raised = score(pod("p").container("image").pod_request("cpu", "900m"));
    assert_eq!(plain.0, raised.0);
    assert_ne!(plain.1, raised.1);
}

#[test]
fn a_pod_without_requests_fits_an_overcommitted_node() {
    let nodes = || [node("n").allocatable("cpu", "1")];
    let running = || pod("running").on("n").request("cpu", "2");
    let fits =
        |pod: PodBuilder| decide(nodes(), [running(), pod]).first().unwrap().chosen.is_some();
    assert!(fits(pod("waiting")));
    assert!(fits(pod("waiting").request("cpu", "0")));
    assert!(!fits(pod("waiting").request("cpu", "1m")));
}

#[test]
fn equal_counts_of_disliked_taints_score_nothing_and_none_at_all_everything() {
    let disliked = |name: &str| node(name).taint_with("k", name, TaintEffect::PreferNoSchedule);
    let score = |nodes: [NodeBuilder; 2]| {
        let decisions = decide(nodes, [pod("p")]);
        let scores = &decisions.first().unwrap().scores["TaintToleration"];
        scores.values().copied().collect::<Vec<_>>()
    };
    assert_eq!(score([node("a"), node("b")]), [300, 300]);
    assert_eq!(score([disliked("a"), disliked("b")]), [0, 0]);
    assert_eq!(score([disliked("a"), node("b")]), [0, 300]);
}

#[test]
fn the_first_pod_of_a_group_may_go_anywhere_with_its_topology_key() {
    let together = term("zone", Some(match_labels(&[("app", "web")])));
    let first = pod("first").label("app", "web").affinity(together.clone());
    let decisions = decide([node("a"), node("b").label("zone", "z")], [first]);
    assert_eq!(decisions.first().unwrap().chosen.as_deref(), Some("b"));
    // Not so if it does not match its own term.
    let alone = pod("alone").label("app", "db").affinity(together);
    let decisions = decide([node("b").label("zone", "z")], [alone]);
    assert_eq!(decisions.first().unwrap().chosen, None);
}
