# SPDX-License-Identifier: Apache-2.0
"""Selectors of series, in the notation of PromQL."""

import re
from typing import NamedTuple
from typing import Self

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_TEXT = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
_MATCHER = rf"[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*{_TEXT}"
_SELECTOR = re.compile(
    rf"\s*(?P<metric>{_NAME})\s*(?:\{{\s*(?P<matchers>{_MATCHER}(?:\s*,\s*{_MATCHER})*)?\s*,?\s*\}}\s*)?"
)


class Selector(NamedTuple):
    """Series of one metric.

    :ivar matchers: conditions on labels, between the braces; empty: none.
    """

    metric: str
    matchers: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """:raises ValueError: the text is not a metric's name with conditions on labels."""
        match = _SELECTOR.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return cls(match["metric"], match["matchers"] or "")

    def where(self, matcher: str) -> "Selector":
        """The series among these that fulfil another condition."""
        return self._replace(matchers=", ".join(filter(None, (self.matchers, matcher))))

    def __str__(self) -> str:
        return f"{self.metric}{{{self.matchers}}}" if self.matchers else self.metric
