# SPDX-License-Identifier: Apache-2.0
"""Compares stored usage with what the same rules and names make of another telemetry driver's samples."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil.collector.database_parity import WindowPair
from distil.collector.samples import SampleFetcher
from distil.db.billed_windows import BilledWindow
from distil.db.documents import Documents
from distil.db.receipts import StoredReceipt
from distil.db.usage_source import UsageSource
from distil.rating.parity import Precision
from distil.rating.parity import compare_window
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.telemetry.driver import TelemetryDriver
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import recorded_lookups


class DriverParity:
    """Compares windows that have a receipt.

    :param fetcher: of the driver's samples, of the meters of all rules.
    :param rules: that the windows were rated by, by id of their document.
    :param lookups: answers for names that were not recorded.
    :ivar unrecorded: number of windows without a receipt, which are left out: it is not known how they were rated.
    :ivar failed: number of windows of which a request failed.
    :ivar failure: the first of those, and why.
    :ivar rejected: number of the driver's samples that were rejected.
    """

    def __init__(
        self,
        *,
        telemetry: TelemetryDriver,
        fetcher: SampleFetcher,
        rules: Mapping[int, RatingRules],
        documents: Documents,
        lookups: Lookups,
        stored: UsageSource,
        precision: Precision,
    ) -> None:
        self._telemetry = telemetry
        self._fetcher = fetcher
        self._rules = rules
        self._documents = documents
        self._lookups = lookups
        self._stored = stored
        self._precision = precision
        self.unrecorded = self.failed = self.rejected = 0
        self.failure = ""

    def compare(self, groups: Iterable[Sequence[BilledWindow]], on_window: Callable[[], None]) -> Iterator[WindowPair]:
        """Compare windows.

        :param groups: each has the same window of several projects, so that one request covers it.
        :param on_window: called after each window.
        :raises ServiceOutage: the telemetry service answers nothing.
        :raises NotFound: the names that a window was rated with are missing.
        :raises StoreError: the database failed.
        """
        for group in groups:
            receipts = [billed.receipt for billed in group if billed.receipt]
            self.unrecorded += len(group) - len(receipts)
            while receipts:
                size = self._fetcher.batch_size
                batch, receipts = receipts[:size], receipts[size:]
                yield from self._compare_batch(batch, on_window)

    def _compare_batch(self, receipts: Sequence[StoredReceipt], on_window: Callable[[], None]) -> Iterator[WindowPair]:
        window, project_ids = receipts[0].window, [receipt.project_id for receipt in receipts]
        fetched = self._fetcher.fetch_batch(project_ids, [window])
        stored = self._stored.of_window(project_ids, window)
        names = self._documents.load({receipt.names for receipt in receipts})
        for receipt in receipts:
            try:
                (samples,) = fetched.get(receipt.project_id, (None,))
                if samples is None:
                    samples = self._fetcher.fetch(receipt.project_id, window)
                there = self._rate(receipt, samples, names[receipt.names].body)
            except exceptions.ServiceError as error:
                self.failed += 1
                self.failure = self.failure or f"project {receipt.project_id}, window {window}: {error}"
            else:
                self.rejected += len(there.rejected)
                pairs = compare_window(stored[receipt.project_id], there.usage, self._precision)
                yield WindowPair(receipt.project_id, window, pairs)
            on_window()

    def _rate(
        self, receipt: StoredReceipt, samples: Sequence[model.Sample | model.RejectedSample], names: str
    ) -> model.RatedWindow:
        rules = self._rules[receipt.rules]
        if self._telemetry.source is not None:
            # The rules trust the sources of the driver that they were made for. This one's samples have one source,
            # which the operator has configured.
            rules = RatingRules(rules.mappings)
        meters = set(rules.meters)
        used = (sample for sample in samples if sample.meter in meters)
        return rate(rules, used, receipt.window, recorded_lookups(names, self._lookups))
