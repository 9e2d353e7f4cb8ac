"""Writes a dump as `kubectl get nodes,pods --all-namespaces --show-managed-fields -o json` prints it.

The cluster is made up, but each object has the members that a v1.34 API server stores: managed fields, status with
conditions and container statuses, environment, probes, volumes, tolerations. Members are sorted by name and indented by
four blanks, `<`, `>` and `&` are escaped, as kubectl does. Equal arguments give equal bytes.

    python benches/read/dump.py --nodes 5000 --pods 100000 dump.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any, TextIO

Json = dict[str, Any]

ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
TIME = "2026-03-0{}T{:02}:{:02}:{:02}Z"


def hexadecimal(*parts: object, length: int = 64) -> str:
    """Digits that look random and depend on `parts` only."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:length]


def uid(*parts: object) -> str:
    """A UID that depends on `parts` only."""
    digits = hexadecimal(*parts, length=32)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def time(random_source: random.Random) -> str:
    """A time stamp."""
    return TIME.format(
        random_source.randint(1, 9),
        random_source.randint(0, 23),
        random_source.randint(0, 59),
        random_source.randint(0, 59),
    )


def fields(value: Any) -> Json:
    """The `fieldsV1` that a controller which wrote `value` owns."""
    owned: Json = {}
    for name, member in value.items():
        if isinstance(member, dict):
            owned[f"f:{name}"] = {".": {}, **fields(member)}
        elif isinstance(member, list) and member and isinstance(member[0], dict):
            listed: Json = {".": {}}
            for element in member:
                for key in ("name", "type", "uid", "mountPath", "ip", "containerPort"):
                    if key in element:
                        listed["k:" + json.dumps({key: element[key]}, separators=(",", ":"))] = {
                            ".": {},
                            **fields(element),
                        }
                        break
            owned[f"f:{name}"] = listed
        else:
            owned[f"f:{name}"] = {}
    return owned


def managed(manager: str, value: Json, at: str, subresource: str | None = None) -> Json:
    """An entry of `managedFields`."""
    entry: Json = {
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": fields(value),
        "manager": manager,
        "operation": "Update",
        "time": at,
    }
    if subresource:
        entry["subresource"] = subresource
    return entry


def print_object(value: Json) -> str:
    """The object as kubectl prints it among the items of a list."""
    text = json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.replace("\n", "\n        ")


