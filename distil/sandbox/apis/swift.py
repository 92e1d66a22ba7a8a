# SPDX-License-Identifier: Apache-2.0
"""Swift's API, as a reseller administrator sees it: container headers."""

from collections.abc import Sequence

from distil.sandbox.data import inventory
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route

_HTML = "text/html; charset=UTF-8"


class SwiftApi(Api):
    """Serves the headers of all projects' containers."""

    name = "object-store"
    prefix = "object-store"
    request_id = ("X-Trans-Id", "tx")

    def __init__(self, url: str, tokens: Tokens, resources: Resources) -> None:
        super().__init__(url, tokens)
        self._resources = resources

    def routes(self) -> Sequence[Route]:
        return (
            Route("HEAD", "/v1/{account}/{container}", self._container),
            Route("GET", "/info", lambda _: HTTPResponse(200, b'{"swift": {"version": "2.35.0"}}'), public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        return HTTPResponse(status, f"<html><h1>{message}</h1></html>".encode(), _HTML)

    def unauthorized(self) -> HTTPResponse:
        body = b"<html><h1>Unauthorized</h1><p>This server could not verify that you are authorized.</p></html>"
        return HTTPResponse(401, body, _HTML, (("WWW-Authenticate", 'Swift realm="unknown"'),))

    def _container(self, _: HTTPRequest, account: str, name: str) -> HTTPResponse:
        project_id = account.removeprefix("AUTH_")
        index = self._resources.locate_container(project_id, name) if project_id != account else None
        if index is None:
            raise self.not_found("Not Found")
        policy = inventory.storage_policy_of(index)
        headers = [("X-Container-Object-Count", "3"), ("X-Container-Bytes-Used", "1000"), ("Accept-Ranges", "bytes")]
        if policy is not None:
            headers.append(("X-Storage-Policy", policy))
        return HTTPResponse(204, b"", "text/plain; charset=utf-8", tuple(headers))
