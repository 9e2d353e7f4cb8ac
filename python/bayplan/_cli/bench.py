"""``bayplan bench``: pods a second, in workloads that are known by name.

A workload is written to a file once; each measurement then is a process of its own that reads it,
so that nothing is warm that should not be, and its peak of memory is its own::

    python -m bayplan._cli.bench write SchedulingBasic/500Nodes cluster.json
    python -m bayplan._cli.bench cold cluster.json
"""

from __future__ import annotations

import difflib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bayplan import _native
from bayplan._cli.output import put
from bayplan._cli.table import NONE, format_table
from bayplan.decisions import Outcome
from bayplan.exceptions import ArgumentError, InternalError
from bayplan.scheduling import Cluster, Scheduler

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from bayplan.decisions import Decisions

ALL = "all"
_MIB = 1 << 20

Row: TypeAlias = dict[str, Any]
"""One measurement, or what the measurements of a workload come to."""


def run(options: argparse.Namespace) -> int:
    """Runs the command and gives its exit code."""
    if options.list:
        put(_list(options.output))
        return 0
    wanted = list(_wanted(options.workloads, options.max_nodes))
    rows = []
    for name, size in wanted:
        row = measure(name, size, rounds=options.rounds)
        rows.append(row)
        if options.output == "json":
            put(json.dumps(row) + "\n")
    if options.output == "table":
        put(table(rows))
    return 0


def _list(form: str) -> str:
    listed = _native.workloads()
    if form == "json":
        keys = ("workload", "size", "nodes", "first", "pods")
        return "".join(json.dumps(dict(zip(keys, one, strict=True))) + "\n" for one in listed)
    about = dict(_native.workload_names())
    header = ("WORKLOAD", "NODES", "FIRST", "PODS", "WHAT")
    rows = [
        (f"{name}/{size}", f"{nodes}", f"{first}", f"{pods}", about[name])
        for name, size, nodes, first, pods in listed
    ]
    return format_table(header, rows)


def _wanted(asked: Sequence[str], max_nodes: int) -> Iterator[tuple[str, str]]:
    """Name and size of every workload that was asked for.

    Raises:
        ArgumentError: There is no such workload.
    """
    listed = _native.workloads()
    names = {name for name, *_ in listed}
    for one in asked:
        if one == ALL or one in names:
            for name, size, nodes, *_ in listed:
                if one in (ALL, name) and nodes <= max_nodes:
                    yield name, size
            continue
        try:
            name, size, *_ = _native.workload(one)
        except ArgumentError as error:
            known = [*names, *(f"{name}/{size}" for name, size, *_ in listed)]
            near = difflib.get_close_matches(one, sorted(known), cutoff=0.5)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise ArgumentError(f"{error.message}{hint}") from error
        yield name, size


def measure(name: str, size: str, *, rounds: int) -> Row:
    """Measures a workload, each time in a process of its own; medians over the rounds."""
    with tempfile.TemporaryDirectory(prefix="bayplan-bench-") as folder:
        path = Path(folder) / "cluster.json"
        step("write", f"{name}/{size}", str(path))
        cold, warm, read = (
            [step(what, str(path)) for _ in range(rounds)] for what in ("cold", "warm", "bytes")
        )
    first, decided = cold[0], cold[0]["pods"]
    if any(other[key] != first[key] for other in (*cold, *warm, *read) for key in _COUNTS):
        raise InternalError(f"{name}/{size}: rounds differ in what they decide")

    def median(rows: list[Row], key: str) -> float:
        return float(statistics.median(row[key] for row in rows))

    seconds = median(cold, "seconds")
    return {
        "workload": name,
        "size": size,
        "first": _native.workload(f"{name}/{size}")[3],
        **{key: first[key] for key in _COUNTS},
        "seconds": seconds,
        "pods_per_second": decided / seconds,
        "warm_seconds": median(warm, "seconds"),
        "load_seconds": median(cold, "load_seconds"),
        "bytes_seconds": median(read, "seconds"),
        "bytes": first["bytes"],
        "peak_rss_bytes": max(row["peak_rss_bytes"] for row in cold),
        "loaded_rss_bytes": max(row["loaded_rss_bytes"] for row in cold),
        "interpreter_rss_bytes": max(row["interpreter_rss_bytes"] for row in cold),
        "rounds": rounds,
        "version": _native.__version__,
    }


_COUNTS = ("nodes", "pods", "placed", "preempting", "refused")