def node(index: int, random_source: random.Random) -> Json:
    """A node of one of several machine types."""
    zone = ZONES[index % 3]
    machine, cpu, memory, pods = random_source.choice(
        [("m6i.2xlarge", 8, 32, 58), ("m6i.4xlarge", 16, 64, 234), ("r6i.4xlarge", 16, 128, 234)]
    )
    address = f"10.{index // 65536 + 32}.{index // 256 % 256}.{index % 256}"
    name = f"ip-{address.replace('.', '-')}.eu-central-1.compute.internal"
    instance = "i-" + hexadecimal("instance", index, length=17)
    created = time(random_source)
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": machine,
        "beta.kubernetes.io/os": "linux",
        "failure-domain.beta.kubernetes.io/region": "eu-central-1",
        "failure-domain.beta.kubernetes.io/zone": zone,
        "k8s.io/cloud-provider-aws": hexadecimal("cluster", length=32),
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": machine,
        "node.kubernetes.io/pool": f"pool-{index % 12}",
        "topology.ebs.csi.aws.com/zone": zone,
        "topology.k8s.aws/zone-id": f"euc1-az{index % 3 + 1}",
        "topology.kubernetes.io/region": "eu-central-1",
        "topology.kubernetes.io/zone": zone,
    }
    annotations = {
        "alpha.kubernetes.io/provided-node-ip": address,
        "csi.volume.kubernetes.io/nodeid": json.dumps({"ebs.csi.aws.com": instance}),
        "node.alpha.kubernetes.io/ttl": "300",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    conditions = [
        {
            "lastHeartbeatTime": time(random_source),
            "lastTransitionTime": created,
            "message": message,
            "reason": reason,
            "status": "True" if kind == "Ready" else "False",
            "type": kind,
        }
        for kind, reason, message in [
            (
                "MemoryPressure",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "KubeletReady", "kubelet is posting ready status"),
        ]
    ]
    status = {
        "addresses": [
            {"address": address, "type": "InternalIP"},
            {"address": name, "type": "InternalDNS"},
            {"address": name, "type": "Hostname"},
        ],
        "allocatable": {
            "cpu": f"{cpu * 1000 - 90}m",
            "ephemeral-storage": "95551679124",
            "hugepages-1Gi": "0",
            "hugepages-2Mi": "0",
            "memory": f"{memory * 1024 * 1024 - 1186572}Ki",
            "pods": str(pods),
        },
        "capacity": {
            "cpu": str(cpu),
            "ephemeral-storage": "104845292Ki",
            "hugepages-1Gi": "0",
            "hugepages-2Mi": "0",
            "memory": f"{memory * 1024 * 1024 - 169756}Ki",
            "pods": str(pods),
        },
        "conditions": conditions,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [
            {
                "names": [
                    f"registry.example.com/team-{image % 40}/service-{image}@sha256:{hexadecimal('image', image)}",
                    f"registry.example.com/team-{image % 40}/service-{image}:v1.{image % 17}.{image % 5}",
                ],
                "sizeBytes": 10_000_000 + image * 731_337,
            }
            for image in sorted(random_source.sample(range(400), 12))
        ],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": uid("boot", index),
            "containerRuntimeVersion": "containerd://1.7.27",
            "kernelVersion": "6.1.132-147.221.amzn2023.x86_64",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.1-eks-113cf36",
            "machineID": hexadecimal("machine", index, length=32),
            "operatingSystem": "linux",
            "osImage": "Amazon Linux 2023.7.20250331",
            "systemUUID": uid("system", index),
        },
    }
    spec: Json = {"podCIDR": None, "providerID": f"aws:///{zone}/{instance}"}
    spec["podCIDR"] = f"10.{index // 256 + 64}.{index % 256}.0/24"
    spec["podCIDRs"] = [spec["podCIDR"]]
    if index % 12 == 11:
        spec["taints"] = [{"effect": "NoSchedule", "key": "dedicated", "value": "batch"}]
    metadata = {
        "annotations": annotations,
        "creationTimestamp": created,
        "labels": labels,
        "managedFields": [
            managed(
                "kubelet", {"metadata": {"annotations": annotations, "labels": labels}}, created
            ),
            managed(
                "aws-cloud-controller-manager",
                {
                    "metadata": {"labels": {"k8s.io/cloud-provider-aws": ""}},
                    "spec": {"providerID": ""},
                },
                created,
            ),
            managed("kubelet", {"status": status}, time(random_source), "status"),
        ],
        "name": name,
        "resourceVersion": str(random_source.randint(10**8, 10**9)),
        "uid": uid("node", index),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def template(index: int, random_source: random.Random) -> str:
    """The text of a pod of the deployment `index`, with a mark where its pods differ."""
    image = index % 400
    app = f"service-{image}"
    namespace = f"team-{image % 40}"
    template_hash = hexadecimal("template", index, length=10)
    labels = {
        "app.kubernetes.io/component": random_source.choice(["web", "worker", "cache", "api"]),
        "app.kubernetes.io/instance": f"{app}-{index}",
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/version": f"1.{image % 17}.{image % 5}",
        "pod-template-hash": template_hash,
    }
    container_names = ["main", *random_source.choice([[]] * 9 + [["proxy"]])]
    environment: list[Json] = [
        {
            "name": "POD_NAME",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
        },
        {
            "name": "DATABASE_URL",
            "value": f"postgres://{app}@db.{namespace}.svc:5432/{app}?a=1&b=2",
        },
        {"name": "LOG_LEVEL", "value": "info"},
    ]
    access = "kube-api-access-@SUFFIX@"
    containers = [
        {
            "args": ["--port=8080"],
            "env": environment if name == "main" else environment[:1],
            "image": f"registry.example.com/{namespace}/{app}:v1.{image % 17}.{image % 5}"
            if name == "main"
            else "registry.example.com/mesh/proxy:v2.3.1",
            "imagePullPolicy": "IfNotPresent",
            "name": name,
            "ports": [{"containerPort": 8080 + order, "name": f"http-{name}", "protocol": "TCP"}],
            "resources": {
                "limits": {"memory": f"{256 << (index % 4)}Mi"},
                "requests": {
                    "cpu": f"{100 * (index % 7 + 1)}m",
                    "memory": f"{128 << (index % 4)}Mi",
                },
            },
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "volumeMounts": [
                {"mountPath": f"/etc/{app}", "name": "config"},
                {
                    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                    "name": access,
                    "readOnly": True,
                },
            ],
        }
        for order, name in enumerate(container_names)
    ]
    spec: Json = {
        "containers": containers,
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "nodeName": "@NODE@",
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": app,
        "serviceAccountName": app,
        "terminationGracePeriodSeconds": 30,
        "tolerations": [
            {
                "effect": "NoExecute",
                "key": f"node.kubernetes.io/{key}",
                "operator": "Exists",
                "tolerationSeconds": 300,
            }
            for key in ("not-ready", "unreachable")
        ],
        "volumes": [
            {"configMap": {"defaultMode": 420, "name": f"{app}-config"}, "name": "config"},
            {
                "name": access,
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    ],
                },
            },
        ],
    }
    selector = {"matchLabels": {"app.kubernetes.io/name": app}}
    if index % 3 == 0:
        spec["topologySpreadConstraints"] = [
            {
                "labelSelector": selector,
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
            }
        ]
    if index % 5 == 0:
        spec["affinity"] = {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "podAffinityTerm": {
                            "labelSelector": selector,
                            "topologyKey": "kubernetes.io/hostname",
                        },
                        "weight": 100,
                    }
                ]
            }
        }
    status = {
        "conditions": [
            {
                "lastProbeTime": None,
                "lastTransitionTime": "@TIME@",
                "status": "True",
                "type": kind,
            }
            for kind in (
                "Initialized",
                "Ready",
                "ContainersReady",
                "PodScheduled",
            )
        ],
        "containerStatuses": [
            {
                "containerID": f"containerd://@ID-{container['name']}@",
                "image": container["image"],
                "imageID": f"registry.example.com/{app}@sha256:{hexadecimal('image', image)}",
                "lastState": {},
                "name": container["name"],
                "ready": True,
                "restartCount": 0,
                "started": True,
                "state": {"running": {"startedAt": "@TIME@"}},
            }
            for container in containers
        ],
        "hostIP": "@HOST@",
        "hostIPs": [{"ip": "@HOST@"}],
        "phase": "Running",
        "podIP": "@IP@",
        "podIPs": [{"ip": "@IP@"}],
        "qosClass": "Burstable",
        "startTime": "@TIME@",
    }
    owner = {
        "apiVersion": "apps/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "ReplicaSet",
        "name": f"{app}-{index}-{template_hash}",
        "uid": uid("set", index),
    }
    written = {
        "metadata": {"generateName": "", "labels": labels},
        "spec": {"dnsPolicy": "", "restartPolicy": "", "schedulerName": ""},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {"checksum/config": hexadecimal("config", index)},
            "creationTimestamp": "@TIME@",
            "generateName": f"{app}-{index}-{template_hash}-",
            "generation": 1,
            "labels": labels,
            "managedFields": [
                managed("kube-controller-manager", written, "@TIME@"),
                managed(
                    "kubelet",
                    {"status": {"conditions": status["conditions"][:1], "podIP": ""}},
                    "@TIME@",
                    "status",
                ),
            ],
            "name": f"{app}-{index}-{template_hash}-@SUFFIX@",
            "namespace": namespace,
            "ownerReferences": [owner],
            "resourceVersion": "@VERSION@",
            "uid": "@UID@",
        },
        "spec": spec,
        "status": status,
    }
    return print_object(pod)


