"""VXLAN in bulk beside a plain C loop and a copy of the same bytes: one core, in turn, short rounds, medians.

Needs gcc and cargo: `python benches/vxlan/bench.py [--rounds N]`.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = 50
# In L2, and beyond the last cache: bytes read and written together.
SIZES = {"L2": 256 << 10, "memory": 192 << 20}
SHORT_NS = 3e6
CASES = [
    ("headers encoded", "encode_headers", 0),
    ("headers decoded", "decode_headers", 0),
    ("64-byte frames encapsulated", "encode", 64),
    ("1,400-byte frames encapsulated", "encode", 1400),
    ("packets with 64-byte frames decoded", "decode", 64),
    ("packets with 1,400-byte frames decoded", "decode", 1400),
]


class Side:
    def __init__(self, program, *arguments):
        command = [program, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, times):
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        nanoseconds, digest = self.process.stdout.readline().split()
        return float(nanoseconds) / times, digest

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def item_bytes(what, length):
    """Bytes that one item reads and writes, columns left out."""
    return 12 if "headers" in what else 2 * length + HEADERS


def measure(sides, n, rounds):
    first = {name: side.run(1) for name, side in sides.items()}
    digests = {digest for name, (_, digest) in first.items() if name != "copy"}
    if len(digests) != 1:
        raise SystemExit(f"outputs differ: {first}")
    times = {name: max(1, int(SHORT_NS / took)) for name, (took, _) in first.items()}
    took = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            took[name].append(side.run(times[name])[0] / n)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build = ["cargo", "build", "--release", "--locked", "-p", "bayplan-vxlan", "--example", "bulk"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    ours = target / "release" / "examples" / "bulk"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print("| what | where | bayplan, M/s | C, M/s | bayplan / C | copy, M/s | bayplan / copy |")
    print("|---|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        peer = pathlib.Path(folder) / "bulk"
        source = ROOT / "benches" / "vxlan" / "bulk.c"
        subprocess.run(["gcc", "-O3", "-march=native", "-Wall", "-Wextra", "-o", peer, source], check=True)
        for name, what, length in CASES:
            if options.only not in name:
                continue
            for where, size in SIZES.items():
                # What is copied is what is written by an encoder, what is read by a decoder; of a packet that is decoded, its headers and columns.
                n = max(64, size // item_bytes(what, length))
                copied = 8 if "headers" in what else 128 if what == "decode" else length + HEADERS
                sides = {
                    "bayplan": Side(ours, what, n, max(length, 64)),
                    "C": Side(peer, what, n, max(length, 64)),
                    "copy": Side(peer, "copy", n, copied),
                }
                took = measure(sides, n, options.rounds)
                for side in sides.values():
                    side.close()
                speed = {side: 1e3 / statistics.median(values) for side, values in took.items()}

                def ratio(other):
                    return statistics.median(b / a for a, b in zip(took["bayplan"], took[other]))

                speeds = {side: f"{value:,.0f}" if value >= 20 else f"{value:.1f}" for side, value in speed.items()}
                print(f"| {name} | {where} | {speeds['bayplan']} | {speeds['C']} | {ratio('C'):.2f} "
                      f"| {speeds['copy']} | {ratio('copy'):.2f} |", flush=True)


if __name__ == "__main__":
    main()
