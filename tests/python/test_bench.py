"""``bayplan bench``: which workloads there are, what a measurement says, what it measures."""

import json
from pathlib import Path
from typing import Any

import pytest

import bayplan
from bayplan import _native
from bayplan._cli import bench
from bayplan._cli.main import main
from bayplan.exceptions import ArgumentError

SHAPES = [
    *("SchedulingBasic", "SchedulingPodAntiAffinity", "SchedulingPodAffinity"),
    *("SchedulingPreferredPodAffinity", "SchedulingPreferredPodAntiAffinity"),
    *("SchedulingNodeAffinity", "TopologySpreading", "PreferredTopologySpreading"),
    *("DefaultTopologySpreading", "MixedSchedulingBasePod", "Unschedulable", "PreemptionBasic"),
    *("SchedulingDaemonset", "SchedulingInTreePVs", "SchedulingCSIPVs", "SchedulingWhileGated"),
    *("Heterogeneous", "Production"),
]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lists_every_workload_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list", "-o", "json"]) == 0
    listed = lines(capsys.readouterr().out)
    assert list(dict.fromkeys(one["workload"] for one in listed)) == SHAPES
    basic = {one["size"]: one for one in listed if one["workload"] == "SchedulingBasic"}
    assert basic["5000Nodes_50000Pods"] == {
        "workload": "SchedulingBasic",
        "size": "5000Nodes_50000Pods",
        "nodes": 5000,
        "first": 5000,
        "pods": 50000,
    }
    assert max(one["pods"] for one in listed) == 1_000_000
    assert main(["bench", "--list"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["WORKLOAD", "NODES", "FIRST", "PODS", "WHAT"]
    assert len(table) == 1 + len(listed)


@pytest.mark.parametrize(
    ("workload", "outcomes"),
    [
        ("SchedulingBasic/5Nodes", (5, 5, 10, 10, 0, 0)),
        ("PreemptionBasic/5Nodes", (5, 20, 5, 0, 5, 0)),
        ("Unschedulable/5Nodes/1Init/10Pods", (5, 1, 10, 9, 0, 1)),
        ("SchedulingWhileGated/1Node_10GatedPods", (1, 10, 10, 10, 0, 0)),
        ("SchedulingDaemonset/5Nodes", (6, 0, 10, 10, 0, 0)),
    ],
)
def test_a_row_says_what_was_decided_and_how_fast(
    workload: str, outcomes: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", workload, "--rounds", "1", "-o", "json"]) == 0
    (row,) = lines(capsys.readouterr().out)
    assert set(row) == {
        *("workload", "size", "nodes", "first", "pods", "placed", "preempting", "refused"),
        *("seconds", "pods_per_second", "warm_seconds", "load_seconds", "bytes_seconds"),
        *("bytes", "peak_rss_bytes", "loaded_rss_bytes", "interpreter_rss_bytes"),
        *("rounds", "version"),
    }
    counts = ("nodes", "first", "pods", "placed", "preempting", "refused")
    assert tuple(row[key] for key in counts) == outcomes
    assert row["workload"] == workload.split("/", maxsplit=1)[0]
    assert row["pods_per_second"] == pytest.approx(row["pods"] / row["seconds"])
    assert row["seconds"] > 0
    assert row["bytes_seconds"] > 0
    assert row["warm_seconds"] > 0
    assert row["interpreter_rss_bytes"] <= row["loaded_rss_bytes"] <= row["peak_rss_bytes"]
    assert row["version"] == bayplan.__version__
    assert row["rounds"] == 1


def test_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "SchedulingBasic", "--max-nodes", "5", "--rounds", "2"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:5] == ["WORKLOAD", "NODES", "PODS", "PLACED", "PREEMPTING"]
    assert [row.split()[:5] for row in rows] == [
        ["SchedulingBasic/5Nodes", "5", "10", "10", "<none>"]
    ]


def test_all_means_all_that_are_not_too_large() -> None:
    wanted = list(bench._wanted(["all"], 500))  # noqa: SLF001 -- measuring all takes a minute
    assert list(dict.fromkeys(name for name, _ in wanted)) == SHAPES
    assert {_native.workload(f"{name}/{size}")[2] for name, size in wanted} == {1, 5, 500}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("SchedulingBasik", 'no workload "SchedulingBasik"; near: SchedulingBasic'),
        ("TopologySpreding/500Nodes", "near: TopologySpreading/500Nodes"),
        ("SchedulingBasic/5Nodes_1Foo", '"1Foo" is not a count'),
        ("SchedulingBasic/500001Nodes", "it holds at most 100000 nodes, not 500001"),
        ("SchedulingPodAntiAffinity/5Nodes_9Pods", "it holds at most 4 measured pods, not 9"),
    ],
)
def test_an_unknown_workload_is_a_wrong_command_line(
    asked: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "SchedulingBasic/5Nodes", asked]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


@pytest.mark.parametrize("arguments", [[], ["--rounds", "0", "all"], ["--max-nodes", "-1", "all"]])
def test_a_wrong_option_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *arguments])
    assert ended.value.code == 2


def test_a_written_workload_is_a_cluster_with_its_first_pods_placed(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    _native.write_workload("MixedSchedulingBasePod/20Nodes_30Pods", str(path))
    pods = [it for it in json.loads(path.read_bytes())["items"] if it["kind"] == "Pod"]
    placed = [pod for pod in pods if pod["spec"].get("nodeName")]
    assert len(placed) == 40
    assert all(pod["status"]["phase"] == "Running" for pod in placed)
    green = [
        pod["spec"]["nodeName"]
        for pod in placed
        if pod["metadata"].get("labels", {}).get("color") == "green"
    ]
    assert len(green) == len(set(green)) == 8
    cluster = bayplan.Cluster.load(path)
    assert len(cluster.nodes) == 20
    assert len(bayplan.Scheduler().schedule(cluster).placements) == 30


def test_a_file_that_cannot_be_written_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(bayplan.exceptions.SourceError, match="No such file"):
        _native.write_workload("SchedulingBasic/5Nodes", str(tmp_path / "none" / "cluster.json"))


def test_the_native_side_refuses_unknown_workloads() -> None:
    with pytest.raises(ArgumentError):
        _native.workload("SchedulingBasic")


def test_a_size_at_which_first_pods_have_no_place_is_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench", "Heterogeneous/7Nodes_3Pods"]) == 2
    assert "does not fit on so few nodes" in capsys.readouterr().err
