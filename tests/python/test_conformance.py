"""Each recorded case of kube-scheduler v1.34.1 must be decided in the same way, field by field."""

import pytest

import conformance

GROUPS = [
    "config",
    "images",
    "mixed",
    "nodeaffinity",
    "podaffinity",
    "ports",
    "preemption",
    "resources",
    "spread",
    "taints",
    "volumes",
]
REACHED = dict.fromkeys(GROUPS, 1.0)
"""The share of the recorded decisions that is compared at all, and agrees."""


@pytest.mark.parametrize("case", conformance.cases(), ids=lambda case: case.id)
def test_decides_as_the_real_scheduler(case: conformance.Case) -> None:
    outcome = conformance.result(case)
    assert not outcome.differences, "\n".join(outcome.differences)
    assert outcome.compared > 0 or outcome.recorded == 0 or REACHED[case.group] < 1


def test_reaches_the_share_of_decisions_that_it_did(
    record_agreement: dict[str, conformance.Share],
) -> None:
    shares = conformance.shares()
    record_agreement.update(shares)
    assert set(shares) == set(REACHED)
    for group, share in shares.items():
        assert share.compared >= REACHED[group] * share.recorded, group


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chosen", "other"),
        ("message", "other"),
        ("totals", {}),
        ("best", []),
        ("scores", {"NodeResourcesFit": {}}),
        ("filter", {}),
        ("gated", True),
        ("error", 'plugin "X" returns an invalid score 1'),
    ],
)
def test_a_difference_in_any_field_is_noticed(field: str, value: object) -> None:
    """The comparison itself is under test here."""
    case = next(c for c in conformance.cases() if c.group == "resources")
    want = next(d for d in case.read()[1] if d["chosen"] and len(d["totals"]) > 1)
    assert conformance.differences(want, dict(want)) == []
    assert conformance.differences(want, {**want, field: value})
