"""Print cases on which kube-scheduler does not look at all nodes, one {"case": …} a line.

Large clusters of plain nodes, so that the record stays small.
"""

import json
import random
import sys

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
OLD = "failure-domain.beta.kubernetes.io/"
HOSTNAME = "kubernetes.io/hostname"
Json = dict


def node(rng: random.Random, name: str, zones: list[str], old: float, cpu: str) -> Json:
    """Draws a node: most have room and a zone."""
    labels = {HOSTNAME: name}
    zone = rng.choice(zones)
    if zone:
        labels[ZONE] = zone.split("/")[-1]
        if "/" in zone:
            labels[REGION] = zone.split("/")[0]
    if rng.random() < old:
        labels[OLD + "zone"] = rng.choice(["a", "b", ""])
    spec: Json = {}
    if rng.random() < 0.04:
        spec["taints"] = [{"key": "k", "effect": rng.choice(["NoSchedule", "PreferNoSchedule"])}]
    if rng.random() < 0.02:
        spec["unschedulable"] = True
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "20"}},
    }


def pod(rng: random.Random, name: str, *, names: list[str], cpu: str, priority: int = 0) -> Json:
    """Draws a pod that waits."""
    request = {"cpu": cpu, "memory": rng.choice(["1Gi", "2Gi"])}
    spec: Json = {
        "priority": priority,
        "containers": [{"name": "c", "image": "i", "resources": {"requests": request}}],
    }
    selector = {"matchLabels": {"app": "a"}}
    match rng.randrange(8):
        case 0:
            spec["topologySpreadConstraints"] = [
                {
                    "maxSkew": 1,
                    "topologyKey": rng.choice([ZONE, HOSTNAME]),
                    "whenUnsatisfiable": rng.choice(["ScheduleAnyway", "DoNotSchedule"]),
                    "labelSelector": selector,
                }
            ]
        case 1:
            term = {"topologyKey": ZONE, "labelSelector": selector}
            preferred = [{"weight": rng.choice([1, 50]), "podAffinityTerm": term}]
            kind = rng.choice(["podAffinity", "podAntiAffinity"])
            spec["affinity"] = {
                kind: {"preferredDuringSchedulingIgnoredDuringExecution": preferred}
            }
        case 2:
            fields = [
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}
                for name in rng.sample(names, min(len(names), rng.choice([1, 3, 40])))
            ]
            required = {"nodeSelectorTerms": fields}
            spec["affinity"] = {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
            }
        case 3:
            spec["tolerations"] = [{"key": "k", "operator": "Exists"}]
        case _:
            pass
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": rng.choice("ab")}},
        "spec": spec,
    }


def case(number: int) -> Json:
    """Draws a case."""
    rng = random.Random(f"sampling-{number}")
    full = number % 4 == 3
    # Preemption looks at few of few nodes, too.
    count = rng.randint(6, 30) if full else rng.choice([101, *rng.choices(range(102, 170), k=5)])
    names = [f"n{index}" for index in range(count)]
    zones = rng.choice([["a"], ["a", "b", "c"], ["a", "", "r/a", "r/b"], ["b", "a", "a", "", ""]])
    old = rng.choice([0, 0, 0.2])
    sizes = ["2"] if full else ["2", "2", "4"]
    items = [node(rng, name, zones, old, rng.choice(sizes)) for name in names]
    for index, name in enumerate(names if full else rng.sample(names, 10)):
        cpu = rng.choice(["700m", "800m"])
        running = pod(rng, f"r{index}", names=names, cpu=cpu, priority=rng.choice([0, 5]))
        running["spec"].pop("affinity", None)
        running["spec"]["nodeName"] = name
        running["status"] = {"phase": "Running", "startTime": f"2026-01-0{index % 3 + 1}T00:00:00Z"}
        items.append(running)
    if full:
        labels = {"matchLabels": {"app": "b"}}
        meta = {"name": "b", "namespace": "default"}
        status = {
            "disruptionsAllowed": 0,
            "currentHealthy": 1,
            "desiredHealthy": 1,
            "expectedPods": 1,
        }
        items.append(
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": meta,
                "spec": {"selector": labels},
                "status": status,
            }
        )
    for index in range(rng.randint(5, 7)):
        cpu = "1700m" if full else rng.choice(["100m", "1300m"])
        items.append(pod(rng, f"p{index}", names=names, cpu=cpu, priority=9 if full else 0))
    config: Json = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
    }
    profile: Json = {"schedulerName": "default-scheduler"}
    if rng.random() < 0.6:
        config["percentageOfNodesToScore"] = rng.choice([0, 1, 60, 80, 100])
    if rng.random() < 0.5:
        profile["percentageOfNodesToScore"] = rng.choice([0, 55, 70, 95])
    if number % 10 == 9:
        profile["plugins"] = {"score": {"disabled": [{"name": "*"}]}}
    else:
        some = rng.sample(["PodTopologySpread", "InterPodAffinity", "TaintToleration"], 1)
        scored = [{"name": name} for name in ["NodeResourcesFit", *some]]
        profile["plugins"] = {"score": {"disabled": [{"name": "*"}], "enabled": scored}}
    profile["pluginConfig"] = [
        {
            "name": "DefaultPreemption",
            "args": {
                "minCandidateNodesPercentage": rng.choice([0, 1, 5]),
                "minCandidateNodesAbsolute": rng.choice([1, 2, 4]),
            },
        }
    ]
    config["profiles"] = [profile]
    objects = {"apiVersion": "v1", "kind": "List", "items": items}
    return {"id": f"sampling-{number:03d}", "tags": [], "config": config, "objects": objects}


for number in range(int(sys.argv[1])):
    json.dump({"case": case(number)}, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
