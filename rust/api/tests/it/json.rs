//! The JSON decoder.

use bayplan_api::json::{self, Decode, Problem, Syntax};
use bayplan_api::{
    Node, NodeSelectorOperator, PersistentVolume, PersistentVolumeSource, Pod, PodPhase, Protocol,
    ReplicationController, TaintEffect, TolerationOperator, VolumeSource,
};
use proptest::prelude::*;

fn read<T: Decode>(text: &str) -> T {
    json::from_slice(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}\n{text}"))
}

/// Whether the text is JSON, asked of the scanner that passes over unread fields.
fn is_json(bytes: &[u8]) -> bool {
    json::from_slice::<()>(bytes).is_ok()
}

#[test]
fn a_pod_is_read_with_all_that_scheduling_looks_at() {
    let pod: Pod = read(
        r#"{
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "shop", "uid": "u", "resourceVersion": "7",
            "labels": {"b": "2", "a": "1", "b": "3"}, "annotations": null, "creationTimestamp": null,
            "deletionTimestamp": "1970-01-01T00:00:01Z",
            "managedFields": [{"fieldsV1": {"f:a": {"k:{\"x\":1}": {}}}}],
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "o", "controller": true}]},
        "spec": {"nodeName": null, "hostNetwork": true, "priority": -5, "overhead": {"cpu": 0.25},
            "tolerations": [{"operator": "Exists"}, {"key": "k", "value": "v", "operator": "", "effect": "", "tolerationSeconds": 300}],
            "containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "\u0041\ud83d\ude00"}],
                "resources": {"requests": {"cpu": "100m", "memory": 1048576}, "claims": []},
                "ports": [{"hostPort": 80, "containerPort": 8080, "protocol": "UDP"}, {"containerPort": 1}]}],
            "initContainers": [{"name": "side", "restartPolicy": "Always"}, {"name": "init"}],
            "schedulingGates": [{"name": "g"}], "resourceClaims": [{"name": "rc", "resourceClaimName": "x"}],
            "volumes": [{"name": "a", "configMap": {}}, {"persistentVolumeClaim": {"claimName": "data", "readOnly": true}, "name": "b"},
                {"name": "c", "rbd": {"image": "img", "monitors": ["m1", "m2"]}}, {"name": "d", "nfs": {"path": "/"}}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}
        }"#,
    );
    assert_eq!(pod.metadata.labels.len(), 2);
    assert_eq!(pod.metadata.labels.get("b").map(|b| &**b), Some("3"), "the last one counts");
    assert_eq!(pod.metadata.deletion_timestamp.map(|time| time.unix_nanos), Some(1_000_000_000));
    assert_eq!(pod.metadata.creation_timestamp, None);
    assert!(pod.metadata.controller().is_some());
    assert_eq!(pod.spec.node_name, "");
    assert_eq!(pod.spec.priority, Some(-5));
    assert!(pod.spec.host_network);
    assert_eq!(pod.spec.overhead.get("cpu").map(bayplan_api::Quantity::milli_value), Some(250));
    assert_eq!(pod.spec.tolerations[0].operator, TolerationOperator::Exists);
    assert_eq!(pod.spec.tolerations[1].operator, TolerationOperator::Equal);
    assert_eq!(pod.spec.tolerations[1].effect, None);
    let container = &pod.spec.containers[0];
    assert_eq!(
        container.resources.requests.get("cpu").map(bayplan_api::Quantity::milli_value),
        Some(100)
    );
    assert_eq!(
        container.resources.requests.get("memory").map(bayplan_api::Quantity::value),
        Some(1 << 20)
    );
    assert_eq!(container.ports[0].protocol, Protocol::Udp);
    assert_eq!(container.ports[1].protocol, Protocol::Tcp);
    assert!(pod.spec.init_containers[0].restart_policy_always);
    assert!(!pod.spec.init_containers[1].restart_policy_always);
    assert_eq!(pod.spec.scheduling_gates, ["g"]);
    assert_eq!(pod.spec.resource_claims, ["rc"]);
    assert_eq!(pod.spec.volumes[0].source, VolumeSource::Other);
    assert_eq!(
        pod.spec.volumes[1].source,
        VolumeSource::PersistentVolumeClaim { claim_name: "data".into(), read_only: true }
    );
    let rbd = VolumeSource::Rbd {
        monitors: vec!["m1".into(), "m2".into()],
        image: "img".into(),
        pool: "rbd".into(),
        read_only: false,
    };
    assert_eq!(pod.spec.volumes[2].source, rbd);
    assert_eq!(pod.spec.volumes[3].source, VolumeSource::Nfs);
    assert_eq!(pod.status.phase, PodPhase::Running);
    assert_eq!(pod.status.pod_ips, ["10.0.0.1", "fd00::1"]);
    assert_eq!(pod.status.conditions.len(), 1);
    assert_eq!(pod.status.conditions[0].reason, "Unschedulable");
}

