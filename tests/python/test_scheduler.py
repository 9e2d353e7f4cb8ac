import copy
import json
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import bayplan
from bayplan import Outcome
from clusters import Json, node, pod, service


@pytest.fixture
def cluster() -> bayplan.Cluster:
    return bayplan.Cluster.load(
        [
            node("a", cpu="2"),
            node("b", cpu="4"),
            service(),
            pod("small-0", cpu="500m"),
            pod("large-0", cpu="3", priority=10),
            pod("huge-0", cpu="64"),
            pod("run-0", nodeName="a"),
        ]
    )


class TestSimulate:
    def test_decides_in_queue_order_and_leaves_the_cluster_alone(
        self, cluster: bayplan.Cluster
    ) -> None:
        decisions = cluster.simulate()
        assert [d.name for d in decisions] == ["large-0", "small-0", "huge-0"]
        assert [d.node for d in decisions] == ["b", "a", None]
        assert cluster.simulate()["default/large-0"].node == "b"
        assert repr(cluster) == "<Cluster: 2 nodes, 1 running pod, 3 pending>"

    def test_gives_columns(self, cluster: bayplan.Cluster) -> None:
        decisions = cluster.simulate()
        assert decisions.row.dtype == np.int64
        assert decisions.outcome.dtype == np.uint8
        assert decisions.score.dtype == np.int64
        assert decisions.row[2] == -1
        assert decisions.score[2] == -1
        assert [decisions.nodes[row] for row in decisions.row[:2]] == decisions.node[:2].tolist()
        assert decisions.name.tolist() == [d.name for d in decisions]
        assert decisions.namespace.tolist() == ["default"] * 3
        assert decisions.reason.tolist() == [d.reason for d in decisions]

    def test_parts_those_with_a_node_from_those_without(self, cluster: bayplan.Cluster) -> None:
        decisions = cluster.simulate()
        assert len(decisions.placements) == 2
        assert decisions.placements.name.tolist() == ["large-0", "small-0"]
        assert set(decisions.placements.to_dict()) == {"namespace", "name", "node", "row", "score"}
        assert decisions.pending.name.tolist() == ["huge-0"]
        assert decisions.pending.outcome.tolist() == [Outcome.PENDING]
        assert "Insufficient cpu" in decisions.pending.reason[0]
        assert repr(decisions.placements) == "<Placements: 2 pods>"
        assert repr(decisions.pending) == "<Pending: 1 pods>"

    def test_finds_a_decision_by_name_and_position(self, cluster: bayplan.Cluster) -> None:
        decisions = cluster.simulate()
        assert decisions["huge-0"] is decisions["default/huge-0"]
        assert decisions[-1].name == "huge-0"
        assert [d.name for d in decisions[:2]] == ["large-0", "small-0"]
        assert decisions.counts() == {Outcome.PLACED: 2, Outcome.PENDING: 1}
        assert decisions.labels(0) == {"app": "large"}
        assert repr(decisions) == "<Decisions: 3 pods: 2 placed, 1 pending>"
        with pytest.raises(bayplan.NotFoundError):
            decisions["prod/huge-0"]
        with pytest.raises(bayplan.NotFoundError):
            decisions.labels(3)

    def test_places_only_what_is_named(self, cluster: bayplan.Cluster) -> None:
        decisions = cluster.simulate(["default/small-0", "default/large-0"])
        assert [d.name for d in decisions] == ["large-0", "small-0"]
        assert cluster.simulate([]).counts() == {}

    @pytest.mark.parametrize("form", ["dict", "list", "path", "bytes"])
    def test_places_new_pods(self, cluster: bayplan.Cluster, tmp_path: Path, form: str) -> None:
        new = pod("new-0", cpu="100m")
        (tmp_path / "new.json").write_text(json.dumps(new))
        sources: dict[str, Any] = {
            "dict": new,
            "list": [new],
            "path": tmp_path / "new.json",
            "bytes": json.dumps(new).encode(),
        }
        (decision,) = cluster.simulate(sources[form])
        assert decision.name == "new-0"
        assert decision.node is not None
        assert "default/new-0" not in cluster.pods

    def test_refuses_what_is_no_new_pod(self, cluster: bayplan.Cluster) -> None:
        with pytest.raises(bayplan.ObjectError, match="only pods"):
            cluster.simulate([node("c")])
        with pytest.raises(bayplan.ObjectError, match="twice"):
            cluster.simulate(pod("small-0"))
        with pytest.raises(bayplan.NotFoundError):
            cluster.simulate(["default/missing"])
        with pytest.raises(bayplan.ObjectError, match="runs on a"):
            cluster.simulate(["default/run-0"])
        with pytest.raises(bayplan.ArgumentError, match="names and objects"):
            cluster.simulate(["default/small-0", pod("x")])  # type: ignore[arg-type]

    def test_names_each_sort_of_pod(self) -> None:
        gone = pod("gone")
        gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        cluster = bayplan.Cluster.load(
            [
                node("a"),
                pod("fits"),
                pod("huge", cpu="99"),
                pod(
                    "gated", schedulingGates=[{"name": "example.com/a"}, {"name": "example.com/b"}]
                ),
                gone,
                pod("foreign", schedulerName="other"),
                pod("runs", nodeName="a"),
                pod("done", nodeName="a") | {"status": {"phase": "Succeeded"}},
            ]
        )
        decisions = cluster.simulate()
        assert {d.name: d.outcome for d in decisions} == {
            "fits": Outcome.PLACED,
            "huge": Outcome.PENDING,
            "gated": Outcome.GATED,
            "gone": Outcome.TERMINATING,
            "foreign": Outcome.FOREIGN,
        }
        assert (
            decisions["gated"].reason == "waits for scheduling gates example.com/a, example.com/b"
        )
        assert decisions["gone"].reason == "skip schedule deleting pod: default/gone"
        assert decisions["foreign"].reason == "no profile has the scheduler name other"
        assert decisions["huge"].reason == "0/1 nodes are available: 1 Insufficient cpu."
        assert decisions["fits"].reason == "only feasible node"

    def test_an_unsupported_pod_leaves_later_ones_undetermined(self) -> None:
        claims = pod("dra", priority=1, resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}])
        cluster = bayplan.Cluster.load([node("a"), pod("after"), claims, pod("before", priority=2)])
        decisions = cluster.simulate()
        assert [d.outcome for d in decisions] == [
            Outcome.PLACED,
            Outcome.UNSUPPORTED,
            Outcome.UNDETERMINED,
        ]
        assert (
            "DynamicResources" in decisions["dra"].reason
            or "resourceClaims" in decisions["dra"].reason
        )


