"""Random clusters in the conformance form, for the peer scheduler to decide.

The recorded cases in ``tests/`` all come from one generator. This one shares
nothing with it: other names, other label vocabularies, odder quantities, many
small topology domains, keys that are missing, arguments of every plugin. The
objects are valid (``kube-scheduler validate`` checks them as an API server
would), the clusters need not be sensible.

    python benches/peers/generate_cases.py --seed 1 --cases 100 | kube-scheduler label

writes one ``{"case": …, "expected": …}`` a line. A case depends on the seed,
its group, its size and its number only, so that one can be made again alone.
"""

# Rates are numbers that mean only themselves; nothing here is secret; drawing
# an object is one long list of choices that reads best in one place.
# ruff: noqa: S104, C901, PLR0912

from __future__ import annotations

import argparse
import json
import sys
from fractions import Fraction
from functools import cache
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]

GROUPS = (
    "resources",
    "taints",
    "nodeaffinity",
    "ports",
    "podaffinity",
    "spread",
    "images",
    "volumes",
    "preemption",
    "config",
    "mixed",
)

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"

# What a group turns up; everything else keeps its low rate.
EMPHASIS = {
    "resources": {"resources": 1.0},
    "taints": {"taints": 1.0},
    "nodeaffinity": {"nodeaffinity": 0.9},
    "ports": {"ports": 0.9},
    "podaffinity": {"podaffinity": 0.85},
    "spread": {"spread": 0.85, "workloads": 0.8},
    "images": {"images": 1.0},
    "volumes": {"volumes": 0.8},
    "preemption": {
        "preemption": 1.0,
        "full": 1.0,
        "podaffinity": 0.2,
        "spread": 0.2,
        "ports": 0.2,
        "taints": 0.06,
        "nodeaffinity": 0.06,
    },
    "config": {"config": 1.0},
    "mixed": {
        "resources": 0.5,
        "taints": 0.5,
        "nodeaffinity": 0.4,
        "ports": 0.3,
        "podaffinity": 0.4,
        "spread": 0.4,
        "images": 0.5,
        "volumes": 0.4,
        "preemption": 0.5,
        "config": 0.5,
        "workloads": 0.5,
        "full": 0.4,
    },
}

BACKGROUND = {
    "resources": 0.15,
    "taints": 0.15,
    "nodeaffinity": 0.12,
    "ports": 0.08,
    "podaffinity": 0.1,
    "spread": 0.1,
    "images": 0.15,
    "volumes": 0.0,
    "preemption": 0.1,
    "config": 0.08,
    "workloads": 0.25,
    "full": 0.2,
}

KI, MI, GI = 1 << 10, 1 << 20, 1 << 30


def shortest(value: Fraction) -> str | None:
    """Writes a value as a decimal, or says that it has none."""
    for places in range(10):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = str(scaled.numerator).rjust(places + 1, "0")
            return digits if not places else f"{digits[:-places]}.{digits[-places:]}"
    return None


@cache
def ways_to_write(value: Fraction) -> tuple[str, ...]:
    """Lists ways to write a value above zero that all mean exactly it."""
    ways: list[str] = []
    suffixes = {
        "": Fraction(1),
        "m": Fraction(1, 1000),
        "k": Fraction(1000),
        "M": Fraction(10**6),
        "G": Fraction(10**9),
        "Ki": Fraction(KI),
        "Mi": Fraction(MI),
        "Gi": Fraction(GI),
        "e3": Fraction(1000),
        "E-3": Fraction(1, 1000),
    }
    if value.denominator > 1000:
        suffixes = {"u": Fraction(1, 10**6), "n": Fraction(1, 10**9), "": Fraction(1)}
    for suffix, unit in suffixes.items():
        text = shortest(value / unit)
        # Beyond fifteen digits resource.Quantity changes its representation.
        if text is not None and len(text) <= 14:
            ways.append(text + suffix)
    return tuple(ways) or (shortest(value) or str(int(value)),)


def quantity(rng: Random, value: Fraction | int) -> str:
    """Writes a value in one of the many ways that resource.Quantity reads."""
    if value == 0:
        return rng.choice(["0", "0", "0m", "0Ki", "0.0", "0e3"])
    ways = ways_to_write(Fraction(value))
    short = [way for way in ways if len(way) <= 7]
    return rng.choice(short if short and rng.random() < 0.85 else ways)


