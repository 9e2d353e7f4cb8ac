import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
import yaml

from clusters import Json, listed, node, pod, service

COMMAND = [sys.executable, "-m", "bayplan"]
DUMP = listed(
    node("a"),
    node("b"),
    service(),
    pod("web-0"),
    pod("db-0", namespace="data"),
    pod("huge-0", cpu="99"),
)


def run(
    *arguments: str | Path, stdin: str | bytes = b"", cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **env},
        check=False,
        timeout=120,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps(DUMP))
    return path


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """A pod that fits nowhere, and every sort of node for preemption."""
    mid = pod("mid-0", namespace="batch", cpu="2", nodeName="b", priority=2)
    mid["status"] = {"phase": "Running", "startTime": "2025-03-01T00:00:00Z"}
    return write(
        tmp_path / "crowd.json",
        node("tiny", cpu="2"),
        node("a"),
        node("same"),
        node("b"),
        node("kept"),
        pod("high-0", namespace="batch", cpu="4", nodeName="a", priority=7),
        pod("same-0", namespace="batch", cpu="1", nodeName="same", priority=100),
        mid,
        pod("low-0", namespace="batch", cpu="2", nodeName="b"),
        pod("kept-0", namespace="batch", cpu="1", nodeName="kept", priority=100),
        pod("kept-1", namespace="batch", cpu="1", nodeName="kept"),
        pod("vip-0", cpu="4", priority=100),
    )


def write(path: Path, *objects: Json) -> Path:
    path.write_text(json.dumps(listed(*objects)))
    return path


