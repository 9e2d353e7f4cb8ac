use std::collections::BTreeSet;
use std::io;

use bayplan_api::{Labels, ObjectMeta, Objects, Pod, Reader};
use bayplan_workloads::{Shape, Workload};
use sha2::{Digest, Sha256};

/// Of each workload, what `sha256sum` says of its objects as JSON.
const HASHES: &[(&str, &str)] = &[
    ("SchedulingBasic/5Nodes", "0ca812fcb6aa30a53b571bc110e2fb4e3f65c7aeeb424becb48e38c07c940985"),
    (
        "SchedulingPodAntiAffinity/5Nodes",
        "fc7ba3efd2b379c9c31e1397ebca20276c8a8c6406201c86aab0b926e64460c4",
    ),
    (
        "SchedulingPodAffinity/5Nodes",
        "59afa599c56d5c8ae74a29ac60c97c8c8939e294d7d03f1baa512f57f9a3bdff",
    ),
    (
        "SchedulingPreferredPodAffinity/5Nodes",
        "9090a54d7115baff093954b49636b37c7e836071ced962bc94e14f70ffc26908",
    ),
    (
        "SchedulingPreferredPodAntiAffinity/5Nodes",
        "8870e2240d9547ab0d0f59ecf0ec339d8c13d317a15a0393740a2ff36d407d81",
    ),
    (
        "SchedulingNodeAffinity/5Nodes",
        "d1ad7b9db46854d60f3d6ff152396daf187ac990eacfde1e030d8a73d8c7f877",
    ),
    (
        "TopologySpreading/5Nodes",
        "2d0783df706f2364addd58e99925f64710bf7e580a5057bb58eee7a042948e4f",
    ),
    (
        "PreferredTopologySpreading/5Nodes",
        "d9ab2ed0689e0b603e1df1e509f90b9bd8295e1873ce843224f6e1ec25b14d0c",
    ),
    (
        "DefaultTopologySpreading/5Nodes",
        "2b6f68b75eae1d73cecf91ce119ff6a0ef6a7c4e7a36f5e6ed103dcbbc3843f4",
    ),
    (
        "MixedSchedulingBasePod/5Nodes",
        "195e7ba9be6f616948f8e09cfe75e24bdafbf79534931e7cd3acbd147d5d8669",
    ),
    (
        "Unschedulable/5Nodes_10Pods",
        "1bc5f71c73888b03c428b91030fa7d044a6f3532b563010f24861065001ee400",
    ),
    ("PreemptionBasic/5Nodes", "76e2061f34a47edb9d3a63845db1533a444b0558e92916ed227c64f5da29bfbd"),
    (
        "SchedulingDaemonset/5Nodes",
        "cb15c94557da1feebb216289abc28a109b34d3914e33a3d3b463eefe443b998f",
    ),
    (
        "SchedulingInTreePVs/5Nodes",
        "ce8c7e465815decf9dfd169391b4e34d5ad0e94a8160361c4c0884391085ec26",
    ),
    ("SchedulingCSIPVs/5Nodes", "23f0711f5e398e98f13819827a7b3cacdc7dce42307b3ca9fbfed6cbf369f1b8"),
    (
        "SchedulingWhileGated/1Node_10GatedPods",
        "c958464d8bffb1d755d354513354fdfa2efd41c6c6f00eb1514f3e1f78213483",
    ),
    (
        "Heterogeneous/500Nodes_300Pods",
        "2f1acdffbcd1061852d8e5411ddf32d54e742bcb09fbab1e719f11efa496297f",
    ),
    (
        "Production/500Nodes_10000Pods",
        "9ceec03d1f17648d7cf39422303876737a683c01f753887d6856a44a062dbc6b",
    ),
    (
        "SchedulingBasic/5000Nodes_50000Pods",
        "230b528d643e8cc038ff59754fb9f090ded2424708383742771c983496f66a08",
    ),
    (
        "Heterogeneous/5000Nodes_3000Pods",
        "02ce3c9cbe4f6bd778858860725d6da792d099eca87c9e966737f57cfbc8ea82",
    ),
];

/// Sizes that are measured, beside the smallest of each.
const LARGER: [&str; 2] =
    ["SchedulingBasic/5000Nodes_50000Pods", "Heterogeneous/5000Nodes_3000Pods"];

struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn objects(workload: &str) -> Objects {
    workload.parse::<Workload>().unwrap().generate().into_objects()
}

