"""What README and docs show is what happens."""

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bayplan
from bayplan import Outcome, exceptions, scheduling, vxlan

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", [bayplan, scheduling, vxlan])
def test_docstring_examples_run(module: object) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(module, optionflags=flags)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


def test_the_readmes_python_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    capture = ROOT / "tests" / "data" / "captures" / "tcpdump-vxlan.pcap"
    shutil.copy(capture, tmp_path / "capture.pcap")
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_readmes_output_is_what_the_command_prints() -> None:
    shown = re.findall(r"```console\n\$ bayplan (.*?)\n(.*?)```", README, re.DOTALL)
    assert shown
    for arguments, output in shown:
        done = subprocess.run(
            [sys.executable, "-m", "bayplan", *arguments.split()],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout + done.stderr == output


def test_the_table_of_outcomes_is_whole() -> None:
    text = (ROOT / "docs" / "simulate.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\| `([A-Z][a-z]+)` \|", text)) == {outcome.label for outcome in Outcome}
    codes = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    raised = {str(getattr(exceptions, name).exit_code) for name in exceptions.__all__}
    assert raised | {"0", "1", "2", "3", "4", "5", "130", "141"} == codes


def test_the_help_names_every_kind_that_the_readme_asks_kubectl_for() -> None:
    def kinds(text: str) -> str:
        found = re.search(r"kubectl get ([a-z,\\\s]+?) -A", text)
        assert found
        return re.sub(r"[\\\s]", "", found[1])

    done = subprocess.run(
        [sys.executable, "-m", "bayplan", "simulate", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert kinds(README) == kinds(done.stdout)
