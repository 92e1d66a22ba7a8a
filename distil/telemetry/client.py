# SPDX-License-Identifier: Apache-2.0
"""Sends requests to Ceilometer's API, and validates the responses."""

import json
from http import HTTPStatus
from typing import Any

import msgspec
import requests
from ceilometerclient import client
from ceilometerclient import exc
from keystoneauth1 import adapter
from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session

from distil import connection_errors
from distil import exceptions
from distil.catalog import region_hint
from distil.redaction import redact

SERVICE_TYPE = "metering"

_ERRORS = (
    exc.BaseException,
    exceptions.ServiceError,
    ks_exceptions.ClientException,
    requests.RequestException,
    ValueError,
    RecursionError,
)
_UNSUPPORTED = frozenset(
    (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
)
_MAX_EXCERPT_CHARS = 200
_MAX_INTEGER_DIGITS = 4000
_HEADERS = {"Accept": "application/json"}

# Bytes of a body that are read at once. The default of requests, 10 KiB, takes four times as long.
_CHUNK_BYTES = 256 * 1024


class RequestUnsupported(exceptions.TelemetryError):
    """The service does not support this request, or does not allow it to this user."""


class _SessionClient(client.SessionClient):  # type: ignore[misc]
    """ceilometerclient's session client without its own decoding of each body, whose result it discards."""

    def request(self, url: str, method: str, **request: Any) -> requests.Response:
        response: requests.Response = adapter.Adapter.request(self, url, method, raise_exc=False, **request)
        return response


class CeilometerClient:
    """Sends requests through ceilometerclient's session client.

    Its ``Client`` is not used: it discovers alarms and events when it is constructed, and its managers take null for a
    response without samples.
    """

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self._client = _SessionClient(
            session=session, service_type=SERVICE_TYPE, region_name=region_name, interface=interface
        )
        self._endpoint = f"{interface} endpoint of the {SERVICE_TYPE} service in region {region_name or '(any)'}"

    def list_samples(self, method: str, path: str, description: str, **options: Any) -> list[object]:
        """Send a request whose response is a list.

        :param description: description of the query, for messages.
        :param options: ``json`` or ``params``, as for requests.
        :raises RequestUnsupported: the status is 403, 404, 405 or 501.
        :raises TelemetryError: there is no response, or it is not a list.
        """
        request = f"{SERVICE_TYPE} {method} {path} ({description})"
        try:
            response = self._client.request(path, method, headers=_HEADERS, stream=True, **options)
            body = b"".join(response.iter_content(_CHUNK_BYTES))
        except ks_exceptions.EndpointNotFound as error:
            hint = region_hint(self._client.session, self._client.interface, self._client.region_name, SERVICE_TYPE)
            # The catalog came with the token: a repaired one comes with the next.
            self._client.invalidate()
            reason = f"the catalog has no {self._endpoint}{hint}"
            raise exceptions.TelemetryError(reason, request=request, affects_all=True) from error
        except _ERRORS as error:
            raise exceptions.TelemetryError(redact(connection_errors.describe(error)), request=request) from error
        if response.status_code == HTTPStatus.OK:
            return _parse_list(body, request)
        error_class = RequestUnsupported if response.status_code in _UNSUPPORTED else exceptions.TelemetryError
        reason = f"HTTP {response.status_code}: {_fault(body)}"
        raise error_class(reason, request=request) from exc.from_response(response)


def _parse_list(body: bytes, request: str) -> list[object]:
    try:
        rows = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        rows = _parse_leniently(body, request)
    if not isinstance(rows, list):
        raise exceptions.TelemetryError(f"the response is not a list: {_excerpt(body)}", request=request)
    return rows


def _parse_leniently(body: bytes, request: str) -> object:
    """Parse NaN, infinities and surrogates, too: they are not JSON, but only their samples should be rejected."""
    try:
        return json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise exceptions.TelemetryError(f"the response is not JSON: {_excerpt(body)}", request=request) from error


def _integer(digits: str) -> int | float:
    """An integer; infinity if it is too long for Python to convert, so that only its sample is rejected."""
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)


def _fault(body: bytes) -> str:
    try:
        return _excerpt(json.loads(body)["error_message"]["faultstring"].encode())
    except (ValueError, LookupError, TypeError, AttributeError):
        return _excerpt(body)


def _excerpt(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return redact(text)[:_MAX_EXCERPT_CHARS] or "an empty body"
