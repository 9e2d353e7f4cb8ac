"""A cluster that changes, forks, is copied and pickled."""

import copy
import gzip
import json
import pickle
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayplan
from clusters import Json, node, pod, service
from test_laws import LAWS, clusters, nodes


def small() -> bayplan.Cluster:
    """Two nodes, one pod that runs, two that wait."""
    return bayplan.Cluster.load(
        [node("a"), node("b")],
        [pod("run", nodeName="a"), pod("wait-1"), pod("wait-2", cpu="2")],
        service(),
    )


def places(cluster: bayplan.Cluster) -> dict[str, str | None]:
    return {name: cluster.node_of(name) for name in cluster.pods}


def event(kind: str, body: Json) -> Json:
    return {"type": kind, "object": body}


def state(cluster: bayplan.Cluster) -> tuple[Any, ...]:
    """All that can be seen of a cluster, and what is decided on it."""
    return cluster.to_json(), pickle.dumps(cluster), list(cluster.simulate())


# Events


def test_a_watch_is_followed(tmp_path: Path) -> None:
    cluster = small()
    bound = pod("wait-1", nodeName="b")
    watch = [
        event("ADDED", node("c")),
        event("MODIFIED", bound),
        event("ADDED", pod("late")),
        event("DELETED", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "run"}}),
        {"type": "BOOKMARK", "object": {"kind": "Pod"}},
        event("ADDED", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}),
    ]
    path = tmp_path / "watch.json"
    # one document after another, as kubectl prints them
    path.write_text("\n".join(json.dumps(one, indent=4) for one in watch))
    assert cluster.apply(path) == 4
    assert cluster.nodes == ["a", "b", "c"]
    assert places(cluster) == {
        "default/wait-1": "b",
        "default/wait-2": None,
        "default/late": None,
    }
    packed = tmp_path / "watch.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert small().apply(packed) == 4


def test_pods_of_a_node_that_goes_count_again_when_it_comes_back() -> None:
    cluster = bayplan.Cluster.load([node("a", cpu="1")], [pod("run", nodeName="a")], service())
    full = cluster.simulate(pod("new"))
    cluster.delete("Node", "a")
    assert cluster.nodes == []
    assert cluster.node_of("run") is None
    cluster.add(node("a", cpu="1"))
    assert cluster.node_of("run") == "a"
    assert list(cluster.simulate(pod("new"))) == list(full)


def test_assume_forget_bind() -> None:
    cluster = small()
    cluster.assume("wait-2", "a")
    assert cluster.node_of("wait-2") == "a"
    with pytest.raises(bayplan.ObjectError, match="does not wait: it is assumed on a") as caught:
        cluster.assume("wait-2", "b")
    assert caught.value.object == "Pod default/wait-2"
    cluster.forget("wait-2")
    assert cluster.node_of("wait-2") is None
    cluster.bind("wait-2", "b")
    with pytest.raises(bayplan.ObjectError, match="was not assumed"):
        cluster.forget("wait-2")
    with pytest.raises(bayplan.NotFoundError, match="no such node"):
        cluster.bind("wait-1", "nowhere")
    with pytest.raises(bayplan.NotFoundError, match="no such pod"):
        cluster.forget("nobody")


def test_what_schedule_places_is_assumed_until_it_is_bound() -> None:
    cluster = small()
    before = list(cluster.simulate())
    bayplan.Scheduler().schedule(cluster)
    for name in ("wait-1", "wait-2"):
        cluster.forget(name)
    assert list(cluster.simulate()) == before
    bayplan.Scheduler().schedule(cluster)
    cluster.bind("wait-1", cluster.node_of("wait-1") or "")
    with pytest.raises(bayplan.ObjectError, match="was not assumed"):
        cluster.forget("wait-1")


def test_nodes_are_cordoned_labelled_tainted_resized() -> None:
    cluster = bayplan.Cluster.load([node("a"), node("b")], service())

    def fits(**spec: Any) -> list[str]:
        return cluster_nodes(cluster, pod("p", **spec))

    assert fits() == ["a", "b"]
    cluster.cordon("a")
    assert fits() == ["b"]
    cluster.uncordon("a")
    cluster.label("b", {"disk": "ssd"})
    assert fits(nodeSelector={"disk": "ssd"}) == ["b"]
    cluster.label("b", {"disk": None})
    assert fits(nodeSelector={"disk": "ssd"}) == []
    cluster.taint("a", "dedicated=x:NoSchedule", {"key": "k", "effect": "NoExecute"})
    assert fits() == ["b"]
    cluster.untaint("a", "dedicated:NoSchedule")
    cluster.untaint("a", "k")
    assert fits() == ["a", "b"]
    with pytest.raises(bayplan.NotFoundError, match="has no taint k"):
        cluster.untaint("a", "k")
    cluster.resize("a", {"cpu": "500m"})
    assert fits() == ["b"]
    assert json.loads(cluster.to_json())["items"][0]["status"]["allocatable"]["memory"] == "8Gi"


