//! Objects written as JSON are read as the same objects.

use std::io::{self, Write};

use bayplan_api::json::{Encode, from_slice, to_vec};
use bayplan_api::{Kind, Object, Objects, Pod, Quantity, Reader, Str, Time};
use proptest::prelude::*;
use serde_json::Value;

fn read(bytes: &[u8]) -> Objects {
    let mut reader = Reader::new();
    reader.read_bytes("written", bytes).unwrap_or_else(|error| panic!("{error}"));
    reader.finish().unwrap_or_else(|error| panic!("{error}"))
}

fn write(objects: &Objects) -> Vec<u8> {
    let mut written = Vec::new();
    objects.write_json(&mut written).expect("memory takes it");
    written
}

/// Objects of all kinds with every member that is kept, in the form and the order in which they are written.
const EVERYTHING: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion": "v1", "kind": "Node", "metadata": {
    "name": "a", "uid": "u-a", "resourceVersion": "17", "labels": {"kubernetes.io/hostname": "a", "spot": ""},
    "annotations": {"note": "\"quoted\" \\ \u0001\b\f\n\r\t é \ud83d\ude00 </script>"},
    "creationTimestamp": "2024-05-01T10:00:00Z", "deletionTimestamp": "2024-05-01T10:00:00.25Z",
    "ownerReferences": [
        {"apiVersion": "x.io/v1", "kind": "Machine", "name": "m", "uid": "u-m", "controller": true},
        {"apiVersion": "x.io/v1", "kind": "Pool", "name": "p", "uid": "u-p"}
    ]
 }, "spec": {
    "unschedulable": true, "podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24", "fd00::/64"], "providerID": "cloud://a",
    "taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "k", "effect": "PreferNoSchedule"},
               {"key": "k", "effect": "NoExecute"}]
 }, "status": {
    "capacity": {"cpu": "8", "memory": "64Gi", "pods": "110", "x.io/gpu": "0"},
    "allocatable": {"cpu": "7900m", "memory": "63Gi", "pods": "110", "x.io/gpu": "0"},
    "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": "a"}],
    "images": [{"names": ["nginx:1", "nginx@sha256:00"], "sizeBytes": 50000000000}, {"names": ["b:1"]}],
    "nodeInfo": {"kubeletVersion": "v1.34.1"}
 }},
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop"}, "spec": {
    "nodeName": "a", "schedulerName": "other", "priority": 0, "priorityClassName": "low", "preemptionPolicy": "Never",
    "nodeSelector": {"disk": "ssd"},
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["1", "2"]}, {"key": "b", "operator": "NotIn", "values": ["1"]},
                    {"key": "c", "operator": "Exists"}, {"key": "d", "operator": "DoesNotExist"},
                    {"key": "e", "operator": "Gt", "values": ["1"]}, {"key": "f", "operator": "Lt", "values": ["1"]}
                 ],
                 "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
            ]},
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 7, "preference": {"matchExpressions": [{"key": "c", "operator": "Exists"}]}}, {"weight": 1, "preference": {}}
            ]
        },
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [{
                "labelSelector": {"matchLabels": {"app": "web"}, "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["1"]}, {"key": "b", "operator": "NotIn", "values": ["1"]},
                    {"key": "c", "operator": "Exists"}, {"key": "d", "operator": "DoesNotExist"}
                ]},
                "namespaces": ["shop", "ops"], "topologyKey": "zone", "namespaceSelector": {},
                "matchLabelKeys": ["rev"], "mismatchLabelKeys": ["tenant"]
            }, {"topologyKey": "zone"}],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 3, "podAffinityTerm": {"labelSelector": {}, "topologyKey": "zone"}}
            ]
        },
        "podAntiAffinity": {}
    },
    "tolerations": [
        {"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "tolerationSeconds": 0}, {"operator": "Exists"}
    ],
    "topologySpreadConstraints": [
        {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}},
         "minDomains": 3, "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor", "matchLabelKeys": ["rev"]},
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "containers": [
        {"name": "c", "image": "nginx:1",
         "resources": {"requests": {"cpu": "1500m", "memory": "1536Mi"}, "limits": {"cpu": "2", "memory": "2G"}},
         "ports": [{"hostPort": 80, "containerPort": 8080, "hostIP": "192.0.2.1", "protocol": "UDP"},
                   {"containerPort": 9, "protocol": "SCTP"}, {"containerPort": 8, "protocol": "TCP"}]},
        {"name": "d", "image": "d", "resources": {}}
    ],
    "initContainers": [{"name": "s", "image": "s", "resources": {}, "restartPolicy": "Always"}],
    "overhead": {"cpu": "100m"},
    "resources": {"requests": {"cpu": "3", "memory": "3Gi"}, "limits": {"cpu": "4", "memory": "4Gi"}},
    "hostNetwork": false,
    "volumes": [
        {"name": "v0", "emptyDir": {}},
        {"name": "v1", "persistentVolumeClaim": {"claimName": "data", "readOnly": true}},
        {"name": "v2", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}}}},
        {"name": "v3", "gcePersistentDisk": {"pdName": "p", "readOnly": true}},
        {"name": "v4", "awsElasticBlockStore": {"volumeID": "vol-1"}},
        {"name": "v5", "azureDisk": {"diskName": "d", "diskURI": "u", "kind": "Managed"}},
        {"name": "v6", "azureDisk": {"diskName": "d", "diskURI": "u", "kind": "Shared"}},
        {"name": "v7", "azureFile": {"shareName": "s"}},
        {"name": "v8", "cinder": {"volumeID": "c"}},
        {"name": "v9", "portworxVolume": {"volumeID": "p"}},
        {"name": "v10", "vsphereVolume": {"volumePath": "[d] v"}},
        {"name": "v11", "iscsi": {"targetPortal": "192.0.2.9", "iqn": "iqn.2001-04.com.example:x", "lun": 0, "readOnly": true}},
        {"name": "v12", "rbd": {"monitors": ["m1", "m2"], "image": "i", "pool": "rbd", "readOnly": true}},
        {"name": "v13", "csi": {"driver": "csi.example.com", "readOnly": true}},
        {"name": "v14", "hostPath": {}},
        {"name": "v15", "nfs": {}}
    ],
    "resourceClaims": [{"name": "gpu"}]
 }, "status": {
    "phase": "Running", "startTime": "2024-05-01T10:00:00Z", "nominatedNodeName": "b",
    "podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}, {"ip": "fd00::7"}], "hostIP": "192.0.2.1",
    "containerStatuses": [
        {"name": "c", "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}},
        {"name": "d", "resources": {}}
    ],
    "initContainerStatuses": [{"name": "s", "allocatedResources": {"cpu": "1"}}],
    "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"},
                   {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}],
    "resize": "Proposed"
 }},
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}, "spec": {
    "schedulerName": "default-scheduler", "priority": -5, "preemptionPolicy": "PreemptLowerPriority",
    "containers": [{"name": "c", "image": "c", "resources": {}, "ports": [{"hostPort": 7, "containerPort": 7, "protocol": "TCP"}]}],
    "hostNetwork": true, "schedulingGates": [{"name": "x.io/quota"}, {"name": "x.io/review"}]
 }, "status": {"phase": "Pending"}},
{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"kubernetes.io/metadata.name": "shop"}}},
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "shop"}, "spec": {"selector": {"app": "web"}}},
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "none", "namespace": "shop"}},
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "empty", "namespace": "shop"}, "spec": {"selector": {}}},
{"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc", "namespace": "shop"}, "spec": {"selector": {"app": "web"}}},
{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "rs", "namespace": "shop"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}},
{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "set", "namespace": "shop"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}},
{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-csi"}, "spec": {
    "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
    "claimRef": {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": "data", "uid": "u-data"},
    "storageClassName": "fast", "volumeMode": "Block", "volumeAttributesClassName": "gold",
    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["z"]}]}]}},
    "csi": {"driver": "csi.example.com", "volumeHandle": "h"}
 }, "status": {"phase": "Bound"}},
{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-azure-file"}, "spec": {
    "capacity": {"storage": "1"}, "accessModes": ["ReadWriteOncePod"], "volumeMode": "Filesystem", "volumeAttributesClassName": "",
    "azureFile": {"shareName": "s", "secretName": "k", "secretNamespace": "n"}
 }, "status": {"phase": "Pending"}},
{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"}, "spec": {
    "accessModes": ["ReadWriteOnce"], "selector": {}, "resources": {"requests": {"storage": "10Gi"}, "limits": {"storage": "20Gi"}},
    "volumeName": "pv-csi", "storageClassName": "", "volumeMode": "Block", "volumeAttributesClassName": "gold"
 }, "status": {"phase": "Bound"}},
{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}, "provisioner": "csi.example.com",
 "volumeBindingMode": "WaitForFirstConsumer",
 "allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["y", "z"]}]}]},
{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "slow"}, "provisioner": "p", "volumeBindingMode": "Immediate"},
{"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": "a"}, "spec": {"drivers": [
    {"name": "csi.example.com", "nodeID": "n", "topologyKeys": ["zone"], "allocatable": {"count": 0}}, {"name": "other.example.com", "nodeID": "n"}
 ]}},
{"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "csi.example.com"}, "spec": {"attachRequired": false, "storageCapacity": true}},
{"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "other.example.com"}, "spec": {"attachRequired": true}},
{"apiVersion": "storage.k8s.io/v1", "kind": "CSIStorageCapacity", "metadata": {"name": "c", "namespace": "shop"}, "nodeTopology": {},
 "storageClassName": "fast", "capacity": "0", "maximumVolumeSize": "1Ti"},
{"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": "va"}, "spec": {
    "attacher": "csi.example.com", "nodeName": "a", "source": {"persistentVolumeName": "pv-csi"}}, "status": {"attached": true}},
{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "shop"}, "spec": {"selector": {"matchLabels": {"app": "web"}}},
 "status": {"disruptionsAllowed": 0, "disruptedPods": {"web-0": null, "web-1": null}}},
{"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "low"}, "value": 0, "globalDefault": true, "preemptionPolicy": "Never"}
]}"#;

