"""What a fork costs, beside what people do without one: copy the cluster, or load it again.

    python benches/fork/bench.py [NODES [PODS]]

Every figure is the median of its rounds, in microseconds; the rows of one run belong together.
"""

from __future__ import annotations

import copy
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import bayplan

if TYPE_CHECKING:
    from collections.abc import Callable


def cluster_of(nodes: int, pods: int) -> list[dict[str, Any]]:
    """Nodes in three zones, and running pods of 200 kinds spread over them."""
    objects: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{at}",
                "labels": {
                    "kubernetes.io/hostname": f"node-{at}",
                    "topology.kubernetes.io/zone": f"zone-{at % 3}",
                },
            },
            "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110"}},
        }
        for at in range(nodes)
    ]
    objects += [pod(f"run-{at}", f"app-{at % 200}", f"node-{at % nodes}") for at in range(pods)]
    return objects


def pod(name: str, app: str, node: str | None = None) -> dict[str, Any]:
    """A pod; one that waits if it is given no node."""
    requests = {"cpu": "100m", "memory": "128Mi"}
    spec: dict[str, Any] = {
        "containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}]
    }
    if node is not None:
        spec["nodeName"] = node
    metadata = {"name": name, "namespace": "default", "labels": {"app": app}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def median(work: Callable[[], Any], rounds: int) -> float:
    """Microseconds that `work` takes, the median."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def main() -> None:
    """Prints the table."""
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    pods = int(sys.argv[2]) if len(sys.argv) > 2 else 150_000
    dump = json.dumps(
        {"kind": "List", "apiVersion": "v1", "items": cluster_of(nodes, pods)}
    ).encode()
    cluster = bayplan.Cluster.load(dump)
    scheduler = bayplan.Scheduler()
    new = [pod(f"new-{at}", "app-0") for at in range(100)]
    cordons = [{"type": "CORDON", "node": f"node-{at}"} for at in range(10)]

    def fork() -> None:
        cluster.fork().rollback()

    def cordon() -> None:
        with cluster.fork() as what_if:
            what_if.apply(cordons)

    def decide() -> None:
        with cluster.fork() as what_if:
            what_if.apply(cordons)
            scheduler.schedule(what_if, new)

    rows = [
        ("fork, roll back", median(fork, 2_000)),
        ("fork, cordon 10 nodes, roll back", median(cordon, 500)),
        ("fork, cordon 10 nodes, decide 100 pods, roll back", median(decide, 50)),
        ("copy.copy", median(lambda: copy.copy(cluster), 5)),
        ("Cluster.load of the dump", median(lambda: bayplan.Cluster.load(dump), 3)),
    ]
    print(f"{nodes} nodes, {pods} running pods, {len(dump) / 1e6:.0f} MB of JSON")
    print("| what | µs | of a copy |\n|---|---:|---:|")
    of_copy = dict(rows)["copy.copy"]
    for what, time_taken in rows:
        print(f"| {what} | {time_taken:,.1f} | {time_taken / of_copy:.6f} |")


if __name__ == "__main__":
    main()
