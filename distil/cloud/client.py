# SPDX-License-Identifier: Apache-2.0
"""A client for one service of the cloud."""

import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterator
from collections.abc import Mapping

import requests
from keystoneauth1 import exceptions as ks_exceptions

from distil import exceptions
from distil.cloud import connection
from distil.cloud import request_observer
from distil.cloud import response

_SUCCESS = 2
# 400: the response of services to an id that cannot exist.
_NOT_FOUND = frozenset((400, 404))
_MAX_SEGMENT_BYTES = 256
# Without it, Glance answers "not found" in HTML, which a proxy in front of it may do for any reason.
_HEADERS = {"Accept": "application/json"}
_USER_INFO = re.compile(r"(?<=//)[^/@\s]+@")


class ServiceClient:
    """Sends requests to one service. "Not found" is a valid answer, every other failure raises an error.

    :param name: openstacksdk's name of the service: ``compute``, ``block_storage``, ...
    :param error_class: raised when there is no usable answer; the message names service, request and cause.
    """

    def __init__(self, cloud: connection.Connection, name: str, error_class: type[exceptions.ServiceError]) -> None:
        self._cloud = cloud
        self._name = name
        self.error_class = error_class

    def get(self, *path: str, params: Mapping[str, str] | None = None) -> response.JSONObject | None:
        """The JSON object at a path, given as its segments; None if it does not exist.

        No request is sent for a segment that cannot exist (see :func:`quote_segment`).
        """
        segments = [quote_segment(segment) for segment in path]
        if None in segments:
            return None
        url = "/" + "/".join(filter(None, segments))
        request = f"{self._name} GET {url}"
        reply = self._send("GET", url, request, params)
        document = self._json_object(reply, request)
        return None if reply.status_code in _NOT_FOUND else document

    def head(self, url: str) -> Mapping[str, str] | None:
        """The headers of an absolute URL; None if it does not exist."""
        reply = self._send("HEAD", url, f"{self._name} HEAD {url}", None)
        return None if reply.status_code in _NOT_FOUND else reply.headers

    def endpoint(self) -> str:
        """The URL of the service in the catalog."""
        request = f"{self._name} endpoint"
        with self._translated_errors(request):
            endpoint = self._cloud.proxy(self._name).get_endpoint()
        if not endpoint:
            raise self.error_class(f"{request}: not in the service catalog")
        return endpoint

    def session_project_id(self) -> str | None:
        """The id of the project that the session is scoped to; None for a session without project scope."""
        with self._translated_errors(f"{self._name}: getting a token"):
            return self._cloud.session.get_project_id()

    def _send(self, method: str, url: str, request: str, params: Mapping[str, str] | None) -> requests.Response:
        with self._translated_errors(request):
            proxy = self._cloud.proxy(self._name)
            # A window is retried as a whole; openstacksdk would retry an image service's 503 for up to 15 s.
            reply = proxy.request(url, method, params=dict(params or {}), headers=_HEADERS, status_code_retries=0)
        if reply.status_code // 100 != _SUCCESS and reply.status_code not in _NOT_FOUND:
            raise self.error_class(f"{request}: HTTP {reply.status_code} {reply.reason}")
        return reply

    @contextlib.contextmanager
    def _translated_errors(self, request: str) -> Iterator[None]:
        try:
            with request_observer.attribute_requests_to(self._name.replace("_", "-")):
                yield
        except Exception as error:  # keystoneauth and openstacksdk raise KeyError or TypeError on malformed responses
            raise self.error_class(f"{request}: {_cause(error)}") from error

    def _json_object(self, reply: requests.Response, request: str) -> response.JSONObject:
        """The body. "Not found" needs a JSON body, too: only then it comes from the service itself."""
        try:
            document = json.loads(reply.content)  # not reply.json(), which replaces invalid UTF-8
        except (ValueError, RecursionError) as error:
            raise self.error_class(f"{request}: HTTP {reply.status_code}, the body is not JSON") from error
        if not isinstance(document, Mapping):
            raise self.error_class(f"{request}: HTTP {reply.status_code}, the body is not a JSON object")
        return response.JSONObject(document, request, self.error_class)


def quote_segment(segment: str) -> str | None:
    """A name quoted as one segment of a URL's path; None if nothing can have this name.

    Such a name is empty, longer than services allow (256 bytes), contains NUL, is not valid Unicode, or is removed by
    HTTP clients (``.`` and ``..``).
    """
    try:
        encoded = segment.encode()
    except UnicodeEncodeError:
        return None
    if segment in ("", ".", "..") or "\0" in segment or len(encoded) > _MAX_SEGMENT_BYTES:
        return None
    return urllib.parse.quote(encoded, safe="")


def _cause(error: Exception) -> str:
    """The cause on one line, without a service's message, which may quote a password or token."""
    if isinstance(error, ks_exceptions.HttpError):
        return _USER_INFO.sub("", f"HTTP {error.http_status} ({type(error).__name__}) to {error.method} {error.url}")
    text = " ".join(str(error).split()) or "no reason given"
    prefix = "" if isinstance(error, exceptions.DistilError) else f"{type(error).__name__}: "
    return _USER_INFO.sub("", f"{prefix}{text}")
