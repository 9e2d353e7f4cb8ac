"""The engine through Python beside a model of some plugins that one can read in a minute.

The whole model, plugin by plugin, is `rust/testkit`; this one keeps the way through Python honest:
objects as dicts in, traces out.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import bayplan
from clusters import Json, node, pod, service
from test_laws import LAWS

MIB = 1024 * 1024
TAINTS = [
    {"key": "a", "value": "x", "effect": "NoSchedule"},
    {"key": "b", "effect": "NoExecute"},
    {"key": "c", "value": "y", "effect": "PreferNoSchedule"},
]
TOLERATIONS = [
    {"key": "a", "operator": "Equal", "value": "x", "effect": "NoSchedule"},
    {"key": "b", "operator": "Exists"},
    {"operator": "Exists", "effect": "PreferNoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"},
]
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}

subsets_of_taints = st.lists(st.sampled_from(TAINTS), unique_by=str)
subsets_of_tolerations = st.lists(st.sampled_from(TOLERATIONS), unique_by=str)


@st.composite
def machines(draw: st.DrawFn) -> list[Json]:
    made = []
    for at in range(draw(st.integers(1, 5))):
        one = node(
            f"n{at}",
            cpu=f"{draw(st.integers(1, 4000))}m",
            memory=f"{draw(st.integers(1, 4096))}Mi",
            pods=str(draw(st.integers(0, 4))),
        )
        if draw(st.booleans()):
            one["metadata"]["labels"]["disk"] = draw(st.sampled_from(["ssd", "hdd"]))
        one["spec"] = {
            "taints": draw(subsets_of_taints),
            "unschedulable": draw(st.integers(0, 3)) == 0,
        }
        made.append(one)
    return made


@st.composite
def requests(draw: st.DrawFn, name: str) -> Json:
    made = pod(
        name,
        cpu=f"{draw(st.integers(0, 500))}m",
        memory=f"{draw(st.integers(0, 500))}Mi",
        tolerations=draw(subsets_of_tolerations),
    )
    if draw(st.integers(0, 3)) == 0:
        made["spec"]["nodeSelector"] = {"disk": "ssd"}
    if draw(st.integers(0, 3)) == 0:
        port = draw(st.sampled_from([80, 81]))
        made["spec"]["containers"][0]["ports"] = [{"containerPort": port, "hostPort": port}]
    return made


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Json], list[Json], Json]:
    made = draw(machines())
    running = []
    for at in range(draw(st.integers(0, 6))):
        one = draw(requests(f"run-{at}"))
        one["spec"]["nodeName"] = draw(st.sampled_from(made))["metadata"]["name"]
        running.append(one)
    return made, running, draw(requests("new"))


def tolerated(taint: Json, tolerations: list[Json]) -> bool:
    """`Toleration.ToleratesTaint`."""
    return any(
        one.get("effect") in (None, taint["effect"])
        and one.get("key") in (None, taint["key"])
        and (one["operator"] == "Exists" or one.get("value", "") == taint.get("value", ""))
        for one in tolerations
    )


def wanted(one: Json) -> tuple[int, int]:
    """Thousandths of a CPU, and bytes."""
    amounts = one["spec"]["containers"][0]["resources"]["requests"]
    return int(amounts["cpu"][:-1]), int(amounts["memory"][:-2]) * MIB


def ports(one: Json) -> set[int]:
    return {port["hostPort"] for port in one["spec"]["containers"][0].get("ports", [])}


def offered(machine: Json) -> tuple[int, int, int]:
    amounts = machine["status"]["allocatable"]
    return int(amounts["cpu"][:-1]), int(amounts["memory"][:-2]) * MIB, int(amounts["pods"])


def used(there: list[Json]) -> tuple[int, int]:
    sums = [wanted(one) for one in there]
    return sum(cpu for cpu, _ in sums), sum(memory for _, memory in sums)


def rejection(machine: Json, there: list[Json], new: Json) -> tuple[str, list[str]] | None:
    """The first plugin that rejects the node, and its words."""
    tolerations = new["spec"]["tolerations"]
    if machine["spec"]["unschedulable"] and not tolerated(UNSCHEDULABLE, tolerations):
        return "NodeUnschedulable", ["node(s) were unschedulable"]
    for taint in machine["spec"]["taints"]:
        if taint["effect"] != "PreferNoSchedule" and not tolerated(taint, tolerations):
            words = f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
            return "TaintToleration", [words]
    selector = new["spec"].get("nodeSelector", {})
    if not selector.items() <= machine["metadata"]["labels"].items():
        return "NodeAffinity", ["node(s) didn't match Pod's node affinity/selector"]
    if any(ports(new) & ports(one) for one in there):
        return "NodePorts", ["node(s) didn't have free ports for the requested pod ports"]
    cpu, memory, pods = offered(machine)
    reasons = []
    if len(there) + 1 > pods:
        reasons.append("Too many pods")
    if 0 < wanted(new)[0] > cpu - used(there)[0]:
        reasons.append("Insufficient cpu")
    if 0 < wanted(new)[1] > memory - used(there)[1]:
        reasons.append("Insufficient memory")
    return ("NodeResourcesFit", reasons) if reasons else None


def least_allocated(machine: Json, there: list[Json], new: Json) -> int:
    """`leastResourceScorer`: hundredths of the node that would be left, the mean of both."""
    shares = []
    for total, taken, more in zip(offered(machine), used(there), wanted(new), strict=False):
        asked = taken + more
        shares.append(0 if asked > total else (total - asked) * 100 // total)
    return sum(shares) // 2


def intolerable(machine: Json, new: Json) -> int:
    """`TaintToleration`'s raw score: taints that the pod would rather not have."""
    rather_not = [one for one in machine["spec"]["taints"] if one["effect"] == "PreferNoSchedule"]
    return sum(not tolerated(one, new["spec"]["tolerations"]) for one in rather_not)


@LAWS
@given(worlds())
def test_filters_and_scores_are_the_models(world: tuple[list[Json], list[Json], Json]) -> None:
    made, running, new = world
    cluster = bayplan.Cluster.load(made, running, new, service())
    scheduler = bayplan.Scheduler()
    trace = scheduler.explain(cluster, "default/new")
    mask = scheduler.filter(cluster, "default/new")
    scores: dict[str, dict[str, Any]] = trace.raw_scores
    for machine, fits in zip(made, mask, strict=True):
        name = machine["metadata"]["name"]
        there = [one for one in running if one["spec"]["nodeName"] == name]
        expected = rejection(machine, there, new)
        found = trace.filter[name]
        assert (found and (found["plugin"], found["reasons"])) == expected
        assert fits == (expected is None)
        if expected is None:
            assert scores["NodeResourcesFit"][name] == least_allocated(machine, there, new)
            assert scores["TaintToleration"][name] == intolerable(machine, new)
