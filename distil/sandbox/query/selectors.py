# SPDX-License-Identifier: Apache-2.0
"""The part of PromQL that selects series: a metric, conditions on labels, a range."""

import ast
import dataclasses
import re
from collections.abc import Mapping

NAME_LABEL = "__name__"

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MATCHER = re.compile(
    r"""(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)\s*(?P<operator>=~|!~|!=|=)\s*"""
    r"""(?:(?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|`(?P<raw>[^`]*)`)\s*(?P<comma>,?)\s*"""
)
_ESCAPES = re.compile(r"""(?:[^\\]|\\(?:[abfnrtv\\"']|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}))*""")
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_DURATION_MS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_ALTERNATIVES = re.compile(r"[\w-]+(?:\|[\w-]+)*", re.ASCII)


class InvalidSelector(ValueError):
    """The text is not a selector; the message says why, as Prometheus does."""


@dataclasses.dataclass(frozen=True)
class Matcher:
    """A condition on a label; a label that is missing is empty.

    :param operator: ``=``, ``!=``, ``=~`` or ``!~``.
    """

    label: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        actual = labels.get(self.label, "")
        if "~" in self.operator:
            return (re.fullmatch(self.value, actual, re.DOTALL) is not None) is (self.operator == "=~")
        return (actual == self.value) is (self.operator == "=")

    def possible_values(self) -> frozenset[str] | None:
        """Return the values that match, or None if they are not listed."""
        if self.operator == "=":
            return frozenset((self.value,))
        listed = self.operator == "=~" and _ALTERNATIVES.fullmatch(self.value)
        return frozenset(self.value.split("|")) if listed else None


@dataclasses.dataclass(frozen=True)
class Selector:
    """A selection of series.

    :param range_ms: length of the range; None for an instant.
    """

    matchers: tuple[Matcher, ...]
    range_ms: int | None

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(matcher.matches(labels) for matcher in self.matchers)

    def possible_values(self, label: str) -> frozenset[str] | None:
        """Return the values of a label that may match, or None if they are not restricted."""
        sets = (matcher.possible_values() for matcher in self.matchers if matcher.label == label)
        found = [values for values in sets if values is not None]
        return frozenset.intersection(*found) if found else None


def parse_selector(text: str) -> Selector:
    """Parse a selector.

    :raises InvalidSelector: the text is not a selector.
    """
    text = text.strip()
    metric = _METRIC.match(text)
    matchers = [Matcher(NAME_LABEL, "=", metric.group())] if metric else []
    position = _skip_blanks(text, metric.end() if metric else 0)
    if text.startswith("{", position):
        close, found = _parse_matchers(text, position + 1)
        matchers += found
        position = _skip_blanks(text, close)
    range_ms = None
    if text.startswith("[", position):
        range_ms, position = _parse_range(text, position)
    if position < len(text):
        raise InvalidSelector(f"1:{position + 1}: parse error: unexpected {text[position:]!r}")
    if not matchers:
        raise InvalidSelector("unknown position: parse error: no expression found in input")
    if all(matcher.matches({}) for matcher in matchers):
        raise InvalidSelector("1:1: parse error: vector selector must contain at least one non-empty matcher")
    return Selector(tuple(matchers), range_ms)


def _skip_blanks(text: str, position: int) -> int:
    return len(text) - len(text[position:].lstrip())


def _parse_matchers(text: str, position: int) -> tuple[int, list[Matcher]]:
    """Return the position after the closing brace, and the matchers before it."""
    position = _skip_blanks(text, position)
    matchers = []
    separated = True
    while separated and (match := _MATCHER.match(text, position)):
        matchers.append(Matcher(match["label"], match["operator"], _unquote(match, position)))
        position = match.end()
        separated = bool(match["comma"])
    if not text.startswith("}", position):
        found = repr(text[position]) if position < len(text) else "end of input"
        raise InvalidSelector(f"1:{position + 1}: parse error: unexpected {found} inside braces")
    _check_patterns(matchers)
    return position + 1, matchers


def _unquote(match: re.Match[str], position: int) -> str:
    if match["raw"] is not None:
        return match["raw"]
    if not _ESCAPES.fullmatch(match["quoted"]):
        raise InvalidSelector(f"1:{position + 1}: parse error: unknown escape sequence")
    text: str = ast.literal_eval(match["quoted"])
    return text


def _check_patterns(matchers: list[Matcher]) -> None:
    for matcher in matchers:
        if "~" in matcher.operator:
            try:
                re.compile(matcher.value)
            except re.error as error:
                raise InvalidSelector(f"1:1: parse error: error parsing regexp: {error}") from error


def _parse_range(text: str, position: int) -> tuple[int, int]:
    """Return the length of the range in milliseconds, and the position after it."""
    close = text.find("]", position)
    if close < 0:
        raise InvalidSelector(f"1:{len(text) + 1}: parse error: unclosed left bracket")
    match = _DURATION.fullmatch(text[position + 1 : close].strip())
    if match is None or not match.group():
        raise InvalidSelector(f"1:{position + 2}: parse error: bad number or duration syntax")
    length = sum(int(count or 0) * unit for count, unit in zip(match.groups(), _DURATION_MS, strict=True))
    if not length:
        raise InvalidSelector(f"1:{position + 2}: parse error: duration must be greater than 0")
    return length, close + 1