class TestSchedule:
    def test_changes_the_cluster(self, cluster: bayplan.Cluster) -> None:
        decisions = bayplan.Scheduler().schedule(cluster)
        assert decisions.counts() == {Outcome.PLACED: 2, Outcome.PENDING: 1}
        assert repr(cluster) == "<Cluster: 2 nodes, 3 running pods, 1 pending>"
        assert cluster.node_of("default/large-0") == "b"
        assert [d.name for d in cluster.simulate()] == ["huge-0"]

    def test_one_by_one_is_the_same_as_all_at_once(self, cluster: bayplan.Cluster) -> None:
        names = [f"{d.namespace}/{d.name}" for d in cluster.simulate()]
        expected = [d[:6] for d in cluster.simulate()]
        scheduler = bayplan.Scheduler()
        assert [next(iter(scheduler.schedule(cluster, [name])))[:6] for name in names] == expected

    def test_adds_new_pods(self, cluster: bayplan.Cluster) -> None:
        bayplan.Scheduler().schedule(cluster, pod("new-0", cpu="100m"))
        assert cluster.node_of("default/new-0") is not None

    def test_changes_nothing_when_it_raises(self, cluster: bayplan.Cluster) -> None:
        before = (cluster.pods, repr(cluster))
        with pytest.raises(bayplan.ObjectError):
            bayplan.Scheduler().schedule(cluster, [pod("new-0"), pod("new-1", cpu="bad")])
        with pytest.raises(bayplan.NotFoundError):
            bayplan.Scheduler().schedule(cluster, ["default/small-0", "default/missing"])
        assert (cluster.pods, repr(cluster)) == before

    def test_decisions_stay_as_they_were(self, cluster: bayplan.Cluster) -> None:
        scheduler = bayplan.Scheduler()
        first = scheduler.simulate(cluster)
        scheduler.schedule(cluster)
        assert first.counts() == {Outcome.PLACED: 2, Outcome.PENDING: 1}
        assert first["large-0"].node == "b"


