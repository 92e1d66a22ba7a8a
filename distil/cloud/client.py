# SPDX-License-Identifier: Apache-2.0
"""A client for one service of the cloud."""

import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterator
from collections.abc import Mapping
from http import HTTPStatus

import requests
from keystoneauth1 import exceptions as ks_exceptions

from distil import connection_errors
from distil import exceptions
from distil.cloud import connection
from distil.cloud import not_found
from distil.cloud import request_observer
from distil.cloud import response
from distil.redaction import redact

_SUCCESS = 2
# Nova's rule for the ids of flavors; those of other resources are UUIDs.
_ID = re.compile(r"(?! )[a-zA-Z0-9. _-]{1,255}(?<! )")
# Without it, Glance answers "not found" in HTML.
_HEADERS = {"Accept": "application/json"}


class ServiceClient:
    """Sends requests to one service. Its own "not found" is a valid answer, every other failure raises an error.

    :param name: openstacksdk's name of the service: ``compute``, ``block_storage``, ...
    :param error_class: raised when there is no usable answer; the message names service, request and cause.
    """

    def __init__(self, cloud: connection.Connection, name: str, error_class: type[exceptions.ServiceError]) -> None:
        self._cloud = cloud
        self.name = name
        self.error_class = error_class

    def get(self, *path: str, params: Mapping[str, str] | None = None) -> response.JSONObject | None:
        """The JSON object at a path, given as its segments; None if it does not exist.

        No request is sent for a segment that no id can be: a service may answer with an error, which would hold up the
        project for ever.
        """
        if not all(map(_is_possible_id, path)):
            return None
        url = "/" + "/".join(urllib.parse.quote(segment) for segment in path)
        request = f"{self.name} GET {url}"
        reply = self._send("GET", url, request, params)
        return None if reply.status_code == HTTPStatus.NOT_FOUND else self._json_object(reply, request)

    def head(self, url: str) -> Mapping[str, str] | None:
        """The headers of an absolute URL; None if it does not exist."""
        reply = self._send("HEAD", url, redact(f"{self.name} HEAD {url}"), None)
        return None if reply.status_code == HTTPStatus.NOT_FOUND else reply.headers

    def endpoint(self) -> str:
        """The URL of the service in the catalog."""
        request = f"{self.name} endpoint"
        with self._translated_errors(request):
            endpoint = self._cloud.proxy(self.name).get_endpoint()
        if not endpoint:
            raise self.error_class("not in the service catalog", request=request, affects_all=True)
        return endpoint

    def session_project_id(self) -> str | None:
        """The id of the project that the session is scoped to; None for a session without project scope."""
        with self._translated_errors(f"{self.name}: getting a token"):
            return self._cloud.session.get_project_id()

    def _send(self, method: str, url: str, request: str, params: Mapping[str, str] | None) -> requests.Response:
        with self._translated_errors(request):
            proxy = self._cloud.proxy(self.name)
            # A window is retried as a whole; openstacksdk would retry an image service's 503 for up to 15 s.
            reply = proxy.request(url, method, params=dict(params or {}), headers=_HEADERS, status_code_retries=0)
        if reply.status_code // 100 == _SUCCESS:
            return reply
        reason = f"HTTP {reply.status_code} {redact(reply.reason or '')}"
        if reply.status_code != HTTPStatus.NOT_FOUND:
            raise self.error_class(reason, request=request)
        if not not_found.is_own_not_found(self.name, url.rpartition("/")[2], reply):
            raise self.error_class(
                f"{reason}, but not in the form of the service; a proxy in front of it, or a wrong URL in the catalog?",
                request=request,
            )
        return reply

    @contextlib.contextmanager
    def _translated_errors(self, request: str) -> Iterator[None]:
        try:
            with request_observer.attribute_requests_to(self.name.replace("_", "-")):
                yield
        except self.error_class:
            raise  # of authentication at Keystone, before the request
        except Exception as error:  # keystoneauth and openstacksdk raise KeyError or TypeError on malformed responses
            affects_all = isinstance(error, exceptions.ServiceError) and error.affects_all
            raise self.error_class(_cause(error), request=request, affects_all=affects_all) from error

    def _json_object(self, reply: requests.Response, request: str) -> response.JSONObject:
        try:
            document = json.loads(reply.content)  # not reply.json(), which replaces invalid UTF-8
        except (ValueError, RecursionError) as error:
            raise self.error_class(f"HTTP {reply.status_code}, the body is not JSON", request=request) from error
        if not isinstance(document, Mapping):
            raise self.error_class(f"HTTP {reply.status_code}, the body is not a JSON object", request=request)
        return response.JSONObject(document, request, self.error_class)


def _is_possible_id(segment: str) -> bool:
    return _ID.fullmatch(segment) is not None and segment not in (".", "..")  # which HTTP clients remove


def _cause(error: Exception) -> str:
    """The cause on one line, without a service's message, which may have any length."""
    if isinstance(error, ks_exceptions.HttpError):
        return redact(f"HTTP {error.http_status} ({type(error).__name__}) to {error.method} {error.url}")
    text = connection_errors.describe(error) or "no reason given"
    prefix = "" if isinstance(error, exceptions.DistilError) else f"{type(error).__name__}: "
    return redact(f"{prefix}{text}")
