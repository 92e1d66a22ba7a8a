# SPDX-License-Identifier: Apache-2.0
"""One service of the cloud, as a collector asks it."""

import json
import re
import urllib.parse
from collections.abc import Callable
from collections.abc import Mapping
from typing import TypeVar

import requests
from keystoneauth1 import exceptions as ks_exceptions

from distil import exceptions
from distil.cloud import connection
from distil.cloud import deadline
from distil.cloud import response

_SUCCESS = 2
# 400: what services say of an id that nothing of theirs can have.
_NOT_THERE = frozenset((400, 404))
MAX_SEGMENT_BYTES = 256
# Without it, Glance says in HTML that there is no such image, as a proxy in its place may say of anything.
_HEADERS = {"Accept": "application/json"}
_USER_INFO = re.compile(r"(?<=//)[^/@\s]+@")

_Result = TypeVar("_Result")


class ServiceClient:
    """Asks one service; "not found" is an answer, everything that is not an answer is a failure.

    :param name: openstacksdk's name of the service: ``compute``, ``block_storage``, ...
    :param failure: what is raised where there is no answer; it names service, request and reason.
    """

    def __init__(self, cloud: connection.Connection, name: str, failure: type[exceptions.ServiceError]) -> None:
        self._cloud = cloud
        self._name = name
        self.failure = failure

    def get(self, *path: str, params: Mapping[str, str] | None = None) -> response.JSONObject | None:
        """The JSON object at a path, given as its segments; None where there is nothing.

        A segment that no service can know (see :func:`quoted`) is not asked for: there is nothing.
        """
        segments = [quote_segment(segment) for segment in path]
        if None in segments:
            return None
        url = "/" + "/".join(filter(None, segments))
        request = f"{self._name} GET {url}"
        response = self._send("GET", url, request, params)
        document = self._object(response, request)
        return None if response.status_code in _NOT_THERE else document

    def head(self, url: str) -> Mapping[str, str] | None:
        """The headers of an absolute URL; None where there is nothing."""
        response = self._send("HEAD", url, f"{self._name} HEAD {url}", None)
        return None if response.status_code in _NOT_THERE else response.headers

    def endpoint(self) -> str:
        """The URL that the catalog has for the service."""
        endpoint = self._asked(f"{self._name} endpoint", lambda: self._cloud.proxy(self._name).get_endpoint())
        if not endpoint:
            raise self.failure(f"{self._name} endpoint: the catalog has none")
        return endpoint

    def own_project(self) -> str | None:
        """The id of the project that the session is scoped to, if it is to one."""
        return self._asked(f"{self._name}: the session's own project", self._cloud.session.get_project_id)

    def _send(self, method: str, url: str, request: str, params: Mapping[str, str] | None) -> requests.Response:
        def send() -> requests.Response:
            proxy = self._cloud.proxy(self._name)
            # A window is tried again as a whole; openstacksdk would sit out up to 15 s of an image service's 503.
            return proxy.request(url, method, params=dict(params or {}), headers=_HEADERS, status_code_retries=0)

        response = self._asked(request, send)
        if response.status_code // 100 != _SUCCESS and response.status_code not in _NOT_THERE:
            raise self.failure(f"{request}: HTTP {response.status_code} {response.reason}")
        return response

    def _asked(self, request: str, ask: Callable[[], _Result]) -> _Result:
        try:
            with deadline.requests_to(self._name.replace("_", "-")):
                return ask()
        except Exception as error:  # keystoneauth and openstacksdk let a KeyError or TypeError out of an odd answer too
            raise self.failure(f"{request}: {_reason(error)}") from error

    def _object(self, reply: requests.Response, request: str) -> response.JSONObject:
        """The answer's body; a "not found" must be one too, for only then it comes from the service itself."""
        try:
            document = json.loads(reply.content)  # not reply.json(), which replaces what is no UTF-8
        except (ValueError, RecursionError) as error:
            raise self.failure(f"{request}: HTTP {reply.status_code} whose body is no JSON") from error
        if not isinstance(document, Mapping):
            raise self.failure(f"{request}: HTTP {reply.status_code} whose body is no JSON object")
        return response.JSONObject(document, request, self.failure)


def quote_segment(segment: str) -> str | None:
    """A name as one segment of a URL's path, or None for one that cannot be asked for.

    Nothing can have it: it is empty, longer than services allow (256 bytes), holds a NUL or is no valid unicode; or an
    HTTP client folds it away (``.`` and ``..``).
    """
    try:
        encoded = segment.encode()
    except UnicodeEncodeError:
        return None
    if segment in ("", ".", "..") or "\0" in segment or len(encoded) > MAX_SEGMENT_BYTES:
        return None
    return urllib.parse.quote(encoded, safe="")


def _reason(error: Exception) -> str:
    """What went wrong, on one line, without what a service's message may quote: a password, a token."""
    if isinstance(error, ks_exceptions.HttpError):
        return _USER_INFO.sub("", f"HTTP {error.http_status} ({type(error).__name__}) to {error.method} {error.url}")
    text = " ".join(str(error).split()) or "no reason given"
    kind = "" if isinstance(error, exceptions.DistilError) else f"{type(error).__name__}: "
    return _USER_INFO.sub("", f"{kind}{text}")