def cluster_nodes(cluster: bayplan.Cluster, asked: Json) -> list[str]:
    mask = bayplan.Scheduler().filter(cluster, asked)
    return [name for name, fits in zip(cluster.nodes, mask, strict=True) if fits]


def test_by_uid() -> None:
    body = pod("p", nodeName="a")
    body["metadata"]["uid"] = "u1"
    cluster = bayplan.Cluster.load([node("a")], body, service())
    with pytest.raises(bayplan.NotFoundError, match="u2"):
        cluster.delete("Pod", uid="u2")
    with pytest.raises(bayplan.NotFoundError):
        cluster.delete("Pod", "p", uid="u2")
    cluster.delete("Pod", uid="u1")
    assert cluster.pods == []


def test_another_uid_is_another_object() -> None:
    first, second = pod("p"), pod("q")
    first["metadata"]["uid"] = "u1"
    cluster = bayplan.Cluster.load([node("a")], first, second, service())
    again = copy.deepcopy(first)
    again["metadata"]["uid"] = "u2"
    with pytest.raises(bayplan.ObjectError, match="is there already"):
        cluster.add(again)
    cluster.add(first)  # a watch that begins anew tells of it again
    cluster.update(again)
    assert cluster.pods == ["default/q", "default/p"]


@pytest.mark.parametrize(
    ("events", "error", "text"),
    [
        ([{"type": "CORDON", "node": "nowhere"}], bayplan.NotFoundError, "nowhere"),
        ([{"type": "CORDON", "nodes": "a"}], bayplan.ObjectError, "nodes"),
        ([{"type": "DRAIN", "node": "a"}], bayplan.ObjectError, "DRAIN"),
        ([{"node": "a"}], bayplan.ObjectError, "type"),
        ([event("ADDED", pod("run"))], bayplan.ObjectError, "is there already"),
        ([event("MODIFIED", pod("nobody"))], bayplan.NotFoundError, "nobody"),
        ([event("ADDED", pod("x", cpu="much"))], bayplan.ObjectError, "much"),
        ([{"type": "TAINT", "node": "a", "taints": [{"key": "k"}]}], bayplan.ObjectError, "effect"),
        ([{"type": "LABEL", "node": "a", "labels": {"-": "x"}}], bayplan.ObjectError, "labels"),
        (
            [{"type": "RESIZE", "node": "a", "allocatable": {"cpu": "-1"}}],
            bayplan.ObjectError,
            "-1",
        ),
        ([7], bayplan.ObjectError, "7"),
        (b"", bayplan.ObjectError, "no events"),
        (b'{"type": ', bayplan.ObjectError, "ends"),
    ],
)
def test_what_cannot_happen_is_named_and_nothing_happens(
    events: Any, error: type[Exception], text: str
) -> None:
    cluster = small()
    before = state(cluster)
    first = [{"type": "CORDON", "node": "a"}, event("ADDED", pod("new"))]
    with pytest.raises(error, match=text):
        cluster.apply(first, events)
    assert state(cluster) == before


def test_the_event_that_cannot_happen_is_pointed_out() -> None:
    events = [{"type": "CORDON", "node": "a"}, {"type": "CORDON", "node": "z"}]
    with pytest.raises(bayplan.NotFoundError) as caught:
        small().apply(events)
    assert str(caught.value) == "<list>: Node z ([1]): there is no such node"


# Forks


def test_a_fork_is_rolled_back_unless_it_is_committed() -> None:
    cluster = small()
    before = state(cluster)
    with cluster.fork() as fork:
        fork.cordon("a")
        fork.add(pod("new"))
        bayplan.Scheduler().schedule(fork)
        assert fork.node_of("new") == "b"
        assert repr(fork).startswith("<Fork: 2 nodes")
    assert state(cluster) == before
    assert repr(fork) == "<Fork: ended>"
    with pytest.raises(bayplan.ArgumentError, match="has ended"):
        fork.cordon("a")
    with cluster.fork() as fork:
        fork.cordon("a")
        fork.commit()
    assert cluster_nodes(cluster, pod("p", cpu="1m")) == ["b"]


