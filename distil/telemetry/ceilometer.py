# SPDX-License-Identifier: Apache-2.0
"""The driver for Ceilometer's v2 API."""

import datetime
import functools
import itertools
import time
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from keystoneauth1 import session as ks_session
from oslo_log import log

from distil import exceptions
from distil import model
from distil import text
from distil.telemetry import client
from distil.telemetry import driver
from distil.telemetry import pagination
from distil.telemetry import sample_request
from distil.telemetry import statistics
from distil.telemetry.query import SampleQuery
from distil.telemetry.sample_request import SampleRequest
from distil.text import pluralize

LOG = log.getLogger(__name__)

# Afterwards complex queries are tried again: they may be refused by a temporary fault of a proxy.
_UNSUPPORTED_SECONDS = 300.0

# A question that concerns no project.
_NOBODY = 32 * "0"
_NOTHING = "none"
_LONG_AGO = model.Window(
    datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2000, 1, 1, 1, tzinfo=datetime.UTC)
)

# That a check reads of a meter.
_CHECKED_SAMPLES = 100

# By then the samples of a time have been recorded, for the most part.
_SETTLED = datetime.timedelta(hours=6)

_ParsedRows = Iterator[model.Sample | model.RejectedSample | None]


class CeilometerDriver(driver.TelemetryDriver):
    """Queries all projects and meters with one request; each of them separately if such requests are not supported.

    :param page_size: limit of a request in samples; Ceilometer itself has no maximum.
    """

    service_type = client.SERVICE_TYPE
    guarantees = frozenset(driver.Guarantee) - {driver.Guarantee.WHOLENESS}

    def __init__(
        self, session: ks_session.Session, region_name: str | None, interface: str, page_size: int = 10_000
    ) -> None:
        super().__init__(session, region_name, interface)
        ceilometer = client.CeilometerClient(session, region_name, interface)
        self._complex_request = sample_request.ComplexRequest(ceilometer)
        self._simple_request = sample_request.SimpleRequest(ceilometer)
        self._statistics = statistics.StatisticsReader(ceilometer)
        self._page_size = page_size
        self._complex_queries_unsupported_until = 0.0

    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        if not projects or not meters:
            return
        query = SampleQuery(frozenset(projects), frozenset(meters))
        period = model.Window(start, end)
        ignored = 0
        for sample in self._query(query, period):
            if sample is None:
                ignored += 1
            else:
                yield sample
        if ignored:
            LOG.warning(
                "Ceilometer returned %d samples outside of the query, which are ignored: %s",
                ignored,
                sample_request.describe(query, period),
            )

    def require_answer(self) -> None:
        # Whether the answer is whole does not matter. To find out, samples of any project would be requested, and one
        # of them may be what makes the service fail.
        query, period = SampleQuery(frozenset((_NOBODY,)), frozenset((_NOTHING,))), _LONG_AGO
        try:
            self._complex_request.fetch(query, period, 1)
        except client.RequestUnsupported:
            self._simple_request.fetch(query, period, 1)

    def counts(
        self,
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
        length: datetime.timedelta,
    ) -> Iterator[driver.SampleCount]:
        for meter in sorted(set(meters)):
            yield from self._statistics.counts(meter, model.Window(start, end), length)

    def report(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> driver.MeterReport:
        rows = [row for row in self._newest(meter, start, end, _CHECKED_SAMPLES) if isinstance(row, dict)]
        if not rows:
            return driver.MeterReport(driver.MeterPresence.ABSENT)
        sources = {source for row in rows if isinstance(source := row.get("source"), str)}
        # The newest samples are those that came early; others of the same time may be still to come.
        settled = self._newest(meter, start, max(start, end - _SETTLED), _CHECKED_SAMPLES)
        return driver.MeterReport(
            driver.MeterPresence.PRESENT, sources=sources, example=rows[0], recordings=_recordings([*rows, *settled])
        )

    def _newest(self, meter: str, start: datetime.datetime, end: datetime.datetime, limit: int) -> Collection[object]:
        query = SampleQuery(frozenset(), frozenset((meter,)))
        return self._simple_request.fetch(query, model.Window(start, end), limit)

    def _query(self, query: SampleQuery, period: model.Window) -> _ParsedRows:
        if time.monotonic() >= self._complex_queries_unsupported_until:
            rows = self._read(self._complex_request, query, period)
            try:
                first = list(itertools.islice(rows, 1))
            except client.RequestUnsupported as error:
                LOG.warning(
                    "Ceilometer refused a query for several projects and meters; querying each of them separately for"
                    " five minutes: %s",
                    error,
                )
                self._complex_queries_unsupported_until = time.monotonic() + _UNSUPPORTED_SECONDS
            else:
                yield from first
                yield from rows
                return
        for part in query.split():
            yield from self._read(self._simple_request, part, period)

    def _read(self, request: SampleRequest, query: SampleQuery, period: model.Window) -> _ParsedRows:
        """The rows of all pages, parsed; None for those outside of the query."""
        fetch = functools.partial(request.fetch, query)
        description = sample_request.describe(query, period)
        paginator = pagination.Paginator(fetch, request.fetch_newest, request.capacity, self._page_size, description)
        try:
            for page in paginator.pages(period):
                is_answer = not page.rows
                for row in page.rows:
                    sample = query.parse_row(row, page.period)
                    is_answer = is_answer or sample is not None
                    yield sample
                if not is_answer:
                    raise exceptions.TelemetryError(
                        f"{description}: none of the {pluralize(len(page.rows), 'sample')} in a response was requested;"
                        " is it a cache's response to another request, or is a meter configured in another case?"
                    )
        except pagination.UnprovenResponse as error:
            # Half the projects or meters have fewer samples of one time.
            halves = query.halves()
            if not halves:
                raise
            for half in halves:
                yield from self._read(request, half, error.period)


def _recordings(rows: Iterable[object]) -> Sequence[driver.Recording]:
    """Of those rows that have two valid times, each once."""
    recordings: dict[object, driver.Recording] = {}
    for row in rows:
        if isinstance(row, dict):
            try:
                times = (model.parse_time(row.get("timestamp")), model.parse_time(row.get("recorded_at")))
            except ValueError:
                continue
            recordings[text.canonical_json(row)] = driver.Recording(*times)
    return list(recordings.values())