/// `EVERYTHING`, without the `false` that a decision needs no word for.
fn everything() -> Value {
    let mut value: Value = serde_json::from_str(EVERYTHING).expect("JSON");
    let pod = &mut value["items"][1]["spec"];
    pod.as_object_mut().expect("an object").remove("hostNetwork");
    value
}

#[test]
fn every_member_is_written_as_it_was_read() {
    let objects = read(EVERYTHING.as_bytes());
    let written: Value = serde_json::from_slice(&write(&objects)).expect("JSON");
    let (written, expected) = (written["items"].as_array(), everything());
    let (written, expected) = (written.expect("a list"), expected["items"].as_array());
    let expected = expected.expect("a list");
    assert_eq!(written.len(), expected.len());
    for (written, expected) in written.iter().zip(expected) {
        assert_eq!(written, expected);
    }
    let mut kinds: Vec<_> = expected.iter().map(|item| item["kind"].as_str()).collect();
    kinds.dedup();
    assert_eq!(kinds, Kind::ALL.iter().map(|kind| Some(kind.name())).collect::<Vec<_>>());
}

#[test]
fn what_was_written_is_read_as_the_same() {
    let objects = read(EVERYTHING.as_bytes());
    assert_eq!(read(&write(&objects)), objects);
}

#[test]
fn every_sort_of_volume_survives() {
    let sources = [
        r#""gcePersistentDisk": {"pdName": "p"}"#,
        r#""awsElasticBlockStore": {"volumeID": "vol-1"}"#,
        r#""azureDisk": {"diskName": "d", "diskURI": "u", "kind": "Managed"}"#,
        r#""azureDisk": {"diskName": "d", "diskURI": "u", "kind": "Shared"}"#,
        r#""azureFile": {"shareName": "s", "secretName": "k"}"#,
        r#""cinder": {"volumeID": "c"}"#,
        r#""portworxVolume": {"volumeID": "p"}"#,
        r#""vsphereVolume": {"volumePath": "[d] v"}"#,
        r#""local": {}, "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]}}"#,
        r#""hostPath": {}"#,
        r#""nfs": {}"#,
    ];
    for source in sources {
        let text = format!(
            r#"{{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {{"name": "pv"}}, "spec": {{
                "capacity": {{"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", {source}
            }}, "status": {{"phase": "Available"}}}}"#
        );
        let objects = read(text.as_bytes());
        let written: Value = serde_json::from_slice(&write(&objects)).expect("JSON");
        assert_eq!(written["items"][0], serde_json::from_str::<Value>(&text).expect("JSON"));
        assert_eq!(read(&write(&objects)), objects, "{source}");
    }
}

