import pytest

from bayplan._cli.selector import SelectorError, parse

LABELS = {"app": "web", "tier": "front", "build": "12", "example.com/owner": "shop", "empty": ""}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app=web",
        "app==web",
        "app = web",
        "app!=api",
        "missing!=api",
        "app in (web, api)",
        "app in (web)",
        "tier notin (back)",
        "missing notin (x)",
        "app",
        "!missing",
        "! missing",
        "app=web,tier=front",
        "app in (web,api),!missing,build>11",
        "build<13",
        "example.com/owner=shop",
        "empty=",
        "empty in ()",
    ],
)
def test_selects(text: str) -> None:
    assert parse(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "app=api",
        "app!=web",
        "app in (api)",
        "app notin (web)",
        "missing=web",
        "missing in (web)",
        "missing",
        "!app",
        "app=web,tier=back",
        "build>12",
        "build<12",
        "app>1",
        "missing>1",
        "app=",
    ],
)
def test_does_not_select(text: str) -> None:
    assert not parse(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "=web",
        "app=web=x",
        "app in web",
        "app in (web",
        "app,,tier",
        ",",
        "app=we b",
        "-app=web",
        "app=web-",
        "a/b/c=d",
        "app>many",
        "app=" + "x" * 64,
        "app in (a b)",
        "x" * 64,
        "(",
        "!",
    ],
)
def test_refuses_what_is_no_selector(text: str) -> None:
    with pytest.raises(SelectorError):
        parse(text)