class TestAsk:
    def test_filter_and_score_say_what_explain_says(self, cluster: bayplan.Cluster) -> None:
        scheduler = bayplan.Scheduler()
        for which in ("default/small-0", "default/large-0", "default/huge-0", pod("new")):
            trace = scheduler.explain(cluster, which)
            mask = scheduler.filter(cluster, which)
            totals = scheduler.score(cluster, which)
            assert mask.dtype == np.bool_
            assert totals.dtype == np.int64
            assert mask.tolist() == [trace.filter[name] is None for name in cluster.nodes]
            assert totals.tolist() == [trace.totals.get(name, -1) for name in cluster.nodes]

    def test_explain_gives_the_whole_decision(self, cluster: bayplan.Cluster) -> None:
        trace = bayplan.Scheduler().explain(cluster, "default/large-0")
        assert trace.pod == "default/large-0"
        assert trace.chosen == "b"
        assert trace.best == ["b"]
        assert trace.filter["a"] is not None
        assert trace.filter["a"]["plugin"] == "NodeResourcesFit"
        assert sum(scores["b"] for scores in trace.scores.values()) == trace.totals["b"]
        assert trace.preemption is None
        assert trace.error is None
        assert trace.message is None
        assert trace.decision.node == "b"
        assert trace.to_dict()["chosen"] == "b"
        assert repr(trace) == "<Trace of default/large-0: b, 1 of 2 nodes feasible>"
        with pytest.raises(AttributeError):
            _ = trace.nothing

    def test_explain_says_what_preemption_tried_if_it_is_asked(
        self, cluster: bayplan.Cluster
    ) -> None:
        scheduler = bayplan.Scheduler()
        plain = scheduler.explain(cluster, "default/huge-0")
        assert plain.preemption_tried is None
        trace = scheduler.explain(cluster, "default/huge-0", preemption=True)
        assert trace.to_dict() == plain.to_dict()
        assert trace != plain
        tried = trace.preemption_tried
        assert tried is not None
        assert (tried["notTried"], tried["node"], tried["candidates"]) == (None, None, [])
        assert [own["name"] for own in tried["others"]] == cluster.nodes
        assert {own["plugin"] for own in tried["others"]} == {"NodeResourcesFit"}
        assert pickle.loads(pickle.dumps(trace)) == copy.deepcopy(trace) == trace

    def test_a_trace_can_be_copied_pickled_and_compared(self, cluster: bayplan.Cluster) -> None:
        trace = bayplan.Scheduler().explain(cluster, "default/huge-0")
        assert pickle.loads(pickle.dumps(trace)) == trace
        assert copy.deepcopy(trace) == trace
        assert pickle.loads(pickle.dumps(trace)).decision == trace.decision
        assert trace != bayplan.Scheduler().explain(cluster, "default/small-0")

    def test_in_turn_means_after_those_before_it(self) -> None:
        cluster = bayplan.Cluster.load(
            [
                node("a", cpu="2"),
                service(),
                pod("first", cpu="2", priority=1),
                pod("second", cpu="2"),
            ]
        )
        scheduler = bayplan.Scheduler()
        assert scheduler.explain(cluster, "default/second").chosen == "a"
        assert scheduler.explain(cluster, "default/second", in_turn=True).chosen is None

    def test_a_pod_that_runs_is_asked_as_if_it_did_not(self) -> None:
        cluster = bayplan.Cluster.load(
            [node("a", cpu="2"), node("b", cpu="1"), pod("r", cpu="2", nodeName="a")]
        )
        scheduler = bayplan.Scheduler()
        assert scheduler.explain(cluster, "default/r").chosen == "a"
        assert scheduler.filter(cluster, "default/r").tolist() == [True, False]
        assert cluster.node_of("default/r") == "a"

    def test_names_the_pod_that_is_not_there(self, cluster: bayplan.Cluster) -> None:
        scheduler = bayplan.Scheduler()
        for ask in (scheduler.filter, scheduler.score, scheduler.explain):
            with pytest.raises(bayplan.NotFoundError) as caught:
                ask(cluster, "prod/none")
            assert caught.value.object == "Pod prod/none"
            with pytest.raises(bayplan.ObjectError, match="2 pods where one"):
                ask(cluster, [pod("x"), pod("y")])
            with pytest.raises(bayplan.ArgumentError):
                ask(cluster, 7)  # type: ignore[arg-type]

    def test_a_gated_pod_is_asked_as_if_it_were_not(self, cluster: bayplan.Cluster) -> None:
        scheduler = bayplan.Scheduler()
        gated = pod("g", cpu="3", schedulingGates=[{"name": "example.com/a"}])
        assert scheduler.filter(cluster, gated).tolist() == [False, True]
        assert (scheduler.score(cluster, gated) >= 0).tolist() == [False, True]
        assert scheduler.explain(cluster, gated).decision.outcome is Outcome.GATED

    def test_a_pod_that_is_not_supported_has_no_answer(self, cluster: bayplan.Cluster) -> None:
        scheduler = bayplan.Scheduler()
        claims = pod("c", resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}])
        for ask in (scheduler.filter, scheduler.score):
            with pytest.raises(bayplan.UnsupportedError) as caught:
                ask(cluster, claims)
            assert caught.value.object == "Pod default/c"
        assert scheduler.explain(cluster, claims).decision.outcome is Outcome.UNSUPPORTED

    def test_no_nodes_give_empty_columns(self) -> None:
        nothing = bayplan.Cluster.from_arrays(milli_cpu=[], memory=1)
        assert bayplan.Scheduler().filter(nothing, pod("x")).tolist() == []
        assert bayplan.Scheduler().score(nothing, pod("x")).tolist() == []

    def test_a_pod_of_another_scheduler_has_no_nodes(self, cluster: bayplan.Cluster) -> None:
        scheduler = bayplan.Scheduler()
        foreign = pod("f", schedulerName="other")
        for ask in (scheduler.filter, scheduler.score):
            with pytest.raises(bayplan.NotFoundError) as caught:
                ask(cluster, foreign)
            assert caught.value.field == "spec.schedulerName"
            assert caught.value.value == "other"
        assert scheduler.explain(cluster, foreign).decision.outcome is Outcome.FOREIGN


