# SPDX-License-Identifier: Apache-2.0
"""Figures of a benchmark, and a table of them."""

import dataclasses
import statistics
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

_HEADINGS = ("part", "what", "unit", "target", "measured", "lowest", "highest", "ratio")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One quantity, measured once in each round.

    :param what: the quantity.
    :param values: none, if it could not be measured.
    :param target: upper limit; None without one.
    """

    what: str
    unit: str
    values: Sequence[float]
    target: float | None = None

    def document(self) -> dict[str, Any]:
        """Return the figure for JSON: ``measured`` is the median, and ``ratio`` that to the target."""
        measured = statistics.median(self.values) if self.values else None
        return {
            "what": self.what,
            "unit": self.unit,
            "target": self.target,
            "measured": measured,
            "lowest": min(self.values, default=None),
            "highest": max(self.values, default=None),
            "ratio": None if self.target is None or measured is None else measured / self.target,
        }


@dataclasses.dataclass(frozen=True)
class BenchmarkResult:
    """Result of one part.

    :param rounds: everything measured, in order, for JSON.
    """

    figures: Sequence[Figure]
    rounds: Sequence[dict[str, Any]]

    def document(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return {"figures": [figure.document() for figure in self.figures], "rounds": list(self.rounds)}


def format_table(parts: dict[str, Any]) -> str:
    """Return the table as text with aligned columns.

    :param parts: document of each part's result, by name.
    """
    lines = [_HEADINGS, *_rows(parts)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_format_line(line, widths) for line in lines)


def _rows(parts: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (name, figure["what"], figure["unit"], *(_format_number(figure[heading]) for heading in _HEADINGS[3:]))
        for name, part in parts.items()
        for figure in part["figures"]
    ]


def _format_line(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if number < _HEADINGS.index("target") else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _format_number(value: float | None) -> str:
    """Format a number with three significant digits."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3  # noqa: PLR2004
    return f"{value:,.{digits}f}"
