"""How the cost of a pod grows with nodes, pods and templates: a table, and a plot of it.

    pip install matplotlib
    python benches/workloads/growth.py [--max-nodes N] [--rounds N]        # writes growth.json and growth.svg beside itself
    python benches/workloads/growth.py --draw                              # draws what growth.json says

Each point is the median of its rounds, each a process of its own that loads the cluster and decides its pods, nothing learnt before:
so a point's cost includes what is learnt once a template, shared by its pods.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bayplan import _native
from bayplan._cli import bench
from bayplan.exceptions import ArgumentError

HERE = Path(__file__).parent
PODS = 10_000
MIDDLE = 5_000
FIRST = {"Production": 5_000}
"""First pods, as many everywhere, so that only one thing grows: some for others to be near to."""
NODES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
COUNTS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
TEMPLATES = (1, 10, 100, 400, 1_000, 2_000, 5_000)
SHAPES = (
    "SchedulingBasic",
    "TopologySpreading",
    "SchedulingPreferredPodAntiAffinity",
    "Production",
)
"""Of each way in which a view is kept true one: rows only, domains, hosts with normalised scores, and all in turn."""


def points(max_nodes: int) -> dict[str, dict[str, list[tuple[int, str]]]]:
    """What is measured: by panel and workload, what grows and the workload's name."""

    def named(shape: str, nodes: int, pods: int, more: str = "") -> str:
        return f"{shape}/{nodes}Nodes_{FIRST.get(shape, 0)}Init_{pods}Pods{more}"

    def fitting(line: list[tuple[int, str]]) -> list[tuple[int, str]]:
        return [(size, workload) for size, workload in line if fits(workload)]

    nodes = [it for it in NODES if it <= max_nodes]
    middle = min(MIDDLE, max_nodes)
    return {
        "nodes": {
            shape: fitting([(it, named(shape, it, PODS)) for it in nodes]) for shape in SHAPES
        },
        "pods": {
            shape: fitting([(it, named(shape, middle, it)) for it in COUNTS]) for shape in SHAPES
        },
        "templates": {
            "Production": fitting(
                [(it, named("Production", middle, PODS, f"_{it}Templates")) for it in TEMPLATES]
            )
        },
    }


def fits(workload: str) -> bool:
    """Whether the nodes hold so many pods."""
    try:
        _native.workload(workload)
    except ArgumentError:
        return False
    return True


def measure(workload: str, rounds: int) -> float:
    """Microseconds a pod."""
    with tempfile.TemporaryDirectory(prefix="bayplan-growth-") as folder:
        path = str(Path(folder) / "cluster.json")
        bench.step("write", workload, path)
        runs = [bench.step("cold", path) for _ in range(rounds)]
    return float(statistics.median(run["seconds"] / run["pods"] for run in runs) * 1e6)


def draw(record: dict[str, Any], target: Path) -> None:
    """A panel for each thing that grows; both axes are logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "bayplan"
    mpl.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, NullFormatter

    # Told apart without colour, too: Okabe and Ito's colours, a marker each.
    styles = dict(
        zip(
            SHAPES,
            (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D")),
            strict=True,
        )
    )
    titles = {
        "nodes": f"nodes ({record['pods']:,} pods)",
        "pods": f"pods ({record['nodes']:,} nodes)",
        "templates": f"templates ({record['nodes']:,} nodes, {record['pods']:,} pods)",
    }
    figure, panels = plt.subplots(1, 3, figsize=(12, 4), sharey=True, layout="constrained")
    for panel, (what, lines) in zip(panels, record["points"].items(), strict=True):
        for shape, line in lines.items():
            colour, marker = styles[shape]
            sizes, costs = zip(*line, strict=True)
            panel.plot(sizes, costs, marker=marker, markersize=4, color=colour, label=shape)
        panel.set(xscale="log", yscale="log", xlabel=titles[what])
        panel.grid(visible=True, which="major", color="0.9", linewidth=0.8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panels[0].set_ylabel("µs a pod")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False
    )
    figure.savefig(target, metadata={"Date": None})


def main() -> int:
    """Measures, writes, draws."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--max-nodes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draw", action="store_true", help="draw what was measured before")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of growth.json and .svg")
    options = parser.parse_args()
    file = options.output / "growth.json"
    if options.draw:
        draw(json.loads(file.read_text(encoding="utf-8")), options.output / "growth.svg")
        return 0
    known: dict[str, float] = {}  # a point that stands in two panels is measured once
    found: dict[str, dict[str, list[list[float]]]] = {}
    print("| what grows | workload | µs a pod |\n|---|---|---:|")
    for what, lines in points(options.max_nodes).items():
        found[what] = {}
        for shape, line in lines.items():
            row = found[what][shape] = []
            for size, workload in line:
                if workload not in known:
                    known[workload] = measure(workload, options.rounds)
                row.append([size, known[workload]])
                print(f"| {what} | {workload} | {known[workload]:.3f} |", flush=True)
    record = {"pods": PODS, "nodes": min(MIDDLE, options.max_nodes), "points": found}
    file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    draw(record, options.output / "growth.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
