# SPDX-License-Identifier: Apache-2.0
"""The driver for Ceilometer's v2 API."""

import datetime
import functools
import itertools
import json
import time
from collections.abc import Callable
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

# Seconds. A refusal may be a passing trouble of whatever stands before the service.
UNSUPPORTED_FOR_SECONDS = 3600.0
_NEWEST_FIRST = json.dumps([{"timestamp": "desc"}])

Answer = Iterator[model.Sample | model.RejectedSample | None]


class CeilometerDriver(driver.TelemetryDriver):
    """Asks for all projects and meters in one request, or for each of them alone where that is refused.

    :param page_size: limit of a request, in samples; Ceilometer itself has no upper bound for it.
    """

    service_type = client.SERVICE_TYPE

    def __init__(
        self, session: ks_session.Session, region_name: str | None, interface: str, page_size: int = 10_000
    ) -> None:
        super().__init__(session, region_name, interface)
        self._transport = client.CeilometerClient(session, region_name, interface)
        self._page_size = page_size
        self._queries_are_refused_until = 0.0

    def samples(
        self,
        projects: Collection[str],
        meters: Collection[str],
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> Iterator[model.Sample | model.RejectedSample]:
        if not projects or not meters:
            return
        question = SampleQuery(frozenset(projects), frozenset(meters))
        period = model.Window(start, end)
        outside = 0
        for sample in self._answer(question, period):
            if sample is None:
                outside += 1
            else:
                yield sample
        if outside:
            LOG.warning(
                "Ceilometer answered with %d samples outside the question: %s", outside, _about(question, period)
            )

    def has_samples(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> bool:
        conditions = [("meter", "eq", meter), ("timestamp", "ge", _naive(start)), ("timestamp", "lt", _naive(end))]
        return bool(self._simple_query(conditions, 1, f"meter {meter}, from {_naive(start)} to {_naive(end)}"))

    def _answer(self, question: SampleQuery, period: model.Window) -> Answer:
        if time.monotonic() >= self._queries_are_refused_until:
            answer = self._read(self._query, question, period)
            try:
                first = list(itertools.islice(answer, 1))
            except client.RequestUnsupported as refusal:
                LOG.warning("Every project and meter is asked for alone for an hour: %s", refusal)
                self._queries_are_refused_until = time.monotonic() + UNSUPPORTED_FOR_SECONDS
            else:
                yield from first
                yield from answer
                return
        for part in question.split():
            yield from self._read(self._list, part, period)

    def _read(
        self,
        ask: Callable[[SampleQuery, model.Window, int], pagination.Rows],
        question: SampleQuery,
        period: model.Window,
    ) -> Answer:
        about = _about(question, period)
        for part, rows in pagination.pages(functools.partial(ask, question), period, self._page_size, about):
            for row in rows:
                yield question.parse_row(row, part)

    def _query(self, question: SampleQuery, period: model.Window, limit: int) -> pagination.Rows:
        conditions = [
            {"in": {"project_id": sorted(question.projects)}},
            {"in": {"meter": sorted(question.meters)}},
            {">=": {"timestamp": _naive(period.start)}},
            {"<": {"timestamp": _naive(period.end)}},
        ]
        query = {"filter": json.dumps({"and": conditions}), "orderby": _NEWEST_FIRST, "limit": limit}
        return self._transport.list_samples("POST", "/v2/query/samples", _about(question, period), json=query)

    def _list(self, question: SampleQuery, period: model.Window, limit: int) -> pagination.Rows:
        """What :meth:`_query` asks for, of one project and one meter."""
        conditions = [
            *(("project_id", "eq", project) for project in question.projects),
            *(("meter", "eq", meter) for meter in question.meters),
            ("timestamp", "ge", _naive(period.start)),
            ("timestamp", "lt", _naive(period.end)),
        ]
        return self._simple_query(conditions, limit, _about(question, period))

    def _simple_query(self, conditions: Iterable[tuple[str, str, str]], limit: int, about: str) -> pagination.Rows:
        fields, operators, values = zip(*conditions, strict=True)
        parameters = {"q.field": fields, "q.op": operators, "q.value": values, "limit": limit}
        return self._transport.list_samples("GET", "/v2/samples", about, params=parameters)


def _about(question: SampleQuery, period: model.Window) -> str:
    return f"{question}, from {_naive(period.start)} to {_naive(period.end)}"


def _naive(moment: datetime.datetime) -> str:
    """As Ceilometer's conditions need it: it drops a zone without a word, and takes all times for UTC."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()
