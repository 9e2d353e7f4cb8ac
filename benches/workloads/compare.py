"""The real kube-scheduler and bayplan over the same objects, in turn.

    python benches/workloads/compare.py [--pods N] [--rounds N] [NAME/SIZE …]

The objects of a workload are written once, the first pods on the nodes that bayplan gives them. Of the pending pods
the first so many stay; both sides then read the same file, each in a process of its own, and place the same pods:

- the peer by its own `SchedulePod`, `AssumePod` and Reserve (and DefaultPreemption where a pod fits nowhere), without API server, queue
  and binding, once with adaptive sampling (percentageOfNodesToScore 0) and once with all nodes scored (100);
- bayplan by `Scheduler().schedule(cluster)`, all nodes scored, nothing learnt before, until the arrays are there.

A last run lets the peer take the first of equally good nodes: the nodes must then be bayplan's, pod by pod; otherwise the exit
code is 1. It needs Go, or `--peer`: the built program.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bayplan._cli import bench

PEER = Path(__file__).parent.parent / "peers" / "kube-scheduler"
ADAPTIVE, EVERY = 0, 100
NAMES = {ADAPTIVE: "kube-scheduler, sampling", EVERY: "kube-scheduler, all nodes"}
WORKLOADS = (
    "SchedulingBasic/5000Nodes_50000Pods",
    "SchedulingPodAntiAffinity/5000Nodes_2000Pods",
    "SchedulingPodAffinity/5000Nodes_5000Pods",
    "SchedulingPreferredPodAffinity/5000Nodes_5000Pods",
    "SchedulingPreferredPodAntiAffinity/5000Nodes_5000Pods",
    "SchedulingNodeAffinity/5000Nodes_10000Pods",
    "TopologySpreading/5000Nodes_5000Pods",
    "PreferredTopologySpreading/5000Nodes_5000Pods",
    "DefaultTopologySpreading/5000Nodes_50000Pods",
    "MixedSchedulingBasePod/5000Nodes_5000Pods",
    "Unschedulable/5000Nodes_10000Pods",
    "PreemptionBasic/1000Nodes",
    "PreemptionBasic/5000Nodes_5000Pods",
    "SchedulingDaemonset/15000Nodes",
    "SchedulingInTreePVs/5000Nodes_2000Pods",
    "SchedulingCSIPVs/5000Nodes_5000Pods",
    "SchedulingWhileGated/1Node_10000GatedPods",
    "Heterogeneous/5000Nodes_3000Pods",
    "Production/5000Nodes_100000Pods",
)


def first_pods(source: Path, target: Path, count: int) -> None:
    """Leaves of the pending pods those that come first in the queue; an object stands on a line."""
    lines = source.read_text(encoding="utf-8").splitlines()
    head, *items, tail = lines
    kept: list[str] = []
    pending: list[tuple[int, int, str]] = []
    for line in (item.removesuffix(",") for item in items):
        if '"kind":"Pod"' in line[:64]:
            spec = json.loads(line)["spec"]
            if not spec.get("nodeName"):
                if not spec.get("schedulingGates"):
                    pending.append((-spec.get("priority", 0), len(pending), line))
                continue
        kept.append(line)
    chosen = sorted(pending)[:count]
    kept += [line for _, _, line in chosen]
    target.write_text("\n".join([head, ",\n".join(kept), tail, ""]), encoding="utf-8")


def child(path: str) -> dict[str, Any]:
    """Bayplan's side: loads the file and decides its pods."""
    import numpy as np

    import bayplan

    cluster = bayplan.Cluster.load(path)
    cpu, start = time.process_time(), time.perf_counter()
    decisions = bayplan.Scheduler().schedule(cluster)
    arrays = decisions.row, decisions.score, decisions.outcome
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = bench.peak_rss()
    outcomes = np.bincount(arrays[2], minlength=len(bayplan.Outcome))
    return {
        "pods": len(decisions),
        "placed": int(outcomes[bayplan.Outcome.PLACED]),
        "preempted": int(outcomes[bayplan.Outcome.PREEMPTING]),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_rss_bytes": peak,
        "chosen": [it.node or (it.preemption.node if it.preemption else "") for it in decisions],
    }