#[test]
fn other_kinds_are_read() {
    let node: Node = read(
        r#"{"spec": {"taints": [{"key": "k", "effect": "NoExecute"}], "podCIDRs": ["10.0.0.0/24"]},
            "status": {"images": [{"names": ["a", "b"], "sizeBytes": 5}], "nodeInfo": {"kubeletVersion": "v1.34.1"}}}"#,
    );
    assert_eq!(node.spec.taints[0].effect, TaintEffect::NoExecute);
    assert_eq!(node.status.images[0].size_bytes, 5);
    assert_eq!(node.status.kubelet_version, "v1.34.1");

    let controller: ReplicationController =
        read(r#"{"spec": {"selector": {}, "template": {"metadata": {"labels": {"a": "1"}}}}}"#);
    assert!(controller.selector.contains_key("a"), "the template's labels stand in");

    let volume: PersistentVolume = read(
        r#"{"spec": {"csi": {"driver": "d", "volumeHandle": "h"}, "nodeAffinity": {"required":
            {"nodeSelectorTerms": [{"matchExpressions": [{"key": "n", "operator": "Gt", "values": ["3"]}]}]}}}}"#,
    );
    assert_eq!(
        volume.spec.source,
        PersistentVolumeSource::Csi { driver: "d".into(), volume_handle: "h".into() }
    );
    let terms = volume.spec.node_affinity.expect("an affinity").node_selector_terms;
    assert_eq!(terms[0].match_expressions[0].operator, NodeSelectorOperator::Gt);
}

