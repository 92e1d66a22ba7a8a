# SPDX-License-Identifier: Apache-2.0
"""Collects windows again, and replaces what differs."""

import dataclasses
import datetime
import enum
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
import tenacity

from distil import exceptions
from distil import model
from distil.cloud.os_distro import OsDistros
from distil.cloud.os_distro import annotate_os_distro
from distil.cloud.outage import OutageDetector
from distil.collector import recollection_checks
from distil.collector.recollection_rules import RecollectionRules
from distil.collector.recollection_rules import WindowRules
from distil.collector.replay import ReplayedWindow
from distil.collector.replay import Replayer
from distil.collector.replay import Samples
from distil.collector.samples import SampleFetcher
from distil.collector.shutdown import Shutdown
from distil.db import booking
from distil.db import stored_windows
from distil.db.receipt_history import Change
from distil.db.receipts import NewReceipt
from distil.db.store import Store
from distil.db.stored_windows import StoredWindow
from distil.rating.difference import UsageDifference
from distil.rating.difference import find_differences
from distil.telemetry.driver import TelemetryDriver

# As often, a window that others change meanwhile is computed anew.
_MAX_ATTEMPTS = 5


class RecollectResult(enum.StrEnum):
    """What became of a window."""

    RECOLLECTED = "recollected"  # its usage differs, or only its samples, so that its receipt is renewed
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecollectedWindow:
    """What became of a window.

    :param before: its usage until then, and ``after`` that of now; both are empty if it was refused or has failed.
    :param reason: why it was refused or has failed.
    """

    project_id: str
    window: model.Window
    result: RecollectResult
    before: Sequence[model.Usage] = ()
    after: Sequence[model.Usage] = ()
    reason: str = ""

    @property
    def differences(self) -> Sequence[UsageDifference]:
        return find_differences(self.before, self.after)


class RecollectOptions(NamedTuple):
    """What an operator has chosen.

    :param allow_less: also where the telemetry service has fewer samples than were collected.
    :param dry_run: change nothing.
    """

    change: Change
    allow_less: bool
    dry_run: bool