#[test]
fn a_single_object_says_what_it_is() {
    let objects = read(EVERYTHING.as_bytes());
    let object = Object::from(objects.storage_classes[0].clone());
    assert_eq!(read(&to_vec(&object)).storage_classes, &objects.storage_classes[..1]);
    assert_eq!(to_vec(&objects.storage_classes[0]), to_vec(&object));
    let expected = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"kubernetes.io/metadata.name":"shop"}}}"#;
    assert_eq!(String::from_utf8(to_vec(&objects.namespaces[0])).as_deref(), Ok(expected));
}

#[test]
fn no_objects_are_an_empty_list() {
    let written = write(&Objects::default());
    assert_eq!(written, b"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n]}\n");
    assert_eq!(read(&written), Objects::default());
}

#[test]
fn the_list_has_an_object_a_line() {
    let objects = read(EVERYTHING.as_bytes());
    let written = String::from_utf8(write(&objects)).expect("UTF-8");
    let count = everything()["items"].as_array().expect("a list").len();
    assert_eq!(written.lines().count(), count + 2);
}

/// Takes so many bytes and then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("no space left"));
        }
        let count = bytes.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0 == 0 { Err(io::Error::other("no space left")) } else { Ok(()) }
    }
}

#[test]
fn a_failing_output_is_an_error_wherever_it_fails() {
    // more text than is gathered before it is handed on
    let mut objects = read(EVERYTHING.as_bytes());
    let pod = objects.pods[0].clone();
    objects.pods.extend(std::iter::repeat_n(pod, 100));
    let length = write(&objects).len();
    for space in [0, 1, 41, 1000, 100_000, length - 1, length] {
        let error = objects.write_json(Full(space)).expect_err("it is full");
        assert_eq!(error.to_string(), "no space left", "{space}");
    }
    assert!(objects.write_json(Full(length + 1)).is_ok());
}

