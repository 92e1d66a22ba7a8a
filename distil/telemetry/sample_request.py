# SPDX-License-Identifier: Apache-2.0
"""The two kinds of request to Ceilometer that return samples."""

import abc
import datetime
import json
from collections.abc import Iterable

from distil import model
from distil.telemetry.capacity import Capacity
from distil.telemetry.client import CeilometerClient
from distil.telemetry.pagination import Rows
from distil.telemetry.query import SampleQuery

_NEWEST_FIRST = json.dumps([{"timestamp": "desc"}])

_Condition = tuple[str, str, str]


class SampleRequest(abc.ABC):
    """A kind of request, each with a capacity of its own: a gateway may cap their responses differently."""

    def __init__(self, client: CeilometerClient) -> None:
        self._client = client
        self.capacity = Capacity()

    @abc.abstractmethod
    def fetch(self, query: SampleQuery, period: model.Window, limit: int) -> Rows:
        """The newest samples of a query in a period.

        :raises TelemetryError: the service gave no usable answer.
        """

    @abc.abstractmethod
    def fetch_newest(self, start: datetime.datetime, limit: int) -> Rows:
        """The newest samples of any project and meter since ``start``.

        :raises TelemetryError: the service gave no usable answer.
        """


class ComplexRequest(SampleRequest):
    """A request for any number of projects and meters."""

    def fetch(self, query: SampleQuery, period: model.Window, limit: int) -> Rows:
        conditions = [
            {"in": {"project_id": sorted(query.projects)}},
            {"in": {"meter": sorted(query.meters)}},
            {">=": {"timestamp": naive(period.start)}},
            {"<": {"timestamp": naive(period.end)}},
        ]
        return self._post({"and": conditions}, limit, describe(query, period))

    def fetch_newest(self, start: datetime.datetime, limit: int) -> Rows:
        return self._post({">=": {"timestamp": naive(start)}}, limit, _describe_newest(start))

    def _post(self, condition: object, limit: int, description: str) -> Rows:
        body = {"filter": json.dumps(condition), "orderby": _NEWEST_FIRST, "limit": limit}
        return self._client.list_samples("POST", "/v2/query/samples", description, json=body)


class SimpleRequest(SampleRequest):
    """A request for one meter of one project, or of all if the query has none."""

    def fetch(self, query: SampleQuery, period: model.Window, limit: int) -> Rows:
        conditions = [
            *(("project_id", "eq", project) for project in query.projects),
            *(("meter", "eq", meter) for meter in query.meters),
            ("timestamp", "ge", naive(period.start)),
            ("timestamp", "lt", naive(period.end)),
        ]
        return self._get(conditions, limit, describe(query, period))

    def fetch_newest(self, start: datetime.datetime, limit: int) -> Rows:
        return self._get([("timestamp", "ge", naive(start))], limit, _describe_newest(start))

    def _get(self, conditions: Iterable[_Condition], limit: int, description: str) -> Rows:
        fields, operators, values = zip(*conditions, strict=True)
        params = {"q.field": fields, "q.op": operators, "q.value": values, "limit": limit}
        return self._client.list_samples("GET", "/v2/samples", description, params=params)


def describe(query: SampleQuery, period: model.Window) -> str:
    return f"{query}, from {naive(period.start)} to {naive(period.end)}"


def naive(moment: datetime.datetime) -> str:
    """The notation of Ceilometer's conditions: it silently ignores a time zone and takes all times for UTC."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()


def _describe_newest(start: datetime.datetime) -> str:
    return f"all projects and meters, from {naive(start)}"