def said(command: list[str]) -> dict[str, Any]:
    """What the process writes."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ours(path: Path) -> dict[str, Any]:
    """One measurement of bayplan."""
    return said([sys.executable, __file__, "--child", str(path)])


def theirs(peer: str, path: Path, percentage: int, *more: str) -> dict[str, Any]:
    """One measurement of the peer."""
    return said([peer, "bench", "-percentage", str(percentage), *more, str(path)])


def medians(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of several rounds."""
    row = {key: statistics.median(it[key] for it in rounds) for key in ("seconds", "cpu_seconds")}
    row["peak_rss_bytes"] = max(it["peak_rss_bytes"] for it in rounds)
    row["pods_per_second"] = rounds[0]["pods"] / row["seconds"]
    return {key: rounds[0][key] for key in ("pods", "placed", "preempted")} | row


def compare(name: str, peer: str, options: argparse.Namespace) -> dict[str, Any]:
    """Both sides of a workload."""
    with tempfile.TemporaryDirectory(prefix="bayplan-compare-") as folder:
        whole, cut = Path(folder) / "whole.json", Path(folder) / "cut.json"
        bench.step("write", name, str(whole))
        full = [bench.step("cold", str(whole)) for _ in range(options.rounds)]
        first_pods(whole, cut, options.pods)
        # The slowest goes first: what it does within the limit, the others do too.
        slowest = theirs(peer, cut, EVERY, "-limit", f"{options.limit}s")
        first_pods(whole, cut, slowest["pods"])
        runs: dict[int | None, list[dict[str, Any]]] = {EVERY: [slowest], ADAPTIVE: [], None: []}
        for turn in range(options.rounds):
            if turn:
                runs[EVERY].append(theirs(peer, cut, EVERY))
            runs[ADAPTIVE].append(theirs(peer, cut, ADAPTIVE))
            runs[None].append(ours(cut))
        row = {
            "workload": name,
            "pods": slowest["pods"],
            "kube_scheduler_sampling": medians(runs[ADAPTIVE]),
            "kube_scheduler_all": medians(runs[EVERY]),
            "bayplan": medians(runs[None]),
            "bayplan_whole": {
                "pods": full[0]["pods"],
                "pods_per_second": full[0]["pods"]
                / statistics.median(it["seconds"] for it in full),
                "peak_rss_bytes": max(it["peak_rss_bytes"] for it in full),
            },
        }
        if len({(it["placed"] + it["preempted"]) for its in runs.values() for it in its}) > 1:
            print(f"{name}: the sides place different numbers of pods", file=sys.stderr)
        if options.check:
            expected = theirs(peer, cut, EVERY, "-chosen").get("chosen", [])
            found = runs[None][0]["chosen"]
            row["differing"] = sum(a != b for a, b in zip(expected, found, strict=True))
    return row


def line(row: dict[str, Any]) -> str:
    """The row of the table."""
    sampling, every, own, whole = (
        row[key]
        for key in ("kube_scheduler_sampling", "kube_scheduler_all", "bayplan", "bayplan_whole")
    )
    speeds = [it["pods_per_second"] for it in (sampling, every, own, whole)]
    cells = [
        row["workload"],
        f"{row['pods']:,}",
        *(f"{speed:,.0f}" for speed in speeds),
        *(f"{speeds[2] / speed:,.0f}" for speed in speeds[:2]),
        " / ".join(f"{it['cpu_seconds']:.3g}" for it in (sampling, every, own)),
        " / ".join(f"{it['peak_rss_bytes'] / (1 << 20):.0f}" for it in (sampling, every, own)),
        {None: "-", 0: "all"}.get(row.get("differing"), f"{row.get('differing')} differ"),
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    "| workload | pods | kube-scheduler, sampling, pods/s | all nodes | bayplan, all nodes | bayplan, whole workload |"
    " times sampling | times all nodes | CPU s, sampling / all / bayplan | peak MiB | same nodes |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
)


def main() -> int:
    """Prints a row a workload."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="NAME/SIZE", default=WORKLOADS)
    parser.add_argument("--peer", help="the built program of benches/peers/kube-scheduler")
    parser.add_argument("--pods", type=int, default=500, help="so many are placed by both sides")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=60, help="seconds of the peer, at most")
    parser.add_argument("--no-check", dest="check", action="store_false", help="skip the last run")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bayplan-peer-") as folder:
        peer = options.peer
        if peer is None:
            peer = str(Path(folder) / "peer")
            go = shutil.which("go")
            if go is None:
                parser.error("there is no Go to build the peer with: name it with --peer")
            subprocess.run([go, "build", "-o", peer, "."], cwd=PEER, check=True)
        if options.output == "table":
            print(HEADER, flush=True)
        differing = 0
        for name in options.workloads:
            row = compare(name, peer, options)
            differing += row.get("differing", 0)
            print(line(row) if options.output == "table" else json.dumps(row), flush=True)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
