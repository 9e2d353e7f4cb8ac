//! Reading events: forms, verbs, faults, limits.

use std::io::{Read as _, Write as _};

use bayplan_api::validation::validate_event;
use bayplan_api::{
    Event, EventReader, Events, InputProblem, InvalidInput, Kind, Map, Object, ObjectKey,
    PreemptionPolicy, PriorityClass, Quantity, ReadError, Reader, Str, Taint, TaintEffect, json,
};
use proptest::prelude::*;

fn try_read(text: impl AsRef<[u8]>) -> Result<Events, ReadError> {
    let mut reader = EventReader::new();
    reader.read_bytes("in", text.as_ref())?;
    reader.finish()
}

fn read(text: impl AsRef<[u8]>) -> Vec<Event> {
    try_read(&text)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(text.as_ref())))
        .events
}

fn fault(text: impl AsRef<[u8]>) -> InvalidInput {
    let error = try_read(&text).expect_err(&String::from_utf8_lossy(text.as_ref()));
    error.invalid().unwrap_or_else(|| panic!("{error}")).clone()
}

fn pod(namespace: &str, name: &str, uid: &str) -> ObjectKey {
    ObjectKey { kind: Kind::Pod, namespace: namespace.into(), name: name.into(), uid: uid.into() }
}

const NODE: &str = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"na"}}"#;
const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}"#;

