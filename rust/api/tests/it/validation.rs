//! Defaulting and validation against what Kubernetes v1.34.1 was recorded to say, and rule by rule.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Read;

use bayplan_api::json::{self, Decode};
use bayplan_api::{defaults::*, validation::*, *};

const RECORDED: &[u8] = include_bytes!("../../../../tests/data/validation/validation.tsv.gz");

fn decode<T: Decode>(text: &str) -> T {
    json::from_slice(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// What is wrong with a decoded and defaulted object; panics if defaulting differs from the recorded.
fn check<T: Decode + Debug + PartialEq + Clone>(
    text: &str,
    defaulted: &str,
    default: fn(&mut T),
    validate: fn(&T) -> Result<(), FieldError>,
) -> Option<String> {
    let mut object: T = decode(text);
    default(&mut object);
    let once = object.clone();
    default(&mut object);
    assert_eq!(object, once, "defaulting twice differs from once: {text}");
    if !defaulted.is_empty() {
        assert_eq!(object, decode::<T>(defaulted), "defaulting {text}");
    }
    validate(&object).err().map(|error| error.to_string())
}

fn check_kind(kind: &str, text: &str, defaulted: &str) -> Option<String> {
    fn none<T>(_: &mut T) {}
    match kind {
        "Pod" => check(text, defaulted, default_pod, validate_pod),
        "Node" => check(text, defaulted, default_node, validate_node),
        "Namespace" => check(text, defaulted, default_namespace, validate_namespace),
        "PersistentVolume" => {
            check(text, defaulted, default_persistent_volume, validate_persistent_volume)
        }
        "PersistentVolumeClaim" => check(
            text,
            defaulted,
            default_persistent_volume_claim,
            validate_persistent_volume_claim,
        ),
        "PriorityClass" => check(text, defaulted, default_priority_class, validate_priority_class),
        "Service" => check(text, defaulted, none, validate_service),
        "ReplicaSet" => check(text, defaulted, none, validate_replica_set),
        "ReplicationController" => check(text, defaulted, none, validate_replication_controller),
        "StatefulSet" => check(text, defaulted, none, validate_stateful_set),
        "StorageClass" => check(text, defaulted, none, validate_storage_class),
        "CSINode" => check(text, defaulted, none, validate_csi_node),
        "CSIDriver" => check(text, defaulted, none, validate_csi_driver),
        "CSIStorageCapacity" => check(text, defaulted, none, validate_csi_storage_capacity),
        "VolumeAttachment" => check(text, defaulted, none, validate_volume_attachment),
        "PodDisruptionBudget" => check(text, defaulted, none, validate_pod_disruption_budget),
        _ => panic!("{kind}"),
    }
}

#[test]
fn agrees_with_every_recorded_verdict_and_default() {
    let mut table = String::new();
    flate2::read::GzDecoder::new(RECORDED).read_to_string(&mut table).expect("gzipped UTF-8");
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let [kind, verdict, text, defaulted] = *line.split('\t').collect::<Vec<_>>() else {
            panic!("{line}");
        };
        let error = check_kind(kind, text, defaulted);
        assert_eq!(error.is_none(), verdict == "ok", "{kind}: {error:?}: {text}");
        *counts.entry((kind, verdict)).or_default() += 1;
    }
    assert_eq!(counts.len(), 32, "16 kinds, good and bad: {counts:?}");
    assert!(counts.values().sum::<usize>() > 2000, "{counts:?}");
}

/// A pod with `spec` after its containers, checked as it would be read.
fn pod_error(spec: &str) -> String {
    let text = format!(
        r#"{{"metadata": {{"name": "p", "labels": {{"app": "a"}}}}, "spec": {{"containers": [{{"name": "c"}}], {spec}}}}}"#
    );
    check_kind("Pod", &text, "").unwrap_or_default()
}

fn container_error(container: &str) -> String {
    pod_error(&format!(r#""containers": [{{"name": "c", {container}}}]"#))
}

/// Each `(input, start of the error)`; an empty error is none.
fn all(check: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    for (input, expected) in cases {
        let error = check(input);
        let fits = if expected.is_empty() { error.is_empty() } else { error.starts_with(expected) };
        assert!(fits, "{input}\n got {error:?}\nwant {expected:?}");
    }
}

#[test]
fn tolerations_need_an_operator_that_goes_with_key_value_and_effect() {
    all(
        pod_error,
        &[
            (r#""tolerations": [{"operator": "Exists"}]"#, ""),
            (r#""tolerations": [{"key": "k", "value": "v", "effect": ""}]"#, ""),
            (
                r#""tolerations": [{"key": "k"}, {"value": "v"}]"#,
                r#"spec.tolerations[1].operator: Invalid value: "Equal": must be Exists when the key is empty"#,
            ),
            (
                r#""tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]"#,
                r#"spec.tolerations[0].value: Invalid value: "v": must be empty when the operator is Exists"#,
            ),
            (
                r#""tolerations": [{"key": "k", "effect": "NoSchedule", "tolerationSeconds": 5}]"#,
                r#"spec.tolerations[0].effect: Invalid value: "NoSchedule": must be NoExecute"#,
            ),
            (
                r#""tolerations": [{"key": "k/"}]"#,
                r#"spec.tolerations[0].key: Invalid value: "k/": must be"#,
            ),
            (
                r#""tolerations": [{"key": "k", "value": "a b"}]"#,
                r#"spec.tolerations[0].value: Invalid value: "a b": must be"#,
            ),
        ],
    );
}

#[test]
fn node_affinity_needs_operators_that_go_with_their_values() {
    let required = |term: &str| {
        pod_error(&format!(
            r#""affinity": {{"nodeAffinity": {{"requiredDuringSchedulingIgnoredDuringExecution": {{"nodeSelectorTerms": [{term}]}}}}}}"#
        ))
        .replace(
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
            "terms",
        )
    };
    all(
        required,
        &[
            ("", "terms: Required value: must have at least one term"),
            ("{}", ""),
            (r#"{"matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}"#, ""),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["not-a-number"]}]}"#,
                "",
            ),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "In"}]}"#,
                "terms[0].matchExpressions[0].values: Required value: the operators In and NotIn",
            ),
            (
                r#"{}, {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}"#,
                "terms[1].matchExpressions[0].values: Forbidden: the operators Exists and DoesNotExist",
            ),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "Lt", "values": ["1", "2"]}]}"#,
                "terms[0].matchExpressions[0].values: Required value: the operators Gt and Lt need exactly",
            ),
            (
                r#"{"matchExpressions": [{"key": "", "operator": "Exists"}]}"#,
                r#"terms[0].matchExpressions[0].key: Invalid value: """#,
            ),
            (
                r#"{"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x", "a/b"]}]}"#,
                r#"terms[0].matchExpressions[0].values[1]: Invalid value: "a/b""#,
            ),
            (
                r#"{"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n"]}]}"#,
                "",
            ),
            (
                r#"{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n", "m"]}]}"#,
                "terms[0].matchFields[0].values: Required value: matchFields needs exactly one value",
            ),
            (
                r#"{"matchFields": [{"key": "metadata.name", "operator": "Exists"}]}"#,
                r#"terms[0].matchFields[0].operator: Invalid value: "Exists": matchFields takes"#,
            ),
            (
                r#"{"matchFields": [{"key": "spec.x", "operator": "In", "values": ["n"]}]}"#,
                r#"terms[0].matchFields[0].key: Invalid value: "spec.x": matchFields takes the key"#,
            ),
            (
                r#"{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["N"]}]}"#,
                r#"terms[0].matchFields[0].values[0]: Invalid value: "N""#,
            ),
        ],
    );
}

