"""Which nodes a decision looks at, and which of equally good ones it takes."""

import copy
import json
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import bayplan
from clusters import Json, listed, node, pod, service

ZONE = "topology.kubernetes.io/zone"
HEAD = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
}


def equals(nodes: int, pods: int, zones: int = 1) -> list[Json]:
    """Equal nodes in zones, one zone after another, and equal pods that wait."""
    return [
        *(node(f"n{i}", **{ZONE: f"z{i * zones // nodes}"}) for i in range(nodes)),
        *(pod(f"p{i}") for i in range(pods)),
        service(),
    ]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bayplan", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def split_mix(seed: int, index: int) -> int:
    """A number of the generator SplitMix64, as its authors publish it."""
    state = (seed + 0x9E3779B97F4A7C15 * (index + 1)) % 2**64
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
    return state ^ (state >> 31)


class TestSampling:
    def test_the_next_walk_begins_where_the_last_one_stopped(self) -> None:
        cluster = bayplan.Cluster.load(equals(150, 3))
        decisions = cluster.simulate(config=bayplan.Scheduler(sampling="kube"))
        assert [(d.node, d.feasible) for d in decisions] == [
            ("n0", 100),
            ("n100", 100),
            ("n50", 100),
        ]
        assert decisions[0].reason == "best of the 100 feasible nodes found first"

    def test_zones_take_turns(self) -> None:
        cluster = bayplan.Cluster.load(equals(150, 1, zones=3))
        trace = bayplan.Scheduler(sampling="kube").explain(cluster, "default/p0")
        assert trace.best[:4] == ["n0", "n50", "n100", "n1"]
        assert set(trace.filter) == set(trace.totals) == set(trace.best)
        assert len(trace.filter) == 100

    @pytest.mark.parametrize(("percentage", "found"), [(0, 144), (1, 100), (60, 180), (100, 300)])
    def test_the_percentage_says_how_many_are_enough(
        self, percentage: int, found: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        # 0 adapts to the nodes: 50 - 300 // 125 percent of them
        config = {**HEAD, "percentageOfNodesToScore": percentage}
        cluster = bayplan.Cluster.load(equals(300, 1))
        decisions = cluster.simulate(config=bayplan.Scheduler(config, sampling="kube"))
        assert decisions[0].feasible == found
        assert caplog.messages == []

    def test_a_profile_has_its_own_percentage(self) -> None:
        profiles = [{"schedulerName": "default-scheduler", "percentageOfNodesToScore": 50}]
        config = {**HEAD, "percentageOfNodesToScore": 90, "profiles": profiles}
        cluster = bayplan.Cluster.load(equals(300, 1))
        decisions = cluster.simulate(config=bayplan.Scheduler(config, sampling="kube"))
        assert decisions[0].feasible == 150

    def test_all_nodes_are_looked_at_unless_it_is_asked_for(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        config = {**HEAD, "percentageOfNodesToScore": 50}
        cluster = bayplan.Cluster.load(equals(300, 2))
        decisions = cluster.simulate(config=config)
        assert [(d.node, d.feasible) for d in decisions] == [("n0", 300), ("n1", 300)]
        assert "sampling kube follows it" in caplog.text

    def test_simulating_is_pure_and_one_by_one_is_all_at_once(self) -> None:
        for scheduler in (
            bayplan.Scheduler(sampling="kube"),
            bayplan.Scheduler(sampling="kube", tie_break="random", seed=9),
        ):
            cluster = bayplan.Cluster.load(equals(130, 6, zones=2))
            once = list(scheduler.simulate(cluster))
            assert list(scheduler.simulate(cluster)) == once
            singly = [scheduler.schedule(cluster, [f"default/p{i}"])[0] for i in range(6)]
            assert singly == once

    def test_copies_and_pickles_go_on_and_a_fork_that_ends_goes_back(self) -> None:
        scheduler = bayplan.Scheduler(sampling="kube", tie_break="random", seed=4)
        cluster = bayplan.Cluster.load(equals(130, 9, zones=3))
        scheduler.schedule(cluster, [f"default/p{i}" for i in range(4)])
        rest = list(scheduler.simulate(cluster))
        assert list(scheduler.simulate(copy.copy(cluster))) == rest
        assert list(scheduler.simulate(pickle.loads(pickle.dumps(cluster)))) == rest
        with cluster.fork() as what_if:
            assert list(scheduler.schedule(what_if)) == rest
        assert list(scheduler.schedule(cluster)) == rest

    def test_masks_and_scores_speak_of_all_nodes(self) -> None:
        cluster = bayplan.Cluster.load(equals(150, 1))
        scheduler = bayplan.Scheduler(sampling="kube")
        assert scheduler.filter(cluster, "default/p0").all()
        assert (scheduler.score(cluster, "default/p0") >= 0).all()

    def test_preemption_tries_as_few_nodes_as_its_arguments_say(self) -> None:
        args = {"minCandidateNodesPercentage": 0, "minCandidateNodesAbsolute": 2}
        plugin = {"name": "DefaultPreemption", "args": args}
        profiles = [{"schedulerName": "default-scheduler", "pluginConfig": [plugin]}]
        config = {**HEAD, "profiles": profiles}
        objects = [
            *(node(f"n{i}", cpu="1") for i in range(5)),
            *(pod(f"low-{i}", nodeName=f"n{i}") for i in range(5)),
            pod("high", priority=7),
        ]
        cluster = bayplan.Cluster.load(objects)

        def candidates(**options: Any) -> list[str]:
            trace = bayplan.Scheduler(config, **options).explain(cluster, "default/high")
            assert trace.preemption is not None
            return sorted(trace.preemption["candidates"])

        assert candidates() == [f"n{i}" for i in range(5)]
        assert candidates(sampling="kube") == ["n0", "n1"]
        drawn = [candidates(sampling="kube", tie_break="random", seed=i) for i in range(40)]
        assert len({tuple(names) for names in drawn}) == 5
        assert {len(names) for names in drawn} == {2}


class TestTies:
    def test_a_seed_gives_the_same_again_and_all_seeds_cover_all_nodes(self) -> None:
        cluster = bayplan.Cluster.load(equals(5, 2))
        chosen: Counter[str | None] = Counter()
        for seed in range(300):
            scheduler = bayplan.Scheduler(tie_break="random", seed=seed)
            nodes = [d.node for d in scheduler.simulate(cluster)]
            assert [d.node for d in scheduler.simulate(cluster)] == nodes
            assert nodes[0] != nodes[1]  # the first pod makes its node worse
            chosen[nodes[0]] += 1
        assert set(chosen) == {"n0", "n1", "n2", "n3", "n4"}
        assert min(chosen.values()) > 300 / 5 / 2

    def test_only_the_best_are_drawn_from(self) -> None:
        objects = [*equals(4, 1), node("large", cpu="64", memory="256Gi")]
        cluster = bayplan.Cluster.load(objects)
        for seed in range(20):
            scheduler = bayplan.Scheduler(tie_break="random", seed=seed)
            trace = scheduler.explain(cluster, "default/p0")
            assert trace.chosen in trace.best
            assert trace.best == ["large"]

    def test_the_first_in_node_order_is_taken_by_default(self) -> None:
        cluster = bayplan.Cluster.load(equals(5, 3))
        for seed in (0, 7):
            decisions = bayplan.Scheduler(seed=seed).simulate(cluster)
            assert [d.node for d in decisions] == ["n0", "n1", "n2"]

    @pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
    def test_draws_are_those_of_split_mix_64(self, seed: int) -> None:
        scheduler = bayplan.Scheduler(tie_break="random", seed=seed)
        decisions = scheduler.simulate(bayplan.Cluster.load(equals(10, 6)))
        free = [f"n{i}" for i in range(10)]
        # a node with a pod is worse than all without
        drawn = [free.pop(split_mix(seed, i) % len(free)) for i in range(6)]
        assert [d.node for d in decisions] == drawn


class TestOptions:
    def test_they_can_be_asked_for(self) -> None:
        default = bayplan.Scheduler()
        assert (default.sampling, default.tie_break, default.seed) == ("all", "first", 0)
        other = bayplan.Scheduler(sampling="kube", tie_break="random", seed=3)
        assert (other.sampling, other.tie_break, other.seed) == ("kube", "random", 3)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sampling": "some"}, "sampling: not one of all, kube: some"),
            ({"tie_break": None}, "tie_break: not one of first, random: None"),
            ({"seed": -1}, "seed: not a whole number from 0 to 2**64 - 1: -1"),
            ({"seed": 2**64}, "seed: not a whole number"),
            ({"seed": "1"}, "seed: not a whole number"),
            ({"seed": 1.5}, "seed: not a whole number"),
        ],
    )
    def test_others_are_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(bayplan.ArgumentError) as caught:
            bayplan.Scheduler(**options)
        assert str(caught.value).startswith(message)