fn same<T: Encode + bayplan_api::json::Decode + PartialEq + std::fmt::Debug>(value: &T) -> T {
    let text = to_vec(value);
    let again: T = from_slice(&text).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(again, *value, "{}", String::from_utf8_lossy(&text));
    again
}

#[test]
fn quantities_that_their_canonical_form_does_not_tell_survive() {
    let texts = [
        // a power of ten beyond E has no letter
        "1000E",
        "1e21",
        "1000000000000000000000",
        "-1000000000000000000000000",
        "123456789012345678E",
        // the two representations differ beyond 64 bits
        "9223372036854775808",
        "9223372036854775807000",
        "99999999999999999999999999999",
        "16Ei",
        "1e300",
        "10Ei",
        "0.5Ei",
        "1.0000000000000000000000",
        "9300P",
    ];
    for text in texts {
        let quantity = Quantity::parse(text).expect("a quantity");
        let again = same(&quantity);
        assert_eq!(again.value(), quantity.value(), "{text}");
        assert_eq!(again.milli_value(), quantity.milli_value(), "{text}");
    }
    assert_eq!(Quantity::parse("1500m").map(|own| own.exact_text()).as_deref(), Ok("1500m"));
    assert_eq!(Quantity::parse("1.5Gi").map(|own| own.exact_text()).as_deref(), Ok("1536Mi"));
}

#[test]
fn times_that_only_an_offset_can_say_survive() {
    for text in ["0000-01-01T00:00:00+24:60", "9999-12-31T23:59:59.999999999-24:60"] {
        same(&text.parse::<Time>().expect("a time"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_quantity_survives(
        sign in "[+-]?",
        number in prop_oneof!["[0-9]{1,25}(\\.[0-9]{0,22})?", "[1-9]0{0,40}", "92233720368547758[0-9]{2,6}"],
        suffix in prop_oneof!["", "[numkMGTPE]", "[KMGTPE]i", "e-?[0-9]{1,2}"],
        milli in any::<bool>(),
    ) {
        let Ok(mut quantity) = Quantity::parse(&format!("{sign}{number}{suffix}")) else {
            return Ok(());
        };
        if milli {
            quantity.round_up_to_milli();
        }
        let again = same(&quantity);
        if quantity.sign() >= 0 {
            prop_assert_eq!(again.value(), quantity.value());
            prop_assert_eq!(again.milli_value(), quantity.milli_value());
        }
    }

    #[test]
    fn any_text_survives_as_key_and_value(key in any::<String>(), value in any::<String>(), name in any::<String>()) {
        let mut pod = Pod::default();
        pod.metadata.annotations.insert(Str::from(key.as_str()), Str::from(value.as_str()));
        pod.metadata.name = name.into();
        same(&pod);
        let parsed: Value = serde_json::from_slice(&to_vec(&pod)).expect("JSON");
        prop_assert_eq!(parsed["metadata"]["annotations"][&key].as_str(), Some(value.as_str()));
    }

    #[test]
    fn any_time_survives(seconds in -62_167_219_200_i128..253_402_300_800, nanos in 0..1_000_000_000_i128) {
        same(&Time { unix_nanos: seconds * 1_000_000_000 + nanos });
    }
}