#[test]
fn label_values_of_required_terms_are_let_through_once_the_pod_has_a_node() {
    let term = r#""affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms":
        [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["a/b"]}]}]}}}"#;
    assert!(pod_error(term).contains("values[0]: Invalid value: \"a/b\""));
    assert_eq!(pod_error(&format!(r#""nodeName": "n", {term}"#)), "");
}

#[test]
fn pod_affinity_terms_need_a_topology_key_valid_selectors_and_a_weight() {
    let term = |term: &str| {
        pod_error(&format!(
            r#""affinity": {{"podAntiAffinity": {{"requiredDuringSchedulingIgnoredDuringExecution": [{term}]}}}}"#
        ))
        .replace("spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution", "terms")
    };
    all(
        term,
        &[
            (r#"{"topologyKey": "zone"}"#, ""),
            (r#"{"topologyKey": "zone", "labelSelector": {}, "namespaceSelector": {}}"#, ""),
            ("{}", "terms[0].topologyKey: Required value: must not be empty"),
            (r#"{"topologyKey": "a b"}"#, r#"terms[0].topologyKey: Invalid value: "a b""#),
            (
                r#"{"topologyKey": "z", "namespaces": ["a.b"]}"#,
                r#"terms[0].namespaces[0]: Invalid value: "a.b""#,
            ),
            (
                r#"{"topologyKey": "z", "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}"#,
                "terms[0].namespaceSelector.matchExpressions[0].values: Required value",
            ),
            (
                r#"{"topologyKey": "z", "labelSelector": {"matchLabels": {"a": "b c"}}}"#,
                r#"terms[0].labelSelector.matchLabels[a]: Invalid value: "b c""#,
            ),
            (
                r#"{"topologyKey": "z", "matchLabelKeys": ["app"]}"#,
                "terms[0].matchLabelKeys: Forbidden: needs a labelSelector",
            ),
            (
                r#"{"topologyKey": "z", "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In",
                    "values": ["a"]}]}, "matchLabelKeys": ["app"]}"#,
                "",
            ),
            (
                r#"{"topologyKey": "z", "labelSelector": {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "app",
                    "operator": "In", "values": ["a"]}]}, "matchLabelKeys": ["app"]}"#,
                r#"terms[0].matchLabelKeys[0]: Invalid value: "app": stands in both matchLabelKeys and labelSelector"#,
            ),
            (
                r#"{"topologyKey": "z", "labelSelector": {}, "matchLabelKeys": ["x", "app"], "mismatchLabelKeys": ["app"]}"#,
                r#"terms[0].matchLabelKeys[1]: Invalid value: "app": stands in both matchLabelKeys and mismatch"#,
            ),
        ],
    );
    let weighted = |weight: &str| {
        pod_error(&format!(
            r#""affinity": {{"podAffinity": {{"preferredDuringSchedulingIgnoredDuringExecution":
                [{{"weight": {weight}, "podAffinityTerm": {{"topologyKey": "z"}}}}]}}}}"#
        ))
        .replace(
            "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution",
            "terms",
        )
    };
    all(
        weighted,
        &[
            ("1", ""),
            ("100", ""),
            ("0", "terms[0].weight: Invalid value: 0: must be in the range 1-100"),
            ("101", "terms[0].weight: Invalid value: 101: must be in the range 1-100"),
        ],
    );
}