class TestConfiguration:
    BASE: ClassVar[Json] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
    }

    def test_profiles_are_named(self) -> None:
        config = {**self.BASE, "profiles": [{"schedulerName": "x"}, {"schedulerName": "y"}]}
        scheduler = bayplan.Scheduler(config)
        assert scheduler.profiles == ["x", "y"]
        assert repr(scheduler) == "<Scheduler: x, y; kube-scheduler 1.34>"
        assert scheduler.semantics == "1.34"
        assert bayplan.Scheduler().profiles == ["default-scheduler"]

    @pytest.mark.parametrize("form", ["yaml", "json", "bytes"])
    def test_reads_files(self, tmp_path: Path, form: str) -> None:
        text = json.dumps({**self.BASE, "profiles": [{"schedulerName": "mine"}]})
        if form == "yaml":
            text = (
                "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
                "profiles:\n- schedulerName: mine\n"
            )
        path = tmp_path / f"config.{form}"
        path.write_text(text)
        source: Any = text.encode() if form == "bytes" else path
        assert bayplan.Scheduler(source).profiles == ["mine"]

    def test_a_configuration_changes_the_choice(self) -> None:
        cluster = bayplan.Cluster.load(
            [node("a"), node("b"), service(), pod("r", nodeName="a"), pod("x")]
        )
        strategy = {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}
        config = {
            **self.BASE,
            "profiles": [
                {
                    "pluginConfig": [
                        {"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}},
                    ],
                    "plugins": {
                        "score": {
                            "disabled": [{"name": "*"}],
                            "enabled": [{"name": "NodeResourcesFit", "weight": 1}],
                        }
                    },
                }
            ],
        }
        assert [d.node for d in cluster.simulate()] == ["b"]
        assert [d.node for d in cluster.simulate(config=config)] == ["a"]
        assert [d.node for d in cluster.simulate(config=bayplan.Scheduler(config))] == ["a"]

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"kind": "Pod"},
            {"parallelism": -1, **BASE},
            {"nonsense": 1, **BASE},
            {"profiles": [{"plugins": {"score": {"enabled": [{"name": "Nope"}]}}}], **BASE},
            {"percentageOfNodesToScore": 101, **BASE},
        ],
    )
    def test_refuses_what_kube_scheduler_refuses(self, config: Json) -> None:
        with pytest.raises(bayplan.ConfigurationError) as caught:
            bayplan.Scheduler(config)
        assert caught.value.path == "<dict>"

    def test_names_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "config.yaml"
        path.write_text("kind: [")
        with pytest.raises(bayplan.ConfigurationError) as caught:
            bayplan.Scheduler(path)
        assert caught.value.path == str(path)
        with pytest.raises(bayplan.SourceError):
            bayplan.Scheduler(tmp_path / "missing")

    def test_warns_of_a_percentage_that_it_does_not_follow(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        bayplan.Scheduler({**self.BASE, "percentageOfNodesToScore": 50})
        assert "percentageOfNodesToScore: 50 is not followed" in caplog.text
        caplog.clear()
        for all_nodes in (0, 100, None):
            bayplan.Scheduler({**self.BASE, "percentageOfNodesToScore": all_nodes})
        assert caplog.messages == []


@pytest.mark.parametrize("config", [None, {"percentageOfNodesToScore": 100, "profiles": []}])
def test_a_scheduler_is_pickled_with_its_configuration(
    config: dict[str, object] | None, tmp_path: Path
) -> None:
    if config is not None:
        config |= {"apiVersion": "kubescheduler.config.k8s.io/v1"}
        config |= {"kind": "KubeSchedulerConfiguration", "profiles": [{"schedulerName": "mine"}]}
        path = tmp_path / "scheduler.json"
        path.write_text(json.dumps(config))
        made = bayplan.Scheduler(path, sampling="kube", tie_break="random", seed=7)
        path.unlink()
    else:
        made = bayplan.Scheduler(sampling="kube", tie_break="random", seed=7)
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert repr(again) == repr(made)
        assert "sampling kube; tie-break random, seed 7" in repr(again)
        assert again.profiles == made.profiles
        nodes = [node(f"n{at}") for at in range(8)]
        pods = [pod("p", schedulerName=made.profiles[0])]
        cluster = bayplan.Cluster.load(nodes, pods, service())
        assert list(again.simulate(cluster)) == list(made.simulate(cluster))
