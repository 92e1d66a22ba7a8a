# SPDX-License-Identifier: Apache-2.0
"""Requests to Ceilometer's API, and the strict reading of what comes back."""

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

from distil import exceptions

SERVICE_TYPE = "metering"

_FAILURES = (exc.BaseException, ks_exceptions.ClientException, requests.RequestException, ValueError, RecursionError)
_REFUSALS = frozenset(
    (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
)
MAX_FAULT_CHARS = 200
MAX_INTEGER_DIGITS = 4000
_HEADERS = {"Accept": "application/json"}

# Bytes of a body that are read at once. requests itself reads 10 KiB, which takes four times as long.
CHUNK_BYTES = 256 * 1024


class RequestUnsupported(exceptions.TelemetryError):
    """The service does not offer this request, or not to this user."""


class _Client(client.SessionClient):  # type: ignore[misc]
    """ceilometerclient's session client, but for the body: its own request decodes each one, and throws that away."""

    def request(self, url: str, method: str, **request: Any) -> requests.Response:
        answer: requests.Response = adapter.Adapter.request(self, url, method, raise_exc=False, **request)
        return answer


class CeilometerClient:
    """Sends requests through ceilometerclient's session client.

    Not through its ``Client``: that one looks for alarms and events when it is made, and its managers take null for
    an answer without samples.
    """

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self._client = _Client(session=session, service_type=SERVICE_TYPE, region_name=region_name, interface=interface)
        self._endpoint = f"{interface} endpoint of the {SERVICE_TYPE} service in region {region_name or '(any)'}"

    def list_samples(self, method: str, path: str, about: str, **request: Any) -> list[object]:
        """Send a request that is answered with a list.

        :param about: what is asked for, for messages.
        :param request: ``json`` or ``params``, as requests takes them.
        :raises RequestRefused: the answer is 403, 404, 405 or 501.
        :raises TelemetryError: there is no answer, or it is not a list.
        """
        asked = f"{method} {path} ({about})"
        try:
            response = self._client.request(path, method, headers=_HEADERS, stream=True, **request)
            body = b"".join(response.iter_content(CHUNK_BYTES))
        except ks_exceptions.EndpointNotFound as error:
            raise exceptions.TelemetryError(f"{asked}: the catalog has no {self._endpoint}") from error
        except _FAILURES as error:
            raise exceptions.TelemetryError(f"{asked}: {error}") from error
        if response.status_code == HTTPStatus.OK:
            return _list(body, asked)
        kind = RequestUnsupported if response.status_code in _REFUSALS else exceptions.TelemetryError
        message = f"{asked}: the answer is {response.status_code}: {_fault(body)}"
        raise kind(message) from exc.from_response(response)


def _list(body: bytes, asked: str) -> list[object]:
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        answer = _lenient(body, asked)
    if not isinstance(answer, list):
        raise exceptions.TelemetryError(f"{asked}: the answer is not a list: {_beginning(body)}")
    return answer


def _lenient(body: bytes, asked: str) -> object:
    """Also with NaN, infinities and surrogates, which are no JSON, and which cost their samples, not the answer."""
    try:
        return json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise exceptions.TelemetryError(f"{asked}: the answer is not JSON: {_beginning(body)}") from error


def _integer(digits: str) -> int | float:
    """An integer; one that is too long for Python to read is infinite, which costs its sample, not the answer."""
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else float(digits)


def _fault(body: bytes) -> str:
    try:
        return _beginning(json.loads(body)["error_message"]["faultstring"].encode())
    except (ValueError, LookupError, TypeError, AttributeError):
        return _beginning(body)


def _beginning(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return text[:MAX_FAULT_CHARS] or "an empty body"