#[test]
fn spread_constraints_have_a_skew_a_key_and_come_once() {
    let constraints = |list: &str| {
        pod_error(&format!(r#""topologySpreadConstraints": [{list}]"#))
            .replace("spec.topologySpreadConstraints", "at")
    };
    let zone = r#""maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule""#;
    let soft = r#""maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway""#;
    all(
        constraints,
        &[
            (&format!("{{{zone}}}, {{{soft}}}"), ""),
            (&format!(r#"{{{zone}, "minDomains": 1}}"#), ""),
            (
                &format!("{{{soft}}}, {{{zone}}}, {{{zone}}}"),
                r#"at[2].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}""#,
            ),
            (
                &format!(r#"{{{soft}, "minDomains": 1}}"#),
                "at[0].minDomains: Invalid value: 1: needs whenUnsatisfiable: DoNotSchedule",
            ),
            (
                &format!(r#"{{{zone}, "minDomains": 0}}"#),
                "at[0].minDomains: Invalid value: 0: must be greater than 0",
            ),
            (
                r#"{"maxSkew": 0, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}"#,
                "at[0].maxSkew: Invalid value: 0: must be greater than 0",
            ),
            (
                r#"{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}"#,
                "at[0].topologyKey: Required value: must not be empty",
            ),
            (
                &format!(r#"{{{zone}, "labelSelector": {{"matchLabels": {{"a b": ""}}}}}}"#),
                r#"at[0].labelSelector.matchLabels: Invalid value: "a b""#,
            ),
            (&format!(r#"{{{zone}, "matchLabelKeys": ["x"]}}"#), "at[0].matchLabelKeys: Forbidden"),
        ],
    );
}

#[test]
fn containers_ask_for_named_resources_within_their_limits() {
    all(
        container_error,
        &[
            (r#""resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "0.1"}}"#, ""),
            (
                r#""resources": {"limits": {"example.com/gpu": 2, "hugepages-2Mi": "4Mi", "memory": "1Gi"}}"#,
                "",
            ),
            (
                r#""resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}"#,
                r#"spec.containers[0].resources.requests[cpu]: Invalid value: "2": must be no more than the limit of cpu, 1500m"#,
            ),
            (
                r#""resources": {"requests": {"cpu": "-1"}}"#,
                r#"spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0"#,
            ),
            (
                r#""resources": {"requests": {"example.com/gpu": "1"}}"#,
                "spec.containers[0].resources.limits[example.com/gpu]: Required value: a resource that cannot be",
            ),
            (
                r#""resources": {"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "2"}}"#,
                r#"spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "1": must be equal to the limit"#,
            ),
            (
                r#""resources": {"limits": {"example.com/gpu": "500m"}}"#,
                r#"spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer"#,
            ),
            (
                r#""resources": {"requests": {"gpu": "1"}}"#,
                r#"spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be cpu, memory"#,
            ),
            (
                r#""resources": {"requests": {"requests.example.com/gpu": "1"}}"#,
                r"spec.containers[0].resources.requests[requests.example.com/gpu]: Invalid value",
            ),
            (
                r#""resources": {"limits": {"hugepages-2Mi": "3Mi", "cpu": "1"}}"#,
                r#"spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": must be a whole number"#,
            ),
            (
                r#""resources": {"limits": {"hugepages-2Mi": "4Mi"}}"#,
                "spec.containers[0].resources: Forbidden: huge pages need cpu or memory",
            ),
        ],
    );
}

#[test]
fn a_pod_as_a_whole_asks_for_no_less_than_its_containers() {
    let pod = |resources: &str| {
        pod_error(&format!(
            r#""containers": [{{"name": "c", "resources": {{"requests": {{"cpu": "1"}}, "limits": {{"cpu": "3"}}}}}},
                {{"name": "d", "resources": {{"requests": {{"cpu": "1"}}}}}}], "resources": {resources}"#
        ))
    };
    all(
        pod,
        &[
            (r#"{"requests": {"cpu": "2"}}"#, ""),
            (r#"{"limits": {"cpu": "3"}}"#, ""),
            (
                r#"{"requests": {"cpu": "1500m"}}"#,
                r#"spec.resources.requests[cpu]: Invalid value: "1500m": must be no less than the sum of the containers, 2"#,
            ),
            (
                r#"{"limits": {"cpu": "2"}}"#,
                r#"spec.resources.containers[0].limits[cpu]: Invalid value: "3": must be no more than the limit of the pod, 2"#,
            ),
            (
                r#"{"limits": {"ephemeral-storage": "2"}}"#,
                r#"spec.resources.limits[ephemeral-storage]: Unsupported value: "ephemeral-storage": supported values: "cpu""#,
            ),
        ],
    );
}

#[test]
fn ports_are_in_range_and_claimed_once() {
    all(
        container_error,
        &[
            (r#""ports": [{"containerPort": 80}, {"containerPort": 65535, "hostPort": 1}]"#, ""),
            (
                r#""ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 80, "hostPort": 80, "protocol": "UDP"}]"#,
                "",
            ),
            (
                r#""ports": [{"hostPort": 80}]"#,
                "spec.containers[0].ports[0].containerPort: Required value",
            ),
            (
                r#""ports": [{"containerPort": 65536}]"#,
                "spec.containers[0].ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535",
            ),
            (
                r#""ports": [{"containerPort": 80, "hostPort": -1}]"#,
                "spec.containers[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535",
            ),
            (
                r#""ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]"#,
                r#"spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80""#,
            ),
        ],
    );
    all(
        pod_error,
        &[
            (
                r#""hostNetwork": true, "containers": [{"name": "c", "ports": [{"containerPort": 80}]}]"#,
                "",
            ),
            (
                r#""hostNetwork": true, "containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 81}]}]"#,
                "spec.containers[0].ports[0].hostPort: Invalid value: 81: must be the containerPort",
            ),
            (
                r#""initContainers": [{"name": "i", "ports": [{"containerPort": 80, "hostPort": 80},
                    {"containerPort": 81, "hostPort": 80}]}]"#,
                r#"spec.initContainers[0].ports[1].hostPort: Duplicate value: "TCP//80""#,
            ),
        ],
    );
}

#[test]
fn the_rest_of_a_pod_is_named_as_dns_and_labels_allow() {
    all(
        pod_error,
        &[
            (
                r#""containers": []"#,
                "spec.containers: Required value: a pod needs at least one container",
            ),
            (r#""containers": [{}]"#, ""),
            (
                r#""initContainers": [{"name": "c"}]"#,
                r#"spec.initContainers[0].name: Duplicate value: "c""#,
            ),
            (r#""nodeSelector": {"a/b/c": ""}"#, r#"spec.nodeSelector: Invalid value: "a/b/c""#),
            (r#""nodeSelector": {"a": "b c"}"#, r#"spec.nodeSelector[a]: Invalid value: "b c""#),
            (r#""nodeName": "A""#, r#"spec.nodeName: Invalid value: "A""#),
            (r#""priorityClassName": "A""#, r#"spec.priorityClassName: Invalid value: "A""#),
            (r#""schedulingGates": [{"name": "a"}, {"name": "example.com/b"}]"#, ""),
            (
                r#""schedulingGates": [{"name": "a"}, {"name": "a"}]"#,
                r#"spec.schedulingGates[1]: Duplicate value: "a""#,
            ),
            (
                r#""schedulingGates": [{"name": "a b"}]"#,
                r#"spec.schedulingGates[0]: Invalid value: "a b""#,
            ),
            (
                r#""schedulingGates": [{"name": "a"}], "nodeName": "n""#,
                "spec.nodeName: Forbidden: a pod with scheduling gates has no node",
            ),
            (r#""overhead": {"cpu": "-1"}"#, r#"spec.overhead.limits[cpu]: Invalid value: "-1""#),
            (
                r#""volumes": [{"name": "v"}, {"name": "v"}]"#,
                r#"spec.volumes[1].name: Duplicate value: "v""#,
            ),
            (
                r#""volumes": [{"name": "v", "persistentVolumeClaim": {}}]"#,
                "spec.volumes[0].persistentVolumeClaim.claimName: Required value",
            ),
        ],
    );
}

#[test]
fn metadata_is_needed_and_named() {
    let node = |metadata: &str| {
        check_kind("Node", &format!(r#"{{"metadata": {metadata}}}"#), "").unwrap_or_default()
    };
    all(
        node,
        &[
            (r#"{"name": "n"}"#, ""),
            ("{}", "metadata.name: Required value: an object needs a name"),
            (r#"{"name": "a/b"}"#, r#"metadata.name: Invalid value: "a/b": must be a subdomain"#),
            (r#"{"name": "A"}"#, r#"metadata.name: Invalid value: "A": must be a subdomain"#),
            (r#"{"name": "n", "labels": {"-": ""}}"#, r#"metadata.labels: Invalid value: "-""#),
            (r#"{"name": "n", "labels": {"a": "-"}}"#, r#"metadata.labels[a]: Invalid value: "-""#),
        ],
    );
}

#[test]
fn nodes_have_valid_taints_once_and_amounts_that_can_be() {
    let node = |rest: &str| {
        check_kind("Node", &format!(r#"{{"metadata": {{"name": "n"}}, {rest}}}"#), "")
            .unwrap_or_default()
    };
    all(
        node,
        &[
            (
                r#""spec": {"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}]}"#,
                "",
            ),
            (
                r#""spec": {"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoSchedule"}]}"#,
                r#"spec.taints[1]: Duplicate value: "a:NoSchedule""#,
            ),
            (
                r#""spec": {"taints": [{"effect": "NoSchedule"}]}"#,
                r#"spec.taints[0].key: Invalid value: """#,
            ),
            (
                r#""status": {"allocatable": {"cpu": "-1"}}"#,
                r#"status.allocatable[cpu]: Invalid value: "-1": must be greater than or equal to 0"#,
            ),
            (
                r#""status": {"capacity": {"pods": "1.5"}}"#,
                r#"status.capacity[pods]: Invalid value: "1500m": must be an integer"#,
            ),
            (r#""spec": {"podCIDRs": ["10.0.0.0/8", "fd00::/64"]}"#, ""),
            (
                r#""spec": {"podCIDRs": ["10.0.0.0/8", "10.1.0.0/16"]}"#,
                r#"spec.podCIDRs[1]: Invalid value: "10.1.0.0/16": there may be one"#,
            ),
            (r#""spec": {"podCIDR": "10.0.0.0"}"#, r#"spec.podCIDR: Invalid value: "10.0.0.0""#),
        ],
    );
}

fn priorities(pods: &[&str], classes: &[&str]) -> Result<Vec<Pod>, UnknownPriorityClass> {
    let mut pods: Vec<Pod> =
        pods.iter().map(|spec| decode(&format!(r#"{{"spec": {spec}}}"#))).collect();
    let mut classes: Vec<PriorityClass> = classes.iter().map(|class| decode(class)).collect();
    classes.iter_mut().for_each(default_priority_class);
    resolve_priorities(&mut pods, &classes)?;
    Ok(pods)
}

#[test]
fn priorities_come_from_the_class_the_default_class_or_are_zero() {
    let classes = [
        r#"{"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}"#,
        r#"{"metadata": {"name": "normal"}, "value": 50, "globalDefault": true}"#,
        r#"{"metadata": {"name": "less"}, "value": 40, "globalDefault": true}"#,
    ];
    let pods = [
        "{}",
        r#"{"priorityClassName": "high"}"#,
        r#"{"priorityClassName": "system-node-critical"}"#,
        r#"{"priorityClassName": "system-cluster-critical"}"#,
        r#"{"priority": 7}"#,
        r#"{"priority": 7, "priorityClassName": "gone"}"#,
        r#"{"preemptionPolicy": "Never"}"#,
    ];
    let resolved = |pods: Vec<Pod>| -> Vec<(i32, String, Option<PreemptionPolicy>)> {
        pods.into_iter()
            .map(|pod| {
                let spec = pod.spec;
                let priority = spec.priority.expect("resolved");
                (priority, spec.priority_class_name.to_string(), spec.preemption_policy)
            })
            .collect()
    };
    let lower = Some(PreemptionPolicy::PreemptLowerPriority);
    let never = Some(PreemptionPolicy::Never);
    assert_eq!(
        resolved(priorities(&pods, &classes).expect("all classes are there")),
        [
            (40, "less".to_owned(), lower),
            (1000, "high".to_owned(), never),
            (2_000_001_000, "system-node-critical".to_owned(), lower),
            (2_000_000_000, "system-cluster-critical".to_owned(), lower),
            (7, String::new(), None),
            (7, "gone".to_owned(), None),
            (40, "less".to_owned(), never),
        ]
    );
    assert_eq!(
        resolved(priorities(&["{}"], &[]).expect("no class is needed")),
        [(0, String::new(), lower)]
    );
}

#[test]
fn a_class_that_is_not_there_is_an_error_and_changes_no_pod() {
    let error = priorities(&["{}", r#"{"priorityClassName": "gone"}"#], &[]).unwrap_err();
    assert_eq!((error.pod, &*error.class), (1, "gone"));
    assert_eq!(
        error.to_string(),
        "spec.priorityClassName: Not found: no PriorityClass with name \"gone\" was found"
    );
}

#[test]
fn requests_of_the_whole_pod_count_the_largest_stage() {
    let mut pod: Pod = decode(
        r#"{"spec": {"resources": {"limits": {"cpu": "10", "memory": "1Gi"}},
            "containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "500m"}}}],
            "initContainers": [
                {"resources": {"requests": {"cpu": "1"}}},
                {"restartPolicy": "Always", "resources": {"requests": {"cpu": "250m"}}},
                {"resources": {"requests": {"cpu": "3"}}}]}}"#,
    );
    default_pod(&mut pod);
    let resources = pod.spec.resources.expect("still there");
    let requests: Vec<_> =
        resources.requests.iter().map(|(name, quantity)| format!("{name}={quantity}")).collect();
    // The last init container beside the sidecar needs 3.25, more than all that run later.
    assert_eq!(requests, ["cpu=3250m", "memory=1Gi"]);
}

#[test]
fn long_lists_are_checked_in_reasonable_time() {
    let taint = |index: usize| format!(r#"{{"key": "k{index}", "effect": "NoSchedule"}}"#);
    let taints: Vec<String> = (0..100_000).map(taint).collect();
    let mut node =
        format!(r#"{{"metadata": {{"name": "n"}}, "spec": {{"taints": [{}]}}}}"#, taints.join(","));
    assert_eq!(check_kind("Node", &node, ""), None);
    node = node.replace("\"k99999\"", "\"k0\"");
    let error = check_kind("Node", &node, "").expect("a duplicate");
    assert_eq!(error, "spec.taints[99999]: Duplicate value: \"k0:NoSchedule\"");
}
