# SPDX-License-Identifier: Apache-2.0
"""Sends requests to a telemetry service, and validates that the responses are JSON."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import requests
from keystoneauth1 import adapter as ks_adapter
from keystoneauth1 import exceptions as ks_exceptions

from distil import connection_errors
from distil import exceptions
from distil.catalog import region_hint
from distil.redaction import redact

_ERRORS = (
    exceptions.ServiceError,
    ks_exceptions.ClientException,
    requests.RequestException,
    ValueError,
    RecursionError,
)
_MAX_EXCERPT_CHARS = 200
_MAX_INTEGER_DIGITS = 4000
_HEADERS = {"Accept": "application/json"}

# Bytes of a body that are read at once. The default of requests, 10 KiB, takes four times as long.
_CHUNK_BYTES = 256 * 1024


class StatusError(exceptions.TelemetryError):
    """The service answered with a status other than 200.

    :ivar status: the status code.
    :ivar document: the body; None if it is not JSON.
    """

    def __init__(self, status: int, body: bytes, request: str) -> None:
        self.status = status
        try:
            self.document = _parse(body)
        except (ValueError, RecursionError):
            self.document = None
        super().__init__(f"HTTP {status}: {_fault(self.document) or excerpt(body)}", request=request)


class JSONClient:
    """Sends requests to one service. Threads share it.

    :param adapter: of the service.
    :param name: of the service, for messages.
    """

    def __init__(self, adapter: ks_adapter.Adapter, name: str) -> None:
        self._adapter = adapter
        self.name = name

    def request(self, method: str, path: str, description: str, **options: Any) -> Any:
        """The JSON of a response; NaN, infinities and lone surrogates in it are accepted.

        :param description: of the question, for messages.
        :param options: ``json``, ``params``, ``data`` or ``headers``, as for requests.
        :raises StatusError: the status is not 200.
        :raises TelemetryError: there is no response, or it is not JSON.
        """
        request = f"{self.name} {method} {path} ({description})"
        status, body = self._send(request, method, path, options)
        if status != HTTPStatus.OK:
            raise StatusError(status, body, request)
        try:
            return _parse(body)
        except (ValueError, RecursionError) as error:
            raise exceptions.TelemetryError(f"the response is not JSON: {excerpt(body)}", request=request) from error

    def session_project_id(self) -> str | None:
        """The id of the project that the token is scoped to; None without a token, or without project scope.

        :raises TelemetryError: there is no token to be had.
        """
        try:
            return self._adapter.get_project_id()
        except _ERRORS as error:
            raise exceptions.TelemetryError(redact(str(error)), request=f"{self.name}: getting a token") from error

    def _send(self, request: str, method: str, path: str, options: Mapping[str, Any]) -> tuple[int, bytes]:
        headers = {**_HEADERS, **options.get("headers", {})}
        try:
            response = self._adapter.request(
                path, method, raise_exc=False, stream=True, **{**options, "headers": headers}
            )
            return response.status_code, b"".join(response.iter_content(_CHUNK_BYTES))
        except ks_exceptions.EndpointNotFound as error:
            raise self._endpoint_missing(request) from error
        except _ERRORS as error:
            raise exceptions.TelemetryError(redact(connection_errors.describe(error)), request=request) from error

    def _endpoint_missing(self, request: str) -> exceptions.TelemetryError:
        adapter, interface = self._adapter, str(self._adapter.interface)
        hint = region_hint(adapter.session, interface, adapter.region_name, adapter.service_type)
        # The catalog came with the token: a repaired one comes with the next.
        adapter.invalidate()
        endpoint = (
            f"{interface} endpoint of the {adapter.service_type} service in region {adapter.region_name or '(any)'}"
        )
        return exceptions.TelemetryError(f"the catalog has no {endpoint}{hint}", request=request, affects_all=True)


def excerpt(body: bytes) -> str:
    """The beginning of a body, for messages."""
    text = " ".join(body.decode(errors="replace").split())
    return redact(text)[:_MAX_EXCERPT_CHARS] or "an empty body"


def show_value(value: object) -> str:
    """A part of a response, for messages: its beginning, without secrets, as a service may quote the request."""
    try:
        return excerpt(repr(value).encode(errors="replace"))
    except (ValueError, RecursionError):  # too many digits, or levels
        return f"a {type(value).__name__}"


def _parse(body: bytes) -> Any:
    """:raises ValueError: it is not JSON.
    :raises RecursionError: it is nested too deeply.
    """
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        # NaN, infinities and surrogates are not JSON, but what they are the values of should be rejected alone.
        return json.loads(body, parse_int=_integer)


def _integer(digits: str) -> int | float:
    """An integer; infinity if it is too long for Python to convert, so that only its sample is rejected."""
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)


def _fault(document: Any) -> str | None:
    """What went wrong, as services say it: Ceilometer and Aetos, Gnocchi, Prometheus, and keystonemiddleware."""
    for keys in (("error_message", "faultstring"), ("description",), ("error", "message"), ("error",)):
        value = document
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            return excerpt(value.encode(errors="replace"))
        if isinstance(value, Mapping) and keys == ("description",):
            return excerpt(json.dumps(value).encode())
    return None