fn hash(objects: &Objects) -> String {
    let mut hashing = Hashing(Sha256::new());
    objects.write_json(&mut hashing).unwrap();
    hashing.0.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The smallest size of each.
fn smallest() -> impl Iterator<Item = Workload> {
    Shape::ALL.iter().map(|shape| shape.sizes().remove(0))
}

#[test]
fn the_objects_are_the_same_as_ever() {
    let made: Vec<(String, String)> = smallest()
        .map(|workload| workload.to_string())
        .chain(LARGER.map(str::to_owned))
        .map(|name| (name.clone(), hash(&objects(&name))))
        .collect();
    let known: Vec<(String, String)> =
        HASHES.iter().map(|&(name, hash)| (name.to_owned(), hash.to_owned())).collect();
    assert_eq!(
        made, known,
        "workloads are known by name: whoever changes one gives it another name"
    );
}

#[test]
fn an_api_server_would_keep_them_as_they_are() {
    for workload in smallest() {
        let made = workload.generate().into_objects();
        let mut json = Vec::new();
        made.write_json(&mut json).unwrap();
        let mut reader = Reader::new();
        reader.read_bytes("workload", &json).unwrap();
        let read = reader.finish().unwrap();
        assert!(read == made, "{workload}: differs after the way through JSON");
    }
}

#[test]
fn production_of_one_application_has_pods_of_one_template() {
    let generated =
        "Production/500Nodes_100Init_10000Pods_1Templates".parse::<Workload>().unwrap().generate();
    assert_eq!(templates(generated.first().chain(generated.measured())), 1);
}

#[test]
fn there_are_as_many_as_the_size_says() {
    for workload in Workload::all().filter(|workload| workload.size.nodes <= 1_000) {
        let size = workload.size;
        let generated = workload.generate();
        let extra = usize::from(workload.shape == Shape::SchedulingDaemonset);
        assert_eq!(generated.cluster.nodes.len(), size.nodes as usize + extra, "{workload}");
        assert_eq!(generated.first().count(), size.first as usize, "{workload}");
        assert_eq!(generated.measured().count(), size.measured as usize, "{workload}");
        let objects = generated.into_objects();
        let names: BTreeSet<(&str, &str)> = (objects.pods.iter())
            .map(|pod| (pod.metadata.namespace.as_str(), pod.metadata.name.as_str()))
            .collect();
        assert_eq!(names.len(), objects.pods.len(), "{workload}: two pods have one name");
        let uids: BTreeSet<&str> =
            objects.pods.iter().map(|pod| pod.metadata.uid.as_str()).collect();
        assert_eq!(uids.len(), objects.pods.len(), "{workload}: two pods have one UID");
    }
}

/// The pod without what tells it from others of its template.
fn template(mut pod: Pod) -> Pod {
    pod.metadata = ObjectMeta {
        namespace: pod.metadata.namespace,
        labels: pod.metadata.labels,
        ..ObjectMeta::default()
    };
    pod
}

fn templates(pods: impl Iterator<Item = Pod>) -> usize {
    pods.map(|pod| format!("{:?}", template(pod))).collect::<BTreeSet<_>>().len()
}

#[test]
fn no_two_pods_and_no_two_nodes_of_heterogeneous_are_alike() {
    let generated = "Heterogeneous/1000Nodes".parse::<Workload>().unwrap().generate();
    let pods: Vec<Pod> = generated.first().chain(generated.measured()).collect();
    // not even apart from their labels
    let unlabelled = pods.iter().cloned().map(|mut pod| {
        pod.metadata.labels = Labels::new();
        pod
    });
    assert_eq!(templates(unlabelled), pods.len());
    let nodes = &generated.cluster.nodes;
    let sizes: BTreeSet<String> =
        nodes.iter().map(|node| format!("{:?}", node.status.allocatable)).collect();
    assert_eq!(sizes.len(), nodes.len());
    let related = |pod: &&Pod| {
        let affinity = pod.spec.affinity.as_ref();
        !pod.spec.topology_spread_constraints.is_empty()
            || affinity
                .is_some_and(|it| it.pod_affinity.is_some() || it.pod_anti_affinity.is_some())
    };
    assert_eq!(pods.iter().filter(related).count(), pods.len().div_ceil(3));
}

#[test]
fn production_is_made_of_the_proportions_that_its_documentation_says() {
    let generated = "Production/1000Nodes".parse::<Workload>().unwrap().generate();
    let measured: Vec<Pod> = generated.measured().collect();
    let found = templates(measured.iter().cloned());
    assert!(found >= 300, "{found} templates");
    // One of each comes first: these are the applications.
    let applications: Vec<Pod> = generated.first().take(400).collect();
    let count = |what: &dyn Fn(&Pod) -> bool| applications.iter().filter(|pod| what(pod)).count();
    let of = |pod: &Pod| pod.spec.affinity.clone().unwrap_or_default();
    assert_eq!(
        count(&|pod| of(pod).pod_anti_affinity.is_some_and(|it| !it.preferred.is_empty())),
        100
    );
    assert_eq!(
        count(&|pod| of(pod).pod_anti_affinity.is_some_and(|it| !it.required.is_empty())),
        16
    );
    assert_eq!(count(&|pod| !pod.spec.topology_spread_constraints.is_empty()), 80);
    assert_eq!(count(&|pod| of(pod).pod_affinity.is_some()), 12);
    assert_eq!(count(&|pod| pod.spec.priority == Some(2_000_000_000)), 12);
    for (priority, most) in [(-100, 60), (100_000, 40)] {
        let found = count(&|pod| pod.spec.priority == Some(priority));
        assert!((most - 6..=most).contains(&found), "{found} of priority {priority}");
    }
    let asks = |pod: &Pod| pod.spec.containers.iter().any(|it| !it.resources.requests.is_empty());
    let bare = count(&|pod| pod.spec.containers.len() == 1 && !asks(pod));
    assert!((16..=32).contains(&bare), "{bare} ask for nothing");
    assert_eq!(generated.cluster.stateful_sets.len(), 20);
    assert_eq!(generated.cluster.replica_sets.len(), 380);
    assert_eq!(generated.cluster.services.len(), 240);
    assert!(
        generated.cluster.nodes.iter().all(|node| (10..=50).contains(&node.status.images.len()))
    );
}
