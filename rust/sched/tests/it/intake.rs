//! Pods that are made small while they are read make the same cluster, and the same errors, as pods that are kept whole.

use bayplan_api::{Objects, Pod, PodSink, Reader};
use bayplan_sched::cluster::{Cluster, PodIntake};
use bayplan_testkit::strategies::{ClusterShape, cluster};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn objects() -> impl Strategy<Value = Objects> {
    cluster(ClusterShape { storage: true, ..ClusterShape::default() })
}

/// The items of the objects as a list.
fn items(objects: &Objects) -> Vec<Value> {
    let mut text = Vec::new();
    objects.write_json(&mut text).unwrap();
    let mut list: Value = serde_json::from_slice(&text).unwrap();
    let items = list.get_mut("items").and_then(Value::as_array_mut).unwrap();
    std::mem::take(items)
}

/// What the items come to when pods are kept whole, or else taken in.
fn read(items: &[Value], whole: bool) -> Result<Cluster, String> {
    let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let mut pods = PodIntake::default();
    let mut reader = Reader::new();
    if !whole {
        reader = reader.giving_pods_to(&mut pods);
    }
    let read = reader.read_bytes("in", text.as_bytes()).and_then(|()| reader.finish());
    let objects = read.map_err(|error| format!("{error:?}"))?;
    assert!(whole || objects.pods.is_empty());
    Cluster::from_objects_and_pods(objects, pods).map_err(|error| error.to_string())
}

/// What of a pod may change that its row, its template or neither of them knows, and to what: `null` to leave it out.
const EDITS: [(&str, &str, &str); 17] = [
    ("metadata", "generateName", "\"nobody keeps it\""),
    ("metadata", "annotations", r#"{"a": "b"}"#),
    ("metadata", "uid", "\"another\""),
    (
        "metadata",
        "ownerReferences",
        r#"[{"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u"}]"#,
    ),
    ("metadata", "labels", r#"{"another": "label"}"#),
    ("spec", "nodeName", "\"another\""),
    ("spec", "priorityClassName", "\"another\""),
    ("spec", "priority", "null"),
    (
        "spec",
        "tolerations",
        r#"[{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 77}]"#,
    ),
    ("spec", "volumes", r#"[{"name": "another", "emptyDir": {}}]"#),
    ("spec", "volumes", r#"[{"name": "one", "emptyDir": {}}, {"name": "two", "emptyDir": {}}]"#),
    ("status", "phase", "\"Succeeded\""),
    ("status", "podIP", "\"10.9.8.7\""),
    ("status", "conditions", r#"[{"type": "PodScheduled", "status": "True"}]"#),
    ("status", "containerStatuses", r#"[{"name": "another"}]"#),
    ("status", "startTime", "\"2026-01-02T03:04:05Z\""),
    ("status", "nominatedNodeName", "\"another\""),
];

fn edit(pod: &mut Value, (part, member, value): (&str, &str, &str)) {
    let pod = pod.as_object_mut().unwrap();
    let part = pod.entry(part).or_insert(json!({})).as_object_mut().unwrap();
    part.insert(member.to_owned(), serde_json::from_str(value).unwrap());
}

proptest! {
    #[test]
    fn pods_taken_in_make_the_cluster_of_pods_added_one_by_one(objects in objects()) {
        let together = Cluster::from_objects(objects.clone()).unwrap();
        let pods = objects.pods.clone();
        let mut one_by_one = Cluster::from_objects(Objects { pods: Vec::new(), ..objects.clone() }).unwrap();
        for pod in pods {
            one_by_one.add_pod(pod).unwrap();
        }
        prop_assert_eq!(&together, &one_by_one);
        prop_assert_eq!(together.to_objects().pods.len(), objects.pods.len());
    }

    /// Objects in any order, some pods twice and then perhaps another, some without a priority.
    #[test]
    fn reading_into_an_intake_comes_to_what_reading_objects_comes_to(
        objects in objects(),
        order in any::<Index>(),
        edits in prop::collection::vec((any::<Index>(), prop::sample::select(&EDITS)), 0..3),
        twice in prop::option::of((any::<Index>(), prop::sample::select(&EDITS))),
    ) {
        let mut items = items(&objects);
        let pods: Vec<usize> =
            (0..items.len()).filter(|&item| items[item]["kind"] == "Pod").collect();
        for (which, number) in edits {
            edit(&mut items[*which.get(&pods)], number);
        }
        if let Some((which, number)) = twice {
            let mut pod = items[*which.get(&pods)].clone();
            edit(&mut pod, number);
            items.push(pod);
        }
        let start = order.index(items.len());
        items.rotate_left(start);
        match (read(&items, false), read(&items, true)) {
            (Ok(taken), Ok(whole)) => prop_assert_eq!(taken, whole),
            (taken, whole) => prop_assert_eq!(taken.err(), whole.err()),
        }
    }
}

fn pod(change: (&str, &str, &str)) -> Pod {
    let mut value = json!({"metadata": {"name": "p", "namespace": "x"}, "spec": {"containers": [{"name": "c"}]}});
    edit(&mut value, change);
    bayplan_api::json::from_slice(value.to_string().as_bytes()).unwrap()
}

#[test]
fn an_intake_tells_a_pod_from_all_that_differ_in_anything() {
    for one in EDITS {
        let mut pods = PodIntake::default();
        pods.take(0, pod(one));
        for other in EDITS {
            assert_eq!(pods.has(0, &pod(other)), pod(one) == pod(other), "{one:?} {other:?}");
        }
        assert!(!pods.has(1, &pod(one)), "there is no such pod");
    }
}

#[test]
fn pods_with_volumes_of_their_own_share_a_template() {
    let mut pods = PodIntake::default();
    for (number, name) in ["a", "b"].into_iter().enumerate() {
        let mut pod = pod(("spec", "volumes", r#"[{"name": "a", "emptyDir": {}}]"#));
        pod.metadata.name = name.into();
        pod.spec.volumes[0].name = format!("access-{name}").as_str().into();
        pods.take(number, pod);
    }
    let shapes: Vec<&Pod> = pods.iter().map(|pod| pod.shape).collect();
    assert_eq!(shapes.len(), 2);
    assert!(std::ptr::eq(shapes[0], shapes[1]), "what is a pod's own is not in the shape");
    let cluster = Cluster::from_objects_and_pods(Objects::default(), pods).unwrap();
    let templates: Vec<_> = cluster.pods().iter().map(|row| row.template).collect();
    assert_eq!(templates[0], templates[1]);
}

#[test]
fn a_pod_waits_for_its_priority_class() {
    let pod = |name: &str, class: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"priorityClassName": class, "containers": [{"name": "c"}]}})
    };
    let mut known = pod("known", "late");
    edit(&mut known, ("spec", "priority", "5"));
    let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": {"name": "late"}, "value": 7});
    let items = [pod("waits", "late"), known, pod("waits", "late"), class];
    let cluster = read(&items, false).unwrap();
    assert_eq!(cluster, read(&items, true).unwrap());
    let priorities: Vec<(&str, i32)> = cluster
        .pods()
        .iter()
        .map(|row| (row.name.as_str(), cluster.template(row.template).priority()))
        .collect();
    assert_eq!(priorities, [("waits", 7), ("known", 5)]);

    for last in [pod("other", "nobody's"), pod("waits", "nobody's")] {
        let mut items = items.to_vec();
        items.push(last);
        let error = read(&items, false).unwrap_err();
        assert_eq!(error, read(&items, true).unwrap_err());
        assert!(error.contains("items[4]"), "{error}");
    }
}
