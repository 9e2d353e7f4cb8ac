"""Writes what the commands shown in README.md print now into README.md."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def shown(match: re.Match[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bayplan", *match[1].split()],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"```console\n$ bayplan {match[1]}\n{done.stdout}{done.stderr}```"


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(re.sub(r"```console\n\$ bayplan (.*?)\n.*?```", shown, text, flags=re.DOTALL))
