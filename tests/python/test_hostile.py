"""Input that means harm: every answer is a decision or an exception of ours that says where."""

import copy
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayplan
from clusters import Json, listed, node, pod, service

TERM: Json = {
    "topologyKey": "zone",
    "labelSelector": {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a"]}],
    },
    "namespaces": ["default"],
    "namespaceSelector": {"matchLabels": {"a": "b"}},
}
NODE_TERM: Json = {
    "matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["4"]}],
    "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}],
}
RICH: Json = pod(
    "rich-0",
    priority=5,
    nodeSelector={"zone": "z"},
    tolerations=[{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
    affinity={
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [NODE_TERM]},
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 5, "preference": NODE_TERM}
            ],
        },
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TERM]},
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 50, "podAffinityTerm": TERM}
            ]
        },
    },
    topologySpreadConstraints=[
        {
            "maxSkew": 1,
            "topologyKey": "zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}},
            "minDomains": 2,
            "nodeTaintsPolicy": "Honor",
            "nodeAffinityPolicy": "Ignore",
            "matchLabelKeys": ["pod-template-hash"],
        }
    ],
    overhead={"cpu": "10m"},
    schedulingGates=[],
    volumes=[{"name": "v", "emptyDir": {}}],
)
RICH["spec"]["containers"][0]["ports"] = [
    {"containerPort": 80, "hostPort": 8080, "hostIP": "10.0.0.1", "protocol": "TCP"}
]
TAINTED: Json = node("a", zone="z") | {
    "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}], "unschedulable": False}
}
TAINTED["status"]["images"] = [{"names": ["i"], "sizeBytes": 1000}]
DUMP = listed(TAINTED, node("b", zone="y"), service(), RICH, pod("run-0", nodeName="b"))

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    -(2**63),
    10**30,
    1e308,
    "",
    "x",
    "NaN",
    "1Qi",
    "-5",
    "9999999999999999999Ei",
    "1e999999999",
    "\x00",
    "é" * 100,
    "x" * 10_000,
    [],
    [None],
    [[]],
    ["x"],
    {},
    {"": ""},
    {"a": None},
    {"x": {"y": {"z": []}}},
]


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the value, the value itself left out."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        found.append((*at, key))
        if isinstance(item, dict | list):
            found += paths(item, (*at, key))
    return found


PATHS = paths(DUMP)


def decide(source: Any) -> None:
    """Loads and simulates; what is refused must say what and where."""
    try:
        cluster = bayplan.Cluster.load(source)
        decisions = cluster.simulate()
        assert all(decision.reason for decision in decisions)
    except bayplan.ObjectError as error:
        assert error.path
        assert error.message
        assert len(str(error)) < 3000
        assert str(error).isprintable()


@given(st.data())
def test_any_value_in_any_place_is_decided_or_refused(data: st.DataObject) -> None:
    broken = copy.deepcopy(DUMP)
    for _ in range(data.draw(st.integers(1, 3))):
        target: Any = broken
        *parents, last = data.draw(st.sampled_from(PATHS))
        try:
            for key in parents:
                target = target[key]
            if data.draw(st.booleans()):
                target[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
            else:
                del target[last]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    decide(broken)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_each_place_takes_each_odd_value_or_refuses_it(path: tuple[Any, ...]) -> None:
    for odd in ODD:
        broken = copy.deepcopy(DUMP)
        target: Any = broken
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = copy.deepcopy(odd)
        decide(broken)


def test_every_prefix_of_a_dump_is_refused() -> None:
    text = json.dumps(DUMP).encode()
    for end in range(len(text)):
        with pytest.raises(bayplan.ObjectError) as caught:
            bayplan.Cluster.load(text[:end])
        assert caught.value.path == "<bytes>"


@given(st.data())
def test_any_byte_in_any_place_is_decided_or_refused(data: st.DataObject) -> None:
    text = bytearray(json.dumps(DUMP).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.integers(0, 255))
    decide(bytes(text))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    decide(data)


@given(st.binary(max_size=60))
def test_packed_bytes_that_are_damaged_are_refused(tail: bytes) -> None:
    packed = gzip.compress(json.dumps(DUMP).encode())
    for damaged in (
        packed[: len(packed) // 2] + tail,
        b"\x1f\x8b\x08" + tail,
        b"(\xb5/\xfd" + tail,
    ):
        with pytest.raises(bayplan.ObjectError):
            bayplan.Cluster.load(damaged)


def test_nothing_is_half_applied() -> None:
    cluster = bayplan.Cluster.load(DUMP)
    before = cluster.pods
    for odd in ODD:
        broken = pod("new-1")
        broken["spec"]["containers"][0]["resources"]["requests"]["cpu"] = odd
        try:
            bayplan.Scheduler().schedule(cluster, [pod("new-0"), broken])
        except bayplan.ObjectError:
            assert cluster.pods == before
        else:
            cluster = bayplan.Cluster.load(DUMP)


CONFIG: Json = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
    "percentageOfNodesToScore": 0,
    "profiles": [
        {
            "schedulerName": "default-scheduler",
            "plugins": {
                "multiPoint": {"enabled": [{"name": "ImageLocality", "weight": 3}]},
                "score": {"disabled": [{"name": "ImageLocality"}]},
            },
            "pluginConfig": [
                {
                    "name": "NodeResourcesFit",
                    "args": {
                        "ignoredResources": ["example.com/x"],
                        "scoringStrategy": {
                            "type": "RequestedToCapacityRatio",
                            "resources": [{"name": "cpu", "weight": 2}],
                            "requestedToCapacityRatio": {
                                "shape": [
                                    {"utilization": 0, "score": 0},
                                    {"utilization": 100, "score": 10},
                                ]
                            },
                        },
                    },
                },
                {
                    "name": "NodeAffinity",
                    "args": {
                        "addedAffinity": {
                            "requiredDuringSchedulingIgnoredDuringExecution": {
                                "nodeSelectorTerms": [NODE_TERM]
                            }
                        }
                    },
                },
            ],
        }
    ],
}


@pytest.mark.parametrize(
    "path", [(), *paths(CONFIG)], ids=lambda path: ".".join(map(str, path)) or "whole"
)
def test_each_place_of_a_configuration_takes_each_odd_value_or_refuses_it(
    path: tuple[Any, ...],
) -> None:
    cluster = bayplan.Cluster.load(DUMP)
    for odd in ODD:
        broken = copy.deepcopy(CONFIG)
        target: Any = broken
        for key in path[:-1]:
            target = target[key]
        if path:
            target[path[-1]] = copy.deepcopy(odd)
        try:
            cluster.simulate(config=broken)
        except (bayplan.ConfigurationError, bayplan.UnsupportedError) as error:
            assert error.path == "<dict>"
