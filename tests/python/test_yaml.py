import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bayplan._cli.yaml import dump

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(
        ["yes", "0x1f", "1e3", "2026-01-01", "a: b", "- a", "~", "10:20", ".inf", "=", "<<"]
    )
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(DOCUMENTS)
def test_a_yaml_reader_gives_back_what_was_written(document: Any) -> None:
    text = dump(document)
    # JSON's surrogate pairs are no YAML escapes, so such texts are compared through JSON
    if "\\ud" not in text:
        assert yaml.safe_load(text) == document


@pytest.mark.parametrize("text", ["plain", "two words", "node(s) were unschedulable", "a/b-c.d"])
def test_writes_harmless_text_plain(text: str) -> None:
    assert dump([text]) == f"- {text}\n"


def test_lays_out_blocks_as_kubectl_does() -> None:
    document = {"kind": "List", "items": [{"a": 1, "b": []}, {"c": {"d": None}}], "e": {}}
    assert dump(json.loads(json.dumps(document))) == (
        "kind: List\nitems:\n- a: 1\n  b: []\n- c:\n    d: null\ne: {}\n"
    )
