# SPDX-License-Identifier: Apache-2.0
"""Sends requests to Gnocchi's API, and validates the form of the responses."""

import urllib.parse
from collections.abc import Mapping
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from typing import NamedTuple

from keystoneauth1 import adapter
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import model
from distil.telemetry import http_client
from distil.telemetry.gnocchi.request_size import RequestSize
from distil.telemetry.http_client import StatusError
from distil.telemetry.http_client import show_value

SERVICE_TYPE = "metric"

# Gnocchi's own limit, by default. It cuts off what is beyond its limit without a word.
_PAGE_ROWS = 1000


class Backlog(NamedTuple):
    """Measures that have been posted, but are not processed.

    :param pending: number of posts by metric id.
    :param processors: how many processes of metricd there are; None: unknown.
    """

    pending: Mapping[str, int]
    processors: int | None


class GnocchiClient:
    """Asks Gnocchi. Threads share it.

    :param creators: of the resources that it finds; empty: all.
    """

    def __init__(
        self, session: ks_session.Session, region_name: str | None, interface: str, creators: Sequence[str] = ()
    ) -> None:
        gnocchi = adapter.Adapter(
            session=session, service_type=SERVICE_TYPE, region_name=region_name, interface=interface
        )
        self._client = http_client.JSONClient(gnocchi, SERVICE_TYPE)
        self._page_size = RequestSize(_PAGE_ROWS)
        self._by_creators = {"in": {"creator": list(creators)}} if creators else None

    def session_project_id(self) -> str | None:
        """The id of the project that the token is scoped to; None for one without project.

        :raises TelemetryError: there is no token.
        """
        return self._client.session_project_id()

    def search_history(
        self, resource_type: str, condition: Any, description: str, attributes: Sequence[str]
    ) -> list[Any]:
        """Revisions that meet a condition, by id of the resource and start: as many as Gnocchi answers at once.

        :param condition: Gnocchi's filter.
        :param attributes: of the rows.
        :raises StatusError: it is refused, as for a type that does not exist (404).
        :raises TelemetryError: there is no usable answer.
        """
        params = {"history": "true", "sort": ["id:asc", "revision_start:asc"], "attrs": attributes}
        while True:
            limit = self._page_size.value
            try:
                rows = self._search(resource_type, self._created(condition), description, params | {"limit": limit})
            except exceptions.TelemetryError as error:
                self._page_size.shrink(limit, error)
            else:
                self._page_size.grow()
                return rows

    def has_resource(self, condition: Any, description: str) -> bool:
        """Whether a resource of any type, which meets a condition, is visible to this user.

        :param condition: Gnocchi's filter.
        :raises TelemetryError: there is no usable answer.
        """
        return self._has(self._created(condition), description)

    def has_resource_of_other_creator(self) -> bool:
        """Whether there is a resource that is not found, because somebody else has created it.

        :raises TelemetryError: there is no usable answer.
        """
        return self._by_creators is not None and self._has({"not": self._by_creators}, "of other creators")

    def _created(self, condition: Any) -> Any:
        if self._by_creators is None:
            return condition
        return {"and": [self._by_creators, condition]} if condition else self._by_creators

    def _has(self, condition: Any, description: str) -> bool:
        # By id, which has an index: without it, all of the resources are sorted by their times.
        params = {"limit": 1, "attrs": "id", "sort": "id:asc"}
        return bool(self._search("generic", condition, description, params))

    def _search(self, resource_type: str, condition: Any, description: str, params: Mapping[str, Any]) -> list[Any]:
        path = f"/v1/search/resource/{urllib.parse.quote(resource_type, safe='')}"
        rows = self._client.request("POST", path, description, json=condition, params=params)
        return list(self._require(rows, list, f"POST {path} ({description})"))

    def aggregates(
        self, series: Sequence[tuple[str, str]], period: model.Window, granularity: int, *, details: bool
    ) -> Mapping[str, Any]:
        """The aggregates of a period.

        :param series: ids of metrics, with the aggregation.
        :param details: whether the metrics are described, too.
        :raises StatusError: Gnocchi refuses it, as for a metric without such an aggregation (404).
        :raises TelemetryError: there is no usable answer.
        """
        params: dict[str, Any] = {
            "start": period.start.isoformat(),
            "stop": period.end.isoformat(),
            "granularity": granularity,
        }
        if details:
            params["details"] = "true"
        body = {"operations": ["metric", *(list(reference) for reference in series)]}
        description = f"{len(series)} series in {period}"
        answer = self._client.request("POST", "/v1/aggregates", description, json=body, params=params)
        request = f"POST /v1/aggregates ({description})"
        self._require(self._require(answer, dict, request).get("measures"), dict, request, "measures")
        if details:
            self._require(answer.get("references"), list, request, "references")
        return dict(answer)

    def metric(self, metric_id: str) -> Mapping[str, Any]:
        """A metric's description.

        :raises StatusError: it is refused; 404: there is no such metric.
        :raises TelemetryError: there is no usable answer.
        """
        path = f"/v1/metric/{urllib.parse.quote(metric_id, safe='')}"
        return dict(self._require(self._client.request("GET", path, "its archive policy"), dict, f"GET {path}"))

    def metrics(self, name: str, after: str | None) -> list[Mapping[str, Any]]:
        """The descriptions of the metrics of a name, by id: as many as Gnocchi answers at once.

        There are none for a user who may not list metrics, as one with the role service.

        :param after: the last id of the page before.
        :raises TelemetryError: there is no usable answer.
        """
        params = {"name": name, "limit": _PAGE_ROWS, "sort": "id:asc"} | ({"marker": after} if after else {})
        request, last = "GET /v1/metric", after or ""
        rows = self._require(self._client.request("GET", "/v1/metric", name, params=params), list, request)
        for row in rows:
            metric_id = self._require(self._require(row, dict, request).get("id"), str, request, "id")
            if metric_id <= last:
                reason = f"the metrics are not sorted: {metric_id} follows {last}"
                raise exceptions.TelemetryError(reason, request=f"{SERVICE_TYPE} {request}")
            last = metric_id
        return list(rows)

    def backlog(self) -> Backlog | None:
        """What is not processed yet; None if this user may not ask.

        :raises TelemetryError: there is no usable answer.
        """
        try:
            answer = self._client.request("GET", "/v1/status", "unprocessed measures", params={"details": "true"})
        except StatusError as error:
            if error.status == HTTPStatus.FORBIDDEN:
                return None
            if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                # Gnocchi's answer until metricd has joined its coordination group for the first time.
                reason = f"{error.reason}; has gnocchi-metricd ever been started?"
                raise exceptions.TelemetryError(reason, request=f"{SERVICE_TYPE} GET /v1/status") from error
            raise
        request = "GET /v1/status"
        storage = self._require(self._require(answer, dict, request).get("storage"), dict, request, "storage")
        pending = self._require(storage.get("measures_to_process"), dict, request, "measures_to_process")
        for count in pending.values():
            self._require(count, int, request, "a value of measures_to_process")
        metricd = answer.get("metricd")
        processors = metricd.get("processors") if isinstance(metricd, dict) else None
        return Backlog(pending, len(processors) if isinstance(processors, list) else None)

    def resource_type_attributes(self) -> Mapping[str, frozenset[str]]:
        """The names of the resource types, with the names of their own attributes.

        :raises TelemetryError: there is no usable answer.
        """
        request = "GET /v1/resource_type"
        types = {}
        for row in self._require(self._client.request("GET", "/v1/resource_type", "all"), list, request):
            attributes = self._require(self._require(row, dict, request).get("attributes"), dict, request, "attributes")
            types[self._require(row.get("name"), str, request, "name")] = frozenset(attributes)
        return types

    def _require(self, value: Any, expected: type, request: str, name: str = "the response") -> Any:
        if isinstance(value, expected) and not isinstance(value, bool):
            return value
        kind = {list: "a list", dict: "an object", int: "a number", str: "text"}[expected]
        raise exceptions.TelemetryError(
            f"{name} is not {kind}: {show_value(value)}", request=f"{SERVICE_TYPE} {request}"
        )
