import csv
import io

from bayplan._cli import formats
from bayplan._cli.simulate import exit_code
from bayplan.decisions import Decision, Outcome, Preemption, summary

PLACED = Decision(
    "shop", "web-0", Outcome.PLACED, "n-1", 512, "best of 3 feasible nodes", feasible=3
)
PENDING = Decision(
    "data", "db-0", Outcome.PENDING, reason="0/2 nodes are available: 2 x, y.", feasible=0
)
GATED = Decision("ml", "gpu-0", Outcome.GATED, reason="waits for the gate a.b/c")
EVICTS = Decision(
    "shop", "vip", Outcome.PREEMPTING, reason="0/2 …", preemption=Preemption("n-2", ("a/b", "c/d"))
)


def test_the_table_is_kubectls() -> None:
    assert formats.table([PLACED, PENDING, GATED]) == (
        "NAMESPACE   NAME    NODE     SCORE    REASON\n"
        "shop        web-0   n-1      512      best of 3 feasible nodes\n"
        "data        db-0    <none>   <none>   0/2 nodes are available: 2 x, y.\n"
        "ml          gpu-0   <none>   <none>   waits for the gate a.b/c\n"
    )


def test_the_header_can_be_left_out() -> None:
    assert (
        formats.table([GATED], header=False)
        == "ml          gpu-0   <none>   <none>   waits for the gate a.b/c\n"
    )


def test_the_wide_table_says_more() -> None:
    header, row = formats.table([EVICTS], wide=True).splitlines()
    columns = "NAMESPACE NAME OUTCOME PRIORITY NODE SCORE FEASIBLE PREEMPTS SCHEDULER REASON"
    assert " ".join(header.split()) == columns
    assert "a/b,c/d" in row


def test_names_are_those_of_kubectl() -> None:
    assert formats.names([PLACED, PENDING]) == "pod/web-0\npod/db-0\n"


def test_csv_quotes_what_needs_it() -> None:
    rows = list(csv.DictReader(io.StringIO(formats.comma_separated([PENDING, EVICTS]))))
    assert rows[0]["reason"] == PENDING.reason
    assert rows[0]["node"] == ""
    assert rows[1]["victims"] == "a/b c/d"


def test_the_exit_code_tells_the_worst() -> None:
    assert exit_code({}) == 0
    assert exit_code({Outcome.PLACED: 3}) == 0
    assert exit_code({Outcome.GATED: 1, Outcome.TERMINATING: 1, Outcome.FOREIGN: 1}) == 0
    assert exit_code({Outcome.PLACED: 3, Outcome.PENDING: 1}) == 1
    assert exit_code({Outcome.PREEMPTING: 1}) == 1
    assert exit_code({Outcome.FAILED: 1}) == 1
    assert exit_code({Outcome.PENDING: 1, Outcome.UNSUPPORTED: 1}) == 4
    assert exit_code({Outcome.UNDETERMINED: 1}) == 4


def test_the_summary_counts_in_words() -> None:
    assert summary({}) == "0 pods"
    assert summary({Outcome.PLACED: 1}) == "1 pod: 1 placed"
    assert summary({Outcome.PLACED: 2, Outcome.GATED: 1}) == "3 pods: 2 placed, 1 gated"
