# SPDX-License-Identifier: Apache-2.0
"""The API that controls the sandbox: faults, latency, injected samples, projects, request counts, tokens."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.projects import SandboxProjects
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response
from distil.sandbox.http.request_counter import RequestCounter
from distil.sandbox.http.response_fault import SERVICES
from distil.sandbox.http.response_fault import ResponseFault

_NO_CONTENT = HTTPResponse(204)


class ControlApi(Api):
    """Lets a test control a sandbox in another process. Its requests need no token."""

    name = "sandbox"
    prefix = "sandbox"
    controls_sandbox = True

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        faults: FaultInjector,
        injected_samples: InjectedSamples,
        request_counter: RequestCounter,
        projects: SandboxProjects,
    ) -> None:
        super().__init__(url, tokens)
        self._faults = faults
        self._injected_samples = injected_samples
        self._request_counter = request_counter
        self._projects = projects

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/faults", self._list_faults, public=True),
            Route("POST", "/faults", self._with_body(self._add_fault), public=True),
            Route("DELETE", "/faults", self._clear_faults, public=True),
            Route("DELETE", "/faults/{id}", self._clear_fault, public=True),
            Route("POST", "/latency", self._with_body(self._set_latency), public=True),
            Route("POST", "/samples", self._with_body(self._add_samples), public=True),
            Route("DELETE", "/samples", self._clear_samples, public=True),
            Route("PUT", "/projects/{id}", self._update_project, public=True),
            Route("DELETE", "/projects/{id}", self._delete_project, public=True),
            Route("GET", "/requests", self._list_requests, public=True),
            Route("DELETE", "/requests", self._clear_requests, public=True),
            Route("DELETE", "/tokens", self._revoke_tokens, public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        return json_response({"error": message}, status)

    def _with_body(self, action: Callable[[dict[str, Any]], HTTPResponse]) -> Callable[[HTTPRequest], HTTPResponse]:
        """Return a handler that passes the decoded body on; an invalid one yields status 400."""

        def handle(request: HTTPRequest) -> HTTPResponse:
            try:
                return action(request.json())
            except (ValueError, TypeError, KeyError) as error:
                return self.error(400, f"{type(error).__name__}: {error}")

        return handle

    def _list_faults(self, _: HTTPRequest) -> HTTPResponse:
        return json_response({"faults": self._faults.describe()})

    def _add_fault(self, body: dict[str, Any]) -> HTTPResponse:
        return json_response({"id": self._faults.add(ResponseFault(**body))}, 201)

    def _clear_faults(self, _: HTTPRequest) -> HTTPResponse:
        self._faults.clear()
        return _NO_CONTENT

    def _clear_fault(self, _: HTTPRequest, number: str) -> HTTPResponse:
        self._faults.clear(int(number))
        return _NO_CONTENT

    def _set_latency(self, body: dict[str, Any]) -> HTTPResponse:
        unknown = body.keys() - set(SERVICES)
        if unknown:
            raise ValueError(f"unknown services: {', '.join(sorted(unknown))}")
        for service, seconds in body.items():
            self._faults.set_latency(service, float(seconds))
        return _NO_CONTENT

    def _add_samples(self, body: dict[str, Any]) -> HTTPResponse:
        documents = body.pop("samples")
        self._injected_samples.add(documents=documents, **body)
        return json_response({"added": len(documents)}, 201)

    def _clear_samples(self, _: HTTPRequest) -> HTTPResponse:
        self._injected_samples.clear()
        return _NO_CONTENT

    def _update_project(self, request: HTTPRequest, project_id: str) -> HTTPResponse:
        return self._with_body(lambda attributes: self._change_project(project_id, attributes))(request)

    def _change_project(self, project_id: str, attributes: dict[str, Any]) -> HTTPResponse:
        self._projects.update(project_id, dict(attributes))
        return _NO_CONTENT

    def _delete_project(self, _: HTTPRequest, project_id: str) -> HTTPResponse:
        self._projects.delete(project_id)
        return _NO_CONTENT

    def _list_requests(self, _: HTTPRequest) -> HTTPResponse:
        return json_response({"requests": self._request_counter.describe()})

    def _clear_requests(self, _: HTTPRequest) -> HTTPResponse:
        self._request_counter.clear()
        return _NO_CONTENT

    def _revoke_tokens(self, _: HTTPRequest) -> HTTPResponse:
        self.tokens.revoke()
        return _NO_CONTENT
