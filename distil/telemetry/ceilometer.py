# SPDX-License-Identifier: Apache-2.0
"""The driver for Ceilometer's v2 API."""

import datetime
import functools
import itertools
import json
import time
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator

from keystoneauth1 import session as ks_session
from oslo_log import log

from distil import model
from distil.telemetry import client
from distil.telemetry import driver
from distil.telemetry import pagination
from distil.telemetry.query import SampleQuery

LOG = log.getLogger(__name__)

# Afterwards complex queries are tried again: they may be refused by a temporary fault of a proxy.
_UNSUPPORTED_SECONDS = 3600.0
_NEWEST_FIRST = json.dumps([{"timestamp": "desc"}])

_ParsedRows = Iterator[model.Sample | model.RejectedSample | None]


class CeilometerDriver(driver.TelemetryDriver):
    """Queries all projects and meters with one request; each of them separately if such requests are not supported.

    :param page_size: limit of a request in samples; Ceilometer itself has no maximum.
    """

    service_type = client.SERVICE_TYPE

    def __init__(
        self, session: ks_session.Session, region_name: str | None, interface: str, page_size: int = 10_000
    ) -> None:
        super().__init__(session, region_name, interface)
        self._client = client.CeilometerClient(session, region_name, interface)
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
                _describe(query, period),
            )

    def meter_presence(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> driver.MeterPresence:
        conditions = [("meter", "eq", meter), ("timestamp", "ge", _naive(start)), ("timestamp", "lt", _naive(end))]
        rows = self._list_samples(conditions, 1, f"meter {meter}, from {_naive(start)} to {_naive(end)}")
        return driver.MeterPresence.PRESENT if rows else driver.MeterPresence.ABSENT

    def _query(self, query: SampleQuery, period: model.Window) -> _ParsedRows:
        if time.monotonic() >= self._complex_queries_unsupported_until:
            rows = self._read(functools.partial(self._complex_query, query), query, period)
            try:
                first = list(itertools.islice(rows, 1))
            except client.RequestUnsupported as error:
                LOG.warning(
                    "Ceilometer refused a query for several projects and meters; querying each of them separately for"
                    " an hour: %s",
                    error,
                )
                self._complex_queries_unsupported_until = time.monotonic() + _UNSUPPORTED_SECONDS
            else:
                yield from first
                yield from rows
                return
        for part in query.split():
            yield from self._read(functools.partial(self._simple_query, part), part, period)

    def _read(self, fetch: pagination.Fetch, query: SampleQuery, period: model.Window) -> _ParsedRows:
        """The rows of all pages, parsed; None for those outside of the query."""
        for page in pagination.pages(fetch, period, self._page_size, _describe(query, period)):
            for row in page.rows:
                yield query.parse_row(row, page.period)

    def _complex_query(self, query: SampleQuery, period: model.Window, limit: int) -> pagination.Rows:
        conditions = [
            {"in": {"project_id": sorted(query.projects)}},
            {"in": {"meter": sorted(query.meters)}},
            {">=": {"timestamp": _naive(period.start)}},
            {"<": {"timestamp": _naive(period.end)}},
        ]
        body = {"filter": json.dumps({"and": conditions}), "orderby": _NEWEST_FIRST, "limit": limit}
        return self._client.list_samples("POST", "/v2/query/samples", _describe(query, period), json=body)

    def _simple_query(self, query: SampleQuery, period: model.Window, limit: int) -> pagination.Rows:
        """Like :meth:`_complex_query`, for one project and one meter."""
        conditions = [
            *(("project_id", "eq", project) for project in query.projects),
            *(("meter", "eq", meter) for meter in query.meters),
            ("timestamp", "ge", _naive(period.start)),
            ("timestamp", "lt", _naive(period.end)),
        ]
        return self._list_samples(conditions, limit, _describe(query, period))

    def _list_samples(
        self, conditions: Iterable[tuple[str, str, str]], limit: int, description: str
    ) -> pagination.Rows:
        fields, operators, values = zip(*conditions, strict=True)
        params = {"q.field": fields, "q.op": operators, "q.value": values, "limit": limit}
        return self._client.list_samples("GET", "/v2/samples", description, params=params)


def _describe(query: SampleQuery, period: model.Window) -> str:
    return f"{query}, from {_naive(period.start)} to {_naive(period.end)}"


def _naive(moment: datetime.datetime) -> str:
    """The notation of Ceilometer's conditions: it silently ignores a time zone and takes all times for UTC."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()