class TestSimulate:
    def test_prints_a_table_and_a_summary(self, dump: Path) -> None:
        done = run("simulate", "-f", dump)
        lines = done.stdout.splitlines()
        assert lines[0].split() == ["NAMESPACE", "NAME", "NODE", "SCORE", "REASON"]
        assert len(lines) == 4
        assert done.stderr == "3 pods: 2 placed, 1 pending on 2 nodes\n"
        assert done.returncode == 1

    def test_narrows_what_is_shown_but_not_what_is_decided(self, dump: Path) -> None:
        whole = {row["name"]: row for row in rows(run("simulate", "-f", dump, "-o", "csv").stdout)}
        for flags in (["-n", "data"], ["-l", "app=db"], ["-l", "app in (db)", "-n", "data"]):
            done = run("simulate", "-f", dump, "-o", "csv", *flags)
            assert rows(done.stdout) == [whole["db-0"]]
            assert done.returncode == 1
        done = run("simulate", "-f", dump, "-n", "data")
        assert done.stderr == "3 pods: 2 placed, 1 pending on 2 nodes (1 shown)\n"
        assert run("simulate", "-f", dump, "-n", "none").stdout == ""

    @pytest.mark.parametrize("form", ["json", "yaml"])
    def test_prints_a_document_that_its_schema_describes(self, dump: Path, form: str) -> None:
        done = run("simulate", "-f", dump, "-o", form)
        data = json.loads(done.stdout) if form == "json" else yaml.safe_load(done.stdout)
        validate(data, "simulation")
        assert data["apiVersion"] == "bayplan.dev/v1"
        assert data["kind"] == "Simulation"
        assert data["summary"] == {
            "nodes": 2,
            "pods": 3,
            "shown": 3,
            "outcomes": {"Placed": 2, "Pending": 1},
        }
        assert done.stderr == ""

    def test_prints_names(self, dump: Path) -> None:
        assert (
            run("simulate", "-f", dump, "-o", "name").stdout == "pod/web-0\npod/db-0\npod/huge-0\n"
        )

    def test_the_header_can_be_left_out(self, dump: Path) -> None:
        for form in ("table", "wide", "csv"):
            assert (
                len(run("simulate", "-f", dump, "-o", form, "--no-headers").stdout.splitlines())
                == 3
            )

    def test_reads_standard_input_directories_and_packed_files(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        write(tmp_path / "d" / "nodes.json", node("a"), node("b"))
        (tmp_path / "services.json.gz").write_bytes(gzip.compress(json.dumps(service()).encode()))
        files: list[str | Path] = [
            "-f",
            tmp_path / "d",
            "-f",
            tmp_path / "services.json.gz",
            "-f",
            "-",
        ]
        done = run("simulate", *files, "-o", "name", stdin=json.dumps(pod("x")))
        assert (done.stdout, done.stderr, done.returncode) == ("pod/x\n", "", 0)

    def test_no_pending_pods_are_fine(self, tmp_path: Path) -> None:
        done = run("simulate", "-f", write(tmp_path / "n.json", node("a")))
        assert (done.stdout, done.stderr, done.returncode) == ("", "No pending pods found.\n", 0)

    def test_says_that_controllers_make_no_pods(self, tmp_path: Path) -> None:
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
        done = run("simulate", "-f", write(tmp_path / "n.json", node("a"), deployment))
        assert done.stderr == "No pending pods found. No pods are made from 1 Deployment.\n"
        assert done.returncode == 0

    def test_shows_who_is_preempted_for_whom(self, tmp_path: Path) -> None:
        running = pod("low-0", cpu="4", namespace="batch", nodeName="a")
        path = write(tmp_path / "c.json", node("a"), running, pod("vip-0", priority=100))
        (row,) = rows(run("simulate", "-f", path, "-o", "csv").stdout)
        assert (row["outcome"], row["preemptionNode"], row["victims"]) == (
            "Preempting",
            "a",
            "batch/low-0",
        )
        assert row["reason"].endswith("Preempts batch/low-0 on a.")
        done = run("explain", "vip-0", "-f", path)
        assert "Outcome:     Preempting" in done.stdout
        assert "Preempts:    batch/low-0" in done.stdout
        assert done.returncode == 1
        told = json.loads(run("explain", "vip-0", "-f", path, "-o", "json").stdout)
        assert told["pod"]["outcome"] == told["decision"]["outcome"] == "Preempting"

    def test_writes_a_trace(self, dump: Path, tmp_path: Path) -> None:
        trace = tmp_path / "trace.ndjson"
        assert run("simulate", "-f", dump, "--trace", trace).returncode == 1
        decisions = [json.loads(line) for line in trace.read_text().splitlines()]
        assert [d["pod"] for d in decisions] == ["default/web-0", "data/db-0", "default/huge-0"]
        assert list(decisions[0]) == [
            "pod",
            "gated",
            "prefilter",
            "prefilter_nodes",
            "filter",
            "raw_scores",
            "scores",
            "totals",
            "best",
            "chosen",
            "message",
            "preemption",
            "outcome",
        ]
        assert sorted(os.listdir(tmp_path)) == ["cluster.json", "trace.ndjson"]

    def test_a_trace_goes_to_a_device_as_it_is(self, dump: Path) -> None:
        assert run("simulate", "-f", dump, "--trace", "/dev/null").returncode == 1

    def test_a_trace_that_cannot_be_written_ends_the_command(
        self, dump: Path, tmp_path: Path
    ) -> None:
        done = run("simulate", "-f", dump, "--trace", tmp_path / "no" / "trace")
        assert done.returncode == 5
        assert done.stdout == ""
        assert "No such file" in done.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_is_told(self, dump: Path) -> None:
        done = run("simulate", "-f", dump, "--trace", "/dev/full")
        assert done.returncode == 5
        assert "No space left" in done.stderr
        with Path("/dev/full").open("w") as full:
            code = subprocess.run(
                [*COMMAND, "simulate", "-f", str(dump)],
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert code.returncode == 5
        assert b"standard output: No space left" in code.stderr
        assert b"Traceback" not in code.stderr
        assert b"Exception ignored" not in code.stderr

    def test_warns_once_and_is_strict_when_asked(self, tmp_path: Path) -> None:
        path = write(tmp_path / "c.json", node("a"), pod("x"), pod("y"))
        done = run("simulate", "-f", path)
        assert done.stderr.count("warning: ") == 1
        assert done.returncode == 0
        assert json.loads(run("simulate", "-f", path, "-o", "json").stdout)["warnings"]
        done = run("simulate", "-f", path, "--strict")
        assert (done.stdout, done.returncode) == ("", 3)
        assert "--strict" in done.stderr

    def test_says_what_it_skips_when_asked(self, tmp_path: Path) -> None:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
        path = write(tmp_path / "c.json", node("a"), secret)
        assert "Secret" not in run("simulate", "-f", path).stderr
        assert "info: Secret: 1 skipped" in run("simulate", "-f", path, "-v").stderr
        assert json.loads(run("simulate", "-f", path, "-o", "json").stdout)["skipped"] == {
            "Secret": 1
        }

    def test_an_unsupported_pod_is_named(self, tmp_path: Path) -> None:
        claims = pod("dra", resourceClaims=[{"name": "gpu", "resourceClaimName": "g"}])
        path = write(tmp_path / "c.json", node("a"), service(), claims, pod("later"))
        done = run("simulate", "-f", path, "-o", "csv")
        assert [row["outcome"] for row in rows(done.stdout)] == ["Unsupported", "Undetermined"]
        assert "unsupported: default/dra: " in done.stderr
        assert done.returncode == 4


class TestExample:
    def test_shows_every_sort_of_pod(self) -> None:
        done = run("simulate", "--example", "-o", "json")
        data = json.loads(done.stdout)
        validate(data, "simulation")
        assert set(data["summary"]["outcomes"]) == {
            "Placed",
            "Pending",
            "Gated",
            "Terminating",
            "Foreign",
        }
        assert done.stderr == ""
        assert done.returncode == 1

    def test_places_what_its_comments_promise(self) -> None:
        data = json.loads(run("simulate", "--example", "-o", "json").stdout)
        where = {row["name"]: row["node"] for row in data["pods"]}
        zones = {name: name.partition("-")[2][0] for name in where.values() if name}
        webs = sorted(zones[node] for name, node in where.items() if name.startswith("web-"))
        assert webs == ["a", "b", "c", "c"]
        assert {zones[where["cache-1"]], zones[where["cache-2"]]} == {"a", "c"}
        assert where["trainer-0"] == "gpu-b1"
        assert where["report-28954680-9c2fv"].startswith("spot-")
        assert where["warehouse-0"] is None
        assert where["ingress-5d4bcb7f9-kk8tt"] != "general-c1"

    def test_goes_together_with_more_files(self, tmp_path: Path) -> None:
        path = write(tmp_path / "more.json", pod("extra"))
        assert "pod/extra" in run("simulate", "--example", "-f", path, "-o", "name").stdout


class TestExplain:
    def test_says_why_here(self) -> None:
        done = run("explain", "ml/trainer-0", "--example")
        assert done.returncode == 0
        assert "Outcome:     Placed" in done.stdout
        assert "Node:        gpu-b1" in done.stdout
        header = next(line for line in done.stdout.splitlines() if line.startswith("NODE "))
        assert "NodeResourcesFit" in header
        first = done.stdout.split(header)[1].splitlines()[1]
        assert first.startswith("gpu-b1 ")

    def test_says_why_nowhere(self) -> None:
        done = run("explain", "warehouse-0", "--example")
        assert done.returncode == 1
        assert "0/9 nodes are available" in done.stdout
        assert "Insufficient cpu" in done.stdout
        assert len(done.stdout.split("\n\n")[1].splitlines()) == 10

    @pytest.mark.parametrize("form", ["json", "yaml"])
    def test_prints_a_document_that_its_schema_describes(self, form: str) -> None:
        for pod_name in ("trainer-0", "warehouse-0", "trainer-1", "notebook-alice", "cache-0"):
            done = run("explain", pod_name, "--example", "-o", form)
            data = json.loads(done.stdout) if form == "json" else yaml.safe_load(done.stdout)
            validate(data, "explanation")
            assert data["runsOn"] == ("general-b1" if pod_name == "cache-0" else None)

    def test_agrees_with_simulate(self) -> None:
        data = json.loads(run("simulate", "--example", "-o", "json").stdout)
        for row in data["pods"]:
            name = f"{row['namespace']}/{row['name']}"
            told = json.loads(run("explain", name, "--example", "-o", "json").stdout)
            assert told["pod"] == row

    def test_shows_raw_scores_when_wide(self) -> None:
        assert " → " in run("explain", "trainer-0", "--example", "-o", "wide").stdout

    @pytest.mark.parametrize(
        "name", ["web-6b9f5d7c84-7tkcd", "shop/web-6b9f5d7c84-7tkcd", "pod/web-6b9f5d7c84-7tkcd"]
    )
    def test_takes_the_name_in_each_form(self, name: str) -> None:
        assert run("explain", name, "--example", "-n", "shop").returncode == 0

    def test_shows_whom_preemption_would_evict_where(self, crowd: Path) -> None:
        done = run("explain", "vip-0", "-f", crowd, "--preemption")
        head, nodes, choice, candidates, others = done.stdout.split("\n\n")
        assert run("explain", "vip-0", "-f", crowd).stdout == f"{head}\n\n{nodes}\n"
        assert choice == "Preemption:   b: lowest highest priority"
        shown = [line.split("   ") for line in candidates.splitlines()]
        assert [cell.strip() for cell in shown[0] if cell] == [
            "NODE",
            "VERDICT",
            "PDB VIOLATIONS",
            "HIGHEST PRIORITY",
            "SUM OF PRIORITIES",
            "COUNT",
            "EARLIEST START",
            "VICTIMS",
        ]
        assert [[cell.strip() for cell in line if cell.strip()] for line in shown[1:]] == [
            [
                "b",
                "chosen: lowest highest priority",
                *("0", "2", str(2 * 2**31 + 2), "2"),
                "2025-03-01T00:00:00Z",
                "batch/mid-0,batch/low-0",
            ],
            [
                "a",
                "higher highest priority",
                *("0", "7", str(2**31 + 7), "1"),
                "<none>",
                "batch/high-0",
            ],
        ]
        told = [
            [cell.strip() for cell in line.split("   ") if cell] for line in others.splitlines()
        ]
        assert told == [
            ["NODE", "NO CANDIDATE", "REJECTED BY", "REASON"],
            ["tiny", "evicting pods does not help", "NodeResourcesFit", "Insufficient cpu"],
            ["same", "no pod of lower priority", "<none>", "<none>"],
            ["kept", "does not fit without them either", "NodeResourcesFit", "Insufficient cpu"],
        ]
        bare = run("explain", "vip-0", "-f", crowd, "--preemption", "--no-headers").stdout
        tables = [nodes, candidates, others.rstrip("\n")]
        assert bare.rstrip("\n") == "\n\n".join(table.partition("\n")[2] for table in tables)

    @pytest.mark.parametrize("form", ["json", "yaml"])
    def test_documents_have_what_preemption_tried_if_it_is_asked_for(
        self, crowd: Path, form: str
    ) -> None:
        def told(*flags: str) -> Any:
            text = run("explain", "vip-0", "-f", crowd, "-o", form, *flags).stdout
            data = json.loads(text) if form == "json" else yaml.safe_load(text)
            validate(data, "explanation")
            return data

        data, plain = told("--preemption"), told()
        tried = data.pop("preemption")
        assert data == plain
        assert (tried["node"], tried["decidedBy"]) == ("b", "lowest highest priority")
        victims = {own["name"]: own["victims"] for own in tried["candidates"]}
        assert victims == data["decision"]["preemption"]["candidates"]
        names = [own["name"] for own in tried["candidates"] + tried["others"]]
        assert sorted(names) == sorted(own["name"] for own in data["nodes"])

    @pytest.mark.parametrize(
        ("spec", "why"),
        [
            ({}, "the pod fits without it"),
            (
                {"cpu": "99", "preemptionPolicy": "Never"},
                "not eligible due to preemptionPolicy=Never",
            ),
            ({"schedulingGates": [{"name": "x.io/g"}]}, "the attempt does not come to it"),
            ({"schedulerName": "other"}, "the attempt does not come to it"),
        ],
    )
    def test_says_why_preemption_was_not_tried(self, tmp_path: Path, spec: Any, why: str) -> None:
        path = write(tmp_path / "c.json", node("a"), pod("x", **{"priority": 5, **spec}))
        done = run("explain", "x", "-f", path, "--preemption")
        assert done.stdout.endswith(f"\n\nPreemption:   not tried: {why}\n")
        data = json.loads(run("explain", "x", "-f", path, "--preemption", "-o", "json").stdout)
        validate(data, "explanation")
        assert data["preemption"]["notTried"] == why

    def test_names_the_pod_that_is_missing_or_unclear(self, tmp_path: Path) -> None:
        done = run("explain", "nobody", "--example")
        assert done.returncode == 3
        assert "Pod nobody: there is no such pod" in done.stderr
        path = write(tmp_path / "two.json", node("a"), pod("x"), pod("x", namespace="other"))
        done = run("explain", "x", "-f", path)
        assert done.returncode == 3
        assert "default/x, other/x" in done.stderr
        assert run("explain", "x", "-n", "other", "-f", path).returncode == 0


class TestManners:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["simulate"],
            ["simulate", "-f"],
            ["simulate", "--example", "-o", "xml"],
            ["simulate", "--example", "-l", "a=b=c"],
            ["simulate", "--example", "extra"],
            ["explain", "--example"],
            ["nonsense"],
            ["simulate", "--exam"],
        ],
    )
    def test_a_wrong_command_line_is_2(self, arguments: list[str]) -> None:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage: bayplan" in done.stderr

    @pytest.mark.parametrize("arguments", [["--help"], ["simulate", "--help"], ["--version"]])
    def test_help_and_version_import_neither_numpy_nor_rich(self, arguments: list[str]) -> None:
        code = (
            "import sys\nfrom bayplan._cli import main\n"
            f"try: main({arguments!r})\nexcept SystemExit as e: assert not e.code\n"
            "assert not {'numpy', 'rich'} & set(sys.modules), sys.modules.keys()\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_the_version_names_the_scheduler_that_is_followed(self) -> None:
        assert run("--version").stdout == "bayplan 0.1.0 (kube-scheduler semantics 1.34)\n"

    @pytest.mark.parametrize(
        ("text", "code"), [("{", 3), ("[1]", 3), ("", 3), ('{"kind": "Pod"}', 3), ("\x00", 3)]
    )
    def test_bad_input_is_3_and_prints_nothing(self, tmp_path: Path, text: str, code: int) -> None:
        path = tmp_path / "bad.json"
        path.write_text(text)
        done = run("simulate", "-f", path, "--trace", tmp_path / "t")
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith(f"error: {path}")
        assert len(done.stderr.splitlines()) == 1
        assert not (tmp_path / "t").exists()

    def test_a_missing_file_is_5(self, tmp_path: Path) -> None:
        done = run("simulate", "-f", tmp_path / "none")
        assert (done.returncode, done.stdout) == (5, "")
        assert done.stderr == f"error: {tmp_path / 'none'}: No such file or directory\n"

    def test_a_bad_configuration_is_3(self, dump: Path, tmp_path: Path) -> None:
        config = tmp_path / "config.yaml"
        config.write_text("kind: Nonsense\n")
        done = run("simulate", "-f", dump, "--config", config)
        assert (done.returncode, done.stdout) == (3, "")
        assert str(config) in done.stderr

    def test_a_closed_pipe_is_quiet(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "c.json", node("a"), service(), *(pod(f"p{i}") for i in range(5000))
        )
        for form in ("table", "json", "csv"):
            with subprocess.Popen(
                [*COMMAND, "simulate", "-f", str(path), "-o", form],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                assert process.stdout is not None
                assert process.stderr is not None
                process.stdout.read(10)
                process.stdout.close()
                assert process.stderr.read() == b""
                assert process.wait() == 141

    def test_no_colour_codes_are_printed(self, dump: Path) -> None:
        done = run("simulate", "-f", dump, FORCE_COLOR="1")
        assert "\x1b" not in done.stdout + done.stderr

    def test_prints_what_the_terminal_cannot_show(self) -> None:
        done = run("explain", "trainer-0", "--example", "-o", "wide", PYTHONIOENCODING="ascii")
        assert done.returncode == 0
        assert "\\u2192" in done.stdout

    @pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
    @pytest.mark.parametrize("phase", ["stdin", "work"])
    def test_ctrl_c_ends_within_half_a_second_and_leaves_no_file(
        self, tmp_path: Path, phase: str
    ) -> None:
        nodes = [node(f"n{i}", cpu="64") for i in range(2000)]
        pods = [pod(f"p-{i}", cpu=f"{i + 1}m", memory=f"{i + 1}") for i in range(20_000)]
        path = write(tmp_path / "c.json", *nodes, service(), *pods)
        source = "-" if phase == "stdin" else str(path)
        trace = tmp_path / "out" / "trace"
        trace.parent.mkdir()
        with subprocess.Popen(
            [*COMMAND, "simulate", "-f", source, "--trace", str(trace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            if phase == "work":
                wait_for(lambda: bool(os.listdir(trace.parent)))
                time.sleep(0.1)
            else:
                time.sleep(1)
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30) if phase == "work" else waited(process)
            assert time.monotonic() - sent < 0.5
        assert process.returncode == 130
        assert (output, errors) == (b"", b"")
        assert os.listdir(trace.parent) == []


def waited(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Waits without closing the process's standard input."""
    process.wait(timeout=30)
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.read(), process.stderr.read()


def wait_for(condition: Any) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def validate(data: Any, name: str) -> None:
    folder = resources.files("bayplan") / "schema"
    schemas = {
        n: json.loads((folder / f"{n}.json").read_text()) for n in ("simulation", "explanation")
    }
    registry: referencing.Registry[Any] = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas.values()
    )
    jsonschema.Draft202012Validator.check_schema(schemas[name])
    jsonschema.Draft202012Validator(schemas[name], registry=registry).validate(data)


def test_events_happen_before_anything_is_decided(dump: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.yaml"
    events.write_text(
        "{type: CORDON, node: a}\n"
        "---\n"
        "{type: DELETED, object: {kind: Pod, metadata: {name: huge-0}}}\n"
    )
    done = run("simulate", "-f", dump, "-e", events, "-o", "name")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["pod/web-0", "pod/db-0"]
    done = run("simulate", "-f", dump, "-e", events, "-o", "csv", "--no-headers")
    assert [line.split(",")[3] for line in done.stdout.splitlines()] == ["b", "b"]
    done = run("explain", "web-0", "-f", dump, "-e", "-", stdin='{"type": "CORDON", "node": "b"}')
    assert "node(s) were unschedulable" in done.stdout
    done = run("simulate", "-f", dump, "-e", "-", stdin='{"type": "CORDON", "node": "z"}')
    assert done.returncode == 3
    assert done.stderr == "error: <stdin>: Node z: there is no such node\n"
