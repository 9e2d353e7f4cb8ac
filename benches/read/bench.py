"""Reads one dump with bayplan, json, orjson and msgspec in turn, and prints megabytes a second and peak memory.

Each reading is a process of its own that starts, reads the file and decodes it, so that no reader sees another's memory.
The readers take turns; the median of the rounds counts, by the wall clock and by the processor's. For bayplan that is
`Cluster.load`, which also defaults and validates each object, looks for doubles and makes the cluster; the others only decode.

    pip install . orjson msgspec
    python benches/read/dump.py dump.json
    python benches/read/bench.py dump.json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read_bayplan(path: str) -> None:
    """A cluster, ready to be asked."""
    import bayplan

    bayplan.Cluster.load(path)


def read_json(path: str) -> None:
    """The standard library."""
    json.loads(Path(path).read_bytes())


def read_orjson(path: str) -> None:
    """All of it as dicts and lists."""
    import orjson

    orjson.loads(Path(path).read_bytes())


def read_msgspec(path: str) -> None:
    """Only the members that bayplan keeps, as structs."""
    import msgspec

    sys.path.insert(0, str(HERE))
    import typed

    msgspec.json.Decoder(typed.List).decode(Path(path).read_bytes())


READERS = {
    "bayplan": read_bayplan,
    "json.loads": read_json,
    "orjson": read_orjson,
    "msgspec, typed": read_msgspec,
}


def run(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak memory in bytes of a process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    if status != 0:
        raise SystemExit(f"{command} failed")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        # leave without freeing a gigabyte of objects
        READERS[arguments.reader](arguments.file)
        sys.stdout.flush()
        os._exit(0)
    size = Path(arguments.file).stat().st_size
    commands = {
        reader: [sys.executable, __file__, arguments.file, "--reader", reader] for reader in READERS
    }
    results: dict[str, list[tuple[float, float, float]]] = {reader: [] for reader in commands}
    for _ in range(arguments.rounds):
        for reader, command in commands.items():
            results[reader].append(run(command))
    print(f"{size / 1e6:.0f} MB, {arguments.rounds} rounds, load {os.getloadavg()[0]:.1f}\n")
    print("| reader | MB/s, wall | MB/s, processor | peak memory, MB | of the file |")
    print("|---|---:|---:|---:|---:|")
    for reader, rounds in results.items():
        wall, processor, peak = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(
            f"| {reader} | {size / wall / 1e6:.0f} | {size / processor / 1e6:.0f} "
            f"| {peak / 1e6:.0f} | {peak / size:.2f} |"
        )
    return 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