def test_an_exception_rolls_back() -> None:
    cluster = small()
    before = state(cluster)

    def fail() -> None:
        with cluster.fork() as fork:
            fork.cordon("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert state(cluster) == before


def test_a_cluster_and_its_forks_are_worlds_of_their_own() -> None:
    cluster = small()
    with cluster.fork() as one, cluster.fork() as other:
        one.delete("Pod", "run")
        other.cordon("a")
        cluster.add(node("c"))
        with other.fork() as inner:
            inner.cordon("b")
            assert not cluster_nodes(inner, pod("p"))
            # used while its fork is open
            assert cluster_nodes(other, pod("p")) == ["b"]
            assert inner.nodes == other.nodes == one.nodes == ["a", "b"]
        assert cluster.nodes == ["a", "b", "c"]
        assert "default/run" in other.pods
        assert "default/run" not in one.pods
        with pytest.raises(bayplan.ArgumentError, match="has changed since"):
            one.commit()
    assert cluster.nodes == ["a", "b", "c"]


def test_a_fork_that_was_parted_from_its_cluster_can_be_committed() -> None:
    cluster = small()
    fork = cluster.fork()
    fork.cordon("a")
    assert cluster_nodes(cluster, pod("p")) == ["a", "b"]  # looks, changes nothing
    sibling = cluster.fork()
    fork.commit()
    assert cluster_nodes(cluster, pod("p")) == ["b"]
    assert cluster_nodes(sibling, pod("p")) == ["a", "b"]
    with pytest.raises(bayplan.ArgumentError, match="has changed since"):
        sibling.commit()
    sibling.rollback()
    cluster.uncordon("a")


def test_forks_are_nested() -> None:
    cluster = small()
    with cluster.fork() as outer:
        outer.cordon("a")
        with outer.fork() as inner:
            inner.cordon("b")
            with pytest.raises(bayplan.ArgumentError, match="a fork of this fork is open"):
                outer.commit()
            inner.commit()
        assert not cluster_nodes(outer, pod("p"))
        inner = outer.fork()
        outer.rollback()
        with pytest.raises(bayplan.ArgumentError, match="has ended"):
            inner.nodes  # noqa: B018 -- asking is the test
    assert cluster_nodes(cluster, pod("p")) == ["a", "b"]


def test_a_fork_that_is_forgotten_stands_in_nobodys_way() -> None:
    cluster = small()
    before = state(cluster)
    for _ in range(5):
        cluster.fork().cordon("a")
    fork = cluster.fork()
    inner = fork.fork()
    inner.cordon("b")
    del fork
    assert inner.nodes == ["a", "b"]
    assert state(cluster) == before


def test_only_forks_are_committed() -> None:
    assert not hasattr(small(), "commit")


def test_threads_take_turns_on_forks_and_cluster() -> None:
    cluster = bayplan.Cluster.load([node(f"n{i}") for i in range(8)], service())
    expected = list(cluster.simulate([pod(f"p{i}") for i in range(20)]))
    wrong: list[Any] = []

    def work(turn: int) -> None:
        with cluster.fork() as fork:
            fork.cordon(f"n{turn % 8}")
            placed = bayplan.Scheduler().schedule(fork, [pod(f"p{i}") for i in range(20)])
            if f"n{turn % 8}" in placed.placements.node:
                wrong.append(turn)
        if list(cluster.simulate([pod(f"p{i}") for i in range(20)])) != expected:
            wrong.append((turn, "cluster"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(40)))
    assert not wrong
    assert threading.active_count() >= 1


def test_looking_at_a_fork_changes_nothing_of_how_it_ends() -> None:
    for look in (True, False):
        cluster = small()
        outer = cluster.fork()
        inner = outer.fork()
        if look:
            assert outer.nodes
        with pytest.raises(bayplan.ArgumentError, match="a fork of this fork is open"):
            outer.commit()
        outer.rollback()
        assert repr(inner) == "<Fork: ended>"
        with pytest.raises(bayplan.ArgumentError, match="has ended"):
            inner.__enter__()


def test_a_call_that_changes_nothing_is_no_change() -> None:
    cluster = small()
    with cluster.fork() as fork:
        fork.cordon("a")
        cluster.apply([])
        bayplan.Scheduler().schedule(cluster, [])
        fork.commit()
    assert cluster_nodes(cluster, pod("p", cpu="1m")) == ["b"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGALRM")
def test_a_signal_handler_may_not_ask_about_the_cluster_that_is_at_work() -> None:
    names = [f"n{at}" for at in range(2000)]
    pods = [pod(f"p-{at}", cpu=f"{at % 97}m", priority=at % 11) for at in range(4000)]
    cluster = bayplan.Cluster.load([node(name) for name in names], pods, service())
    asked: list[Exception] = []

    def ask(*_: object) -> None:
        try:
            repr(cluster)
        except bayplan.ArgumentError as error:
            asked.append(error)

    before = signal.signal(signal.SIGALRM, ask)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        cluster.simulate()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(asked) == 1
    assert "at work" in str(asked[0])


def test_gated_pods_cannot_be_put_anywhere() -> None:
    gated = pod("g", schedulingGates=[{"name": "example.com/x"}])
    cluster = bayplan.Cluster.load([node("a")], gated, service(), pod("p"))
    for put in (cluster.assume, cluster.bind):
        with pytest.raises(bayplan.ObjectError, match="does not wait: it is gated"):
            put("g", "a")
    cluster.assume("p", "a")
    cluster.update(pod("p", schedulingGates=[{"name": "example.com/x"}]))
    assert cluster.node_of("p") is None
    assert list(pickle.loads(pickle.dumps(cluster)).simulate()) == list(cluster.simulate())


def test_a_watch_may_speak_of_pods_that_were_evicted() -> None:
    low, high = pod("low", cpu="4", nodeName="a", priority=0), pod("high", cpu="4", priority=5)
    low["metadata"]["uid"] = "u"
    cluster = bayplan.Cluster.load([node("a")], low, high, service())
    bayplan.Scheduler().schedule(cluster)
    assert places(cluster) == {"default/high": "a"}
    with pytest.raises(bayplan.NotFoundError):
        cluster.node_of("low")
    dying = low | {"metadata": low["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    cluster.apply(event("MODIFIED", dying), event("ADDED", low), event("DELETED", low))
    assert places(cluster) == {"default/high": "a"}
    with pytest.raises(bayplan.NotFoundError):
        cluster.apply(event("DELETED", low))


def test_a_kind_that_nobody_reads_cannot_be_deleted() -> None:
    with pytest.raises(bayplan.ObjectError, match="not a kind that is kept: pod"):
        small().delete("pod", "run")


@pytest.mark.parametrize("wrong", ["a=b", 3, None, ["k=v:NoSchedule"]])
def test_values_of_other_types_are_refused(wrong: Any) -> None:
    cluster = small()
    for call in (cluster.label, cluster.resize):
        with pytest.raises(bayplan.ArgumentError, match="not a mapping"):
            call("a", wrong)
    if not isinstance(wrong, str):
        with pytest.raises(bayplan.ArgumentError, match="not a mapping"):
            cluster.taint("a", wrong)


# Copies


def test_copies_go_their_own_way() -> None:
    cluster = small()
    copies = [copy.copy(cluster), copy.deepcopy(cluster), pickle.loads(pickle.dumps(cluster))]
    before = state(cluster)
    for one in copies:
        assert state(one) == before
        one.cordon("a")
        one.delete("Pod", "run")
    assert state(cluster) == before


def test_a_fork_is_copied_as_it_is() -> None:
    cluster = small()
    with cluster.fork() as fork:
        fork.cordon("a")
        copies = [copy.copy(fork), pickle.loads(pickle.dumps(fork))]
    for one in copies:
        assert type(one) is bayplan.Cluster
        assert cluster_nodes(one, pod("p")) == ["b"]


@pytest.mark.parametrize("dumped", [b"", b"\n", b"{}\n", b'{"format": 2}\n{}', b"\xff\n\xff"])
def test_other_bytes_are_no_pickle(dumped: bytes) -> None:
    restore, _ = small().__reduce__()
    with pytest.raises(bayplan.ArgumentError, match="not a pickled cluster"):
        restore(dumped)


def test_what_is_written_is_read_again() -> None:
    cluster = bayplan.Cluster.example()
    again = bayplan.Cluster.load(cluster.to_json())
    assert again.to_json() == cluster.to_json()
    assert list(again.simulate()) == list(cluster.simulate())


def test_forgetting_a_pod_frees_what_was_reserved_for_it() -> None:
    objects: list[Json] = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local"},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "v"},
            "status": {"phase": "Available"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "local",
                "local": {"path": "/v"},
                "nodeAffinity": {
                    "required": {
                        "nodeSelectorTerms": [
                            {
                                "matchExpressions": [
                                    {
                                        "key": "kubernetes.io/hostname",
                                        "operator": "In",
                                        "values": ["b"],
                                    }
                                ]
                            }
                        ]
                    }
                },
            },
        },
    ]
    objects += [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "local",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
        for name in ("c-1", "c-2")
    ]

    def claiming(name: str, claim: str) -> Json:
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
        return pod(name, volumes=[volume])

    volume = objects[1]
    cluster = bayplan.Cluster.load(
        [node("a"), node("b")], objects, claiming("p", "c-1"), claiming("q", "c-2"), service()
    )
    scheduler = bayplan.Scheduler()
    assert scheduler.schedule(cluster, ["default/p"])[0].node == "b"
    assert cluster.simulate()["q"].node is None
    # what is reserved is known to copies too
    for one in (cluster, pickle.loads(pickle.dumps(cluster))):
        with one.fork() as fork:
            fork.delete("Pod", "p")
            assert fork.simulate(["default/q"])["q"].node == "b"
        with one.fork() as fork:
            fork.bind("p", "b")
            fork.delete("Pod", "p")
            assert fork.simulate(["default/q"])["q"].node is None
        with one.fork() as fork:
            # a watch that begins anew tells nothing new; one that tells of the binding does
            fork.apply(event("MODIFIED", volume))
            assert fork.simulate(["default/q"])["q"].node is None
            claim_ref = {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "c-1"}
            fork.update(volume | {"spec": volume["spec"] | {"claimRef": claim_ref}})
            fork.forget("p")
            assert fork.simulate(["default/q"])["q"].node is None
        one.forget("p")
        assert one.simulate(["default/q"])["q"].node == "b"


# Laws


@LAWS
@given(clusters(), nodes(at_least=1), st.data())
def test_a_changed_cluster_is_the_one_its_objects_make(
    cluster: tuple[list[Json], list[Json]], shapes: list[Json], data: st.DataObject
) -> None:
    made, waiting = copy.deepcopy(cluster)
    changed = bayplan.Cluster.load(made, waiting, service())
    for turn in range(data.draw(st.integers(1, 8))):
        shape = copy.deepcopy(data.draw(st.sampled_from(shapes)))
        at = data.draw(st.integers(0, max(len(made) - 1, 0)))
        which = data.draw(st.integers(0, 5))
        if which == 0 or not made:
            shape["metadata"]["name"] = f"new-{turn}"
            made.append(shape)
            changed.add(shape)
        elif which == 1:
            changed.delete("Node", made.pop(at)["metadata"]["name"])
        elif which == 2:
            shape["metadata"]["name"] = made[at]["metadata"]["name"]
            made[at] = shape
            changed.update(shape)
        elif which == 3:
            made[at]["spec"]["unschedulable"] = True
            changed.cordon(made[at]["metadata"]["name"])
        elif waiting:
            at = data.draw(st.integers(0, len(waiting) - 1))
            if which == 4:
                changed.delete("Pod", waiting.pop(at)["metadata"]["name"])
            else:
                waiting[at]["spec"]["priority"] = 3
                changed.update(waiting[at])
    fresh = bayplan.Cluster.load(made, waiting, service())
    assert changed.nodes == fresh.nodes
    assert changed.to_json() == fresh.to_json()
    assert list(changed.simulate()) == list(fresh.simulate())
    assert list(pickle.loads(pickle.dumps(changed)).simulate()) == list(fresh.simulate())


@LAWS
@given(clusters(), nodes(at_least=1))
def test_what_a_fork_did_is_undone(
    cluster: tuple[list[Json], list[Json]], shapes: list[Json]
) -> None:
    made, waiting = cluster
    loaded = bayplan.Cluster.load(made, waiting, service())
    before = state(loaded)
    with loaded.fork() as fork:
        bayplan.Scheduler().schedule(fork)
        for shape in shapes:
            fork.add(
                shape | {"metadata": shape["metadata"] | {"name": f"{shape['metadata']['name']}-x"}}
            )
        for name in made:
            fork.delete("Node", name["metadata"]["name"])
        bayplan.Scheduler().schedule(fork)
    assert state(loaded) == before
