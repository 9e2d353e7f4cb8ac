"""Laws that hold on every cluster, whatever it holds."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayplan
from clusters import Json, node, pod, service

ZONES = ["z1", "z2", "z3"]
APPS = ["web", "db", "job"]
TAINT = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}

zone_key = "topology.kubernetes.io/zone"
amounts = st.sampled_from(["0", "100m", "250m", "1", "2"])
memories = st.sampled_from(["0", "64Mi", "1Gi", "3Gi"])


@st.composite
def nodes(draw: st.DrawFn, at_least: int = 1) -> list[Json]:
    found = []
    for index in range(draw(st.integers(at_least, 6))):
        made = node(
            f"n{index}",
            cpu=draw(st.sampled_from(["1", "2", "4"])),
            memory=draw(st.sampled_from(["2Gi", "8Gi"])),
        )
        made["metadata"]["labels"][zone_key] = draw(st.sampled_from(ZONES))
        if draw(st.booleans()):
            made["metadata"]["labels"]["disk"] = "ssd"
        spec: Json = {}
        if draw(st.integers(0, 4)) == 0:
            spec["taints"] = [
                TAINT | {"effect": draw(st.sampled_from(["NoSchedule", "PreferNoSchedule"]))}
            ]
        if draw(st.integers(0, 6)) == 0:
            spec["unschedulable"] = True
        found.append(made | {"spec": spec})
    return found


@st.composite
def terms(draw: st.DrawFn) -> Json:
    app = draw(st.sampled_from(APPS))
    key = draw(st.sampled_from([zone_key, "kubernetes.io/hostname"]))
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}


@st.composite
def specs(draw: st.DrawFn) -> Json:
    spec: Json = {"priority": draw(st.sampled_from([0, 0, 0, 5]))}
    # preemption is left out: whom it evicts depends on more than these laws speak of
    spec["preemptionPolicy"] = "Never"
    if draw(st.integers(0, 2)) == 0:
        spec["tolerations"] = [{"key": "dedicated", "operator": "Exists"}]
    if draw(st.integers(0, 3)) == 0:
        spec["nodeSelector"] = {"disk": "ssd"}
    if draw(st.integers(0, 2)) == 0:
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": draw(st.integers(1, 2)),
                "topologyKey": zone_key,
                "whenUnsatisfiable": draw(st.sampled_from(["DoNotSchedule", "ScheduleAnyway"])),
                "labelSelector": {"matchLabels": {"app": draw(st.sampled_from(APPS))}},
            }
        ]
    which = draw(st.integers(0, 5))
    if which < 2:
        kind = ["podAffinity", "podAntiAffinity"][which]
        spec["affinity"] = {
            kind: {"requiredDuringSchedulingIgnoredDuringExecution": [draw(terms())]}
        }
    elif which == 2:
        weighted = {"weight": draw(st.integers(1, 100)), "podAffinityTerm": draw(terms())}
        spec["affinity"] = {
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [weighted]}
        }
    return spec


@st.composite
def pods(draw: st.DrawFn, names: list[str]) -> list[Json]:
    found = []
    for index in range(draw(st.integers(1, 8))):
        spec = draw(specs())
        if draw(st.integers(0, 3)) == 0:
            spec["nodeName"] = draw(st.sampled_from(names))
        app = draw(st.sampled_from(APPS))
        found.append(pod(f"{app}-{index}", cpu=draw(amounts), memory=draw(memories), **spec))
    return found


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[Json], list[Json]]:
    made = draw(nodes())
    return made, draw(pods([n["metadata"]["name"] for n in made]))


def decided(*sources: Any) -> list[bayplan.Decision]:
    return list(bayplan.Cluster.load(*sources, service()).simulate())


LAWS = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@LAWS
@given(clusters())
def test_the_same_input_gives_the_same_decisions(cluster: tuple[list[Json], list[Json]]) -> None:
    made, waiting = cluster
    assert decided(made, waiting) == decided(copy.deepcopy(made), copy.deepcopy(waiting))


@LAWS
@given(clusters(), st.randoms(use_true_random=False))
def test_the_order_among_kinds_does_not_matter(
    cluster: tuple[list[Json], list[Json]], random: Any
) -> None:
    made, waiting = cluster
    queues = [list(made), list(waiting), [service()]]
    mixed = []
    while any(queues):
        queue = random.choice([queue for queue in queues if queue])
        mixed.append(queue.pop(0))
    assert list(bayplan.Cluster.load(mixed).simulate()) == decided(made, waiting)


@LAWS
@given(clusters())
def test_a_node_that_nobody_tolerates_changes_no_choice(
    cluster: tuple[list[Json], list[Json]],
) -> None:
    made, waiting = cluster
    lonely = node("lonely", cpu="64", memory="512Gi") | {
        "spec": {"taints": [{"key": "nobody", "effect": "NoSchedule"}]}
    }
    lonely["metadata"]["labels"] = {}  # of no domain either
    before = [(d.name, d.node) for d in decided(made, waiting)]
    # some pods tolerate every key named "dedicated", none the key "nobody"
    assert [(d.name, d.node) for d in decided(made, [lonely], waiting)] == before


@LAWS
@given(clusters())
def test_one_by_one_is_the_same_as_all_at_once(cluster: tuple[list[Json], list[Json]]) -> None:
    made, waiting = cluster
    expected = decided(made, waiting)
    loaded = bayplan.Cluster.load(made, waiting, service())
    scheduler = bayplan.Scheduler()
    found = []
    for decision in expected:
        found += list(scheduler.schedule(loaded, [f"{decision.namespace}/{decision.name}"]))
    assert found == expected


@LAWS
@given(clusters())
def test_a_cluster_loaded_afresh_goes_on_as_one_that_was_changed(
    cluster: tuple[list[Json], list[Json]],
) -> None:
    made, waiting = cluster
    expected = decided(made, waiting)
    half = len(expected) // 2
    chosen = {f"{d.namespace}/{d.name}": d.node for d in expected[:half]}
    fresh = []
    for one in copy.deepcopy(waiting):
        name = f"default/{one['metadata']['name']}"
        if name not in chosen:
            fresh.append(one)
        elif chosen[name] is not None:  # what fitted nowhere at first might fit now
            one["spec"]["nodeName"] = chosen[name]
            fresh.append(one)
    later = [d for d in decided(made, fresh) if f"{d.namespace}/{d.name}" not in chosen]
    assert [d[:6] for d in later] == [d[:6] for d in expected[half:]]


@LAWS
@given(clusters())
def test_a_placed_pod_is_on_a_node_that_was_feasible_and_best(
    cluster: tuple[list[Json], list[Json]],
) -> None:
    made, waiting = cluster
    loaded = bayplan.Cluster.load(made, waiting, service())
    scheduler = bayplan.Scheduler()
    for decision in loaded.simulate():
        name = f"{decision.namespace}/{decision.name}"
        mask = scheduler.filter(loaded, name)
        totals = scheduler.score(loaded, name)
        (again,) = scheduler.schedule(loaded, [name])
        assert again == decision
        assert int(mask.sum()) == decision.feasible
        if decision.node is None:
            assert not mask.any()
        else:
            row = loaded.nodes.index(decision.node)
            assert mask[row]
            assert totals[row] == totals.max() == decision.score
            assert int(totals.argmax()) == row
