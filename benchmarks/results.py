# SPDX-License-Identifier: Apache-2.0
"""What was measured, and a table of it."""

import dataclasses
import statistics
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

HEADINGS = ("part", "what", "unit", "target", "measured", "lowest", "highest", "ratio")


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number that was measured, as often as there are values.

    :param target: what it is to be at most; None where there is no such thing.
    """

    what: str
    unit: str
    values: Sequence[float]
    target: float | None = None

    def document(self) -> dict[str, Any]:
        """For JSON.

        ``measured`` is the median; ``ratio`` is that of the target, so that up to 1 is met.
        """
        measured = statistics.median(self.values)
        return {
            "what": self.what,
            "unit": self.unit,
            "target": self.target,
            "measured": measured,
            "lowest": min(self.values),
            "highest": max(self.values),
            "ratio": None if self.target is None else measured / self.target,
        }


@dataclasses.dataclass(frozen=True)
class Result:
    """Of a part.

    :param rounds: all that was counted and measured, in order; for JSON.
    """

    figures: Sequence[Figure]
    rounds: Sequence[dict[str, Any]]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {"figures": [figure.document() for figure in self.figures], "rounds": list(self.rounds)}


def rows(parts: dict[str, Any]) -> list[tuple[str, ...]]:
    """The table's rows as text, without its headings.

    :param parts: name -> document of a result.
    """
    return [
        (name, figure["what"], figure["unit"], *(_number(figure[heading]) for heading in HEADINGS[3:]))
        for name, part in parts.items()
        for figure in part["figures"]
    ]


def table(parts: dict[str, Any]) -> str:
    """The table as lines of equal columns."""
    lines = [HEADINGS, *rows(parts)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if number < HEADINGS.index("target") else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _number(value: float | None) -> str:
    """With three digits that mean something."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3  # noqa: PLR2004
    return f"{value:,.{digits}f}"
