"""Label selectors as ``kubectl -l`` takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
_KEY = rf"(?:{_NAME}/)?{_NAME}"
_VALUE = rf"(?:{_NAME})?"
_LONGEST = 63
"""Kubernetes allows a label value, and the name in a key, this many characters."""

_SET = re.compile(rf"\s*({_KEY})\s+(in|notin)\s*\(([^()]*)\)\s*")
_EQUALITY = re.compile(rf"\s*({_KEY})\s*(==|=|!=)\s*({_VALUE})\s*")
_COMPARE = re.compile(rf"\s*({_KEY})\s*(>|<)\s*(-?[0-9]+)\s*")
_EXISTS = re.compile(rf"\s*(!?)\s*({_KEY})\s*")


class SelectorError(ValueError):
    """The text is not a label selector."""


@dataclass(frozen=True)
class Requirement:
    """One requirement: a key, an operator of ``in notin exists !exists > <``, and values."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet the requirement, as ``labels.Requirement.Matches`` decides."""
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!exists":
                return value is None
        if value is None or not re.fullmatch(r"[+-]?[0-9]+", value):
            return False
        (bound,) = self.values
        return int(value) > int(bound) if self.operator == ">" else int(value) < int(bound)


@dataclass(frozen=True)
class Selector:
    """Requirements that must all be met; without any, everything is selected."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)


def parse(text: str) -> Selector:
    """Reads a selector such as ``app=web,tier in (a, b),!canary``.

    Raises:
        SelectorError: The text is not a selector.
    """
    if not text.strip():
        return Selector()
    return Selector(tuple(_requirement(part) for part in _split(text)))


def _split(text: str) -> list[str]:
    """Cuts at the commas outside parentheses."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def _requirement(part: str) -> Requirement:
    if match := _SET.fullmatch(part):
        key, operator, inside = match.groups()
        values = [value.strip() for value in inside.split(",")]
        for value in values:
            _check(value, _VALUE, "label value")
        return Requirement(_checked_key(key), operator, frozenset(values))
    if match := _EQUALITY.fullmatch(part):
        key, operator, value = match.groups()
        _check(value, _VALUE, "label value")
        name = "notin" if operator == "!=" else "in"
        return Requirement(_checked_key(key), name, frozenset({value}))
    if match := _COMPARE.fullmatch(part):
        key, operator, bound = match.groups()
        return Requirement(_checked_key(key), operator, frozenset({bound}))
    if match := _EXISTS.fullmatch(part):
        negated, key = match.groups()
        return Requirement(_checked_key(key), "!exists" if negated else "exists")
    raise SelectorError(f"{part.strip()!r} is not a label requirement")


def _checked_key(key: str) -> str:
    _check(key.rpartition("/")[2], _NAME, "label key")
    return key


def _check(text: str, pattern: str, what: str) -> None:
    if len(text) > _LONGEST or not re.fullmatch(pattern, text):
        raise SelectorError(f"{text!r} is not a {what}")
