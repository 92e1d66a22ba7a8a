# SPDX-License-Identifier: Apache-2.0
"""Series of samples, and the few of them that tell as much as all."""

import json
import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

NAME_LABEL = "__name__"
"""The label that holds the name of the metric."""


class Series(NamedTuple):
    """Samples with the same labels.

    :ivar times: in milliseconds since the epoch, ascending.
    :ivar values: as many.
    """

    labels: Mapping[str, str]
    times: Sequence[int]
    values: Sequence[float]

    def within(self, start: int, end: int) -> "Series":
        """The samples at times in [start, end)."""
        kept = [index for index, time in enumerate(self.times) if start <= time < end]
        return self._replace(times=[self.times[index] for index in kept], values=[self.values[index] for index in kept])

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The labels, as a key of a dict."""
        return tuple(sorted(self.labels.items()))


def format_labels(labels: Mapping[str, str]) -> str:
    """In the notation of PromQL: ``up{job="exporter"}``."""
    others = ", ".join(f"{name}={json.dumps(labels[name])}" for name in sorted(labels) if name != NAME_LABEL)
    return f"{labels.get(NAME_LABEL, '')}{{{others}}}"


def join(parts: Iterable[Series]) -> list[Series]:
    """One series for each set of labels.

    :param parts: parts of series, in the order of time.
    """
    joined: dict[tuple[tuple[str, str], ...], Series] = {}
    for part in parts:
        known = joined.setdefault(part.key, Series(part.labels, [], []))
        joined[part.key] = Series(part.labels, [*known.times, *part.times], [*known.values, *part.values])
    return list(joined.values())


def thin(times: Sequence[int], values: Sequence[object], max_gap: float = math.inf) -> list[int]:
    """The indexes of the samples that tell as much as all: of each run of equal values the first and the last.

    :param values: numbers, or their texts.
    :param max_gap: in the unit of the times. Where samples follow each other within it, those that are kept do so, too:
        what is missing for longer stays missing, and what is not does not seem to be.
    """
    kept: list[int] = []
    last = len(times) - 1
    for index, value in enumerate(values):
        is_inner = 0 < index < last and is_same(values[index - 1], value) and is_same(value, values[index + 1])
        if not is_inner or times[index + 1] - times[kept[-1]] > max_gap:
            kept.append(index)
    return kept


def is_same(one: object, other: object) -> bool:
    """Whether values are equal, or both NaN."""
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN
