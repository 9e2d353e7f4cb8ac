"""Fixtures and profiles for all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

import conformance

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

hypothesis.settings.register_profile("fast", max_examples=60, deadline=None)
hypothesis.settings.register_profile("slow", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("BAYPLAN_HYPOTHESIS", "fast"))

_AGREEMENT = pytest.StashKey[dict[str, conformance.Share]]()


@pytest.fixture
def record_agreement(pytestconfig: pytest.Config) -> dict[str, conformance.Share]:
    """Takes the agreement with the real scheduler, to be printed at the end."""
    return pytestconfig.stash.setdefault(_AGREEMENT, {})


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    shares = config.stash.get(_AGREEMENT, {})
    if shares:
        terminalreporter.section("agreement with kube-scheduler v1.34.1")
        for line in conformance.report(shares):
            terminalreporter.write_line(line)
