# SPDX-License-Identifier: Apache-2.0
"""The cloud's own API: faults, latency and samples on demand, for a test whose subject is in another process."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data.injected_samples import InjectedSamples
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.faults import SERVICES
from distil.sandbox.http.faults import Fault
from distil.sandbox.http.faults import FaultBoard
from distil.sandbox.http.messages import Reply
from distil.sandbox.http.messages import Request
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_reply
from distil.sandbox.http.request_counter import RequestCounter

_DONE = Reply(204)


class ControlApi(Api):
    """No request needs a token, none is counted, none can fail on demand."""

    name = "sandbox"
    prefix = "sandbox"

    def __init__(
        self, url: str, tokens: Tokens, faults: FaultBoard, hand_written: InjectedSamples, ledger: RequestCounter
    ) -> None:
        super().__init__(url, tokens)
        self._faults = faults
        self._hand_written = hand_written
        self._ledger = ledger

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/faults", lambda _: json_reply({"faults": self._faults.describe()}), public=True),
            Route("POST", "/faults", self._accepting(self._add_fault), public=True),
            Route("DELETE", "/faults", _doing(self._faults.clear), public=True),
            Route("DELETE", "/faults/{id}", self._clear_fault, public=True),
            Route("POST", "/latency", self._accepting(self._set_latency), public=True),
            Route("POST", "/samples", self._accepting(self._add_samples), public=True),
            Route("DELETE", "/samples", _doing(self._hand_written.clear), public=True),
            Route("GET", "/requests", lambda _: json_reply({"requests": self._ledger.describe()}), public=True),
            Route("DELETE", "/requests", _doing(self._ledger.clear), public=True),
            Route("DELETE", "/tokens", _doing(self.tokens.revoke), public=True),
        )

    def error(self, status: int, message: str) -> Reply:
        return json_reply({"error": message}, status)

    def _accepting(self, action: Callable[[dict[str, Any]], Reply]) -> Callable[[Request], Reply]:
        """A handler that hands the body's keys on, and says what is wrong with them."""

        def handle(request: Request) -> Reply:
            try:
                return action(request.json())
            except (ValueError, TypeError, KeyError) as error:
                return self.error(400, f"{type(error).__name__}: {error}")

        return handle

    def _add_fault(self, body: dict[str, Any]) -> Reply:
        return json_reply({"id": self._faults.add(Fault(**body))}, 201)

    def _clear_fault(self, _: Request, number: str) -> Reply:
        self._faults.clear(int(number))
        return _DONE

    def _set_latency(self, body: dict[str, Any]) -> Reply:
        unknown = body.keys() - set(SERVICES)
        if unknown:
            raise ValueError(f"no such services: {', '.join(sorted(unknown))}")
        for service, seconds in body.items():
            self._faults.set_latency(service, float(seconds))
        return _DONE

    def _add_samples(self, body: dict[str, Any]) -> Reply:
        documents = body.pop("samples")
        self._hand_written.add(documents=documents, **body)
        return json_reply({"added": len(documents)}, 201)


def _doing(action: Callable[[], None]) -> Callable[[Request], Reply]:
    def handle(_: Request) -> Reply:
        action()
        return _DONE

    return handle
