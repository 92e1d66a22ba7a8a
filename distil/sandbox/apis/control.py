# SPDX-License-Identifier: Apache-2.0
"""The cloud's own API: faults, latency and samples on demand, for a test whose subject is in another process."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import SERVICES
from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.faults import ResponseFault
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response
from distil.sandbox.http.request_counter import RequestCounter

_DONE = HTTPResponse(204)


class ControlApi(Api):
    """No request needs a token, none is counted, none can fail on demand."""

    name = "sandbox"
    prefix = "sandbox"

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        faults: FaultInjector,
        injected_samples: InjectedSamples,
        request_counter: RequestCounter,
    ) -> None:
        super().__init__(url, tokens)
        self._faults = faults
        self._injected_samples = injected_samples
        self._request_counter = request_counter

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/faults", lambda _: json_response({"faults": self._faults.describe()}), public=True),
            Route("POST", "/faults", self._accepting(self._add_fault), public=True),
            Route("DELETE", "/faults", _doing(self._faults.clear), public=True),
            Route("DELETE", "/faults/{id}", self._clear_fault, public=True),
            Route("POST", "/latency", self._accepting(self._set_latency), public=True),
            Route("POST", "/samples", self._accepting(self._add_samples), public=True),
            Route("DELETE", "/samples", _doing(self._injected_samples.clear), public=True),
            Route(
                "GET", "/requests", lambda _: json_response({"requests": self._request_counter.describe()}), public=True
            ),
            Route("DELETE", "/requests", _doing(self._request_counter.clear), public=True),
            Route("DELETE", "/tokens", _doing(self.tokens.revoke), public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        return json_response({"error": message}, status)

    def _accepting(self, action: Callable[[dict[str, Any]], HTTPResponse]) -> Callable[[HTTPRequest], HTTPResponse]:
        """A handler that hands the body's keys on, and says what is wrong with them."""

        def handle(request: HTTPRequest) -> HTTPResponse:
            try:
                return action(request.json())
            except (ValueError, TypeError, KeyError) as error:
                return self.error(400, f"{type(error).__name__}: {error}")

        return handle

    def _add_fault(self, body: dict[str, Any]) -> HTTPResponse:
        return json_response({"id": self._faults.add(ResponseFault(**body))}, 201)

    def _clear_fault(self, _: HTTPRequest, number: str) -> HTTPResponse:
        self._faults.clear(int(number))
        return _DONE

    def _set_latency(self, body: dict[str, Any]) -> HTTPResponse:
        unknown = body.keys() - set(SERVICES)
        if unknown:
            raise ValueError(f"no such services: {', '.join(sorted(unknown))}")
        for service, seconds in body.items():
            self._faults.set_latency(service, float(seconds))
        return _DONE

    def _add_samples(self, body: dict[str, Any]) -> HTTPResponse:
        documents = body.pop("samples")
        self._injected_samples.add(documents=documents, **body)
        return json_response({"added": len(documents)}, 201)


def _doing(action: Callable[[], None]) -> Callable[[HTTPRequest], HTTPResponse]:
    def handle(_: HTTPRequest) -> HTTPResponse:
        action()
        return _DONE

    return handle
