import pytest

from bayplan._cli.table import format_table, width
from bayplan._text import printable


def test_pads_columns_by_three_spaces_and_leaves_the_last_ragged() -> None:
    rows = [["default", "a", "long reason here"], ["kube-system", "bb", "x"]]
    assert format_table(("NAMESPACE", "NAME", "REASON"), rows) == (
        "NAMESPACE     NAME   REASON\n"
        "default       a      long reason here\n"
        "kube-system   bb     x\n"
    )


def test_shows_what_is_empty_as_kubectl_does() -> None:
    assert format_table(("A", "B"), [["", "x"]]) == "A        B\n<none>   x\n"


def test_prints_the_header_alone_when_there_are_no_rows() -> None:
    assert format_table(("A", "BB"), []) == "A   BB\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("tab\there", "tab\\there"),
        ("ünï", "ünï"),
        ("right\u202eleft", "right\\u202eleft"),
    ],
)
def test_lets_no_control_character_reach_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_measures_wide_and_combining_characters() -> None:
    assert width("abc") == 3
    assert width("日本") == 4
    assert width("e\u0301") == 1
    assert format_table(("A", "B"), [["日本", "x"]]) == "A      B\n日本   x\n"