#[test]
fn every_form_of_input_gives_the_same_events() {
    let added = format!(r#"{{"type":"ADDED","object":{NODE}}}"#);
    let modified = format!(r#"{{"object":{POD},"type":"MODIFIED"}}"#);
    let cordon = r#"{"node": "na", "type": "CORDON"}"#;
    let forms = [
        // as kubectl prints them: one after another, on one line or indented; NDJSON
        format!("{added}{modified}{cordon}"),
        format!("{added}\n{modified}\n{cordon}\n"),
        format!("{{\n  \"type\": \"ADDED\",\n  \"object\":\n {NODE}\n}}\n{modified} {cordon}"),
        format!("[{added},\n{modified}, {cordon}]"),
        format!("{added}\n---\n{modified}[{cordon}]"),
        format!("\u{feff}[{added}][][{modified},{cordon}]"),
        // a bookmark is nothing
        format!(r#"{{"type":"BOOKMARK","object":{{"kind":"Pod","metadata":{{"resourceVersion":"5"}}}}}}{added}{{"type":"BOOKMARK","extra":1}}{modified}{cordon}"#),
        // by shape, and with what the API does not know
        format!(r#"{{"type":"ADDED","object":{{"metadata":{{"name":"na"}},"status":{{"nodeInfo":{{}},"x":[{{}}]}}}}}}{modified}{cordon}"#),
        // YAML, sorted as kubectl sorts it
        "---\nobject:\n  apiVersion: v1\n  kind: Node\n  metadata:\n    name: na\ntype: ADDED\n---\nobject:\n  apiVersion: v1\n  kind: Pod\n  metadata: {name: p}\n  spec:\n    containers:\n    - name: c\ntype: MODIFIED\n---\ntype: CORDON\nnode: na\n".to_owned(),
        format!("- type: ADDED\n  object: {NODE}\n- type: MODIFIED\n  object: {POD}\n- {{type: CORDON, node: na}}\n"),
    ];
    for form in forms {
        for bytes in [form.clone().into_bytes(), gzip(form.as_bytes()), zstd(form.as_bytes())] {
            let events = try_read(&bytes).unwrap_or_else(|error| panic!("{error}\n{form}"));
            let names: Vec<String> = events.events.iter().map(Event::to_string).collect();
            let expected = ["ADDED Node na", "MODIFIED Pod default/p", "CORDON Node na"];
            assert_eq!(names, expected, "{form}");
            assert!(events.skipped.is_empty(), "{form}");
            let Event::Modified(Object::Pod(pod)) = &events.events[1] else { panic!("{form}") };
            assert_eq!(pod.spec.scheduler_name, "default-scheduler", "defaulted: {form}");
            assert_eq!(pod.spec.priority, Some(0), "{form}");
        }
    }
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
fn each_verb_is_read_with_all_that_it_says() {
    let node: Str = "na".into();
    let labels: Map<Option<Str>> = vec![
        ("a".into(), Some("1".into())),
        ("b".into(), None),
        ("x.io/c".into(), Some("".into())),
    ]
    .into();
    let taint =
        |key: &str, value: &str, effect| Taint { key: key.into(), value: value.into(), effect };
    let amounts = |cpu: &str, gpus: &str| {
        let parse = |text| Quantity::parse(text).expect("a quantity");
        vec![("cpu".into(), parse(cpu)), ("x.io/gpu".into(), parse(gpus))].into()
    };
    let cases = [
        (
            r#"{"type":"ASSUME","pod":"shop/web-0","node":"na"}"#,
            Event::Assume { pod: pod("shop", "web-0", ""), node: node.clone() },
            "ASSUME Pod shop/web-0 on Node na",
        ),
        (
            r#"{"node":"na","type":"BIND","pod":"web-0"}"#,
            Event::Bind { pod: pod("default", "web-0", ""), node: node.clone() },
            "BIND Pod default/web-0 on Node na",
        ),
        (
            r#"{"type":"FORGET","pod":{"name":"web-0","namespace":"shop","uid":"7-A"}}"#,
            Event::Forget { pod: pod("shop", "web-0", "7-A") },
            "FORGET Pod shop/web-0",
        ),
        (
            r#"{"type":"FORGET","pod":{"uid":"7-A","name":null}}"#,
            Event::Forget { pod: pod("", "", "7-A") },
            "FORGET Pod with UID 7-A",
        ),
        (
            r#"{"type":"FORGET","pod":{"name":"w"}}"#,
            Event::Forget { pod: pod("default", "w", "") },
            "FORGET Pod default/w",
        ),
        (
            r#"{"type":"CORDON","node":"na"}"#,
            Event::Cordon { node: node.clone() },
            "CORDON Node na",
        ),
        (
            r#"{"type":"UNCORDON","node":"na"}"#,
            Event::Uncordon { node: node.clone() },
            "UNCORDON Node na",
        ),
        (
            r#"{"type":"LABEL","labels":{"x.io/c":"","b":null,"a":"1"},"node":"na"}"#,
            Event::Label { node: node.clone(), labels },
            "LABEL Node na",
        ),
        (
            r#"{"type":"TAINT","node":"na","taints":[{"key":"a","value":"1","effect":"NoExecute"},{"key":"a","effect":"NoSchedule"}]}"#,
            Event::Taint {
                node: node.clone(),
                taints: vec![
                    taint("a", "1", TaintEffect::NoExecute),
                    taint("a", "", TaintEffect::NoSchedule),
                ],
            },
            "TAINT Node na",
        ),
        (
            r#"{"type":"UNTAINT","node":"na","key":"x.io/a"}"#,
            Event::Untaint { node: node.clone(), key: "x.io/a".into(), effect: None },
            "UNTAINT Node na",
        ),
        (
            r#"{"type":"UNTAINT","node":"na","key":"a","effect":null}"#,
            Event::Untaint { node: node.clone(), key: "a".into(), effect: None },
            "UNTAINT Node na",
        ),
        (
            r#"{"type":"UNTAINT","node":"na","key":"a","effect":"PreferNoSchedule"}"#,
            Event::Untaint {
                node: node.clone(),
                key: "a".into(),
                effect: Some(TaintEffect::PreferNoSchedule),
            },
            "UNTAINT Node na",
        ),
        (
            // rounded up to thousandths, as an object's
            r#"{"type":"RESIZE","node":"na","allocatable":{"x.io/gpu":8,"cpu":"1500100u"}}"#,
            Event::Resize { node, allocatable: amounts("1501m", "8") },
            "RESIZE Node na",
        ),
        (
            r#"{"type":"DELETED","object":{"kind":"Pod","metadata":{"name":"p","namespace":"x","uid":"u","labels":5},"spec":"broken"}}"#,
            Event::Deleted(pod("x", "p", "u")),
            "DELETED Pod x/p",
        ),
        (
            r#"{"type":"DELETED","object":{"kind":"Pod","metadata":{"name":"p"}}}"#,
            Event::Deleted(pod("default", "p", "")),
            "DELETED Pod default/p",
        ),
        (
            r#"{"type":"DELETED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"uid":"u"}}}"#,
            Event::Deleted(pod("", "", "u")),
            "DELETED Pod with UID u",
        ),
        (
            // a namespace means nothing to what has none
            r#"{"type":"DELETED","object":{"kind":"Node","metadata":{"name":"na","namespace":"x"}}}"#,
            Event::Deleted(ObjectKey::named(Kind::Node, Str::EMPTY, "na".into())),
            "DELETED Node na",
        ),
    ];
    for (text, event, printed) in cases {
        assert_eq!(read(text), std::slice::from_ref(&event), "{text}");
        assert_eq!(event.to_string(), printed);
        assert!(text.contains(&format!("\"type\":\"{}\"", event.name())), "{text}");
        assert_eq!(validate_event(&event), Ok(()));
    }
}

#[test]
fn each_kind_is_added_and_deleted() {
    let meta = r#""metadata":{"name":"a","namespace":"x","uid":"u"}"#;
    let more = |kind: Kind| match kind {
        Kind::Pod => r#""spec":{"containers":[{"name":"c"}]}"#,
        Kind::ReplicationController => r#""spec":{"selector":{"a":"b"}}"#,
        Kind::ReplicaSet | Kind::StatefulSet | Kind::PodDisruptionBudget => {
            r#""spec":{"selector":{"matchLabels":{"a":"b"}}}"#
        }
        Kind::PersistentVolume => {
            r#""spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/a"}}"#
        }
        Kind::PersistentVolumeClaim => {
            r#""spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}"#
        }
        Kind::StorageClass => r#""provisioner":"x.io/y""#,
        Kind::CsiStorageCapacity => r#""storageClassName":"s","nodeTopology":{}"#,
        Kind::VolumeAttachment => {
            r#""spec":{"attacher":"d.io","nodeName":"n","source":{"persistentVolumeName":"v"}}"#
        }
        Kind::PriorityClass => r#""value":5"#,
        _ => r#""spec":{}"#,
    };
    assert_eq!(Kind::ALL.len(), 16);
    for &kind in Kind::ALL {
        let object = format!(r#"{{"kind":"{kind}",{meta},{}}}"#, more(kind));
        let events = read(format!(
            r#"{{"type":"ADDED","object":{object}}}{{"type":"MODIFIED","object":{object}}}{{"type":"DELETED","object":{object}}}"#
        ));
        let [Event::Added(added), Event::Modified(modified), Event::Deleted(deleted)] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(added, modified);
        assert_eq!((added.kind(), &*added.metadata().name), (kind, "a"));
        let namespace = if kind.is_namespaced() { "x" } else { "" };
        let key =
            ObjectKey { kind, namespace: namespace.into(), name: "a".into(), uid: "u".into() };
        assert_eq!((&added.key(), deleted), (&key, &key));
        assert_eq!(added.to_string(), deleted.to_string());
    }
}

#[test]
fn objects_are_those_that_a_reader_reads() {
    let text = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","namespace":"shop","labels":{"a":"b"}},
        "spec":{"hostNetwork":true,"containers":[{"name":"c","ports":[{"containerPort":80}],
        "resources":{"limits":{"cpu":"100100u","memory":"1Gi"}}}],"tolerations":[{"operator":"Exists"}]}}"#;
    let mut reader = Reader::new();
    reader.read_bytes("in", text.as_bytes()).expect("it reads");
    let mut objects = reader.finish().expect("it is whole");
    let pod = objects.pods.pop().expect("one");
    assert_eq!(read(format!(r#"{{"type":"ADDED","object":{text}}}"#)), [Event::Added(pod.into())]);
}

#[test]
fn objects_of_other_kinds_are_counted() {
    let events = try_read(
        r#"{"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}}
        {"type":"DELETED","object":{"apiVersion":"v1","kind":"ConfigMap"}}
        {"type":"MODIFIED","object":{"apiVersion":"serving.knative.dev/v1","kind":"Service","spec":7}}
        {"type":"CORDON","node":"a"}
        {"type":"DELETED","object":{"apiVersion":"v2","kind":"Pod"}}"#,
    )
    .expect("it reads");
    let skipped: Vec<_> =
        events.skipped.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(skipped, [("ConfigMap", 2), ("Service.serving.knative.dev", 1), ("Pod.v2", 1)]);
    assert_eq!(events.events.len(), 1);
    assert_eq!(events.place(0), Some(("in", "document 4".to_owned())));
    assert_eq!(events.place(1), None);
}

fn class(text: &str) -> PriorityClass {
    let mut class: PriorityClass = json::from_slice(text.as_bytes()).expect("a class");
    bayplan_api::defaults::default_priority_class(&mut class);
    class
}

#[test]
fn priorities_come_from_the_classes_of_the_moment() {
    let pod = |class: &str| {
        format!(
            r#"{{"type":"ADDED","object":{}}}"#,
            POD.replace("\"spec\":{", &format!("\"spec\":{{\"priorityClassName\":\"{class}\","))
        )
    };
    let plain = format!(r#"{{"type":"MODIFIED","object":{POD}}}"#);
    let change = |what: &str, name: &str, uid: &str, value: i32, default: bool| {
        format!(
            r#"{{"type":"{what}","object":{{"kind":"PriorityClass","metadata":{{"name":"{name}","uid":"{uid}"}},"value":{value},"globalDefault":{default},"preemptionPolicy":"Never"}}}}"#
        )
    };
    let known = [
        class(r#"{"metadata":{"name":"high","uid":"h"},"value":1000}"#),
        class(r#"{"metadata":{"name":"normal","uid":"n"},"value":50,"globalDefault":true}"#),
    ];
    let priorities = |text: &str| -> Result<Vec<i32>, ReadError> {
        let mut reader = EventReader::new().knowing(&known);
        reader.read_bytes("in", text.as_bytes())?;
        let events = reader.finish()?.events;
        Ok(events
            .into_iter()
            .filter_map(|event| match event {
                Event::Added(Object::Pod(pod)) | Event::Modified(Object::Pod(pod)) => {
                    Some(pod.spec.priority.expect("resolved"))
                }
                _ => None,
            })
            .collect())
    };
    let text = [
        pod("high"),
        plain.clone(),
        pod("system-node-critical"),
        // a class counts from where it stands
        change("ADDED", "new", "w", 7, false),
        pod("new"),
        change("MODIFIED", "high", "h", 2000, false),
        pod("high"),
        // the least of the defaults
        change("ADDED", "least", "l", 3, true),
        plain.clone(),
        change("DELETED", "least", "l", 3, true),
        plain.clone(),
        change("MODIFIED", "normal", "n", 50, false),
        plain.clone(),
        // another class of this name is gone, this one is not
        change("DELETED", "high", "other", 0, false),
        pod("high"),
        r#"{"type":"DELETED","object":{"kind":"PriorityClass","metadata":{"name":"system-node-critical"}}}"#.to_owned(),
        pod("system-node-critical"),
    ]
    .join("\n");
    assert_eq!(
        priorities(&text).expect("it reads"),
        [1000, 50, 2_000_001_000, 7, 2000, 3, 50, 0, 2000, 2_000_001_000]
    );

    let gone = "no PriorityClass of this name was read: ";
    for (text, expected) in [
        (
            [pod("later"), change("ADDED", "later", "x", 7, false)].join("\n"),
            "in:1: Pod default/p: spec.priorityClassName: ",
        ),
        (
            [change("DELETED", "high", "", 0, false), pod("high")].join("\n"),
            "in:2: Pod default/p (document 2): spec.priorityClassName: ",
        ),
        (
            [
                r#"{"type":"DELETED","object":{"kind":"PriorityClass","metadata":{"uid":"h"}}}"#
                    .to_owned(),
                pod("high"),
            ]
            .join("\n"),
            "in:2: Pod default/p (document 2): spec.priorityClassName: ",
        ),
    ] {
        let error = priorities(&text).expect_err(&text);
        let fault = error.invalid().unwrap_or_else(|| panic!("{error}"));
        assert_eq!(*fault.problem(), InputProblem::UnknownPriorityClass);
        let sentence = without_column(fault);
        assert!(sentence.starts_with(&format!("{expected}{gone}\"")), "{sentence}");
    }

    let events = read([change("ADDED", "x", "", 9, true), plain].join(""));
    let Event::Modified(Object::Pod(pod)) = &events[1] else { panic!("{events:?}") };
    let spec = (pod.spec.priority, &*pod.spec.priority_class_name, pod.spec.preemption_policy);
    assert_eq!(spec, (Some(9), "x", Some(PreemptionPolicy::Never)));
}

fn without_column(fault: &InvalidInput) -> String {
    let mut sentence = fault.to_string();
    if let (Some(line), Some(column)) = (fault.line(), fault.column()) {
        sentence = sentence.replacen(&format!(":{line}:{column}: "), &format!(":{line}: "), 1);
    }
    sentence
}

#[test]
fn faults_are_found_and_placed() {
    let added = |object: &str| format!(r#"{{"type":"ADDED","object":{object}}}"#);
    let ok = added(NODE);
    let cases: Vec<(String, &str)> = vec![
        // the event itself
        (r#"{"type":"ADD","object":{}}"#.into(), "in:1: ADD event: type: unknown event type, expected ADDED, MODIFIED, DELETED, "),
        (r#"{"type":"added","object":{}}"#.into(), "in:1: added event: type: unknown event type, "),
        (r#"{"type":5}"#.into(), "in:1: type: expected a string, found a number: 5"),
        (r#"{"type":null}"#.into(), "in:1: type: required, but absent"),
        (r#"{"node":"a"}"#.into(), "in:1: type: required, but absent"),
        (NODE.into(), "in:1: type: required, but absent"),
        ("{}".into(), "in:1: type: required, but absent"),
        ("5".into(), "in:1: expected an object, found a number: 5"),
        ("[5]".into(), "in:1: [0]: expected an object, found a number: 5"),
        ("[[]]".into(), "in:1: [0]: expected an object, found a list: []"),
        ("null".into(), "in: there are no events in it"),
        ("[null]".into(), "in:1: [0]: expected an object, found null: null"),
        (String::new(), "in: there are no events in it"),
        (" \n".into(), "in: there are no events in it"),
        ("# nothing\n".into(), "in: there are no events in it"),
        ("what".into(), "in:1: expected an object, found a string: \"what\""),
        // members
        (r#"{"type":"LABEL","node":"a","lables":{"a":"b"}}"#.into(), r#"in:1: LABEL event: lables: unknown member, expected node or labels: {"a":"b"}"#),
        (r#"{"type":"CORDON","node":"a","pod":"b"}"#.into(), r#"in:1: CORDON event: pod: unknown member, expected node: "b""#),
        (r#"{"type":"UNTAINT","node":"a","taint":"b","key":5}"#.into(), r#"in:1: UNTAINT event: taint: unknown member, expected node, key or effect: "b""#),
        (format!(r#"{{"type":"ADDED","object":{NODE},"node":"a"}}"#), r#"in:1: Node na: node: unknown member, expected object: "a""#),
        (r#"{"type":"CORDON","node":"a","node":"b"}"#.into(), r#"in:1: CORDON event: node: the second member of this name: "b""#),
        (r#"{"type":"CORDON","type":"UNCORDON","node":"a"}"#.into(), r#"in:1: UNCORDON event: type: the second member of this name: "UNCORDON""#),
        (r#"{"type":"CORDON"}"#.into(), "in:1: CORDON event: node: required, but absent"),
        (r#"{"type":"CORDON","node":null}"#.into(), "in:1: CORDON event: node: required, but absent"),
        (r#"{"type":"BIND","node":"a"}"#.into(), "in:1: BIND event: pod: required, but absent"),
        (r#"{"type":"ASSUME","pod":"a"}"#.into(), "in:1: ASSUME event: node: required, but absent"),
        (r#"{"type":"LABEL","node":"a"}"#.into(), "in:1: LABEL event: labels: required, but absent"),
        (r#"{"type":"TAINT","node":"a"}"#.into(), "in:1: TAINT event: taints: required, but absent"),
        (r#"{"type":"UNTAINT","node":"a"}"#.into(), "in:1: UNTAINT event: key: required, but absent"),
        (r#"{"type":"RESIZE","node":"a","allocatable":null}"#.into(), "in:1: RESIZE event: allocatable: required, but absent"),
        (r#"{"type":"ADDED"}"#.into(), "in:1: ADDED event: object: required, but absent"),
        (r#"{"type":"ERROR"}"#.into(), "in:1: ERROR event: object: required, but absent"),
        // values
        (format!("{ok}\n{}", r#"{"type":"CORDON","node":"A"}"#), r#"in:2: CORDON event (document 2): node: Invalid value: "A": must be a subdomain"#),
        (format!("[{ok},\n{}]", r#"{"type":"UNCORDON","node":""}"#), r#"in:2: UNCORDON event ([1]): node: Invalid value: """#),
        (r#"{"type":"FORGET","pod":""}"#.into(), r#"in:1: FORGET event: pod: expected namespace/name or a name: """#),
        (r#"{"type":"FORGET","pod":"/a"}"#.into(), r#"in:1: FORGET event: pod: expected namespace/name or a name: "/a""#),
        (r#"{"type":"FORGET","pod":"a/"}"#.into(), r#"in:1: FORGET event: pod: expected namespace/name or a name: "a/""#),
        (r#"{"type":"FORGET","pod":"a/b/c"}"#.into(), r#"in:1: FORGET event: pod.name: Invalid value: "b/c": must be a subdomain"#),
        (r#"{"type":"FORGET","pod":"a.b/c"}"#.into(), r#"in:1: FORGET event: pod.namespace: Invalid value: "a.b": must be a label"#),
        (r#"{"type":"FORGET","pod":7}"#.into(), "in:1: FORGET event: pod: expected namespace/name or an object, found a number: 7"),
        (r#"{"type":"FORGET","pod":{"nmae":"a"}}"#.into(), r#"in:1: FORGET event: pod.nmae: unknown member, expected namespace, name or uid: "a""#),
        (r#"{"type":"FORGET","pod":{"namespace":"a"}}"#.into(), "in:1: FORGET event: pod.name: Required value: a pod is told by its name or its uid"),
        (r#"{"type":"FORGET","pod":{"name":"a","namespace":"B"}}"#.into(), r#"in:1: FORGET event: pod.namespace: Invalid value: "B""#),
        (r#"{"type":"LABEL","node":"a","labels":{}}"#.into(), "in:1: LABEL event: labels: Required value: at least one"),
        (r#"{"type":"LABEL","node":"a","labels":{"-":"b"}}"#.into(), r#"in:1: LABEL event: labels: Invalid value: "-": must be"#),
        (r#"{"type":"LABEL","node":"a","labels":{"-":null}}"#.into(), r#"in:1: LABEL event: labels: Invalid value: "-": must be"#),
        (r#"{"type":"LABEL","node":"a","labels":{"a":"-"}}"#.into(), r#"in:1: LABEL event: labels[a]: Invalid value: "-": must be"#),
        (r#"{"type":"LABEL","node":"a","labels":{"a":1}}"#.into(), "in:1: LABEL event: labels[a]: expected a string, found a number: 1"),
        (r#"{"type":"TAINT","node":"a","taints":[]}"#.into(), "in:1: TAINT event: taints: Required value: at least one"),
        (r#"{"type":"TAINT","node":"a","taints":{}}"#.into(), "in:1: TAINT event: taints: expected a list, found an object: {}"),
        (r#"{"type":"TAINT","node":"a","taints":[{"key":"a"}]}"#.into(), "in:1: TAINT event: taints[0].effect: required, but absent"),
        (r#"{"type":"TAINT","node":"a","taints":[{"key":"a","effect":"Never"}]}"#.into(), "in:1: TAINT event: taints[0].effect: unknown taint effect, expected NoSchedule, PreferNoSchedule or NoExecute: \"Never\""),
        (r#"{"type":"TAINT","node":"a","taints":[{"key":"a","value":"é","effect":"NoSchedule"}]}"#.into(), "in:1: TAINT event: taints[0].value: Invalid value: \"é\""),
        (r#"{"type":"TAINT","node":"a","taints":[{"key":"a","effect":"NoSchedule"},{"key":"a","value":"b","effect":"NoSchedule"}]}"#.into(), "in:1: TAINT event: taints[1]: Duplicate value: \"a:NoSchedule\""),
        (r#"{"type":"UNTAINT","node":"a","key":"a","effect":"no"}"#.into(), "in:1: UNTAINT event: effect: unknown taint effect, "),
        (r#"{"type":"UNTAINT","node":"a","key":"/"}"#.into(), "in:1: UNTAINT event: key: Invalid value: \"/\""),
        (r#"{"type":"RESIZE","node":"a","allocatable":{}}"#.into(), "in:1: RESIZE event: allocatable: Required value: at least one"),
        (r#"{"type":"RESIZE","node":"a","allocatable":{"cpu":"fast"}}"#.into(), "in:1: RESIZE event: allocatable[cpu]: "),
        (r#"{"type":"RESIZE","node":"a","allocatable":{"cpu":null}}"#.into(), "in:1: RESIZE event: allocatable[cpu]: required, but absent"),
        (r#"{"type":"RESIZE","node":"a","allocatable":{"cpu":"-1"}}"#.into(), "in:1: RESIZE event: allocatable[cpu]: Invalid value: \"-1\": must be greater than or equal to 0"),
        (r#"{"type":"RESIZE","node":"a","allocatable":{"pods":"1.5"}}"#.into(), "in:1: RESIZE event: allocatable[pods]: Invalid value: \"1500m\": must be an integer"),
        // objects
        (added("5"), "in:1: ADDED event: object: expected an object, found a number: 5"),
        (added("{\"metadata\":{\"name\":\"x\"}}"), "in:1: object x: cannot tell what kind of object this is: it has no kind"),
        (added("{}"), "in:1: ADDED event: cannot tell what kind of object this is: it has no kind"),
        (added("{\"kind\":\"PodList\",\"items\":[]}"), "in:1: ADDED event: a list in an event"),
        (added("{\"kind\":\"List\"}"), "in:1: ADDED event: a list in an event"),
        (added("{\"kind\":7}"), "in:1: ADDED event: object.kind: expected a string, found a number: 7"),
        (added("{\"kind\":\"Pod\",\"metadata\":{}}"), "in:1: Pod: metadata.name: Required value"),
        (format!("{ok}{}", added(&POD.replace("\"spec\":{", "\"spec\":{\"priority\":\"high\","))), "in:1: Pod p (document 2): spec.priority: expected a 32-bit integer, found a string: \"high\""),
        (format!("[{ok},\n{}]", added(&POD.replace("\"spec\":{", "\"spec\":{\"tolerations\":[{\"key\":\"-\"}],"))), "in:2: Pod default/p ([1]): spec.tolerations[0].key: Invalid value: \"-\""),
        (r#"{"type":"DELETED","object":{"kind":"Pod","metadata":{"namespace":"x"}}}"#.into(), "in:1: Pod: metadata.name: Required value: a deleted object is told by its name or its uid"),
        (r#"{"type":"DELETED","object":{"kind":"Pod","metadata":5}}"#.into(), "in:1: metadata: expected an object, found a number: 5"),
        (r#"{"type":"DELETED","object":{"kind":"Pod","metadata":{"name":["p"]}}}"#.into(), "in:1: metadata.name: expected a string, found a list: [\"p\"]"),
        // the watch
        (format!("{ok}\n{}", r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}}"#), "in:2: ERROR event (document 2): the watch broke off: too old resource version: 1 (2)"),
        (r#"{"type":"ERROR","object":{"reason":"Expired"}}"#.into(), "in:1: ERROR event: the watch broke off: Expired"),
        (r#"{"type":"ERROR","object":{}}"#.into(), "in:1: ERROR event: the watch broke off: the API server gave no reason"),
        // syntax
        (format!("{ok}\n{}", &ok[..40]), "in:2: "),
        (format!("{ok}x"), "in:1: document 2: "),
        (format!("[{ok} {ok}]"), "in:1: expected a comma or a closing bracket: "),
        // YAML
        ("type: LABEL\nnode: a\nlabels:\n  a: yes\n".into(), "in:4: LABEL event: labels[a]: expected a string, found a boolean: true"),
        ("type: CORDON\nnode: a\n---\nobject:\n  kind: Pod\n  metadata: {name: p}\n  spec:\n    containers:\n    - name: C\ntype: ADDED\n".into(), "in:9: Pod default/p (document 2): spec.containers[0].name: Invalid value: \"C\""),
    ];
    for (text, expected) in cases {
        let fault = fault(&text);
        let sentence = without_column(&fault);
        assert!(sentence.starts_with(expected), "{sentence}\n{expected}\n{text}");
        let (Some(line), Some(column)) = (fault.line(), fault.column()) else { continue };
        // the column is that of the value
        let line = text.lines().nth(usize::try_from(line).expect("small") - 1).unwrap_or_default();
        let rest: String = line.chars().skip(usize::try_from(column).expect("small") - 1).collect();
        let is_syntax = matches!(fault.problem(), InputProblem::Json(problem)
            if matches!(problem, json::Problem::Syntax(_)));
        assert!(is_syntax || rest.starts_with(fault.value()), "{fault}\n{text}");
    }
}

#[test]
fn nothing_is_left_after_a_fault() {
    let mut reader = EventReader::new();
    let event = r#"{"type":"CORDON","node":"a"}"#;
    reader.read_bytes("first", event.as_bytes()).expect("it reads");
    let both = format!("{event}{{\"type\":\"CORDON\"}}");
    let error = reader.read_bytes("second", both.as_bytes()).expect_err("no node");
    assert!(error.to_string().starts_with("second:1:29: CORDON event (document 2): node: "));
    let again = reader.read_bytes("third", event.as_bytes());
    assert!(matches!(again, Err(ReadError::Abandoned)));
    assert!(matches!(reader.finish(), Err(ReadError::Abandoned)));
}

#[test]
fn events_of_several_inputs_follow_one_another() {
    let mut reader = EventReader::new();
    reader
        .read_bytes("one", br#"[{"type":"CORDON","node":"a"}, {"type":"CORDON","node":"b"}]"#)
        .expect("one");
    let stream = br#"{"type":"UNCORDON","node":"a"} {"type":"BOOKMARK"} "#
        .chain(&b"{\"type\":\"UNCORDON\",\"node\":\"b\"}"[..]);
    reader.read_stream("two", stream).expect("two");
    let events = reader.finish().expect("it is whole");
    let names: Vec<String> = events.events.iter().map(Event::to_string).collect();
    assert_eq!(names, ["CORDON Node a", "CORDON Node b", "UNCORDON Node a", "UNCORDON Node b"]);
    let places: Vec<_> = (0..4).filter_map(|index| events.place(index)).collect();
    let place = |input, position: &str| (input, position.to_owned());
    assert_eq!(
        places,
        [place("one", "[0]"), place("one", "[1]"), place("two", ""), place("two", "document 3")]
    );
}

#[test]
fn events_are_read_from_files_and_directories() {
    let path = std::env::temp_dir().join(format!("bayplan-events-{}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a directory");
    std::fs::write(path.join("b.yaml"), b"type: CORDON\nnode: b\n").expect("a file");
    std::fs::write(path.join("a.ndjson"), br#"{"type":"CORDON","node":"a"}"#).expect("a file");
    std::fs::write(path.join("c.txt"), b"no event").expect("a file");
    let mut reader = EventReader::new();
    let both = reader.read_path(&path).and_then(|()| reader.read_path(path.join("a.ndjson")));
    let absent = EventReader::new().read_path(path.join("d.json"));
    let _ = std::fs::remove_dir_all(&path);
    both.expect("it reads");
    let events = reader.finish().expect("it is whole").events;
    let names: Vec<String> = events.iter().map(Event::to_string).collect();
    assert_eq!(names, ["CORDON Node a", "CORDON Node b", "CORDON Node a"]);
    assert!(matches!(absent, Err(ReadError::Io { .. })));
}

const SAMPLE: &str = r#"[{"type": "ADDED", "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop", "uid": "é"},
 "spec": {"priorityClassName": "system-node-critical", "containers": [{"name": "c", "resources": {"requests": {"cpu": "1.5"}}}]}}},
 {"object": {"kind": "Node", "metadata": {"uid": "\u00e9"}}, "type": "DELETED"}, {"type": "BOOKMARK", "object": null},
 {"type": "LABEL", "node": "a", "labels": {"a": null, "b": "c"}}, {"type": "TAINT", "node": "a", "taints": [{"key": "k", "effect": "NoSchedule"}]}]
 {"type": "BIND", "pod": {"name": "web-0", "namespace": "shop"}, "node": "a"} {"type": "RESIZE", "node": "a", "allocatable": {"cpu": 8}}"#;

#[test]
fn a_text_cut_anywhere_is_an_error_or_whole_events() {
    let whole = read(SAMPLE);
    assert_eq!(whole.len(), 6);
    let list = SAMPLE.rfind(']').expect("a list") + 1;
    for cut in 0..SAMPLE.len() {
        match try_read(&SAMPLE.as_bytes()[..cut]) {
            // only between two values
            Ok(events) => {
                assert!(cut >= list && whole.starts_with(&events.events), "{cut}");
            }
            Err(error) => assert!(error.invalid().is_some(), "{cut}: {error}"),
        }
    }
    // YAML may be whole at any line's end
    let yaml = "object:\n  kind: Pod\n  metadata: {name: p}\n  spec:\n    containers: [{name: é}]\ntype: ADDED\n---\ntype: LABEL\nnode: a\nlabels:\n  a: b\n";
    for cut in 0..yaml.len() {
        if let Err(error) = try_read(&yaml.as_bytes()[..cut]) {
            assert!(error.invalid().is_some(), "{cut}: {error}");
        }
    }
}

#[test]
fn each_changed_byte_is_an_error_or_an_event() {
    for at in 0..SAMPLE.len() {
        for byte in [b'"', b'}', b',', b'0', 0xff] {
            let mut text = SAMPLE.as_bytes().to_vec();
            text[at] = byte;
            if let Err(error) = try_read(&text) {
                let fault = error.invalid().unwrap_or_else(|| panic!("{error}"));
                assert_eq!(fault.input(), "in");
                assert!(!fault.to_string().contains('\n'), "{fault}");
            }
        }
    }
}

/// The same bytes again and again.
struct Repeat(&'static [u8], usize);

impl std::io::Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.0[self.1];
            self.1 = (self.1 + 1) % self.0.len();
        }
        Ok(buffer.len())
    }
}

#[test]
fn hostile_events_end_in_an_error_soon() {
    let endless: [(&[u8], &'static [u8]); 5] = [
        // a text, a member's name, members, labels, depth without end
        (b"{\"type\":\"", b"x"),
        (b"{\"", b"x"),
        (b"{\"type\":\"CORDON\"", b",\"a\":1"),
        (b"{\"type\":\"LABEL\",\"node\":\"a\",\"labels\":{\"a\":\"b\"", b",\"a\":\"b\""),
        (b"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"spec\":", b"[0,"),
    ];
    for (start, rest) in endless {
        let mut reader = EventReader::new();
        let stream = start.chain(Repeat(rest, 0));
        let error = reader.read_stream("endless", stream).expect_err("no end");
        let problem = error.invalid().unwrap_or_else(|| panic!("{error}")).problem();
        let expected = match problem {
            InputProblem::TooLarge { limit } => *limit == 16 << 20,
            InputProblem::Json(problem) => problem.to_string().contains("deep"),
            _ => false,
        };
        assert!(expected, "{problem}");
    }
    // many of everything in one event
    let members: String = (0..200_000).map(|index| format!(",\"m{index}\":{index}")).collect();
    let fault = fault(format!("{{\"type\":\"CORDON\",\"node\":\"a\"{members}}}"));
    assert_eq!(fault.path(), "m0");
    let taints: Vec<String> = (0..100_000)
        .map(|index| format!("{{\"key\":\"k{index}\",\"effect\":\"NoSchedule\"}}"))
        .collect();
    let text = format!("{{\"type\":\"TAINT\",\"node\":\"a\",\"taints\":[{}]}}", taints.join(","));
    assert_eq!(read(&text).len(), 1);
    // many classes and pods without one
    let mut text = String::new();
    for index in 0..20_000 {
        text += &format!(
            "{{\"type\":\"ADDED\",\"object\":{{\"kind\":\"PriorityClass\",\"metadata\":{{\"name\":\"c{index}\",\"uid\":\"{index}\"}},\"value\":1,\"globalDefault\":true}}}}{{\"type\":\"MODIFIED\",\"object\":{POD}}}{{\"type\":\"DELETED\",\"object\":{{\"kind\":\"PriorityClass\",\"metadata\":{{\"uid\":\"-{index}\"}}}}}}"
        );
    }
    assert_eq!(read(&text).len(), 60_000);
}

#[test]
fn large_events_cross_the_window() {
    let mut text = String::new();
    for index in 0..30 {
        let filler = "é\\n ".repeat(index * 10_000);
        text += &format!(
            "{{\"object\": {{\"unread\": \"{filler}\", \"kind\": \"Node\", \"metadata\": {{\"name\": \"n{index}\"}}}},\n \"type\": \"ADDED\"}}\n"
        );
    }
    assert_eq!(read(&text).len(), 30);
    let fault = fault(format!("{text}{{\"type\": \"CORDON\",\n \"node\": 5}}"));
    assert_eq!(
        (fault.line(), fault.column(), fault.position()),
        (Some(62), Some(10), "document 31")
    );
}

#[test]
fn an_event_reader_can_be_interrupted() {
    let mut calls = 0;
    let events = Repeat(b"{\"type\":\"CORDON\",\"node\":\"a\"}", 0);
    let mut reader = EventReader::new().interrupted_by(|| {
        calls += 1;
        calls > 20
    });
    let error = reader.read_stream("endless", events).expect_err("interrupted");
    assert!(matches!(error, ReadError::Interrupted), "{error}");
}

#[test]
fn events_made_by_a_program_are_checked_too() {
    let broken = [
        (Event::Cordon { node: Str::EMPTY }, "node"),
        (Event::Deleted(pod("x", "", "")), "metadata.name"),
        (Event::Bind { pod: pod("", "p", ""), node: "a".into() }, "pod.namespace"),
        (Event::Label { node: "a".into(), labels: Map::new() }, "labels"),
        (Event::Taint { node: "a".into(), taints: Vec::new() }, "taints"),
        (Event::Untaint { node: "a".into(), key: Str::EMPTY, effect: None }, "key"),
        (Event::Resize { node: "a".into(), allocatable: Map::new() }, "allocatable"),
    ];
    for (event, path) in broken {
        assert_eq!(validate_event(&event).expect_err(path).path, path);
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("\"a\"".to_owned()),
        Just("\"x/a\"".to_owned()),
        Just("[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]".to_owned()),
        Just("{\"a\":\"1\"}".to_owned()),
        Just(NODE.to_owned()),
        Just("{\"kind\":\"Pod\",\"metadata\":{\"uid\":\"u\"}}".to_owned()),
        Just("{\"name\":\"a\"}".to_owned()),
        Just("[]".to_owned()),
        Just("true".to_owned()),
        "[0-9eE.+-]{1,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_read(bytes);
    }

    #[test]
    fn what_is_read_obeys_the_rules(
        event_type in "ADDED|MODIFIED|DELETED|BOOKMARK|ERROR|ASSUME|FORGET|BIND|CORDON|UNCORDON|LABEL|TAINT|UNTAINT|RESIZE",
        members in prop::collection::vec(
            ("object|pod|node|labels|taints|key|effect|allocatable|nodes", value()), 0..4),
    ) {
        let members: String = members.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        let text = format!("{{\"type\":\"{event_type}\"{members}}}");
        match try_read(&text) {
            Ok(events) => {
                prop_assert!(events.events.len() <= 1);
                for event in &events.events {
                    prop_assert_eq!(event.name(), event_type.as_str());
                    prop_assert_eq!(validate_event(event), Ok(()));
                }
            }
            Err(error) => prop_assert!(error.invalid().is_some(), "{}", error),
        }
    }
}
