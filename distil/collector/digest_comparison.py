# SPDX-License-Identifier: Apache-2.0
"""Compares windows by their samples, which are asked for again."""

import itertools
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from distil import model
from distil.cloud import request_observer
from distil.collector.comparison import ComparedWindow
from distil.collector.comparison import RecordedMeters
from distil.collector.comparison import judge
from distil.collector.shutdown import Shutdown
from distil.db.collected_windows import CollectedWindows
from distil.db.receipts import StoredReceipt
from distil.db.rechecks import RecheckMethod
from distil.rating.receipt import SamplesSummary
from distil.rating.receipt import summarize_samples
from distil.telemetry.driver import TelemetryDriver

# Of one window, that are asked for together. A response of many more projects may be too large for memory.
_PROJECTS_PER_REQUEST = 20

_Sample = model.Sample | model.RejectedSample


class _HeldWindow(NamedTuple):
    receipt: StoredReceipt
    held: Mapping[str, int]
    is_other: bool


class DigestComparison:
    """Compares the digests of samples. Projects that no run has seen are not found."""

    method = RecheckMethod.DIGESTS

    def __init__(
        self,
        *,
        telemetry: TelemetryDriver,
        windows: CollectedWindows,
        recorded_meters: RecordedMeters,
        shutdown: Shutdown,
    ) -> None:
        self._telemetry = telemetry
        self._windows = windows
        self._recorded_meters = recorded_meters
        self._shutdown = shutdown

    def compare(self, period: model.Window) -> Iterator[ComparedWindow]:
        recorded = self._windows.recorded(period)
        by_rules = self._recorded_meters.load({window.rules for window in recorded})
        meters = sorted({name for window in recorded for name in by_rules[window.rules]})
        for window in sorted({window.window for window in recorded}):
            compared = list(self._held(window, meters, by_rules))
            is_held = any(sum(item.held.values()) for item in compared)
            yield from (judge(item.receipt, item.held, is_held, item.is_other) for item in compared)

    def _held(
        self, window: model.Window, meters: Sequence[str], by_rules: Mapping[int, frozenset[str]]
    ) -> Iterator[_HeldWindow]:
        receipts = (receipt for receipt in self._windows.receipts([window.start]) if receipt.window == window)
        while batch := list(itertools.islice(receipts, _PROJECTS_PER_REQUEST)):
            samples = self._samples([receipt.project_id for receipt in batch], meters, window)
            for receipt in batch:
                rules = by_rules[receipt.rules]
                asked = (sample for sample in samples[receipt.project_id] if sample.meter in rules or not sample.meter)
                summary = summarize_samples(asked)
                is_other = summary.digest != receipt.contents.samples_digest
                yield _HeldWindow(receipt, _counts(summary, rules), is_other)

    def _samples(
        self, project_ids: Sequence[str], meters: Collection[str], window: model.Window
    ) -> Mapping[str, Sequence[_Sample]]:
        """The samples by project."""
        self._shutdown.heartbeat()
        self._shutdown.raise_if_requested()
        with request_observer.attribute_requests_to(self._telemetry.service_type):
            found = list(self._telemetry.samples(project_ids, meters, window.start, window.end))
        if len(project_ids) > 1 and any(not sample.project_id or not sample.meter for sample in found):
            # A rejected sample does not tell where it belongs, unless a single project is asked for.
            return {project_id: self._samples([project_id], meters, window)[project_id] for project_id in project_ids}
        return _by_project(found)


def _by_project(samples: Iterable[_Sample]) -> Mapping[str, Sequence[_Sample]]:
    found: defaultdict[str, list[_Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.project_id].append(sample)
    return found


def _counts(summary: SamplesSummary, meters: Iterable[str]) -> Mapping[str, int]:
    return {name: summary.meters[name].samples if name in summary.meters else 0 for name in meters}
