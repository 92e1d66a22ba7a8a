# SPDX-License-Identifier: Apache-2.0
"""Adds up windows that were rated by two sets of rules."""

import dataclasses
from collections import Counter

from distil import model
from distil.db.billed_windows import BilledWindow
from distil.rating.usage_totals import UsageTotals


@dataclasses.dataclass(frozen=True)
class TwiceRatedWindow:
    """A window, rated by both sets of rules."""

    collected: BilledWindow
    before: model.RatedWindow
    after: model.RatedWindow


@dataclasses.dataclass(frozen=True)
class UncomparedWindow:
    """A window that could not be rated by both.

    :param is_gone: whether the telemetry service has fewer samples than the window was billed from; else, a request
        failed.
    """

    collected: BilledWindow
    reason: str
    is_gone: bool


class ComparisonSummary:
    """Adds up windows, without keeping them.

    :ivar totals: of the usage by both sets of rules.
    :ivar compared: number of compared windows.
    :ivar gone: number of windows without all of their samples.
    :ivar failed: number of windows of which a request failed.
    :ivar examples: of those two, by ``is_gone``: the window, and why.
    :ivar rejected_before: number of samples that the first set of rules rejects, by meter.
    :ivar rejected_after: number of samples that the second set of rules rejects, by meter.
    :ivar rejections: by meter, why the second set of rules rejects one of them.
    """

    def __init__(self) -> None:
        self.totals = UsageTotals()
        self.compared = self.gone = self.failed = 0
        self.examples: dict[bool, str] = {}
        self.rejected_before: Counter[str] = Counter()
        self.rejected_after: Counter[str] = Counter()
        self.rejections: dict[str, str] = {}
        self._projects: set[str] = set()

    @property
    def projects(self) -> int:
        """Number of projects of which a window was compared."""
        return len(self._projects)

    def add(self, window: TwiceRatedWindow | UncomparedWindow) -> None:
        """Add a window."""
        collected = window.collected
        if isinstance(window, UncomparedWindow):
            self.gone += window.is_gone
            self.failed += not window.is_gone
            reason = f"project {collected.project_id}, window {collected.window}: {window.reason}"
            self.examples.setdefault(window.is_gone, reason)
            return
        self.compared += 1
        self._projects.add(collected.project_id)
        self.totals.add(collected.project_id, window.before.usage, window.after.usage)
        self.rejected_before.update(sample.meter for sample in window.before.rejected)
        for sample in window.after.rejected:
            self.rejected_after[sample.meter] += 1
            self.rejections.setdefault(sample.meter, sample.reason)