#[test]
fn a_fault_names_path_problem_and_value() {
    let cases = [
        (
            r#"{"spec": {"containers": [{}, {"resources": {"requests": {"cpu": "12parsecs"}}}]}}"#,
            r"spec.containers[1].resources.requests[cpu]: ",
            r#""12parsecs""#,
        ),
        (
            r#"{"metadata": {"labels": {"app.kubernetes.io/name": 5}}}"#,
            "metadata.labels[app.kubernetes.io/name]: expected a string, found a number",
            "5",
        ),
        (
            r#"{"spec": {"tolerations": [{"operator": "Like"}]}}"#,
            "spec.tolerations[0].operator: unknown operator, expected Equal or Exists",
            r#""Like""#,
        ),
        (
            r#"{"spec": {"topologySpreadConstraints": [{"maxSkew": 1}]}}"#,
            "spec.topologySpreadConstraints[0].whenUnsatisfiable: required, but absent",
            "",
        ),
        (
            r#"{"spec": {"priority": 2147483648}}"#,
            "spec.priority: out of range for a 32-bit integer",
            "2147483648",
        ),
        (
            r#"{"spec": {"priority": 1.0}}"#,
            "spec.priority: expected a 32-bit integer, found a number with a fraction or an exponent",
            "1.0",
        ),
        (
            r#"{"spec": {"priority": "1"}}"#,
            "spec.priority: expected a 32-bit integer, found a string",
            r#""1""#,
        ),
        (
            r#"{"spec": {"hostNetwork": 1}}"#,
            "spec.hostNetwork: expected true or false, found a number",
            "1",
        ),
        (
            r#"{"spec": {"containers": {"a": 1}}}"#,
            "spec.containers: expected a list, found an object",
            r#"{"a": 1}"#,
        ),
        (r#"{"spec": [1, 2]}"#, "spec: expected an object, found a list", "[1, 2]"),
        (
            r#"{"status": {"startTime": "today"}}"#,
            "status.startTime: not an RFC 3339 time",
            r#""today""#,
        ),
        (
            r#"{"spec": {"volumes": [{"name": "a", "iscsi": {"lun": true}}]}}"#,
            "spec.volumes[0].iscsi.lun: expected a 32-bit integer, found a boolean",
            "true",
        ),
        (
            r#"{"status": {"podIPs": [{"ip": []}]}}"#,
            "status.podIPs[0].ip: expected a string, found a list",
            "[]",
        ),
    ];
    for (text, message, value) in cases {
        let fault = json::from_slice::<Pod>(text.as_bytes()).expect_err(text);
        assert!(fault.to_string().starts_with(message), "{fault}\n{message}");
        assert_eq!(fault.text(), value, "{text}");
        if !value.is_empty() {
            assert!(text[fault.offset()..].starts_with(value), "{text}: {}", fault.offset());
        }
    }
}

#[test]
fn long_values_are_shortened() {
    let text = format!(r#"{{"spec": "{}\n{}"}}"#, "é".repeat(500), "x".repeat(500));
    let fault = json::from_slice::<Pod>(text.as_bytes()).expect_err("not an object");
    assert!(fault.text().chars().count() <= 81, "{}", fault.text());
    assert!(fault.text().ends_with('…'));
}

#[test]
fn syntax_is_checked_in_fields_that_nobody_reads() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let good = [
        "0",
        "-0",
        "1.5e+10",
        "\"\\ud83d\\ude00\"",
        "[]",
        "[ ]",
        "{ }",
        "{\"a\" : [1 ,2]}",
        "\"\u{7f}é\"",
        "[\"\"]",
        "true",
        "false",
        "null",
    ];
    for text in good.iter().map(|text| (*text).to_owned()).chain([deep(500)]) {
        let object = format!("{{\"unread\":\t{text}\r\n}}");
        assert!(json::from_slice::<Pod>(object.as_bytes()).is_ok(), "{object}");
    }
    let bad: [(&[u8], Syntax); 30] = [
        (b"tru", Syntax::Word),
        (b"nul}", Syntax::Word),
        (b"truex", Syntax::CommaOrBrace),
        (b"01", Syntax::Number),
        (b"1.", Syntax::Number),
        (b".5", Syntax::Value),
        (b"+1", Syntax::Value),
        (b"1e", Syntax::Number),
        (b"-", Syntax::Number),
        (b"0x10", Syntax::Number),
        (b"NaN", Syntax::Value),
        (b"'a'", Syntax::Value),
        (b"", Syntax::Value),
        (b"[1,]", Syntax::Value),
        (b"[1 2]", Syntax::CommaOrBracket),
        (b"[1}", Syntax::CommaOrBracket),
        (b"{1:2}", Syntax::Key),
        (b"{\"a\"}", Syntax::Colon),
        (b"{\"a\" 1}", Syntax::Colon),
        (b"{\"a\":1,}", Syntax::Key),
        (b"{\"a\":1]", Syntax::CommaOrBrace),
        (b"{\"a\":1 \"b\":2}", Syntax::CommaOrBrace),
        (b"\"a\nb\"", Syntax::Control),
        (b"\"12345678\x01\"", Syntax::Control),
        (b"\"\\x\"", Syntax::Escape),
        (b"\"\\u12g4\"", Syntax::Escape),
        (b"\"\\ud800\"", Syntax::Surrogate),
        (b"\"\\udc00\\ud800\"", Syntax::Surrogate),
        (b"\"ab\xffcd\"", Syntax::Utf8),
        (b"\"\xed\xa0\x80\"", Syntax::Utf8),
    ];
    for (text, expected) in bad {
        let object = [b"{\"unread\": ", text, b"}"].concat();
        let fault = json::from_slice::<Pod>(&object).expect_err("bad syntax");
        let shown = String::from_utf8_lossy(text);
        assert_eq!(*fault.problem(), Problem::Syntax(expected), "{shown}");
    }
    let too_deep = format!("{{\"unread\": {}}}", deep(513));
    let fault = json::from_slice::<Pod>(too_deep.as_bytes()).expect_err("deep");
    assert_eq!(*fault.problem(), Problem::Syntax(Syntax::Depth));
    // a million brackets: an error, not a stack overflow
    assert!(!is_json("[".repeat(1 << 20).as_bytes()));
    assert!(!is_json("{\"a\":".repeat(1 << 20).as_bytes()));
}

#[test]
fn numbers_of_any_length_are_passed_over_but_not_read() {
    let digits = "9".repeat(100_000);
    assert!(is_json(digits.as_bytes()));
    let text = format!(r#"{{"spec": {{"priority": {digits}}}}}"#);
    let fault = json::from_slice::<Pod>(text.as_bytes()).expect_err("too large");
    assert_eq!(*fault.problem(), Problem::Range { expected: "a 32-bit integer" });
}

/// JSON texts with white space, escapes and odd strings, as `serde_json` makes values of them.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (-1e300f64..1e300).prop_map(|value| format!("{value:e}")),
        ".{0,20}".prop_map(|text: String| serde_json::Value::from(text).to_string()),
        "(\\\\[\"\\\\/bfnrt]|\\\\u[0-7][0-9a-fA-F]{3}|[ -!#-\\[\\]-~é]){0,12}"
            .prop_map(|text| format!("\"{text}\"")),
    ];
    let space =
        prop_oneof![Just(""), Just(" "), Just("\n    "), Just("\t\r\n"), Just("            \n  ")];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..6), space.clone()).prop_map(
                |(items, space)| format!(
                    "[{space}{}{space}]",
                    items.join(&format!("{space},{space}"))
                )
            ),
            (prop::collection::vec(("[a-z\\\\]{0,12}", inner), 0..6), space.clone()).prop_map(
                |(members, space)| {
                    let members: Vec<String> = members
                        .into_iter()
                        .map(|(name, value)| {
                            format!("{}{space}:{space}{value}", serde_json::Value::from(name))
                        })
                        .collect();
                    format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")))
                }
            ),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_takes_is_taken(text in json_text()) {
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "the generator is wrong: {text}");
        prop_assert!(is_json(text.as_bytes()), "{text}");
    }

    #[test]
    fn cut_and_changed_text_is_judged_as_serde_json_judges_it(
        text in json_text(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"\"\\{}[],:0 \n-.eu".to_vec())],
        how in 0..3,
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            _ => { bytes.remove(at); }
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
        // it has no opinion on what follows a number beyond f64
        prop_assume!(!theirs.as_ref().is_err_and(|error| error.to_string().contains("number out of range")));
        let theirs = theirs.is_ok();
        prop_assert_eq!(is_json(&bytes), theirs, "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn strings_mean_what_serde_json_says(text in "(\\\\[\"\\\\/bfnrt]|\\\\u[0-7][0-9a-fA-F]{3}|\\\\ud83d\\\\ude0[0-9]|[ -!#-\\[\\]-~é€😀]){0,30}") {
        let quoted = format!("\"{text}\"");
        let theirs: String = serde_json::from_str(&quoted).expect("a string");
        let ours: bayplan_api::Str = read(&quoted);
        prop_assert_eq!(ours.as_str(), theirs);
    }

    #[test]
    fn integers_mean_what_serde_json_says(number in "-?(0|[1-9][0-9]{0,20})") {
        let theirs = serde_json::from_str::<i64>(&number).ok();
        prop_assert_eq!(json::from_slice::<i64>(number.as_bytes()).ok(), theirs.or((number == "-0").then_some(0)));
    }
}