class Case:
    """One random cluster."""

    def __init__(
        self,
        rng: Random,
        group: str,
        size: str,
        *,
        volumes: bool,
        preemption: bool,
        nominated: bool = False,
    ) -> None:
        """Draws what the whole case has in common."""
        self.rng = rng
        self.size = size
        self.rates = BACKGROUND | EMPHASIS[group]
        self.with_volumes = volumes and self.flip("volumes")
        self.rates["volumes"] = (0.85 if group == "volumes" else 0.4) if self.with_volumes else 0
        self.with_preemption = preemption and self.flip("preemption")
        self.with_nominations = nominated
        self.group = group
        self.tags = [group]
        self.objects: list[Json] = []
        self.uid = 0
        self.fine = False
        medium = size == "medium"
        self.node_count = (
            rng.randint(60, 300)
            if medium
            else rng.choice([0, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 21])
        )
        if medium and rng.random() < 0.1:
            self.node_count = rng.randint(300, 500)
        if size == "sampled":
            self.node_count = rng.choice([rng.randint(100, 180), rng.randint(101, 400)])
        self.vocabulary()

    # Small helpers.

    def flip(self, rate: str | float) -> bool:
        """Says yes at the named or given rate."""
        return self.rng.random() < (self.rates[rate] if isinstance(rate, str) else rate)

    def some(self, items: Sequence[Any], most: int, least: int = 0) -> list[Any]:
        """Draws some of the items, each at most once, in their order."""
        count = min(len(items), self.rng.randint(least, most))
        return [items[i] for i in sorted(self.rng.sample(range(len(items)), count))]

    def identity(self, name: str, namespace: str | None = None) -> Json:
        """Gives metadata with a uid that no other object has."""
        self.uid += 1
        meta: Json = {
            "name": name,
            "uid": f"{self.rng.getrandbits(32):08x}-0000-4000-8000-{self.uid:012x}",
            "creationTimestamp": self.moment(),
        }
        if namespace is not None:
            meta["namespace"] = namespace
        return meta

    def moment(self) -> str:
        """Draws a time; a few are drawn often, so that times tie."""
        minute = self.rng.choice([7, 7, 23, self.rng.randrange(60)])
        return f"2026-05-{self.rng.choice([3, 3, 4, 19]):02d}T11:{minute:02d}:00Z"

    def add(self, api: str, kind: str, meta: Json, **rest: Any) -> Json:
        """Adds an object to the case."""
        obj = {"apiVersion": api, "kind": kind, "metadata": meta, **rest}
        self.objects.append(obj)
        return obj

    # What the case talks about.

    def vocabulary(self) -> None:
        """Draws namespaces, labels, topology keys, images and resources."""
        rng = self.rng
        self.namespaces = ["default", *self.some(["kiln", "lathe-1", "9mill", "z", "ore-b"], 4)]
        self.namespace_labels: dict[str, dict[str, str]] = {}
        for name in self.namespaces:
            labels = {"kubernetes.io/metadata.name": name}
            if self.flip(0.6):
                labels["tier"] = rng.choice(["hot", "cold", ""])
            if self.flip(0.4):
                labels["org.example/floor"] = rng.choice(["1", "2", "10"])
            self.namespace_labels[name] = labels
        self.domain_keys = [HOSTNAME, ZONE]
        extra = [REGION, "cell.example.org/row", "bay", "power.example.org/feed", "rung"]
        self.domain_keys += self.some(extra, 3, 1)
        # How many domains each key has: often one or two nodes a domain.
        self.domains = {
            key: max(1, round(self.node_count * rng.choice([0.05, 0.15, 0.3, 0.5, 0.9, 1.3])))
            for key in self.domain_keys
        }
        self.missing = {key: rng.choice([0, 0, 0.1, 0.3]) for key in self.domain_keys}
        self.node_labels: dict[str, list[str]] = {
            "metal": ["copper", "tin", "zinc", ""],
            "gen.example.org/index": ["0", "7", "12", "3", "007", "x9", "92233720368547758070"],
            "fast": ["true", "false"],
            "kubernetes.io/arch": ["arm64", "s390x", "riscv64"],
        }
        self.pod_labels: dict[str, list[str]] = {
            "role": ["press", "drill", "saw", "glue"],
            "lot": ["a", "b", ""],
            "pod-template-hash": ["6f7c9", "55d4b"],
            "org.example/shift": ["early", "late"],
        }
        self.resources = self.some(
            ["example.org/loom", "example.org/dye", "hugepages-2Mi", "hugepages-1Gi", "a.b/c"], 3
        )
        self.images = [
            "quay.example/press:1.2",
            "drill",
            "drill:latest",
            "registry.example:5000/saw/blade:v3",
            "glue@sha256:" + "ab" * 32,
            "docker.io/library/lamp:0.9",
            "lamp:0.9",
        ]
        self.taint_keys = ["spill", "example.org/quarantine", "node.kubernetes.io/not-ready", "k"]
        self.schedulers = ["default-scheduler"]
        self.node_names: list[str] = []
        self.apps = [self.app(i) for i in range(rng.randint(1, 5))]

    def app(self, number: int) -> Json:
        """Draws labels and a namespace that several pods will share."""
        labels = {"role": self.rng.choice(self.pod_labels["role"])}
        for key in self.some(list(self.pod_labels), 2):
            labels[key] = self.rng.choice(self.pod_labels[key])
        return {
            "name": f"app{number}",
            "namespace": self.rng.choice(self.namespaces),
            "labels": labels,
        }

    # Selectors.

    def label_selector(self, labels: dict[str, list[str]], rate_empty: float = 0.07) -> Json:
        """Draws a label selector over the vocabulary."""
        rng = self.rng
        if self.flip(rate_empty):
            return {}
        selector: Json = {}
        if self.flip(0.7):
            key = rng.choice(list(labels))
            selector["matchLabels"] = {key: rng.choice(labels[key])}
        if not selector or self.flip(0.3):
            key = rng.choice([*labels, "absent"])
            values = labels.get(key, ["v"])
            operator = rng.choice(["In", "In", "NotIn", "Exists", "DoesNotExist"])
            expression: Json = {"key": key, "operator": operator}
            if operator in {"In", "NotIn"}:
                expression["values"] = self.some(values, 3, 1)
            selector["matchExpressions"] = [expression]
        return selector

    def own_selector(self, app: Json) -> Json:
        """Draws a selector that the app's own pods often match."""
        if self.flip(0.65):
            return {"matchLabels": {"role": app["labels"]["role"]}}
        return self.label_selector(self.pod_labels)

    def node_expression(self) -> Json:
        """Draws one requirement on a node's labels."""
        rng = self.rng
        if self.flip(0.25):
            return {
                "key": "gen.example.org/index",
                "operator": rng.choice(["Gt", "Lt"]),
                "values": [rng.choice(["0", "7", "6", "11"])],
            }
        key = rng.choice([*self.node_labels, *self.domain_keys, "nowhere"])
        operator = rng.choice(["In", "In", "In", "NotIn", "Exists", "DoesNotExist"])
        expression: Json = {"key": key, "operator": operator}
        if operator in {"In", "NotIn"}:
            values = self.node_labels.get(key) or self.domain_values(key)
            expression["values"] = self.some(values, 3, 1) or ["none"]
        return expression

    def domain_values(self, key: str) -> list[str]:
        """Lists the values that nodes can have at a topology key."""
        if key == HOSTNAME:
            return self.node_names or ["none"]
        return [f"{key[:2]}{i}" for i in range(self.domains.get(key, 1))]

    def node_term(self, *, fields: bool = True) -> Json:
        """Draws one node selector term."""
        term: Json = {}
        if self.flip(0.06):
            return term
        if not fields or self.flip(0.85):
            term["matchExpressions"] = [
                self.node_expression() for _ in range(self.rng.choice([1, 1, 1, 2]))
            ]
        if fields and (not term or self.flip(0.08)):
            name = self.rng.choice([*self.node_names, "gone-node"])
            operator = self.rng.choice(["In", "In", "In", "NotIn"])
            term["matchFields"] = [{"key": "metadata.name", "operator": operator, "values": [name]}]
        return term

    # Nodes.

    def make_namespaces(self) -> None:
        """Adds most of the namespaces; pods may live in one that is unseen."""
        for name in self.namespaces:
            if name == "default" or self.flip(0.9):
                meta = self.identity(name)
                meta["labels"] = self.namespace_labels[name]
                self.add("v1", "Namespace", meta)

    def make_nodes(self) -> None:
        """Adds the nodes."""
        rng = self.rng
        used: set[str] = set()
        style = rng.choice(["n{:03d}", "{}.rack.example.org", "w-{}x", "{}"])
        while len(used) < self.node_count:
            used.add(style.format(rng.randrange(1000 if self.node_count > 99 else 200)))
        names = sorted(used)
        rng.shuffle(names)
        self.node_names = names
        self.shape = {
            "cpu": rng.choice([500, 1000, 1700, 2000, 4000, 16000, 64000]),
            "memory": rng.choice([256 * MI, GI, 3 * GI, 4 * 10**9, 16 * GI, 64 * GI]),
            "pods": rng.choice([3, 5, 8, 20, 110, 110]),
        }
        for index, name in enumerate(names):
            self.make_node(name, index)

    def make_node(self, name: str, index: int) -> None:
        """Adds one node."""
        rng = self.rng
        labels: dict[str, str] = {}
        for key in self.domain_keys:
            if self.flip(self.missing[key]):
                continue
            if key == HOSTNAME:
                labels[key] = name if self.flip(0.95) else f"other-{index % 3}"
            else:
                labels[key] = rng.choice(self.domain_values(key))
        for key, values in self.node_labels.items():
            if self.flip(0.6):
                labels[key] = rng.choice(values)
        meta = self.identity(name)
        meta["labels"] = labels
        spec: Json = {}
        if self.flip(0.04 + 0.1 * self.rates["taints"]):
            spec["unschedulable"] = True
        taints: dict[tuple[str, str], Json] = {}
        if self.flip("taints"):
            for _ in range(rng.choice([0, 1, 1, 2, 3])):
                key = rng.choice([*self.taint_keys, "node.kubernetes.io/unschedulable"])
                effect = rng.choice(
                    ["NoSchedule", "PreferNoSchedule", "PreferNoSchedule", "NoExecute"]
                )
                taint: Json = {"key": key, "effect": effect}
                if self.flip(0.7):
                    taint["value"] = rng.choice(["oil", "ink", ""])
                taints[key, effect] = taint
        if taints:
            spec["taints"] = list(taints.values())
        allocatable = self.allocatable()
        status: Json = {"allocatable": allocatable, "capacity": dict(allocatable)}
        if self.flip(0.06):
            # The API server copies the capacity.
            del status["allocatable"]
        if self.flip("images"):
            status["images"] = [self.node_image() for _ in range(rng.randint(1, 6))]
        self.add("v1", "Node", meta, spec=spec, status=status)

    def allocatable(self) -> Json:
        """Draws a node's allocatable resources."""
        rng = self.rng
        factor = Fraction(rng.choice([50, 75, 100, 100, 100, 125, 210]), 100)
        cpu = Fraction(self.shape["cpu"], 1000) * factor
        memory = Fraction(int(self.shape["memory"] * factor))
        if self.flip("resources") and self.flip(0.3):
            cpu += Fraction(rng.randrange(1, 10**6), 10**6)
            memory += Fraction(rng.randrange(1, 1000), 1000)
        out: Json = {
            "cpu": quantity(rng, cpu),
            "memory": quantity(rng, memory),
            "pods": quantity(rng, max(0, self.shape["pods"] + rng.choice([-3, -1, 0, 0, 0, 2]))),
        }
        if self.flip(0.7):
            out["ephemeral-storage"] = quantity(rng, rng.choice([0, GI, 10**10, 50 * GI]))
        for name in self.resources:
            if not self.flip(0.6):
                continue
            if name.startswith("hugepages"):
                page = 2 * MI if name.endswith("2Mi") else GI
                out[name] = quantity(rng, page * rng.choice([0, 1, 4, 100]))
            else:
                out[name] = quantity(rng, rng.choice([0, 1, 3, 8, 1000]))
        if self.flip(0.04 + 0.05 * self.rates["resources"]):
            del out[rng.choice(list(out))]
        return out

    def node_image(self) -> Json:
        """Draws an image that a node has; sizes differ between nodes."""
        rng = self.rng
        size = rng.choice([0, 5 * MI, 23 * MI, 24 * MI, 300 * MI, 999 * MI, 1000 * MI, 7 * GI])
        names = self.some(self.images, 2, 1)
        return {"names": names, "sizeBytes": size + rng.choice([0, 0, 1, 12345])}

    # Pods.

    def requests(self, scale: float) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
        """Draws requests and limits of one container."""
        rng = self.rng
        requests: dict[str, Fraction] = {}
        limits: dict[str, Fraction] = {}
        odd = self.flip("resources")
        bounds = {
            "cpu": Fraction(self.shape["cpu"], 1000),
            "memory": Fraction(self.shape["memory"]),
            "ephemeral-storage": Fraction(8 * GI),
        }
        for name, most in bounds.items():
            if not self.flip({"cpu": 0.75, "memory": 0.7}.get(name, 0.08)):
                continue
            share = Fraction(rng.choice([0, 1, 2, 5, 10, 20, 25, 40, 60]), 100)
            value = most * share * Fraction(round(scale * 100), 100)
            if name != "cpu":
                value = Fraction(int(value))
            elif value.denominator > 1000:
                value = Fraction(int(value * 1000), 1000)
            if odd and self.flip(0.3):
                value += (
                    Fraction(rng.randrange(1, 5000), 10**6)
                    if name == "cpu"
                    else Fraction(rng.randrange(1, 4000), 1000)
                )
            where = rng.choice(["request", "request", "limit", "both"])
            if where != "limit":
                requests[name] = value
            if where != "request":
                limits[name] = value * rng.choice([1, 1, 2]) if where == "both" else value
        for name in self.resources:
            if not self.flip(0.1 + 0.15 * odd):
                continue
            if name.startswith("hugepages"):
                if not ({"cpu", "memory"} & {*requests, *limits}):
                    continue
                page = 2 * MI if name.endswith("2Mi") else GI
                requests[name] = limits[name] = Fraction(page * rng.choice([1, 1, 3]))
            else:
                requests[name] = limits[name] = Fraction(rng.choice([0, 1, 1, 2, 9]))
        return requests, limits

    def container(self, name: str, scale: float) -> tuple[Json, dict[str, Fraction]]:
        """Draws a container, and the most that it asks for."""
        rng = self.rng
        out: Json = {"name": name, "image": rng.choice(self.images)}
        requests, limits = self.requests(scale)
        resources: Json = {}
        if requests:
            resources["requests"] = {k: quantity(rng, v) for k, v in requests.items()}
        if limits:
            resources["limits"] = {k: quantity(rng, v) for k, v in limits.items()}
        if resources:
            out["resources"] = resources
        most: dict[str, Fraction] = {}
        for key in {*requests, *limits}:
            # Each is rounded up to milli-units or bytes before they are added.
            unit = 1000 if key == "cpu" else 1
            value = max(requests.get(key, Fraction(0)), limits.get(key, Fraction(0)))
            most[key] = Fraction(ceil(value * unit), unit)
            self.fine = self.fine or most[key] != value
        return out, most

    def containers(self, spec: Json) -> None:
        """Gives a pod its containers, and now and then its own resources."""
        rng = self.rng
        total: dict[str, Fraction] = {}
        self.fine = False
        odd = 0.1 + 0.35 * self.rates["resources"]
        scale = rng.choice([0.3, 0.6, 1.0]) if self.flip("full") else rng.choice([0.05, 0.2, 0.5])
        spec["containers"] = []
        for i in range(rng.choice([1, 1, 1, 2, 3])):
            container, asked = self.container(f"c{i}", scale)
            spec["containers"].append(container)
            for name, value in asked.items():
                total[name] = total.get(name, Fraction(0)) + value
        if self.flip(odd):
            spec["initContainers"] = []
            for i in range(rng.choice([1, 2, 3])):
                container, asked = self.container(f"i{i}", scale * 1.5)
                if self.flip(0.45):
                    container["restartPolicy"] = "Always"
                spec["initContainers"].append(container)
                for name, value in asked.items():
                    total[name] = total.get(name, Fraction(0)) + value
        if self.flip(0.3 * odd):
            spec["overhead"] = {
                "cpu": quantity(rng, Fraction(rng.choice([0, 1, 50, 250]), 1000)),
                "memory": quantity(rng, rng.choice([0, 1, 64 * MI, 10**8])),
            }
        # The API server's default for a pod's own requests is a sum that it
        # rounds up once, and then refuses if the rounded parts come to more.
        if not self.fine and self.flip(0.4 * odd):
            self.pod_resources(spec, total)

    def pod_resources(self, spec: Json, total: dict[str, Fraction]) -> None:
        """Gives a pod resources of its own, at least what its containers ask."""
        rng = self.rng
        requests: dict[str, Fraction] = {}
        limits: dict[str, Fraction] = {}
        for name, step in (("cpu", Fraction(1, 10)), ("memory", Fraction(30 * MI))):
            if not self.flip(0.7):
                continue
            value = total.get(name, Fraction(0))
            value += step * rng.choice([0, 1, 3, 8])
            if value == 0:
                continue
            where = rng.choice(["request", "limit", "both"])
            if where != "limit":
                requests[name] = value
            if where != "request":
                limits[name] = value * rng.choice([1, 2]) if where == "both" else value
        resources: Json = {}
        if requests:
            resources["requests"] = {k: quantity(rng, v) for k, v in requests.items()}
        if limits:
            resources["limits"] = {k: quantity(rng, v) for k, v in limits.items()}
        if resources:
            spec["resources"] = resources

    def tolerations(self) -> list[Json]:
        """Draws tolerations."""
        rng = self.rng
        out: list[Json] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            toleration: Json = {}
            if self.flip(0.12):
                toleration["operator"] = "Exists"
            else:
                toleration["key"] = rng.choice(
                    [*self.taint_keys, "node.kubernetes.io/unschedulable"]
                )
                if self.flip(0.4):
                    toleration["operator"] = "Exists"
                else:
                    if self.flip(0.5):
                        toleration["operator"] = "Equal"
                    if self.flip(0.8):
                        toleration["value"] = rng.choice(["oil", "ink", ""])
            if self.flip(0.6):
                toleration["effect"] = rng.choice(["NoSchedule", "PreferNoSchedule", "NoExecute"])
                if toleration["effect"] == "NoExecute" and self.flip(0.3):
                    toleration["tolerationSeconds"] = 300
            out.append(toleration)
        return out

    def ports(self, spec: Json) -> None:
        """Gives a pod host ports, each at most once."""
        rng = self.rng
        network = self.flip(0.25)
        if network:
            spec["hostNetwork"] = True
        seen: set[tuple[int, str, str]] = set()
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            if not self.flip(0.8):
                continue
            ports: list[Json] = []
            for _ in range(rng.choice([1, 1, 2])):
                number = rng.choice([80, 443, 8080, 53])
                protocol = rng.choice(["TCP", "TCP", "UDP", "SCTP"])
                ip = (
                    ""
                    if network
                    else rng.choice(["", "", "0.0.0.0", "10.1.1.1", "127.0.0.1", "::"])
                )
                if (number, protocol, ip) in seen:
                    continue
                seen.add((number, protocol, ip))
                port: Json = {"containerPort": number}
                if protocol != "TCP" or self.flip(0.5):
                    port["protocol"] = protocol
                if network:
                    if self.flip(0.5):
                        port["hostPort"] = number
                elif self.flip(0.85):
                    port["hostPort"] = number
                    if ip:
                        port["hostIP"] = ip
                ports.append(port)
            if ports:
                container["ports"] = ports

    def affinity_term(self, app: Json) -> Json:
        """Draws one inter-pod affinity term."""
        rng = self.rng
        term: Json = {"topologyKey": rng.choice([*self.domain_keys, "missing-key"][: 5 + 1])}
        if self.flip(0.95):
            term["labelSelector"] = self.own_selector(app)
        choice = rng.random()
        if choice < 0.2:
            term["namespaces"] = self.some([*self.namespaces, "unseen"], 3, 1)
        elif choice < 0.45:
            if self.flip(0.4):
                term["namespaceSelector"] = {}
            else:
                term["namespaceSelector"] = {
                    "matchLabels": {"tier": rng.choice(["hot", "cold", ""])}
                }
            if self.flip(0.3):
                term["namespaces"] = [rng.choice(self.namespaces)]
        return term

    def affinity(self, spec: Json, app: Json) -> None:
        """Gives a pod (anti-)affinity to other pods."""
        rng = self.rng
        affinity = spec.setdefault("affinity", {})
        for kind, rate in (("podAffinity", 0.6), ("podAntiAffinity", 0.6)):
            if not self.flip(rate):
                continue
            part: Json = {}
            if self.flip(0.5):
                part["requiredDuringSchedulingIgnoredDuringExecution"] = [
                    self.affinity_term(app) for _ in range(rng.choice([1, 1, 1, 2]))
                ]
            if not part or self.flip(0.5):
                part["preferredDuringSchedulingIgnoredDuringExecution"] = [
                    {
                        "weight": rng.choice([1, 2, 50, 99, 100]),
                        "podAffinityTerm": self.affinity_term(app),
                    }
                    for _ in range(rng.choice([1, 1, 2, 3]))
                ]
            affinity[kind] = part
        if not affinity:
            del spec["affinity"]

    def node_affinity(self, spec: Json) -> None:
        """Gives a pod a node selector or node affinity."""
        rng = self.rng
        if self.flip(0.25):
            key = rng.choice([*self.node_labels, ZONE])
            values = self.node_labels.get(key) or self.domain_values(key)
            spec["nodeSelector"] = {key: rng.choice(values)}
            if self.flip(0.6):
                return
        part: Json = {}
        if self.flip(0.55):
            terms = [self.node_term() for _ in range(rng.choice([1, 1, 2, 3]))]
            if self.flip(0.12) and self.node_names:
                terms = [
                    {
                        "matchFields": [
                            {"key": "metadata.name", "operator": "In", "values": [name]},
                        ]
                    }
                    for name in self.some([*self.node_names, "gone-node"], 3, 1)
                ]
            part["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
        if not part or self.flip(0.55):
            part["preferredDuringSchedulingIgnoredDuringExecution"] = [
                {"weight": rng.choice([1, 3, 10, 100]), "preference": self.node_term()}
                for _ in range(rng.choice([1, 1, 2, 4]))
            ]
        spec.setdefault("affinity", {})["nodeAffinity"] = part

    def spread(self, spec: Json, app: Json) -> None:
        """Gives a pod topology spread constraints."""
        rng = self.rng
        seen: set[tuple[str, str]] = set()
        out: list[Json] = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            key = rng.choice(self.domain_keys)
            when = rng.choice(["DoNotSchedule", "ScheduleAnyway"])
            if (key, when) in seen:
                continue
            seen.add((key, when))
            constraint: Json = {
                "topologyKey": key,
                "whenUnsatisfiable": when,
                "maxSkew": rng.choice([1, 1, 1, 2, 3, 7]),
            }
            if self.flip(0.94):
                constraint["labelSelector"] = self.own_selector(app)
            if when == "DoNotSchedule" and self.flip(0.25):
                constraint["minDomains"] = rng.choice([1, 2, 3, 9])
            if self.flip(0.3):
                constraint["nodeAffinityPolicy"] = rng.choice(["Ignore", "Honor"])
            if self.flip(0.3):
                constraint["nodeTaintsPolicy"] = rng.choice(["Ignore", "Honor"])
            if "labelSelector" in constraint and self.flip(0.25):
                used = json.dumps(constraint["labelSelector"])
                keys = [k for k in ("pod-template-hash", "lot", "not-there") if k not in used]
                if keys:
                    constraint["matchLabelKeys"] = self.some(keys, 2, 1)
            out.append(constraint)
        spec["topologySpreadConstraints"] = out

    def pod(self, name: str, app: Json, *, running: bool) -> Json:
        """Draws a pod without a place yet."""
        rng = self.rng
        meta = self.identity(name, app["namespace"])
        labels = dict(app["labels"])
        if self.flip(0.2):
            key = rng.choice(list(self.pod_labels))
            labels[key] = rng.choice(self.pod_labels[key])
        if self.flip(0.07):
            labels = {}
        if labels or self.flip(0.5):
            meta["labels"] = labels
        spec: Json = {}
        self.containers(spec)
        if self.flip(0.1 + 0.6 * self.rates["taints"]):
            spec["tolerations"] = self.tolerations()
        if self.flip("nodeaffinity"):
            self.node_affinity(spec)
        if self.flip("podaffinity"):
            self.affinity(spec, app)
        if self.flip("spread"):
            self.spread(spec, app)
        if self.flip("ports"):
            self.ports(spec)
        if len(self.schedulers) > 1 or self.flip(0.3):
            spec["schedulerName"] = rng.choice(self.schedulers)
        self.prioritise(spec, running=running)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {}}

    # Priority.

    def make_priorities(self) -> None:
        """Draws the priorities of the case."""
        rng = self.rng
        self.priorities: list[int | str | None]
        if not self.with_preemption:
            # All the same, so that nobody can be evicted for anybody.
            self.priorities = [rng.choice([None, 0, 1000, -5])]
            if self.priorities == [None] and self.flip(0.5):
                self.priorities = [None, 0]
            return
        self.priorities = [None, 0, rng.choice([-10, 7]), 100, rng.choice([100, 10**9, 10**6])]
        for index in range(rng.choice([0, 1, 2])):
            meta = self.identity(f"class-{index}")
            rest: Json = {"value": rng.choice([50, 200, -1])}
            if index == 0 and self.flip(0.4):
                rest["globalDefault"] = True
            if self.flip(0.3):
                rest["preemptionPolicy"] = rng.choice(["Never", "PreemptLowerPriority"])
            self.add("scheduling.k8s.io/v1", "PriorityClass", meta, **rest)
            self.priorities.append(meta["name"])

    def prioritise(self, spec: Json, *, running: bool) -> None:
        """Gives a pod a priority, by number or by class."""
        priority = self.rng.choice(self.priorities)
        if self.with_preemption and self.flip(0.5):
            priority = self.rng.choice(self.priorities[:3] if running else self.priorities[3:])
        if isinstance(priority, str):
            spec["priorityClassName"] = priority
        elif priority is not None:
            spec["priority"] = priority
            if self.with_preemption and self.flip(0.1):
                spec["preemptionPolicy"] = self.rng.choice(["Never", "PreemptLowerPriority"])

    def make_budgets(self) -> None:
        """Adds disruption budgets whose status says what is allowed."""
        rng = self.rng
        for index in range(rng.choice([0, 1, 2, 4])):
            app = rng.choice(self.apps)
            namespace = app["namespace"] if self.flip(0.8) else rng.choice(self.namespaces)
            spec: Json = {"minAvailable": 1}
            if self.flip(0.93):
                spec["selector"] = self.own_selector(app)
            status: Json = {
                "disruptionsAllowed": rng.choice([0, 0, 1, 2]),
                "currentHealthy": 1,
                "desiredHealthy": 1,
                "expectedPods": 1,
            }
            if self.flip(0.2):
                status["disruptedPods"] = {f"r{rng.randrange(9)}": "2026-05-04T00:00:00Z"}
            meta = self.identity(f"budget-{index}", namespace)
            self.add("policy/v1", "PodDisruptionBudget", meta, spec=spec, status=status)

    # Workloads.

    def make_workloads(self) -> None:
        """Adds the services and controllers that default spreading reads."""
        rng = self.rng
        template_spec = {"containers": [{"name": "c", "image": "drill"}]}
        for app in self.apps:
            if not self.flip("workloads"):
                continue
            app["owned"] = kind = rng.choice(
                ["Service", "ReplicaSet", "ReplicationController", "StatefulSet", "Service+"]
            )
            selector = {"role": app["labels"]["role"]}
            template = {"metadata": {"labels": dict(app["labels"])}, "spec": template_spec}
            name, namespace = app["name"], app["namespace"]
            app["kind"] = kind
            if kind.startswith("Service"):
                spec: Json = {"ports": [{"port": 80}]}
                if self.flip(0.95):
                    spec["selector"] = selector
                self.add("v1", "Service", self.identity(name, namespace), spec=spec)
            if kind == "ReplicationController":
                app["owner"] = self.add(
                    "v1",
                    kind,
                    self.identity(name, namespace),
                    spec={"replicas": 1, "selector": selector, "template": template},
                )
            if kind in {"ReplicaSet", "StatefulSet", "Service+"}:
                kind = "ReplicaSet" if kind == "Service+" else kind
                spec = {
                    "replicas": 1,
                    "selector": {"matchLabels": dict(app["labels"])},
                    "template": template,
                }
                if kind == "StatefulSet":
                    spec["serviceName"] = name
                app["owner"] = self.add("apps/v1", kind, self.identity(name, namespace), spec=spec)

    @staticmethod
    def own(pod: Json, app: Json) -> None:
        """Names the controller of a pod."""
        if owner := app.get("owner"):
            pod["metadata"]["ownerReferences"] = [
                {
                    "apiVersion": owner["apiVersion"],
                    "kind": owner["kind"],
                    "name": owner["metadata"]["name"],
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ]

    # Volumes.

    def make_storage(self) -> None:
        """Adds storage classes, drivers and what nodes say of them."""
        rng = self.rng
        self.sizes = 0
        self.volumes = 0
        self.claims = 0
        self.claim_pool: list[tuple[str, str]] = []
        self.pending_objects: list[Json] = []
        self.drivers = ["disk.example.org", "block.example.org"]
        classes: Json = {
            "now": {"provisioner": self.drivers[0], "volumeBindingMode": "Immediate"},
            "later": {
                "provisioner": self.drivers[0],
                "volumeBindingMode": "WaitForFirstConsumer",
            },
            "static": {
                "provisioner": "kubernetes.io/no-provisioner",
                "volumeBindingMode": "WaitForFirstConsumer",
            },
            "zoned": {
                "provisioner": self.drivers[1],
                "volumeBindingMode": "WaitForFirstConsumer",
                "allowedTopologies": [
                    {
                        "matchLabelExpressions": [
                            {"key": ZONE, "values": self.some(self.domain_values(ZONE), 3, 1)}
                        ]
                    }
                ],
            },
            "legacy": {
                "provisioner": "kubernetes.io/aws-ebs",
                "volumeBindingMode": "WaitForFirstConsumer",
            },
        }
        for name, rest in classes.items():
            if name in {"now", "later", "static"} or self.flip(0.7):
                meta = self.identity(name)
                if name == "now" and self.flip(0.3):
                    meta["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
                self.add("storage.k8s.io/v1", "StorageClass", meta, **rest)
        for driver in self.drivers:
            if self.flip(0.6):
                spec: Json = {"attachRequired": True}
                if self.flip(0.5):
                    spec["storageCapacity"] = True
                self.add("storage.k8s.io/v1", "CSIDriver", self.identity(driver), spec=spec)
        for name in self.node_names:
            if self.flip(0.75):
                self.make_csi_node(name)
        for index in range(rng.choice([0, 0, 2, 5])):
            meta = self.identity(f"capacity-{index}", "default")
            key = rng.choice([ZONE, HOSTNAME])
            capacity: Json = {
                "storageClassName": rng.choice(["later", "zoned"]),
                "nodeTopology": {"matchLabels": {key: rng.choice(self.domain_values(key))}},
                "capacity": quantity(rng, rng.choice([0, 2 * GI, 40 * GI])),
            }
            if self.flip(0.3):
                capacity["maximumVolumeSize"] = quantity(rng, rng.choice([GI, 30 * GI]))
            self.add("storage.k8s.io/v1", "CSIStorageCapacity", meta, **capacity)

    def make_csi_node(self, name: str) -> None:
        """Adds what a node says of its CSI drivers."""
        rng = self.rng
        meta = self.identity(name)
        if self.flip(0.3):
            meta["annotations"] = {
                "storage.alpha.kubernetes.io/migrated-plugins": ",".join(
                    self.some(["kubernetes.io/aws-ebs", "kubernetes.io/gce-pd"], 2, 1)
                )
            }
        drivers: list[Json] = []
        for driver in self.some([*self.drivers, "ebs.csi.aws.com", "pd.csi.storage.gke.io"], 4):
            entry: Json = {"name": driver, "nodeID": name, "topologyKeys": [ZONE]}
            if self.flip(0.7):
                entry["allocatable"] = {"count": rng.choice([0, 1, 1, 2, 3, 25])}
            drivers.append(entry)
        self.add("storage.k8s.io/v1", "CSINode", meta, spec={"drivers": drivers})

    def volume_size(self) -> Fraction:
        """Draws a size; no two volumes have the same.

        Of equally large volumes the scheduler takes the first in the order of
        a map, so that its decision would not repeat.
        """
        self.sizes += 1
        base = self.rng.choice([GI, 2 * GI, 5 * 10**9, 10 * GI, 20 * GI, 100 * GI])
        return Fraction(base + self.sizes * 4096)

    def volume_source(self, name: str) -> Json:
        """Draws where a volume's data is."""
        kind = self.rng.choice(
            ["csi", "csi", "csi", "aws", "gce", "nfs", "hostPath", "iscsi", "rbd", "azure"]
        )
        handle = f"vol-{self.rng.choice([name, name, name, 'shared'])}"
        if kind == "csi":
            driver = self.rng.choice([*self.drivers, "ebs.csi.aws.com"])
            return {"csi": {"driver": driver, "volumeHandle": handle}}
        sources: dict[str, Json] = {
            "aws": {"awsElasticBlockStore": {"volumeID": f"aws://zo0/{handle}"}},
            "gce": {"gcePersistentDisk": {"pdName": handle}},
            "nfs": {"nfs": {"server": "nfs.example.org", "path": f"/{name}"}},
            "hostPath": {"hostPath": {"path": f"/srv/{name}"}},
            "iscsi": {
                "iscsi": {
                    "targetPortal": "10.0.0.9:3260",
                    "iqn": f"iqn.2026-01.org.example:{handle}",
                    "lun": 0,
                }
            },
            "rbd": {"rbd": {"monitors": ["10.0.0.8:6789"], "image": handle}},
            "azure": {
                "azureDisk": {
                    "diskName": handle,
                    "kind": "Managed",
                    "diskURI": f"/subscriptions/{handle}",
                }
            },
        }
        return sources[kind]

    def make_volume(self, storage_class: str, mode: str, *, local: bool) -> Json:
        """Adds a persistent volume."""
        rng = self.rng
        self.volumes += 1
        name = f"vol{self.volumes:03d}"
        meta = self.identity(name)
        labels: dict[str, str] = {}
        if self.flip(0.3):
            labels["grade"] = rng.choice(["fine", "rough"])
        if self.flip(0.25):
            key = rng.choice([ZONE, "failure-domain.beta.kubernetes.io/zone", REGION])
            values = self.domain_values(key if key in {ZONE, REGION} else ZONE)
            labels[key] = "__".join(self.some(values, 2, 1))
        if labels:
            meta["labels"] = labels
        spec: Json = {
            "capacity": {"storage": quantity(rng, self.volume_size())},
            "accessModes": [mode] if self.flip(0.7) else sorted({mode, "ReadOnlyMany"}),
            "storageClassName": storage_class,
            "persistentVolumeReclaimPolicy": "Retain",
        }
        if "ReadWriteOncePod" in spec["accessModes"]:
            spec["accessModes"] = ["ReadWriteOncePod"]
        if local:
            spec["local"] = {"path": f"/mnt/{name}"}
        else:
            spec |= self.volume_source(name)
            if mode == "ReadWriteOncePod" and "csi" not in spec:
                for key in [k for k in spec if k in VOLUME_SOURCES]:
                    del spec[key]
                spec["csi"] = {"driver": self.drivers[0], "volumeHandle": name}
        if "hostPath" in spec:
            spec["persistentVolumeReclaimPolicy"] = "Retain"
        if local or self.flip(0.3):
            key = HOSTNAME if local else rng.choice([ZONE, HOSTNAME])
            values = self.some(self.domain_values(key), 3, 1)
            spec["nodeAffinity"] = {
                "required": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": key, "operator": "In", "values": values}]}
                    ]
                }
            }
        status = {"phase": "Available"}
        return self.add("v1", "PersistentVolume", meta, spec=spec, status=status)

    def make_claim(self, namespace: str, name: str | None = None, owner: Json | None = None) -> str:
        """Adds a claim, and a volume under it if it is bound."""
        rng = self.rng
        self.claims += 1
        name = name or f"claim{self.claims:03d}"
        meta = self.identity(name, namespace)
        # A running pod whose claim is not its own makes the scheduler fail.
        pending = owner is not None and "nodeName" not in owner["spec"]
        if owner is not None and self.flip(0.9 if pending else 0.99):
            meta["ownerReferences"] = [
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": owner["metadata"]["name"],
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                }
            ]
        mode = rng.choice(["ReadWriteOnce", "ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"])
        storage_class = rng.choice(["now", "later", "static", "static", "zoned", "legacy"])
        spec: Json = {
            "accessModes": [mode],
            "resources": {"requests": {"storage": quantity(rng, rng.choice([GI, 3 * GI, 10**10]))}},
            "storageClassName": storage_class,
        }
        bound = self.flip({"now": 0.9}.get(storage_class, 0.4))
        if bound:
            volume = self.make_volume(storage_class, mode, local=storage_class == "static")
            spec["volumeName"] = volume["metadata"]["name"]
            volume["spec"]["claimRef"] = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": namespace,
                "name": name,
                "uid": meta["uid"],
            }
            volume["status"] = {"phase": "Bound"}
            if self.flip(0.93):
                meta["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
            if self.flip(0.05):
                self.objects.remove(volume)
        else:
            if self.flip(0.2):
                spec["selector"] = {"matchLabels": {"grade": rng.choice(["fine", "rough"])}}
            if self.flip(0.08) and self.node_names:
                meta["annotations"] = {
                    "volume.kubernetes.io/selected-node": rng.choice(self.node_names)
                }
            if storage_class in {"static", "later"}:
                for _ in range(rng.choice([0, 1, 2, 3])):
                    self.make_volume(storage_class, mode, local=storage_class == "static")
        if self.flip(0.03):
            spec["storageClassName"] = rng.choice(["", "unknown-class"])
        if self.flip(0.03):
            meta["deletionTimestamp"] = "2026-05-05T00:00:00Z"
            meta["deletionGracePeriodSeconds"] = 0
            meta["finalizers"] = ["kubernetes.io/pvc-protection"]
        self.add(
            "v1",
            "PersistentVolumeClaim",
            meta,
            spec=spec,
            status={"phase": "Bound" if bound else "Pending"},
        )
        if owner is None:
            self.claim_pool.append((namespace, name))
        return name

    def inline_volume(self) -> Json:
        """Draws a volume that a pod describes itself."""
        rng = self.rng
        name = rng.choice(["d0", "d0", "d1", "d2"])
        return rng.choice(
            [
                {"emptyDir": {}},
                {"hostPath": {"path": "/srv"}},
                {"configMap": {"name": "settings"}},
                {"gcePersistentDisk": {"pdName": name, "readOnly": self.flip(0.4)}},
                {"awsElasticBlockStore": {"volumeID": f"vol-{name}"}},
                {
                    "iscsi": {
                        "targetPortal": "10.0.0.9:3260",
                        "iqn": f"iqn.2026-01.org.example:{name}",
                        "lun": 0,
                        "readOnly": self.flip(0.4),
                    }
                },
                {
                    "rbd": {
                        "monitors": self.some(["10.0.0.8:6789", "10.0.0.7:6789"], 2, 1),
                        "image": name,
                        "pool": "rbd",
                        "readOnly": self.flip(0.4),
                    }
                },
                {"nfs": {"server": "nfs.example.org", "path": "/x"}},
                {"csi": {"driver": self.drivers[0]}},
            ]
        )

    def mount(self, pod: Json, *, running: bool) -> None:
        """Gives a pod volumes."""
        rng = self.rng
        namespace = pod["metadata"]["namespace"]
        volumes: list[Json] = []
        for index in range(rng.choice([1, 1, 2, 3])):
            name = f"v{index}"
            choice = rng.random()
            if choice < 0.6:
                shared = [claim for ns, claim in self.claim_pool if ns == namespace]
                if shared and self.flip(0.3):
                    claim = rng.choice(shared)
                elif not running and self.flip(0.03):
                    claim = "never-made"
                else:
                    claim = self.make_claim(namespace)
                source: Json = {"persistentVolumeClaim": {"claimName": claim}}
            elif choice < 0.7:
                source = {
                    "ephemeral": {
                        "volumeClaimTemplate": {
                            "spec": {
                                "accessModes": ["ReadWriteOnce"],
                                "resources": {"requests": {"storage": "1Gi"}},
                                "storageClassName": "later",
                            }
                        }
                    }
                }
                if running or self.flip(0.85):
                    self.make_claim(namespace, f"{pod['metadata']['name']}-{name}", pod)
            else:
                source = self.inline_volume()
            volumes.append({"name": name, **source})
        pod["spec"]["volumes"] = volumes

    # Running and pending pods.

    def make_running(self) -> None:
        """Adds the pods that already have a node."""
        rng = self.rng
        per_node = rng.choice(
            {"small": [0, 1, 2, 3, 5], "medium": [2, 4, 6]}.get(self.size, [0, 1, 3])
        )
        if self.with_preemption and self.flip("full"):
            per_node = rng.choice([3, 5, 7, 10])
        count = round(self.node_count * per_node * rng.uniform(0.5, 1.2))
        for index in range(count):
            app = rng.choice(self.apps)
            pod = self.pod(f"r{index}", app, running=True)
            spec = pod["spec"]
            spec["nodeName"] = "gone-node" if self.flip(0.01) else rng.choice(self.node_names)
            # What a running pod prefers counts too, but need not be common.
            if self.flip(0.5):
                spec.pop("topologySpreadConstraints", None)
            self.own(pod, app)
            status: Json = {"phase": "Running"}
            if self.flip(0.8):
                status["startTime"] = self.moment()
            if self.flip(0.04):
                status["phase"] = rng.choice(["Succeeded", "Failed"])
            elif self.flip(0.05):
                pod["metadata"]["deletionTimestamp"] = "2026-05-20T00:00:00Z"
                pod["metadata"]["deletionGracePeriodSeconds"] = 30
            if self.flip(0.05 + 0.2 * self.rates["resources"]):
                self.resize(pod, status)
            if self.with_volumes and self.flip(0.5 * self.rates["volumes"]):
                self.mount(pod, running=True)
            pod["status"] = status
            self.objects.append(pod)

    def resize(self, pod: Json, status: Json) -> None:
        """Gives a running pod the status of an in-place resize."""
        rng = self.rng
        statuses: dict[str, list[Json]] = {}
        for field, where in (
            ("containers", "containerStatuses"),
            ("initContainers", "initContainerStatuses"),
        ):
            for container in pod["spec"].get(field, []):
                if not self.flip(0.8):
                    continue
                entry: Json = {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": True,
                    "restartCount": 0,
                }
                for name in ("allocatedResources", "resources"):
                    if not self.flip(0.7):
                        continue
                    amounts: Json = {}
                    for key in ("cpu", "memory"):
                        if self.flip(0.8):
                            top = Fraction(self.shape[key], 1000 if key == "cpu" else 1)
                            share = Fraction(rng.choice([0, 2, 10, 30]), 100)
                            value = top * share
                            amounts[key] = quantity(rng, value if key == "cpu" else int(value))
                    entry[name] = amounts if name != "resources" else {"requests": amounts}
                statuses.setdefault(where, []).append(entry)
        status.update(statuses)
        kind = rng.choice([None, "PodResizePending", "PodResizePending", "PodResizeInProgress"])
        if kind:
            condition: Json = {"type": kind, "status": "True"}
            if kind == "PodResizePending":
                condition["reason"] = rng.choice(["Infeasible", "Deferred"])
            status["conditions"] = [condition]

    def make_pending(self) -> None:
        """Adds the pods that want a node."""
        rng = self.rng
        count = rng.randint(2, 12) if self.size == "small" else rng.randint(15, 40)
        for index in range(count):
            app = rng.choice(self.apps)
            pod = self.pod(f"p{index}", app, running=False)
            self.own(pod, app)
            spec = pod["spec"]
            if self.flip(0.03):
                spec["schedulingGates"] = [{"name": "example.org/wait"}]
            elif self.flip(0.02):
                pod["metadata"]["deletionTimestamp"] = "2026-05-20T00:00:00Z"
                pod["metadata"]["deletionGracePeriodSeconds"] = 30
            if self.flip(0.02):
                spec["schedulerName"] = "someone-else"
            if self.flip(0.02):
                pod["status"] = {"phase": rng.choice(["Succeeded", "Failed"])}
            elif self.flip(0.5):
                pod["status"] = {"phase": "Pending"}
            if self.with_volumes and self.flip("volumes"):
                self.mount(pod, running=False)
            self.objects.append(pod)

    # Configuration.

    def config(self) -> Json | None:
        """Draws a scheduler configuration, or none."""
        if not self.flip("config"):
            return None
        rng = self.rng
        self.tags.append("configured")
        names = ["default-scheduler"]
        # With volumes a second profile keeps a cache of claims of its own, and
        # what one profile reserves the other sees only once it is bound.
        if not self.with_volumes and self.flip(0.3):
            names = rng.choice(
                [
                    ["default-scheduler", "night-shift"],
                    ["night-shift"],
                    ["a", "b", "default-scheduler"],
                ]
            )
        self.schedulers = names
        config: Json = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "profiles": [self.profile(name) for name in names],
        }
        if self.flip(0.15):
            config["percentageOfNodesToScore"] = rng.choice([0, 10, 100])
        if self.flip(0.1):
            config["parallelism"] = rng.choice([1, 16])
        return config

    def profile(self, name: str) -> Json:
        """Draws one profile."""
        out: Json = {"schedulerName": name}
        if self.flip(0.1):
            out["percentageOfNodesToScore"] = self.rng.choice([5, 100])
        plugins = self.plugin_sets()
        if plugins:
            out["plugins"] = plugins
        arguments: list[tuple[str, Callable[[], Json]]] = [
            ("NodeResourcesFit", self.fit_args),
            ("NodeResourcesBalancedAllocation", self.balanced_args),
            ("InterPodAffinity", self.affinity_args),
            ("NodeAffinity", self.node_affinity_args),
            ("PodTopologySpread", self.spread_args),
            ("DefaultPreemption", self.preemption_args),
            ("VolumeBinding", lambda: {"bindTimeoutSeconds": self.rng.choice([0, 30])}),
        ]
        chosen = []
        for plugin, draw in arguments:
            if self.flip(0.3):
                args = draw()
                if self.flip(0.5):
                    args = {
                        "apiVersion": "kubescheduler.config.k8s.io/v1",
                        "kind": f"{plugin}Args",
                        **args,
                    }
                chosen.append({"name": plugin, "args": args})
        if chosen:
            out["pluginConfig"] = chosen
        return out

    def plugin_sets(self) -> Json:
        """Draws which plugins are on, where, in what order, at which weight."""
        rng = self.rng
        scorers = [
            "TaintToleration",
            "NodeAffinity",
            "NodeResourcesFit",
            "PodTopologySpread",
            "InterPodAffinity",
            "NodeResourcesBalancedAllocation",
            "ImageLocality",
        ]
        filters = [
            "NodeUnschedulable",
            "NodeName",
            "TaintToleration",
            "NodeAffinity",
            "NodePorts",
            "NodeResourcesFit",
            "PodTopologySpread",
            "InterPodAffinity",
        ]

        def weighted(names: list[str]) -> list[Json]:
            out = []
            for name in names:
                entry: Json = {"name": name}
                if self.flip(0.8):
                    entry["weight"] = rng.choice([1, 2, 3, 7, 100, 1000])
                out.append(entry)
            return out

        out: Json = {}
        how = rng.choice(["none", "score", "score", "filter", "multi", "multi", "bare"])
        if how == "score":
            on = self.some(scorers, 4, 0)
            rng.shuffle(on)
            off = self.some(scorers, 3, 0)
            out["score"] = {}
            if on:
                out["score"]["enabled"] = weighted(on)
            if self.flip(0.2):
                out["score"]["disabled"] = [{"name": "*"}]
            else:
                out["score"]["disabled"] = [{"name": name} for name in {*on, *off} if name in off]
                out["score"]["disabled"].sort(key=lambda entry: str(entry["name"]))
        elif how == "filter":
            off = self.some(filters, 3, 1)
            if self.flip(0.4):
                on = self.some(filters, 8, 3)
                rng.shuffle(on)
                out["filter"] = {
                    "enabled": [{"name": name} for name in on],
                    "disabled": [{"name": "*"}],
                }
            else:
                out["filter"] = {"disabled": [{"name": name} for name in off]}
        elif how == "multi":
            out["multiPoint"] = {}
            if self.flip(0.6):
                on = self.some(scorers, 3, 1)
                rng.shuffle(on)
                out["multiPoint"]["enabled"] = weighted(on)
            if self.flip(0.6):
                candidates = [*scorers, "NodePorts", "NodeUnschedulable", "DefaultPreemption"]
                candidates += ["VolumeZone", "NodeVolumeLimits", "VolumeRestrictions"]
                out["multiPoint"]["disabled"] = [{"name": n} for n in self.some(candidates, 3, 1)]
        elif how == "bare":
            # Nothing but what is named; a queue and a binder are needed.
            names = [*scorers, "NodeUnschedulable", "NodePorts", "SchedulingGates"]
            on = self.some(names, 8, 1)
            rng.shuffle(on)
            out["multiPoint"] = {
                "enabled": [{"name": "PrioritySort"}, {"name": "DefaultBinder"}, *weighted(on)],
                "disabled": [{"name": "*"}],
            }
            if self.with_preemption and self.flip(0.7):
                out["multiPoint"]["enabled"].append({"name": "DefaultPreemption"})
        return out

    def weighted_resources(self) -> list[Json]:
        """Draws resources with weights for a scoring strategy."""
        names = ["cpu", "memory", "ephemeral-storage", *self.resources, "example.org/nobody"]
        return [
            {"name": name, "weight": self.rng.choice([1, 1, 2, 5, 100])}
            for name in self.some(names, 4, 1)
        ]

    def fit_args(self) -> Json:
        """Draws NodeResourcesFitArgs."""
        rng = self.rng
        args: Json = {}
        if self.flip(0.8):
            kind = rng.choice(["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"])
            strategy: Json = {"type": kind}
            if self.flip(0.8):
                strategy["resources"] = self.weighted_resources()
            if kind == "RequestedToCapacityRatio":
                steps = sorted(rng.sample(range(101), rng.choice([1, 2, 3, 5])))
                strategy["requestedToCapacityRatio"] = {
                    "shape": [{"utilization": u, "score": rng.randint(0, 10)} for u in steps]
                }
            args["scoringStrategy"] = strategy
        extended = [name for name in self.resources if not name.startswith("hugepages")]
        if extended and self.flip(0.3):
            args["ignoredResources"] = self.some(extended, 2, 1)
        if self.flip(0.2):
            args["ignoredResourceGroups"] = [rng.choice(["example.org", "a.b"])]
        return args

    def balanced_args(self) -> Json:
        """Draws NodeResourcesBalancedAllocationArgs, whose weights must be one."""
        return {"resources": [{**entry, "weight": 1} for entry in self.weighted_resources()]}

    def affinity_args(self) -> Json:
        """Draws InterPodAffinityArgs."""
        args: Json = {"hardPodAffinityWeight": self.rng.choice([0, 1, 10, 100])}
        if self.flip(0.4):
            args["ignorePreferredTermsOfExistingPods"] = self.flip(0.7)
        return args

    def node_affinity_args(self) -> Json:
        """Draws NodeAffinityArgs."""
        added: Json = {}
        if self.flip(0.5):
            added["requiredDuringSchedulingIgnoredDuringExecution"] = {
                "nodeSelectorTerms": [
                    self.node_term(fields=self.flip(0.3)) for _ in range(self.rng.choice([1, 2, 3]))
                ]
            }
        if not added or self.flip(0.5):
            added["preferredDuringSchedulingIgnoredDuringExecution"] = [
                {"weight": self.rng.choice([1, 40, 100]), "preference": self.node_term()}
                for _ in range(self.rng.choice([1, 2]))
            ]
        return {"addedAffinity": added}

    def spread_args(self) -> Json:
        """Draws PodTopologySpreadArgs."""
        rng = self.rng
        if self.flip(0.3):
            return {"defaultingType": "System"}
        seen: set[tuple[str, str]] = set()
        constraints: list[Json] = []
        for _ in range(rng.choice([0, 1, 2, 3])):
            key = rng.choice(self.domain_keys)
            when = rng.choice(["DoNotSchedule", "ScheduleAnyway", "ScheduleAnyway"])
            if (key, when) not in seen:
                seen.add((key, when))
                constraints.append(
                    {
                        "topologyKey": key,
                        "whenUnsatisfiable": when,
                        "maxSkew": rng.choice([1, 2, 5]),
                    }
                )
        return {"defaultingType": "List", "defaultConstraints": constraints}

    def preemption_args(self) -> Json:
        """Draws DefaultPreemptionArgs."""
        return {
            "minCandidateNodesPercentage": self.rng.choice([1, 10, 100]),
            "minCandidateNodesAbsolute": self.rng.choice([1, 5, 100]),
        }

    def build(self, identifier: str) -> Json:
        """Makes the case."""
        self.make_namespaces()
        self.make_priorities()
        self.make_nodes()
        config = self.config()
        self.make_workloads()
        if self.with_volumes:
            self.make_storage()
        if self.with_preemption:
            self.make_budgets()
        if self.node_names:
            self.make_running()
        else:
            self.shape = {"cpu": 1000, "memory": GI, "pods": 5}
        self.make_pending()
        if self.with_volumes:
            self.tags.append("volumes")
        if self.with_preemption:
            self.tags.append("preemption")
        if self.size == "sampled":
            config = self.sample(config)
        if self.with_nominations and self.node_names:
            self.tags.append("nominated")
            self.nominate()
        return {
            "id": identifier,
            "tags": list(dict.fromkeys(self.tags)),
            "config": config,
            "objects": {"apiVersion": "v1", "kind": "List", "items": self.objects},
        }

    def nominate(self) -> None:
        """Nominates pending pods to a few nodes, and lets evicted pods still be there."""
        rng = self.rng
        few = self.some(self.node_names, rng.choice([1, 2, 3, 5]), 1)
        rate, leaving = rng.choice([0.2, 0.5, 0.9]), rng.choice([0, 0.1, 0.4])
        for pod in self.objects:
            if pod["kind"] != "Pod":
                continue
            if "nodeName" not in pod["spec"]:
                if self.flip(rate):
                    nodes = rng.choice([few, few, few, self.node_names, ["gone-node"]])
                    pod["status"]["nominatedNodeName"] = rng.choice(nodes)
            elif self.flip(leaving):
                by_scheduler: Json = {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "PreemptionByScheduler",
                }
                conditions = [by_scheduler]
                if self.flip(0.2):
                    other = rng.choice(
                        [
                            {"status": "False"},
                            {"reason": "EvictionByEvictionAPI"},
                            {"type": "Ready"},
                        ]
                    )
                    conditions.insert(rng.choice([0, 1]), by_scheduler | other)
                known = pod["status"].get("conditions", [])
                pod["status"]["conditions"] = [*known, *conditions]
                if self.flip(0.9):
                    pod["metadata"]["deletionTimestamp"] = "2026-05-20T00:00:00Z"
                    pod["metadata"]["deletionGracePeriodSeconds"] = 30

    def sample(self, config: Json | None) -> Json:
        """Lets few nodes suffice, and draws the zones by which kube-scheduler orders its nodes."""
        rng = self.rng
        self.tags.append("sampled")
        if config is None:
            config = {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "profiles": [{"schedulerName": "default-scheduler"}],
            }
        config.pop("percentageOfNodesToScore", None)
        if self.flip(0.6):
            config["percentageOfNodesToScore"] = rng.choice([0, 1, 20, 30, 35, 45, 60, 80, 99, 100])
        for profile in config["profiles"]:
            profile.pop("percentageOfNodesToScore", None)
            if self.flip(0.4):
                profile["percentageOfNodesToScore"] = rng.choice([0, 5, 33, 40, 50, 70, 95, 100])
            if self.flip(0.5):
                rest = profile.get("pluginConfig", [])
                rest = [each for each in rest if each["name"] != "DefaultPreemption"]
                args = {
                    "minCandidateNodesPercentage": rng.choice([0, 1, 2, 5, 10, 40]),
                    "minCandidateNodesAbsolute": rng.choice([1, 2, 3, 10, 50, 100]),
                }
                profile["pluginConfig"] = [*rest, {"name": "DefaultPreemption", "args": args}]
        beta = "failure-domain.beta.kubernetes.io/"
        zones = self.domain_values(ZONE)[: rng.choice([1, 2, 3, 3, 5, 40])]
        regions = ["", "north", "south"][: rng.choice([1, 1, 2, 3])]
        runs = rng.choice([1, 1, 7, 40])
        bare, old = rng.choice([0, 0.05, 0.4]), rng.choice([0, 0, 0.2, 1])
        nodes = [obj for obj in self.objects if obj["kind"] == "Node"]
        for start in range(0, len(nodes), runs):
            zone, region = rng.choice(zones), rng.choice(regions)
            for node in nodes[start : start + runs]:
                labels = node["metadata"].setdefault("labels", {})
                for key in (ZONE, REGION, beta + "zone", beta + "region"):
                    labels.pop(key, None)
                if self.flip(bare):
                    continue
                labels[ZONE] = zone
                if region:
                    labels[REGION] = region
                if self.flip(old):
                    labels[beta + "zone"] = rng.choice([zone, zone, *zones])
                    labels[beta + "region"] = region
        return config


