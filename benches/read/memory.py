"""Prints what a loaded cluster takes in memory over an interpreter that has bayplan imported.

    pip install .
    python benches/read/dump.py --nodes 5000 --pods 150000 dump.json
    python benches/read/memory.py dump.json

The file is loaded in a process of its own. Of that process the resident set is taken before loading and after it, when garbage is
collected; then again after `malloc_trim`, where the C library has it, which says how much the allocator holds in
between; and the highest it ever was.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path

MIB = 1 << 20


def status(name: str) -> int:
    """A size from `/proc/self/status` in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"/proc/self/status has no {name}")


def measure(path: str) -> dict[str, int]:
    """Loads the file, in this process."""
    import bayplan

    gc.collect()
    before = status("VmRSS")
    cluster = bayplan.Cluster.load(path)
    gc.collect()
    after = status("VmRSS")
    peak = status("VmHWM")
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    trimmed = status("VmRSS")
    return {
        "nodes": len(cluster.nodes),
        "pods": len(cluster.pods),
        "interpreter": before,
        "loaded": after - before,
        "trimmed": trimmed - before,
        "peak": peak - before,
    }


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.file)))
        return 0
    size = Path(arguments.file).stat().st_size
    print(f"{size / 1e6:.0f} MB\n")
    print(
        "| nodes | pods | interpreter, MiB | loaded, MiB | after malloc_trim | peak | bytes a pod |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    command = [sys.executable, __file__, arguments.file, "--measure"]
    for _ in range(arguments.rounds):
        row = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        sizes = (row[name] / MIB for name in ("interpreter", "loaded", "trimmed", "peak"))
        cells = " | ".join(f"{value:.0f}" for value in sizes)
        each = row["loaded"] / max(row["pods"], 1)
        print(f"| {row['nodes']} | {row['pods']} | {cells} | {each:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
