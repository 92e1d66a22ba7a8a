# SPDX-License-Identifier: Apache-2.0
"""Prometheus's HTTP API, as far as Aetos has it, too."""

import datetime
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from oslo_log import log

from distil import exceptions
from distil.telemetry.http_client import JSONClient
from distil.telemetry.http_client import StatusError
from distil.telemetry.http_client import excerpt
from distil.telemetry.http_client import show_value
from distil.telemetry.prometheus.selector import Selector

LOG = log.getLogger(__name__)

_QUERY = "/api/v1/query"
_RUNTIME_INFO = "/api/v1/status/runtimeinfo"

# A query that loads too many samples, or takes too long, may succeed for a shorter period.
_TOO_LARGE = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.GATEWAY_TIMEOUT)

_INCOMPLETE = re.compile("partial|incomplete|truncated|limit", re.IGNORECASE)
_MAX_SHOWN = 3


class QueryTooLarge(exceptions.TelemetryError):
    """A query has too large an answer, or loads too many samples for the service."""


class PrometheusAPI:
    """Sends queries. Threads share it.

    :param parameters: further ones of each query.
    :param posts: whether to send queries in the body of a POST, which has no limit of length.
    """

    def __init__(self, client: JSONClient, parameters: Mapping[str, str], posts: bool) -> None:
        self._client = client
        self._parameters = parameters
        self._posts = posts
        self.name = client.name

    def samples(self, selector: Selector, start: int, end: int) -> list[Any]:
        """The raw samples of series in [start, end), and perhaps one of each before start: unparsed series.

        Prometheus 2 answers with samples at both ends of a range, Prometheus 3 with none at its start.

        :param start: in milliseconds since the epoch, like ``end``.
        :raises PeriodIncomplete: the service says that it does not have all of them.
        :raises QueryTooLarge: the same for a shorter period may succeed.
        :raises TelemetryError: the service gave no usable answer.
        """
        duration = end - start
        text = f"{duration}ms" if duration % 1000 else f"{duration // 1000}s"
        description = f"{selector} from {format_time(start)} to {format_time(end)}"
        return self._query(f"{selector}[{text}]", end - 1, "matrix", description)

    def latest(self, selector: Selector, time: int) -> list[Any]:
        """The sample of each series that is the latest at a time, unless it is a few minutes older: unparsed.

        :param time: in milliseconds since the epoch.
        :raises PeriodIncomplete: the service says that it does not have all of them.
        :raises TelemetryError: the service gave no usable answer.
        """
        return self._query(str(selector), time, "vector", f"{selector} at {format_time(time)}")

    def require_answer(self) -> None:
        """Ask a question that concerns no series.

        :raises TelemetryError: the service gave no usable answer.
        """
        self._query("vector(1)", round(time.time() * 1000), "vector", "a constant")

    def runtime_info(self) -> Mapping[str, Any]:
        """:raises StatusError: the service does not have this, or refuses it to this user.
        :raises TelemetryError: the service gave no usable answer.
        """
        document = self._client.request("GET", _RUNTIME_INFO, "the state of the server")
        data = document.get("data") if isinstance(document, Mapping) else None
        if not isinstance(data, Mapping):
            raise exceptions.TelemetryError(
                f"the response is not {{data: {{...}}}}: {show_value(document)}",
                request=f"{self.name} GET {_RUNTIME_INFO}",
            )
        return data

    def _query(self, expression: str, moment: int, result_type: str, description: str) -> list[Any]:
        form = {"query": expression, "time": f"{moment // 1000}.{moment % 1000:03d}", **self._parameters}
        try:
            document = self._send(form, description)
        except StatusError as error:
            if error.status in _TOO_LARGE or "timed out" in error.reason:
                raise QueryTooLarge(str(error)) from error
            raise
        except exceptions.TelemetryError as error:
            if error.is_too_large:
                raise QueryTooLarge(str(error)) from error
            raise
        return _result(document, result_type, f"{self.name} {_QUERY} ({description})")

    def _send(self, form: Mapping[str, str], description: str) -> Any:
        if self._posts:
            try:
                return self._client.request("POST", _QUERY, description, data=form)
            except StatusError as error:
                if error.status != HTTPStatus.METHOD_NOT_ALLOWED:
                    raise
                self._posts = False
        return self._client.request("GET", _QUERY, description, params=form)


def format_time(time: int) -> str:
    """:param time: in milliseconds since the epoch."""
    moment = datetime.datetime.fromtimestamp(time // 1000, datetime.UTC).replace(microsecond=time % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds" if time % 1000 else "seconds").replace("+00:00", "Z")


def _result(document: Any, result_type: str, request: str) -> list[Any]:
    """:raises PeriodIncomplete: it is not the whole result.
    :raises TelemetryError: it is not a result.
    """
    data = document.get("data") if isinstance(document, Mapping) else None
    result = data.get("result") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(result, list) or document.get("status") != "success":
        raise exceptions.TelemetryError(
            f"the response is not {{status: success, data: {{result: [...]}}}}: {show_value(document)}",
            request=request,
        )
    if data.get("resultType") != result_type:
        kind = show_value(data.get("resultType"))
        raise exceptions.TelemetryError(f"the type of the result is {kind}, not {result_type}", request=request)
    reason = _incompleteness(document)
    if reason:
        reason = f"the service says that its answer may be incomplete: {reason}"
        raise exceptions.PeriodIncomplete(reason, request=request)
    return result


def _incompleteness(document: Mapping[str, Any]) -> str:
    """What an answer says of what it lacks; empty if it lacks nothing.

    Prometheus and Thanos have warnings and notes (infos); VictoriaMetrics has a flag.
    """
    if document.get("isPartial"):
        return "it is partial"
    infos = document.get("infos") or []
    notes = infos if isinstance(infos, list) else [infos]
    incomplete = [note for note in notes if _INCOMPLETE.search(str(note))]
    if len(incomplete) < len(notes):
        LOG.debug("A query was answered with notes: %s", notes)
    warnings = document.get("warnings") or []
    reasons = [*(warnings if isinstance(warnings, list) else [warnings]), *incomplete]
    return "; ".join(excerpt(str(reason).encode(errors="replace")) for reason in reasons[:_MAX_SHOWN])
