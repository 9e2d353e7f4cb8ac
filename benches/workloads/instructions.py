"""How many instructions a decision takes: a count that a busy machine does not change.

    python benches/workloads/instructions.py [NAME/SIZE …]        # count, and write instructions.json
    python benches/workloads/instructions.py --check              # count, and compare; exit 1 if one has grown by more than 5 %

callgrind counts the instructions of `rust/sched/examples/decide.rs`, once as a whole and once without deciding; the difference,
by the pods that were attempted, is the cost of a pod, its share of what a template costs once included. It needs valgrind. Counts of
one machine and compiler compare: another compiler, or a processor with other vector instructions, gives others.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_name("instructions.json")
GROWTH = 0.05
WORKLOADS = (
    "SchedulingBasic/1000Nodes_10000Pods",
    "SchedulingPodAntiAffinity/1000Nodes_800Pods",
    "SchedulingPodAffinity/1000Nodes_5000Pods",
    "SchedulingPreferredPodAffinity/1000Nodes_5000Pods",
    "SchedulingPreferredPodAntiAffinity/1000Nodes_5000Pods",
    "SchedulingNodeAffinity/1000Nodes_5000Pods",
    "TopologySpreading/1000Nodes_5000Pods",
    "PreferredTopologySpreading/1000Nodes_5000Pods",
    "DefaultTopologySpreading/1000Nodes_5000Pods",
    "MixedSchedulingBasePod/1000Nodes_5000Pods",
    "Unschedulable/1000Nodes_5000Pods",
    "PreemptionBasic/500Nodes_500Pods",
    "SchedulingCSIPVs/500Nodes_500Pods",
    "Heterogeneous/500Nodes_300Pods",
    "Production/500Nodes_5000Pods",
)


def tool(name: str) -> str:
    """Where a program is."""
    path = shutil.which(name)
    if path is None:
        sys.exit(f"{name} is not installed")
    return path


def build() -> Path:
    """The program that is counted."""
    command = [tool("cargo"), "build", "--release", "-p", "bayplan-sched", "--example", "decide"]
    command += ["--message-format", "json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "decide":
            return Path(message["executable"])
    sys.exit("cargo built no example")


def count(program: Path, *arguments: str) -> tuple[int, str]:
    """Instructions of a run, and what it printed."""
    with tempfile.TemporaryDirectory(prefix="bayplan-callgrind-") as folder:
        out = Path(folder) / "out"
        command = [tool("valgrind"), "--tool=callgrind", f"--callgrind-out-file={out}"]
        done = subprocess.run(
            [*command, str(program), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(arguments)}: {done.stderr.strip()}")
        found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.MULTILINE)
    if found is None:
        sys.exit(f"{' '.join(arguments)}: callgrind counted nothing")
    return int(found[1]), done.stdout


def measure(program: Path, workload: str) -> dict[str, Any]:
    """Instructions a pod of a workload."""
    whole, printed = count(program, workload)
    ready, _ = count(program, "--ready", workload)
    pods = int(printed.split()[0])
    return {"pods": pods, "instructions_per_pod": round((whole - ready) / pods)}


def main() -> int:
    """Counts, and writes or compares."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="NAME/SIZE", help="these only")
    parser.add_argument("--check", action="store_true", help="compare with what is recorded")
    parser.add_argument("--program", type=Path, help="the built example")
    options = parser.parse_args()
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    known = record.get("workloads", {})
    program = options.program or build()
    version = subprocess.run(
        [tool("rustc"), "--version"], capture_output=True, text=True, check=True
    )
    compiler = version.stdout.strip()
    if options.check and record.get("compiler") != compiler:
        print(f"recorded with {record.get('compiler')}, counted with {compiler}", file=sys.stderr)
    grown = []
    print("| workload | pods | instructions a pod | recorded | change |\n|---|---:|---:|---:|---:|")
    for workload in options.workloads or WORKLOADS:
        row = measure(program, workload)
        now, before = (
            row["instructions_per_pod"],
            known.get(workload, {}).get("instructions_per_pod"),
        )
        change = now / before - 1 if before else None
        if change is not None and change > GROWTH:
            grown.append(workload)
        cells = [f"{row['pods']:,}", f"{now:,}", f"{before:,}" if before else "-"]
        cells.append("-" if change is None else f"{change:+.1%}")
        print(f"| {workload} | {' | '.join(cells)} |", flush=True)
        if not options.check:
            known[workload] = row
            record = {"compiler": compiler, "workloads": known}
            RECORD.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if options.check and grown:
        print(f"more than {GROWTH:.0%} more instructions: {', '.join(grown)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