def table(rows: Sequence[Row]) -> str:
    """The rows as kubectl prints a table."""
    header = (
        *("WORKLOAD", "NODES", "PODS", "PLACED", "PREEMPTING", "PODS/S", "SECONDS"),
        *("WARM", "BYTES", "PEAK", "LEAST"),
    )
    return format_table(
        header,
        [
            (
                f"{row['workload']}/{row['size']}",
                *(f"{row[key]}" for key in ("nodes", "pods", "placed")),
                f"{row['preempting']}" if row["preempting"] else NONE,
                f"{row['pods_per_second']:.0f}",
                *(f"{row[key]:.4f}" for key in ("seconds", "warm_seconds", "bytes_seconds")),
                *(f"{row[key] / _MIB:.0f}" for key in ("peak_rss_bytes", "interpreter_rss_bytes")),
            )
            for row in rows
        ],
    )


def step(what: str, *arguments: str) -> Row:
    """Does one step in a process of its own and gives what it found."""
    command = [sys.executable, "-m", "bayplan._cli.bench", what, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own
    if done.returncode:
        lines = done.stderr.splitlines() or [f"ended with {done.returncode}"]
        if done.returncode == ArgumentError.exit_code:
            raise ArgumentError(lines[-1])
        raise InternalError(f"{what} {' '.join(arguments)}: {lines[-1]}")
    found: Row = json.loads(done.stdout or "{}")
    return found


def _cold(path: str) -> Row:
    """Loads a cluster and decides its pods."""
    import numpy as np  # noqa: F401, PLC0415 -- arrays are asked for: not the time of an import

    interpreter = peak_rss()
    start = time.perf_counter()
    cluster = Cluster.load(path)
    load = time.perf_counter() - start
    loaded = peak_rss()
    seconds, decisions = _decide(cluster)
    return {
        **_counts(decisions),
        "seconds": seconds,
        "load_seconds": load,
        "bytes": Path(path).stat().st_size,
        "peak_rss_bytes": peak_rss(),
        "loaded_rss_bytes": loaded,
        "interpreter_rss_bytes": interpreter,
    }


def _warm(path: str) -> Row:
    """Decides in a fork, rolls it back, and decides again."""
    cluster = Cluster.load(path)
    scheduler = Scheduler()
    with cluster.fork() as what_if:
        _decide(what_if, scheduler)
    seconds, decisions = _decide(cluster, scheduler)
    return {**_counts(decisions), "seconds": seconds}


def _bytes(path: str) -> Row:
    """Reads the JSON from memory and decides."""
    import numpy as np  # noqa: F401, PLC0415 -- arrays are asked for: not the time of an import

    text = Path(path).read_bytes()
    start = time.perf_counter()
    cluster = Cluster.load(text)
    load = time.perf_counter() - start
    seconds, decisions = _decide(cluster)
    return {**_counts(decisions), "seconds": load + seconds}


def _decide(cluster: Cluster, scheduler: Scheduler | None = None) -> tuple[float, Decisions]:
    """The time until the arrays are there."""
    start = time.perf_counter()
    decisions = (scheduler or Scheduler()).schedule(cluster)
    _arrays = decisions.row, decisions.score, decisions.outcome
    return time.perf_counter() - start, decisions


def _counts(decisions: Decisions) -> Row:
    """How many pods were decided; gated ones are not attempted and do not count."""
    import numpy as np  # noqa: PLC0415 -- `bayplan --help` must not wait for it

    outcomes = np.bincount(decisions.outcome, minlength=len(Outcome))
    placed, preempting = (int(outcomes[it]) for it in (Outcome.PLACED, Outcome.PREEMPTING))
    refused = int(outcomes[Outcome.PENDING] + outcomes[Outcome.FAILED])
    return {
        "nodes": len(decisions.nodes),
        "pods": placed + preempting + refused,
        "placed": placed,
        "preempting": preempting,
        "refused": refused,
    }


def peak_rss() -> int:
    """The most memory that this process has had, in bytes; 0 where the system does not say.

    On Linux ``getrusage`` also knows what the process was before it became this program.
    """
    try:
        with Path("/proc/self/status").open(encoding="ascii", errors="replace") as status:
            peak = next(line for line in status if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    except (OSError, StopIteration):
        pass
    try:
        import resource  # noqa: PLC0415 -- not on Windows
    except ImportError:
        return 0
    peak_size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_size if sys.platform == "darwin" else peak_size * 1024


def main(arguments: Sequence[str]) -> int:
    """One step: what, and the arguments."""
    match arguments:
        case ["write", name, path]:
            try:
                _native.write_workload(name, path)
            except ArgumentError as error:
                print(error, file=sys.stderr)
                return error.exit_code
        case [("cold" | "warm" | "bytes") as what, path]:
            measurement = {"cold": _cold, "warm": _warm, "bytes": _bytes}[what](path)
            print(json.dumps(measurement))
        case _:
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