class TestCommand:
    @pytest.fixture
    def dump(self, tmp_path: Path) -> Path:
        path = tmp_path / "cluster.json"
        path.write_text(json.dumps(listed(*equals(150, 2))))
        return path

    def nodes(self, *arguments: str | Path) -> list[str]:
        done = run("simulate", "-o", "json", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return [each["node"] for each in json.loads(done.stdout)["pods"]]

    def test_simulate_takes_them(self, dump: Path) -> None:
        assert self.nodes("-f", dump) == ["n0", "n1"]
        assert self.nodes("-f", dump, "--sampling", "kube") == ["n0", "n100"]
        drawn = self.nodes("-f", dump, "--tie-break", "random", "--seed", "5")
        assert drawn == self.nodes("-f", dump, "--tie-break=random", "--seed=5")
        assert drawn != self.nodes("-f", dump, "--tie-break=random")

    def test_explain_takes_them(self, dump: Path) -> None:
        done = run("explain", "p1", "-f", dump, "--sampling", "kube")
        assert done.returncode == 0
        assert "Node:        n100\n" in done.stdout
        assert "Looked at:   100 of 150 nodes\n" in done.stdout
        assert "found first; first of 99 with the highest total" in done.stdout
        done = run("explain", "p1", "-f", dump, "--tie-break", "random")
        assert "drawn from 149 with the highest total" in done.stdout

    def test_a_percentage_is_warned_of_unless_it_is_followed(
        self, dump: Path, tmp_path: Path
    ) -> None:
        config = tmp_path / "config.json"
        config.write_text(json.dumps({**HEAD, "percentageOfNodesToScore": 70}))
        done = run("simulate", "-f", dump, "--config", config)
        assert "percentageOfNodesToScore: 70 is not followed" in done.stderr
        assert "sampling kube" in done.stderr
        done = run("simulate", "-f", dump, "--config", config, "--sampling=kube", "--strict")
        assert (done.returncode, done.stderr) == (0, "2 pods: 2 placed on 150 nodes\n")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--sampling", "half"],
            ["--tie-break", "last"],
            ["--seed", "-1"],
            ["--seed", "18446744073709551616"],
            ["--seed", "9" * 5000],
            ["--seed", "1e3"],
            ["--seed", ""],
            ["--seed", "\u0661"],
        ],
    )
    def test_others_are_wrong(self, arguments: list[str]) -> None:
        done = run("simulate", "--example", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"argument {arguments[0]}: " in done.stderr

    def test_the_largest_seed_is_taken(self) -> None:
        done = run("simulate", "--example", "--seed", str(2**64 - 1), "--tie-break", "random")
        assert done.returncode == 1
