//! Reading streams, files and directories: forms, faults, limits.

use std::io::Read as _;
use std::io::Write as _;
use std::path::PathBuf;

use bayplan_api::{InputProblem, InvalidInput, Objects, ReadError, Reader, json_text};
use proptest::prelude::*;

fn try_read(text: impl AsRef<[u8]>) -> Result<Objects, ReadError> {
    let mut reader = Reader::new();
    reader.read_bytes("in", text.as_ref())?;
    reader.finish()
}

fn read(text: impl AsRef<[u8]>) -> Objects {
    try_read(&text)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(text.as_ref())))
}

fn fault(text: impl AsRef<[u8]>) -> InvalidInput {
    let error = try_read(&text).expect_err("a fault");
    error.invalid().unwrap_or_else(|| panic!("{error}")).clone()
}

fn names(objects: &Objects) -> Vec<String> {
    let nodes = objects.nodes.iter().map(|node| format!("Node {}", node.metadata.name));
    let pods = objects
        .pods
        .iter()
        .map(|pod| format!("Pod {}/{}", pod.metadata.namespace, pod.metadata.name));
    nodes.chain(pods).collect()
}

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}"#;

#[test]
fn every_form_of_input_gives_the_same_objects() {
    let node = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"na"}}"#;
    let bare_node = r#"{"metadata":{"name":"na"},"status":{"nodeInfo":{}}}"#;
    let bare_pod = r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}"#;
    let forms = [
        // kubectl sorts members: the kind follows the items
        format!(r#"{{"apiVersion":"v1","items":[{node},{POD}],"kind":"List","metadata":{{}}}}"#),
        format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{{}},"items":[{node},{POD}]}}"#),
        // typed lists, before and after the items, with and without kinds of the items
        format!(r#"{{"kind":"NodeList","apiVersion":"v1","items":[{bare_node}]}} {{"items":[{bare_pod}],"kind":"PodList"}}"#),
        format!(r#"{{"items":[{{"metadata":{{"name":"na"}}}}],"kind":"NodeList"}}{{"kind":"PodList","items":[{bare_pod}]}}"#),
        // by shape alone
        format!(r#"{{"items":[{bare_node},{bare_pod}]}}"#),
        format!("[{bare_node},{bare_pod}]"),
        format!("{bare_node}\n{bare_pod}"),
        // single objects, NDJSON, arrays of lists, a separator
        format!("{node}\n{POD}\n"),
        format!("  {node}---\n{POD}"),
        format!(r#"[{node},{{"kind":"List","items":[{POD}]}}]"#),
        format!(r#"{{"kind":"List","items":[{{"kind":"List","items":[{node}]}},{POD}]}}"#),
        format!("[{node}][{POD}]"),
        // other orders, doubles, nulls
        format!(r#"[{{"metadata":{{"name":"na"}},"kind":"Node"}},{POD},{POD}]"#),
        format!(r#"{{"kind":"PodList","items":null}}{{"kind":"List"}}[{node},{POD}]"#),
        format!("\u{feff}{node}{POD}"),
        // YAML
        "kind: Node\nmetadata: {name: na}\n---\n# nothing\n---\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n".to_owned(),
        "apiVersion: v1\nitems:\n- kind: Node\n  metadata:\n    name: na\n- kind: Pod\n  metadata: {name: p}\n  spec: {containers: [{name: c}]}\nkind: List\n".to_owned(),
        "- kind: Node\n  metadata: {name: na}\n- kind: Pod\n  metadata: {name: p}\n  spec: {containers: [{name: c}]}\n".to_owned(),
        "{kind: List, items: [{kind: Node, metadata: {name: na}}, {kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}]}".to_owned(),
    ];
    for form in forms {
        let objects = read(&form);
        assert_eq!(names(&objects), ["Node na", "Pod default/p"], "{form}");
        assert!(objects.skipped.is_empty(), "{form}");
        assert_eq!(objects.pods[0].spec.scheduler_name, "default-scheduler", "defaulted: {form}");
    }
}

#[test]
fn kinds_that_nobody_schedules_are_counted() {
    let objects = read(
        r#"{"apiVersion":"v1","items":[
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":"y"}},
            {"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"k"},"spec":7},
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"selector":{"a":"b"}}},
            {"kind":"Node","metadata":{"name":"n"},"apiVersion":"v1"},
            {"apiVersion":"v2","kind":"Pod","spec":[]},
            {"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget","metadata":{"name":"b","namespace":"x"},"spec":{"selector":{}}},
            {"apiVersion":"v1","kind":"ConfigMap"}],"kind":"List"}
        {"kind":"EventList","apiVersion":"events.k8s.io/v1","items":[{"note":1},{"note":2}]}
        {"apiVersion":"v1","items":[{"subsets":[]}],"kind":"EndpointsList"}
        {"kind":"Template","apiVersion":"template.openshift.io/v1","objects":[1],"items":[2]}
        {"kind":"AllowList","apiVersion":"x/v1","spec":{}}"#,
    );
    let skipped: Vec<_> =
        objects.skipped.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    let expected = [
        ("ConfigMap", 2),
        ("Service.serving.knative.dev", 1),
        ("Pod.v2", 1),
        ("Event", 2),
        ("Endpoints", 1),
        ("Template", 1),
        ("AllowList", 1),
    ];
    assert_eq!(skipped, expected);
    assert_eq!(objects.services.len(), 1);
    assert_eq!(objects.nodes.len(), 1);
    assert_eq!(objects.pod_disruption_budgets.len(), 1);
}

#[test]
fn each_kind_goes_to_its_list() {
    let meta = r#""metadata":{"name":"a","namespace":"x"}"#;
    let cluster = r#""metadata":{"name":"a"}"#;
    let text = format!(
        r#"
        {{"apiVersion":"v1","kind":"Node",{cluster}}}
        {POD}
        {{"apiVersion":"v1","kind":"Namespace",{cluster}}}
        {{"apiVersion":"v1","kind":"Service",{meta}}}
        {{"apiVersion":"v1","kind":"ReplicationController",{meta},"spec":{{"selector":{{"a":"b"}}}}}}
        {{"apiVersion":"apps/v1","kind":"ReplicaSet",{meta},"spec":{{"selector":{{"matchLabels":{{"a":"b"}}}}}}}}
        {{"apiVersion":"apps/v1","kind":"StatefulSet",{meta},"spec":{{"selector":{{"matchLabels":{{"a":"b"}}}}}}}}
        {{"apiVersion":"v1","kind":"PersistentVolume",{cluster},"spec":{{"capacity":{{"storage":"1Gi"}},"accessModes":["ReadWriteOnce"],"hostPath":{{"path":"/a"}}}}}}
        {{"apiVersion":"v1","kind":"PersistentVolumeClaim",{meta},"spec":{{"accessModes":["ReadWriteOnce"],"resources":{{"requests":{{"storage":"1Gi"}}}}}}}}
        {{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass",{cluster},"provisioner":"x.io/y"}}
        {{"apiVersion":"storage.k8s.io/v1","kind":"CSINode",{cluster},"spec":{{"drivers":[{{"name":"d.io","nodeID":"i"}}]}}}}
        {{"apiVersion":"storage.k8s.io/v1","kind":"CSIDriver",{cluster}}}
        {{"apiVersion":"storage.k8s.io/v1","kind":"CSIStorageCapacity",{meta},"storageClassName":"s","nodeTopology":{{}}}}
        {{"apiVersion":"storage.k8s.io/v1","kind":"VolumeAttachment",{cluster},"spec":{{"attacher":"d.io","nodeName":"n","source":{{"persistentVolumeName":"v"}}}}}}
        {{"apiVersion":"policy/v1","kind":"PodDisruptionBudget",{meta},"spec":{{"selector":{{}}}}}}
        {{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass",{cluster},"value":5}}"#
    );
    let objects = read(text);
    let lengths = [
        objects.nodes.len(),
        objects.pods.len(),
        objects.namespaces.len(),
        objects.services.len(),
        objects.replication_controllers.len(),
        objects.replica_sets.len(),
        objects.stateful_sets.len(),
        objects.persistent_volumes.len(),
        objects.persistent_volume_claims.len(),
        objects.storage_classes.len(),
        objects.csi_nodes.len(),
        objects.csi_drivers.len(),
        objects.csi_storage_capacities.len(),
        objects.volume_attachments.len(),
        objects.pod_disruption_budgets.len(),
        objects.priority_classes.len(),
    ];
    assert_eq!(lengths, [1; 16]);
    assert!(objects.skipped.is_empty());
    assert!(objects.csi_drivers[0].attach_required);
}

#[test]
fn an_error_says_where_in_one_sentence() {
    let list = "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        {\n            \"apiVersion\": \"v1\",\n            \"kind\": \"Pod\",\n            \"metadata\": {\n                \"name\": \"web-0\",\n                \"namespace\": \"shop\"\n            },\n            \"spec\": {\n                \"containers\": [\n                    {\n                        \"name\": \"é\", \"resources\": {\"requests\": {\"cpu\": \"1x\"}}\n                    }\n                ]\n            }\n        }\n    ],\n    \"kind\": \"List\"\n}\n";
    let fault = fault(list);
    assert_eq!(fault.input(), "in");
    assert_eq!(fault.object(), "Pod shop/web-0");
    assert_eq!(fault.position(), "items[0]");
    assert_eq!(fault.path(), "spec.containers[0].resources.requests[cpu]");
    assert_eq!(fault.value(), "\"1x\"");
    assert_eq!((fault.line(), fault.column()), (Some(14), Some(72)));
    let sentence =
        "in:14:72: Pod shop/web-0 (items[0]): spec.containers[0].resources.requests[cpu]: ";
    assert!(fault.to_string().starts_with(sentence), "{fault}");
    assert!(fault.to_string().ends_with(": \"1x\""), "{fault}");
}

#[test]
fn faults_are_found_and_placed() {
    let bad_pod = |spec: &str| {
        format!(
            r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"p","namespace":"x"}},"spec":{{"containers":[{{"name":"c"}}],{spec}}}}}"#
        )
    };
    let cases: Vec<(String, &str)> = vec![
        (bad_pod(r#""tolerations":[{"operator":"Like"}]"#), "in:1: Pod x/p: spec.tolerations[0].operator: unknown operator, expected Equal or Exists: \"Like\""),
        (bad_pod(r#""priority":"high""#), "in:1: Pod x/p: spec.priority: expected a 32-bit integer, found a string: \"high\""),
        ("{\"kind\":\"Pod\",\n\"apiVersion\":\"v1\",\"spec\":{}}".into(), "in:1: Pod: metadata.name: Required value: "),
        (r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":5}"#.into(), "in:1: Pod p: spec: expected an object, found a number: 5"),
        (r#"{"kind":5}"#.into(), "in:1: kind: expected a string, found a number: 5"),
        ("{\"metadata\":{\"name\":\"x\"}}".into(), "in:1: object x: cannot tell what kind of object this is: it has no kind"),
        ("[5]".into(), "in:1: [0]: expected an object, found a number: 5"),
        ("{\"kind\":\"List\",\"items\":[null]}".into(), "in:1: items[0]: expected an object, found null: null"),
        ("{\"items\":[{\"metadata\":{\"name\":\"x\"}}]}".into(), "in:1: object x (items[0]): cannot tell"),
        ("{\"items\":[{\"spec\":{\"containers\":[{\"name\":\"c\"}]},\"metadata\":{\"name\":\"x\"}}],\"kind\":\"NodeList\"}".into(), "in:1: the list is of kind NodeList, but its items are of kind Pod"),
        (format!("{POD}\n{}", &POD[..40]), "in:2: document 2: the text ends in the middle of a value"),
        (format!("{POD}\n{POD}x"), "in:2: document 3: "),
        (format!("{POD} 5"), "in:1: document 2: expected an object, found a number: 5"),
        (format!("[{POD}, {POD}"), "in:1: the text ends in the middle of a value"),
        (format!("[{POD} {POD}]"), "in:1: expected a comma or a closing bracket: "),
        ("{\"kind\":\"List\",\"items\":[]".into(), "in:1: the text ends in the middle of a value"),
        ("{\"kind\":\"List\",\"items\":[],\"items\":[]}".into(), "in:1: a second list of items"),
        (String::new(), "in: there are no objects in it"),
        (" \n\n".into(), "in: there are no objects in it"),
        ("# nothing\n---\n".into(), "in: there are no objects in it"),
        ("a: [1".into(), "in:"),
        ("just text".into(), "in:1: expected an object, found a string: \"just text\""),
        ("kind: Pod\nmetadata:\n  name: p\n  namespace: x\nspec:\n  # why\n  containers:\n  - name: c\n    resources:\n      requests:\n        cpu: fast\n".into(), "in:11: Pod x/p: spec.containers[0].resources.requests[cpu]: "),
        ("kind: Node\nmetadata:\n  name: na\n  labels:\n    a: yes\n".into(), "in:5: Node na: metadata.labels[a]: expected a string, found a boolean: true"),
        ("kind: Node\nmetadata: {name: a}\n---\nkind: Node\nmetadata: {name: b, labels: 5}".into(), "in:5: Node b (document 2): metadata.labels: expected an object, found a number: 5"),
    ];
    for (text, expected) in cases {
        let fault = fault(&text);
        let mut sentence = fault.to_string();
        if let (Some(line), Some(column)) = (fault.line(), fault.column()) {
            sentence = sentence.replacen(&format!(":{line}:{column}: "), &format!(":{line}: "), 1);
            // the column is that of the value
            let line =
                text.lines().nth(usize::try_from(line).expect("small") - 1).unwrap_or_default();
            let rest: String =
                line.chars().skip(usize::try_from(column).expect("small") - 1).collect();
            let is_syntax = matches!(fault.problem(), InputProblem::Json(problem)
                if matches!(problem, bayplan_api::json::Problem::Syntax(_)));
            assert!(is_syntax || rest.starts_with(fault.value()), "{fault}\n{text}");
        }
        assert!(sentence.starts_with(expected), "{sentence}\n{expected}\n{text}");
    }
}

#[test]
fn the_same_object_twice_merges_if_equal() {
    let other = POD.replace("\"name\":\"c\"", "\"name\":\"d\"");
    assert_eq!(read(format!("{POD}{POD}[{POD}]")).pods.len(), 1);
    let fault = fault(format!("{{\"kind\":\"List\",\"items\":[{POD}]}}\n{other}"));
    assert_eq!(fault.object(), "Pod default/p");
    assert_eq!(fault.position(), "document 2");
    assert_eq!(*fault.problem(), InputProblem::Duplicate { first: "in items[0]".into() });

    // two inputs; unread fields do not count
    let mut reader = Reader::new();
    reader.read_bytes("first", POD.as_bytes()).expect("it reads");
    let same = POD.replace("\"spec\":{", "\"spec\":{\"dnsPolicy\":\"Default\",");
    reader.read_bytes("second", same.as_bytes()).expect("equal where it matters");
    let error = reader.read_bytes("third", other.as_bytes()).expect_err("it differs");
    assert_eq!(
        error.to_string(),
        "third:1:1: Pod default/p: the same object with other fields stands in first"
    );
    // nothing is half applied
    assert!(matches!(reader.read_bytes("fourth", POD.as_bytes()), Err(ReadError::Abandoned)));
    assert!(matches!(reader.finish(), Err(ReadError::Abandoned)));
}

#[test]
fn priorities_come_from_classes_of_any_input() {
    let pod = POD.replace("\"spec\":{", "\"spec\":{\"priorityClassName\":\"high\",");
    let class = r#"{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"high"},"value":1000}"#;
    let objects = read(format!("{pod}{class}"));
    assert_eq!(objects.pods[0].spec.priority, Some(1000));
    let fault = fault(&pod);
    assert_eq!(
        fault.to_string(),
        "in: Pod default/p: spec.priorityClassName: no PriorityClass of this name was read: \"high\""
    );
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory")
}

#[test]
fn packed_inputs_are_told_by_their_first_bytes() {
    let list = format!("{{\"kind\":\"List\",\"items\":[{POD}]}}");
    let yaml = b"kind: Node\nmetadata:\n  name: na\n";
    for pack in [gzip, zstd] {
        assert_eq!(read(pack(list.as_bytes())).pods.len(), 1);
        assert_eq!(read(pack(yaml)).nodes.len(), 1);
        // several members or frames are one stream
        let halves = [pack(&list.as_bytes()[..20]), pack(&list.as_bytes()[20..])].concat();
        assert_eq!(read(halves).pods.len(), 1);
        // damage
        let packed = pack(list.as_bytes());
        for cut in 5..packed.len() {
            let fault = fault(&packed[..cut]);
            let compression = matches!(fault.problem(), InputProblem::Compression { .. });
            assert!(compression, "{cut}: {fault}");
        }
        let mut damaged = packed.clone();
        let middle = packed.len() / 2;
        damaged[middle] ^= 0x55;
        assert!(try_read(damaged).is_err());
        // faults of what is packed have lines
        assert_eq!(fault(pack(b"[\n5]")).line(), Some(2));
    }
}

#[test]
fn bombs_end_in_an_error_soon() {
    // blanks without end are no object, and take no memory
    let blanks = std::io::repeat(b' ').take(64 << 20);
    let mut packed = zstd::stream::Encoder::new(Vec::new(), 1).expect("memory");
    std::io::copy(&mut { blanks }, &mut packed).expect("memory");
    let packed = packed.finish().expect("memory");
    assert!(packed.len() < 1 << 16);
    assert_eq!(*fault(&packed).problem(), InputProblem::Empty);

    // one string without an end
    let mut reader = Reader::new();
    let endless =
        b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"data\":\"".chain(std::io::repeat(b'x'));
    let error = reader.read_stream("endless", endless).expect_err("too large");
    let problem = error.invalid().map(InvalidInput::problem);
    assert_eq!(problem, Some(&InputProblem::TooLarge { limit: 16 << 20 }));

    // lists of items whose kind never comes
    let mut reader = Reader::new();
    let items =
        b"{\"items\":[".chain(repeated(b"{\"a\":\"0123456789012345678901234567890123456789\"},"));
    let error = reader.read_stream("endless", items).expect_err("too many");
    let problem = error.invalid().map(InvalidInput::problem);
    assert_eq!(problem, Some(&InputProblem::UnknownKind));
}

/// The same bytes again and again.
fn repeated(bytes: &'static [u8]) -> Repeat {
    Repeat { bytes, at: 0 }
}

struct Repeat {
    bytes: &'static [u8],
    at: usize,
}

impl std::io::Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.bytes[self.at];
            self.at = (self.at + 1) % self.bytes.len();
        }
        Ok(buffer.len())
    }
}

#[test]
fn aliases_may_not_explode() {
    let mut bomb = "a0: &a0 {x: 1234567890}\n".to_owned();
    for level in 1..40 {
        let item = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [item.as_str(); 9].join(","));
    }
    let problem = fault(&bomb).problem().to_string();
    assert_eq!(problem, "aliases expand to more than ten times the document");
    // by merging
    let mut bomb = "a0: &a0 {x: 1234567890}\n".to_owned();
    for level in 1..40 {
        let members: Vec<String> =
            (0..9).map(|number| format!("m{number}: *a{}", level - 1)).collect();
        bomb += &format!("a{level}: &a{level}\n  <<: {{{}}}\n", members.join(", "));
    }
    assert!(matches!(fault(&bomb).problem(), InputProblem::Yaml(_)));
    // anchors in anchors
    let nested: String = (0..400).map(|level| format!("&a{level} [")).collect();
    assert!(try_read(format!("a: {nested}{}{}", "x".repeat(100_000), "]".repeat(400))).is_err());
    assert!(try_read("a: &a [*a]").is_err());
    assert!(try_read("a: *nobody").is_err());
}

#[test]
fn deep_and_odd_yaml_is_an_error() {
    for text in [
        "[".repeat(100_000),
        format!("a: {}", "{a: ".repeat(100_000)),
        "- ".repeat(100_000),
        "? ".repeat(10_000),
        (0..1000).map(|level| format!("{}a:\n", " ".repeat(level))).collect(),
        "a: b\0c".to_owned(),
        "kind: Pod\n\tmetadata: 5".to_owned(),
        "{a: 1".to_owned(),
        "a: .nan".to_owned(),
        "? [a]\n: b".to_owned(),
        "~: b".to_owned(),
        "a: !!binary aGk=".to_owned(),
        "a: !!int x".to_owned(),
        "<<: 5".to_owned(),
        "'a".to_owned(),
        "%YAML 9.9\n---\na: b".to_owned(),
    ] {
        assert!(try_read(&text).is_err(), "{}", &text[..text.len().min(60)]);
    }
    assert!(matches!(fault(b"kind: Pod\nx: \xff\n").problem(), InputProblem::Json(_)));
}

#[test]
fn yaml_means_what_it_means_to_kubectl() {
    let cases = [
        ("yes", "true"),
        ("Off", "false"),
        ("y", "true"),
        ("~", "null"),
        ("", "null"),
        ("10", "10"),
        ("+10", "10"),
        ("-0x1F", "-31"),
        ("010", "8"),
        ("0o17", "15"),
        ("0b101", "5"),
        ("08", "8"),
        ("1_000", "1000"),
        ("0.10", "0.1"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("1e30", "1e30"),
        (".5", "0.5"),
        ("1.", "1"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("18446744073709551616", "18446744073709552000"),
        ("2026-01-13", "\"2026-01-13\""),
        ("2026-01-13T18:38:02Z", "\"2026-01-13T18:38:02Z\""),
        ("100m", "\"100m\""),
        ("1Gi", "\"1Gi\""),
        ("0xg", "\"0xg\""),
        ("1.2.3", "\"1.2.3\""),
        ("1e", "\"1e\""),
        ("\"10\"", "\"10\""),
        ("'yes'", "\"yes\""),
        ("!!str 10", "\"10\""),
        ("!!float 1", "1"),
        ("!mine 10", "\"10\""),
        ("\"a\\tb\\u00e9\\\"\\\\\"", "\"a\\u0009bé\\\"\\\\\""),
        ("|\n  two\n  lines\n", "\"two\\nlines\\n\""),
        (">-\n  one\n  line\n", "\"one line\""),
        ("[a, {b: 1}, []]", "[\"a\",{\"b\":1},[]]"),
        ("{true: 1, 5: 2, 1.5: 3, n: 4}", "{\"true\":1,\"5\":2,\"1.5\":3,\"false\":4}"),
    ];
    for (yaml, expected) in cases {
        let text = json_text("in", format!("a: {yaml}").as_bytes()).expect(yaml);
        let text = String::from_utf8(text).expect("UTF-8").replace('\n', "");
        assert_eq!(text, format!("{{\"a\":{expected}}}"), "{yaml}");
    }
}

#[test]
fn anchors_and_merges_give_what_they_stand_for() {
    let yaml = "
base: &base
  a: 1
  b: {c: 2}
other: &other {a: 9, z: 8}
one:
  <<: *base
  b: 3
two:
  x: 0
  a: 7
  <<: [*base, *other]
three: {<<: {q: 1}, <<: *other}
list: [*base, &n 5, *n]
key: &k name
";
    let text = json_text("in", yaml.as_bytes()).expect("YAML");
    let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(value["one"], serde_json::json!({"a": 1, "b": 3}));
    assert_eq!(value["two"], serde_json::json!({"x": 0, "a": 7, "b": {"c": 2}, "z": 8}));
    assert_eq!(value["three"], serde_json::json!({"q": 1, "a": 9, "z": 8}));
    assert_eq!(value["list"], serde_json::json!([{"a": 1, "b": {"c": 2}}, 5, 5]));
    // lines are kept, so that faults name them
    let line = |needle: &str, text: &str| text.lines().position(|line| line.contains(needle));
    let text = String::from_utf8(text).expect("UTF-8");
    for (name, other) in [("base:", "\"base\""), ("two:", "\"two\""), ("key:", "\"key\"")] {
        assert_eq!(line(name, yaml), line(other, &text), "{text}");
    }
}

#[test]
fn large_objects_and_lists_cross_the_window() {
    let mut text = "{\"kind\": \"List\", \"items\": [\n".to_owned();
    for index in 0..40 {
        let filler = "é\\n ".repeat(index * 10_000);
        let comma = if index == 0 { "" } else { ",\n" };
        text += &format!(
            "{comma}{{\"apiVersion\": \"v1\", \"kind\": \"Node\", \"unread\": \"{filler}\", \"metadata\": {{\"name\": \"n{index}\"}}}}"
        );
    }
    let objects = read(format!("{text}\n]}}"));
    assert_eq!(objects.nodes.len(), 40);
    let fault = fault(format!("{text},\n5]}}"));
    assert_eq!((fault.line(), fault.column(), fault.position()), (Some(42), Some(1), "items[40]"));
}

#[test]
fn a_reader_can_be_interrupted() {
    let mut calls = 0;
    let items = b"{\"kind\":\"List\",\"items\":["
        .chain(repeated(b"{\"apiVersion\":\"v1\",\"kind\":\"Event\"},"));
    let mut reader = Reader::new().interrupted_by(|| {
        calls += 1;
        calls > 20
    });
    let error = reader.read_stream("endless", items).expect_err("interrupted");
    assert!(matches!(error, ReadError::Interrupted), "{error}");

    let mut calls = 0;
    let yaml = b"items:\n".chain(repeated(b"- {apiVersion: v1, kind: Event}\n"));
    let mut reader = Reader::new().interrupted_by(|| {
        calls += 1;
        calls > 20
    });
    let error = reader.read_stream("endless", yaml).expect_err("interrupted");
    assert!(matches!(error, ReadError::Interrupted), "{error}");
}

/// A directory that is gone after the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bayplan-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> &Self {
        std::fs::write(self.0.join(name), bytes).expect("a file");
        self
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_directory_gives_its_files_in_order() {
    let directory = Directory::new("order");
    let node = |name: &str| format!("{{\"kind\":\"Node\",\"metadata\":{{\"name\":\"{name}\"}}}}");
    std::fs::create_dir_all(directory.0.join("deeper.json")).expect("a directory");
    directory
        .write("b.yaml", b"kind: Node\nmetadata: {name: b}")
        .write("a.json", node("a").as_bytes())
        .write("c.ndjson.gz", &gzip(node("c").as_bytes()))
        .write("d.yml.zst", &zstd(b"kind: Node\nmetadata: {name: d}"))
        .write("E.JSONL", node("e").as_bytes())
        .write("README.md", b"# not an object")
        .write("z.yaml", b"# empty\n");
    let mut reader = Reader::new();
    reader.read_path(&directory.0).expect("it reads");
    let objects = reader.finish().expect("it is whole");
    assert_eq!(names(&objects), ["Node e", "Node a", "Node b", "Node c", "Node d"]);

    let empty = Directory::new("empty");
    let error = Reader::new().read_path(&empty.0).expect_err("empty");
    assert_eq!(error.invalid().map(InvalidInput::problem), Some(&InputProblem::EmptyDirectory));
    let error = Reader::new().read_path(empty.0.join("absent.json")).expect_err("absent");
    assert!(matches!(error, ReadError::Io { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_read(bytes);
    }

    #[test]
    fn no_text_of_the_alphabet_panics(text in "[\\-:?&*!|>'\"%@`{}\\[\\],# \n\ta-c0-9<~.]{0,80}") {
        let _ = try_read(&text);
        let _ = json_text("in", text.as_bytes());
    }

    #[test]
    fn what_yaml_gives_is_json(text in "[\\-:&*'\"{}\\[\\], \na-c0-9.]{0,60}") {
        if let Ok(json) = json_text("in", format!("a: {text}").as_bytes()) {
            let values = serde_json::Deserializer::from_slice(&json).into_iter::<serde_json::Value>();
            for value in values {
                prop_assert!(value.is_ok(), "{text:?}\n{:?}", String::from_utf8_lossy(&json));
            }
        }
    }
}
