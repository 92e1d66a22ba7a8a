# SPDX-License-Identifier: Apache-2.0
"""Sends requests to Ceilometer's API, and validates the responses."""

from http import HTTPStatus
from typing import Any

import requests
from ceilometerclient import client
from keystoneauth1 import adapter
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.telemetry import http_client
from distil.telemetry.http_client import show_value

SERVICE_TYPE = "metering"

_UNSUPPORTED = frozenset(
    (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
)


class RequestUnsupported(exceptions.TelemetryError):
    """The service does not support this request, or does not allow it to this user."""


class _SessionClient(client.SessionClient):  # type: ignore[misc]
    """ceilometerclient's session client without its own decoding of each body, whose result it discards."""

    def request(self, url: str, method: str, **request: Any) -> requests.Response:
        response: requests.Response = adapter.Adapter.request(self, url, method, **request)
        return response


class CeilometerClient:
    """Sends requests through ceilometerclient's session client.

    Its ``Client`` is not used: it discovers alarms and events when it is constructed, and its managers take null for a
    response without samples.
    """

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        session_client = _SessionClient(
            session=session, service_type=SERVICE_TYPE, region_name=region_name, interface=interface
        )
        self._client = http_client.JSONClient(session_client, SERVICE_TYPE)

    def list_samples(self, method: str, path: str, description: str, **options: Any) -> list[object]:
        """Send a request whose response is a list.

        :param description: description of the query, for messages.
        :param options: ``json`` or ``params``, as for requests.
        :raises RequestUnsupported: the status is 403, 404, 405 or 501.
        :raises TelemetryError: there is no response, or it is not a list.
        """
        request = f"{SERVICE_TYPE} {method} {path} ({description})"
        try:
            rows = self._client.request(method, path, description, **options)
        except http_client.StatusError as error:
            if error.status in _UNSUPPORTED:
                raise RequestUnsupported(error.reason, request=request) from error
            raise
        if not isinstance(rows, list):
            raise exceptions.TelemetryError(f"the response is not a list: {show_value(rows)}", request=request)
        return rows
