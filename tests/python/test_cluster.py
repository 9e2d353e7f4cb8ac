import datetime as dt
import gzip
import io
import json
import logging
from collections import UserDict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import bayplan
from clusters import listed, node, pod, service

DUMP = listed(node("a"), node("b"), service(), pod("web-0"), pod("run", nodeName="a"))


def placed(cluster: bayplan.Cluster) -> list[str | None]:
    return [decision.node for decision in cluster.simulate()]


class TestLoad:
    @pytest.mark.parametrize(
        "form", ["path", "str", "bytes", "bytearray", "file", "text", "dict", "list"]
    )
    def test_takes_every_sort_of_source(self, tmp_path: Path, form: str) -> None:
        text = json.dumps(DUMP)
        path = tmp_path / "cluster.json"
        path.write_text(text)
        sources: dict[str, Any] = {
            "path": path,
            "str": str(path),
            "bytes": text.encode(),
            "bytearray": bytearray(text.encode()),
            "file": io.BytesIO(text.encode()),
            "text": io.StringIO(text),
            "dict": DUMP,
            "list": DUMP["items"],
        }
        cluster = bayplan.Cluster.load(sources[form])
        assert cluster.nodes == ["a", "b"]
        assert cluster.pods == ["default/web-0", "default/run"]
        assert placed(cluster) == ["b"]

    def test_takes_several_sources_together(self, tmp_path: Path) -> None:
        (tmp_path / "pods.json.gz").write_bytes(
            gzip.compress(json.dumps(listed(pod("x"))).encode())
        )
        cluster = bayplan.Cluster.load([node("a"), node("b")], tmp_path, service())
        assert repr(cluster) == "<Cluster: 2 nodes, 0 running pods, 1 pending>"

    def test_takes_mappings_tuples_and_numbers_of_numpy(self) -> None:
        odd = UserDict(node("a"))
        odd["status"] = MappingProxyType(
            {"allocatable": {"cpu": np.int64(4), "memory": 2.0e9, "pods": 5}}
        )
        cluster = bayplan.Cluster.load((odd, pod("x")))
        assert placed(cluster) == ["a"]

    def test_takes_time_stamps_as_yaml_readers_give_them(self) -> None:
        when = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
        gone = pod("gone")
        gone["metadata"] |= {
            "deletionTimestamp": when,
            "creationTimestamp": when.replace(tzinfo=None),
        }
        (decision,) = bayplan.Cluster.load([node("a"), gone]).simulate()
        assert decision.outcome is bayplan.Outcome.TERMINATING

    def test_counts_what_it_skips(self) -> None:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
        other = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}}
        assert bayplan.Cluster.load([node("a"), secret, other]).skipped == {"Secret": 2}

    def test_warns_of_a_kind_that_is_missing_where_it_matters(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, logger="bayplan"):
            cluster = bayplan.Cluster.load([node("a"), pod("x")])
        assert len(cluster.warnings) == 1
        assert caplog.messages == cluster.warnings
        assert "no default spreading" in cluster.warnings[0]

    def test_does_not_warn_where_it_does_not_matter(self) -> None:
        assert bayplan.Cluster.load([node("a"), service(), pod("x")]).warnings == []
        assert bayplan.Cluster.load([node("a")]).warnings == []

    @pytest.mark.parametrize(
        ("extra", "word"),
        [
            (
                {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
                "PersistentVolumeClaims",
            ),
            (
                {
                    "affinity": {
                        "podAntiAffinity": {
                            "requiredDuringSchedulingIgnoredDuringExecution": [
                                {
                                    "topologyKey": "zone",
                                    "labelSelector": {},
                                    "namespaceSelector": {"matchLabels": {"a": "b"}},
                                }
                            ]
                        }
                    }
                },
                "Namespaces",
            ),
            ({"priority": 10}, "PodDisruptionBudgets"),
        ],
    )
    def test_names_the_kind_that_is_missing(self, extra: dict[str, Any], word: str) -> None:
        cluster = bayplan.Cluster.load(
            [node("a"), service(), pod("x", **extra), pod("r", nodeName="a")]
        )
        assert any(word in warning for warning in cluster.warnings)

    def test_the_constructor_says_what_to_use(self) -> None:
        with pytest.raises(bayplan.ArgumentError, match=r"Cluster\.load"):
            bayplan.Cluster()


class TestFromArrays:
    def test_makes_nodes_that_take_pods(self) -> None:
        cluster = bayplan.Cluster.from_arrays(
            milli_cpu=np.array([500, 4000]),
            memory=[1 << 30, 8 << 30],
            extended={"nvidia.com/gpu": [0, 2]},
            names=["small", "large"],
            labels={"topology.kubernetes.io/zone": ["z", None]},
        )
        gpu = pod("g")
        gpu["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "2"}}
        scheduler = bayplan.Scheduler()
        assert scheduler.filter(cluster, gpu).tolist() == [False, True]
        assert scheduler.filter(cluster, pod("c", cpu="1")).tolist() == [False, True]
        zoned = pod("z", cpu="1m", memory="1", nodeSelector={"topology.kubernetes.io/zone": "z"})
        assert scheduler.filter(cluster, zoned).tolist() == [True, False]

    def test_one_number_stands_for_all(self) -> None:
        cluster = bayplan.Cluster.from_arrays(milli_cpu=[1, 2, 3], memory=10, pods=np.uint8(7))
        assert cluster.nodes == ["node-0", "node-1", "node-2"]
        assert bayplan.Cluster.from_arrays(milli_cpu=1, memory=1, names=["x", "y"]).nodes == [
            "x",
            "y",
        ]
        assert bayplan.Cluster.from_arrays(milli_cpu=1, memory=1).nodes == ["node-0"]

    def test_no_nodes_are_a_cluster_too(self) -> None:
        assert bayplan.Cluster.from_arrays(milli_cpu=[], memory=1).nodes == []

    @pytest.mark.parametrize(
        ("columns", "field"),
        [
            ({"milli_cpu": [1.5], "memory": 1}, "cpu"),
            ({"milli_cpu": [1, 2], "memory": [1, 2, 3]}, "memory"),
            ({"milli_cpu": [[1]], "memory": 1}, "cpu"),
            ({"milli_cpu": [2**63], "memory": 1}, "cpu"),
            ({"milli_cpu": ["1"], "memory": 1}, "cpu"),
            ({"milli_cpu": [1], "memory": 1, "names": ["a", "b"]}, "cpu"),
            ({"milli_cpu": [1], "memory": 1, "labels": {"k": ["a", "b"]}}, "k"),
        ],
    )
    def test_names_the_column_that_does_not_fit(self, columns: dict[str, Any], field: str) -> None:
        with pytest.raises(bayplan.ArgumentError) as caught:
            bayplan.Cluster.from_arrays(**columns)
        assert caught.value.field == field

    @pytest.mark.parametrize(
        "columns",
        [
            {"milli_cpu": [1, -1], "memory": 1},
            {"milli_cpu": [1], "memory": 1, "names": ["Not A Name"]},
            {"milli_cpu": [1, 1], "memory": 1, "names": ["same", "same"]},
            {"milli_cpu": [1], "memory": 1, "labels": {"k": ["not a value"]}},
        ],
    )
    def test_checks_the_nodes_as_those_of_a_dump(self, columns: dict[str, Any]) -> None:
        with pytest.raises(bayplan.ObjectError) as caught:
            bayplan.Cluster.from_arrays(**columns)
        assert caught.value.object


class TestBadInput:
    @pytest.mark.parametrize(
        ("value", "field"),
        [
            ({"kind": "Pod", "metadata": {1: 2}}, "metadata"),
            ({"kind": "Pod", "a": float("nan")}, "a"),
            ({"kind": "Pod", "a": [float("inf")]}, "a[0]"),
            ({"kind": "Pod", "a": {"b": [0, object()]}}, "a.b[1]"),
            ({"kind": "Pod", "a": b"x"}, "a"),
            ({"kind": "Pod", "a": {1, 2}}, "a"),
            ({"kind": "Pod", "a": "\ud800"}, "a"),
            ({"kind": "Pod", "a": 10**5000}, "a"),
        ],
    )
    def test_names_the_field_that_json_cannot_hold(self, value: Any, field: str) -> None:
        with pytest.raises(bayplan.ArgumentError) as caught:
            bayplan.Cluster.load(value)
        assert caught.value.field == field
        assert caught.value.path == "<dict>"

    def test_a_structure_that_holds_itself_ends(self) -> None:
        loop: dict[str, Any] = {"kind": "Pod"}
        loop["spec"] = [loop]
        with pytest.raises(bayplan.ArgumentError, match="holds itself"):
            bayplan.Cluster.load(loop)

    def test_deep_nesting_ends(self) -> None:
        deep: Any = 1
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(bayplan.ArgumentError, match="nested deeper"):
            bayplan.Cluster.load({"a": deep})
        while isinstance(deep, list):  # taken apart by hand: the interpreter would recurse
            deep = deep.pop()

    def test_a_dict_that_changes_while_it_is_read_does_no_harm(self) -> None:
        target: dict[str, Any] = node("a")

        class Grows:
            def __index__(self) -> int:
                target.update({f"k{i}": i for i in range(1000)})
                return 4

        target["status"]["allocatable"]["cpu"] = Grows()
        assert bayplan.Cluster.load(target).nodes == ["a"]

    def test_what_a_value_raises_comes_through(self) -> None:
        class Bad:
            def __index__(self) -> int:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            bayplan.Cluster.load({"kind": "Pod", "a": Bad()})

    @pytest.mark.parametrize("source", [None, 1, 1.5, object()])
    def test_refuses_what_is_no_source(self, source: Any) -> None:
        with pytest.raises(bayplan.ArgumentError, match="not a source"):
            bayplan.Cluster.load(source)

    def test_names_the_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(bayplan.SourceError) as caught:
            bayplan.Cluster.load(tmp_path / "missing.json")
        assert caught.value.path == str(tmp_path / "missing.json")
        assert caught.value.errno == 2
        assert isinstance(caught.value, OSError)

    def test_a_file_object_that_fails_is_named(self) -> None:
        class Broken(io.RawIOBase):
            name = "broken.json"

            def read(self, _size: int = -1) -> bytes:
                raise OSError(5, "Input/output error")

        with pytest.raises(bayplan.SourceError, match=r"broken\.json"):
            bayplan.Cluster.load(Broken())

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            (b'{"kind": "Pod",\n "metadata": {"name": "x"', None),
            (b'{"kind": "Pod",\n "metadata" {}}', 2),
            (b"\xff\xfe", None),
            (b"", None),
            (b"[1, 2]", None),
            (b'"text"', None),
            (b"{" * 100_000, None),
            (b"[" * 100_000, None),
            (b"a: &a [*a, *a]", None),
            (b"\x1f\x8bnot gzip at all", None),
            (b"(\xb5/\xfdnot zstd at all", None),
        ],
    )
    def test_bytes_that_are_no_objects_are_an_object_error(
        self, text: bytes, line: int | None
    ) -> None:
        with pytest.raises(bayplan.ObjectError) as caught:
            bayplan.Cluster.load(text)
        assert caught.value.path == "<bytes>"
        if line is not None:
            assert caught.value.line == line

    def test_says_which_object_and_field_has_which_value(self) -> None:
        bad = pod("web-0", namespace="prod", cpu="1Qi")
        with pytest.raises(bayplan.ObjectError) as caught:
            bayplan.Cluster.load(listed(node("a"), bad))
        error = caught.value
        assert error.object is not None
        assert error.object.startswith("Pod prod/web-0")
        assert error.field is not None
        assert error.field.startswith("spec.containers[0].resources.requests")
        assert error.value is not None
        assert "1Qi" in error.value

    def test_the_same_object_twice_must_be_the_same(self) -> None:
        assert bayplan.Cluster.load([node("a"), node("a")]).nodes == ["a"]
        with pytest.raises(bayplan.ObjectError):
            bayplan.Cluster.load([node("a"), node("a", cpu="5")])