VOLUME_SOURCES = {
    "csi",
    "awsElasticBlockStore",
    "gcePersistentDisk",
    "nfs",
    "hostPath",
    "iscsi",
    "rbd",
    "azureDisk",
}


SIZE_LETTERS = {"small": "s", "medium": "m", "sampled": "w"}


def main() -> None:
    """Writes cases to standard output."""
    parser = argparse.ArgumentParser(description="Write random cases in the conformance form.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=10, help="how many, over all groups")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--size", choices=["small", "medium", "sampled"], default="small")
    parser.add_argument("--groups", default=",".join(GROUPS), help="comma-separated")
    parser.add_argument("--no-volumes", action="store_true", help="no claims, no volumes")
    parser.add_argument("--no-preemption", action="store_true", help="all pods of one priority")
    parser.add_argument("--nominated", action="store_true", help="pods that are nominated to nodes")
    options = parser.parse_args()
    groups = options.groups.split(",")
    for group in groups:
        if group not in EMPHASIS:
            parser.error(f"no group {group!r}; there are {', '.join(GROUPS)}")
    for number in range(options.first, options.first + options.cases):
        group = groups[number % len(groups)]
        kind = SIZE_LETTERS[options.size] + ("n" if options.nominated else "")
        identifier = f"{group}-{options.seed}{kind}-{number:05d}"
        rng = Random(identifier)
        case = Case(
            rng,
            group,
            options.size,
            volumes=not options.no_volumes,
            preemption=not options.no_preemption,
            nominated=options.nominated,
        )
        json.dump({"case": case.build(identifier)}, sys.stdout, separators=(",", ":"))
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