class Recollector:
    """Collects windows again, each in a transaction of its own.

    It takes no leases: that nothing is lost or stored twice does not depend on them.

    :param telemetry: the driver.
    :param collected_by: what the samples are asked from.
    """

    def __init__(
        self,
        *,
        engine: sa.Engine,
        telemetry: TelemetryDriver,
        replayer: Replayer,
        rules: RecollectionRules,
        os_distros: OsDistros,
        collected_by: model.CollectedBy,
        options: RecollectOptions,
    ) -> None:
        self._engine = engine
        self._telemetry = telemetry
        self._replayer = replayer
        self._rules = rules
        self._os_distros = os_distros
        self._collected_by = collected_by
        self._options = options
        self._shutdown = Shutdown()
        self._outages = OutageDetector("telemetry", exceptions.TelemetryError, self._shutdown.event)
        self._fetchers: dict[tuple[str, ...], SampleFetcher] = {}

    def run(self, windows: Iterable[tuple[model.Window, Sequence[str]]]) -> Iterator[RecollectedWindow]:
        """Recollect windows, each with ids of projects; each is yielded after it is stored.

        :raises ServiceError: a service that names are looked up in, or the database, failed. What is stored stays.
        :raises ServiceOutage: the telemetry service answers nothing. What is stored stays.
        """
        for window, project_ids in windows:
            stored = stored_windows.read(self._engine, project_ids, window)
            by_meters: dict[tuple[str, ...], list[tuple[StoredWindow, WindowRules]]] = defaultdict(list)
            for before in stored.values():
                try:
                    recollection_checks.require_same_telemetry(before, self._collected_by)
                    rules = self._rules.choose(before.receipt)
                except (exceptions.Refused, exceptions.NotFound, exceptions.ConfigurationError) as error:
                    yield _failure(before, RecollectResult.REFUSED, error)
                else:
                    by_meters[tuple(rules.rules.meters)].append((before, rules))
            for meters, group in by_meters.items():
                yield from self._recollect_group(meters, window, group)

    def _recollect_group(
        self, meters: tuple[str, ...], window: model.Window, group: Sequence[tuple[StoredWindow, WindowRules]]
    ) -> Iterator[RecollectedWindow]:
        """Recollect a window of projects whose samples are asked for together."""
        fetcher = self._fetcher(meters)
        rest = list(group)
        while rest:
            batch, rest = rest[: fetcher.batch_size], rest[fetcher.batch_size :]
            asked = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            samples = fetcher.fetch_batch([before.project_id for before, _ in batch], [window])
            for before, rules in batch:
                yield self._recollect_reported(before, rules, fetcher, samples, asked)

    def _fetcher(self, meters: tuple[str, ...]) -> SampleFetcher:
        if meters not in self._fetchers:
            self._fetchers[meters] = SampleFetcher(self._telemetry, meters, self._shutdown, self._outages)
        return self._fetchers[meters]

    def _recollect_reported(
        self,
        before: StoredWindow,
        rules: WindowRules,
        fetcher: SampleFetcher,
        fetched: Mapping[str, Sequence[Samples]],
        asked: datetime.datetime,
    ) -> RecollectedWindow:
        try:
            if before.project_id in fetched:
                samples = fetched[before.project_id][0]
            else:
                samples = fetcher.fetch(before.project_id, before.window)
            return self._recollect(before, rules, samples, asked)
        except exceptions.TelemetryError as error:
            return _failure(before, RecollectResult.FAILED, error)
        except (exceptions.Refused, exceptions.WindowChanged) as error:
            return _failure(before, RecollectResult.REFUSED, error)

    def _recollect(
        self, before: StoredWindow, rules: WindowRules, samples: Samples, asked: datetime.datetime
    ) -> RecollectedWindow:
        """Recollect a window, anew if somebody changes it meanwhile."""
        policy = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(exceptions.WindowChanged),
            stop=tenacity.stop_after_attempt(_MAX_ATTEMPTS),
            reraise=True,
        )
        for attempt in policy:
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    before = stored_windows.read(self._engine, [before.project_id], before.window)[before.project_id]
                recollected = self._recollect_once(before, rules, samples, asked)
        return recollected

    def _recollect_once(
        self, before: StoredWindow, rules: WindowRules, samples: Samples, asked: datetime.datetime
    ) -> RecollectedWindow:
        replayed = self._replayer.rate(before.window, samples, rules.rules, rules.names)
        result = RecollectResult.RECOLLECTED
        if recollection_checks.is_equal(before, replayed):
            result = RecollectResult.UNCHANGED
        else:
            if not self._options.allow_less:
                recollection_checks.require_no_less(before, replayed, rules.rules.meters)
            stored_windows.require_changeable(self._engine, before.project_id, before.window)
        if not self._options.dry_run:
            if result is RecollectResult.RECOLLECTED:
                self._commit(before, rules, replayed, asked)
            else:
                booking.settle(self._engine, before.project_id, before.window, asked)
        return RecollectedWindow(
            project_id=before.project_id,
            window=before.window,
            result=result,
            before=before.usage,
            after=replayed.rated.usage,
        )

    def _commit(
        self, before: StoredWindow, rules: WindowRules, replayed: ReplayedWindow, asked: datetime.datetime
    ) -> None:
        rated = replayed.rated
        store = Store(self._engine).project(before.project_id)
        known = store.resource_info([resource.id for resource in rated.resources])
        contents = booking.NewContents(
            usage=rated.usage,
            resources=annotate_os_distro(self._os_distros, rated.instances, known, rated.resources),
            rejected=rated.rejected,
            receipt=NewReceipt(
                replayed.receipt,
                self._rules.store_rules(rules.document),
                self._rules.store_names(replayed.names_document),
            ),
            collector=self._collected_by,
            asked=asked,
        )
        booking.Recollection(self._engine, before, self._options.change, contents).commit()


def _failure(before: StoredWindow, result: RecollectResult, error: Exception) -> RecollectedWindow:
    return RecollectedWindow(project_id=before.project_id, window=before.window, result=result, reason=str(error))
