# SPDX-License-Identifier: Apache-2.0
"""Into how long parts a period is divided, so that an answer is neither refused nor fills the memory."""

import dataclasses
import math

from distil.telemetry.prometheus.selector import Selector

# Samples that an answer is sized for: about 3 MB of JSON.
_TARGET_SAMPLES = 100_000

# Of the first part that is ever asked of a selector, to see how many samples it has. In milliseconds, like all below.
_FIRST_LENGTH = 450_000

# No shorter part is asked for.
MIN_LENGTH = 1000

# Growth factor per success of what was halved after a refusal.
_GROWTH = 1.1


@dataclasses.dataclass
class _Known:
    """:ivar rate: samples per millisecond; None before the first answer.
    :ivar limit: longest part, after a refusal.
    """

    rate: float | None = None
    limit: float = math.inf


class PartLengths:
    """Learns from the answers. Threads share it."""

    def __init__(self, target: int = _TARGET_SAMPLES) -> None:
        self._target = target
        self._known: dict[Selector, _Known] = {}

    def next(self, selector: Selector, remaining: int) -> int:
        """The length of the next part in milliseconds.

        :param remaining: what is left of the period. It is divided evenly.
        """
        known = self._known.get(selector, _Known())
        if known.rate is None:
            longest = min(float(_FIRST_LENGTH), known.limit)
        else:
            longest = min(self._target / known.rate if known.rate else math.inf, known.limit)
        parts = max(1, math.ceil(remaining / max(longest, MIN_LENGTH)))
        return math.ceil(remaining / parts / MIN_LENGTH) * MIN_LENGTH

    def record(self, selector: Selector, length: int, samples: int) -> None:
        """Learn from an answer."""
        known = self._known.setdefault(selector, _Known())
        known.rate = samples / length
        known.limit *= _GROWTH

    def halve(self, selector: Selector, length: int) -> None:
        """Learn from a refusal of a part of this length."""
        self._known.setdefault(selector, _Known()).limit = length / 2