def write(out: TextIO, nodes: int, pods: int, seed: int) -> None:
    """Writes the whole List."""
    random_source = random.Random(seed)
    out.write('{\n    "apiVersion": "v1",\n    "items": [\n')
    separator = "        "
    names = []
    for index in range(nodes):
        value = node(index, random_source)
        names.append((value["metadata"]["name"], value["status"]["addresses"][0]["address"]))
        out.write(separator + print_object(value))
        separator = ",\n        "
    templates = [template(index, random_source) for index in range(max(1, min(2000, pods // 20)))]
    for index in range(pods):
        # as in etcd, the pods of a ReplicaSet stand together
        text = templates[index * len(templates) // pods]
        # some pods wait
        name, host = random_source.choice(names) if names and index % 1000 else ("", "")
        for mark, value in [
            ("@SUFFIX@", hexadecimal("suffix", index, length=7)),
            ("@NODE@", name),
            ("@HOST@", host),
            ("@IP@", f"100.{64 + index // 65536}.{index // 256 % 256}.{index % 256}"),
            ("@TIME@", time(random_source)),
            ("@VERSION@", str(random_source.randint(10**8, 10**9))),
            ("@UID@", uid("pod", index)),
            ("@ID-main@", hexadecimal("main", index)),
            ("@ID-proxy@", hexadecimal("proxy", index)),
        ]:
            text = text.replace(mark, value)
        out.write(separator + text)
        separator = ",\n        "
    out.write(
        '\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n'
    )


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("--pods", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with arguments.file.open("w", encoding="utf-8", newline="\n") as out:
        write(out, arguments.nodes, arguments.pods, arguments.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
