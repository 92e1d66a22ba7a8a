# SPDX-License-Identifier: Apache-2.0
"""Rates collected windows by two sets of rules, from the same samples and with the same names. Stores nothing."""

from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil.collector.comparison_summary import ComparisonSummary
from distil.collector.comparison_summary import TwiceRatedWindow
from distil.collector.comparison_summary import UncomparedWindow
from distil.collector.samples import SampleFetcher
from distil.db.billed_windows import BilledWindow
from distil.db.documents import Documents
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups
from distil.transformers.lookups import recorded_lookups

_Samples = Sequence[model.Sample | model.RejectedSample]


class RulesComparer:
    """Compares the rules that are in force with new ones.

    :param fetcher: of the samples of all meters of both sets of rules.
    :param lookups: answers for names that were not recorded.
    """

    def __init__(
        self, *, fetcher: SampleFetcher, documents: Documents, lookups: Lookups, before: RatingRules, after: RatingRules
    ) -> None:
        self._fetcher = fetcher
        self._documents = documents
        self._lookups = lookups
        self._before = before
        self._after = after

    def summarize(self, groups: Iterable[Sequence[BilledWindow]], on_window: Callable[[], None]) -> ComparisonSummary:
        """Compare windows and add them up.

        :param groups: each has the same window of several projects, so that one request covers it.
        :param on_window: called after each window.
        :raises ServiceOutage: the telemetry service answers nothing.
        :raises NotFound: the names that a window was rated with are missing.
        :raises StoreError: the database failed.
        """
        summary = ComparisonSummary()
        for group in groups:
            for window in self._compare_group(group):
                summary.add(window)
                on_window()
        return summary

    def _compare_group(self, windows: Sequence[BilledWindow]) -> Iterator[TwiceRatedWindow | UncomparedWindow]:
        while windows:
            size = self._fetcher.batch_size
            batch, windows = windows[:size], windows[size:]
            fetched = self._fetcher.fetch_batch([collected.project_id for collected in batch], [batch[0].window])
            names = self._documents.load({collected.receipt.names for collected in batch if collected.receipt})
            for collected in batch:
                lookups = self._lookups
                if collected.receipt:
                    lookups = recorded_lookups(names[collected.receipt.names].body, lookups)
                (samples,) = fetched.get(collected.project_id, (None,))
                try:
                    yield self._compare(collected, samples, lookups)
                except exceptions.ServiceError as error:
                    yield UncomparedWindow(collected, str(error), is_gone=False)

    def _compare(
        self, collected: BilledWindow, samples: _Samples | None, lookups: Lookups
    ) -> TwiceRatedWindow | UncomparedWindow:
        if samples is None:
            samples = self._fetcher.fetch(collected.project_id, collected.window)
        missing = self._missing(collected, samples)
        if missing:
            return UncomparedWindow(collected, missing, is_gone=True)
        names = RecordingLookups(lookups)
        before = _rate(self._before, collected.window, samples, names.lookups)
        # The second rating must not get other answers than the first.
        after = _rate(self._after, collected.window, samples, recorded_lookups(names.document, lookups))
        return TwiceRatedWindow(collected, before, after)

    def _missing(self, collected: BilledWindow, samples: _Samples) -> str:
        """Which samples the telemetry service does not have any more; empty if it has all."""
        if collected.receipt is None:
            return "" if samples else "the telemetry service has no samples of it"
        asked = {*self._before.meters, *self._after.meters}
        found = Counter(sample.meter for sample in samples)
        for meter, count in collected.receipt.contents.meters.items():
            if meter in asked and found[meter] < count.samples:
                return f"the telemetry service has {found[meter]} of the {count.samples} samples of {meter}"
        return ""


def _rate(rules: RatingRules, window: model.Window, samples: _Samples, lookups: Lookups) -> model.RatedWindow:
    """Rate by the samples that a collector with these rules would ask for."""
    meters = set(rules.meters)
    return rate(rules, (sample for sample in samples if sample.meter in meters), window, lookups)
