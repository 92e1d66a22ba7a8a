# SPDX-License-Identifier: Apache-2.0
"""A bar for each run."""

import dataclasses
from collections.abc import Callable
from collections.abc import Sequence

from distil.exporter.text import format_timestamp
from distil.monitoring.history import RunResult

HEIGHT = 100.0
# Bars of a few runs are no wider than those of so many.
MIN_BARS = 24
# What still shows that there was a run.
MIN_BAR_HEIGHT = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """One run.

    :param x: bars are a unit of length apart; the newest is at the right.
    :param title: what it says to who points at it.
    """

    x: int
    y: float
    height: float
    outcome: str
    title: str


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one quantity.

    :param most: the highest, in words.
    """

    title: str
    peak: str
    width: int
    bars: Sequence[Bar]


def chart(
    title: str, runs: Sequence[RunResult], value: Callable[[RunResult], float], words: Callable[[RunResult], str]
) -> Chart:
    """A chart of runs.

    :param runs: newest first, and at least one.
    :param value: what is shown of a run.
    :param words: the same, to be read.
    """
    width = max(len(runs), MIN_BARS)
    highest = max(runs, key=value)
    scale = HEIGHT / (value(highest) or 1)
    bars = [
        _bar(
            run, width - 1 - number, value(run) * scale, f"{format_timestamp(run.started)}: {words(run)}, {run.outcome}"
        )
        for number, run in enumerate(runs)
    ]
    return Chart(title, words(highest), width, bars)


def _bar(run: RunResult, x: int, height: float, title: str) -> Bar:
    height = max(height, MIN_BAR_HEIGHT)
    return Bar(x, HEIGHT - height, height, str(run.outcome), title)
