# SPDX-License-Identifier: Apache-2.0
"""Faults and latency injected into responses."""

import dataclasses
import itertools
import re
import threading
from collections.abc import Mapping
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.http.messages import HTTPRequest

SERVICES = (
    "identity",
    "metering",
    "metric",
    "metric-storage",
    "prometheus",
    "compute",
    "block-storage",
    "image",
    "object-store",
)

_KINDS = {
    "status": "error response with ``status``, in the service's own format",
    "proxy": "error response with ``status``, in HTML, as from a proxy in front of the service",
    "echo": "response with ``status`` that quotes the request in plain text",
    "html": "status 200 and an HTML page",
    "empty": "status 200 and no body",
    "truncated": "correct response; the connection closes after half of the body",
    "cut": "first half of the correct response, with a matching Content-Length",
    "reset": "no response; the connection is reset",
    "timeout": "no response for ``seconds``, or until the fault is removed; then the connection closes",
    "slow": "correct response, in chunks spread over ``seconds``",
    "capped": "correct response without the entries of its list after the first ``rows``",
    "not_a_list": "status 200 and ``body``, an empty object by default",
}


@dataclasses.dataclass(frozen=True)
class ResponseFault:
    """A fault in the responses of one service.

    :param kind: one of ``status``, ``proxy``, ``echo``, ``html``, ``empty``, ``truncated``, ``cut``, ``reset``,
        ``timeout``, ``slow``, ``capped`` and ``not_a_list``.
    :param path: regular expression searched in the path below the service's prefix; None matches every path.
    :param project_id: restricts the fault to requests that refer to this project or one of its resources; None
        matches every request.
    :param times: number of requests that the fault affects; None is unlimited.
    :param status: of an error response, or of ``echo``.
    :param seconds: duration of ``timeout`` (None is unlimited) and ``slow`` (required).
    :param rows: of ``capped`` (required).
    :param body: of ``not_a_list``.
    :raises ValueError: unknown service or kind, missing duration or rows, or invalid regular expression.
    """

    service: str
    kind: str
    path: str | None = None
    project_id: str | None = None
    times: int | None = None
    status: int = 500
    seconds: float | None = None
    rows: int | None = None
    body: str = "{}"

    def __post_init__(self) -> None:
        if self.service not in SERVICES:
            raise ValueError(f"service {self.service!r} is unknown; expected one of {', '.join(SERVICES)}")
        if self.kind not in _KINDS:
            raise ValueError(f"kind {self.kind!r} is unknown; expected one of {', '.join(_KINDS)}")
        if self.kind == "slow" and self.seconds is None:
            raise ValueError("kind 'slow' requires seconds")
        if self.kind == "capped" and self.rows is None:
            raise ValueError("kind 'capped' requires rows")
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"path {self.path!r} is not a valid regular expression: {error}") from error


class ActiveFault:
    """An injected fault with its state.

    :ivar hits: number of requests affected so far.
    :ivar removed: set on removal, which ends a response that hangs in the fault.
    """

    def __init__(self, fault: ResponseFault) -> None:
        self.fault = fault
        self.hits = 0
        self.removed = threading.Event()

    @property
    def exhausted(self) -> bool:
        return self.fault.times is not None and self.hits >= self.fault.times


class FaultInjector:
    """Holds the injected faults and latencies.

    :param seed: of the cloud whose project and resource IDs requests refer to.
    :param latency: seconds before each response, by service.
    """

    def __init__(self, seed: int, latency: Mapping[str, float]) -> None:
        self._seed = seed
        self._faults: dict[int, ActiveFault] = {}
        self._numbers = itertools.count(1)
        self._latency = dict(latency)
        self._lock = threading.Lock()

    def add(self, fault: ResponseFault) -> int:
        """Inject a fault, and return its number."""
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = ActiveFault(fault)
            return number

    def clear(self, number: int | None = None) -> None:
        """Remove a fault, or all faults without a number; responses that hang in them end."""
        with self._lock:
            for removed in list(self._faults) if number is None else [number]:
                active = self._faults.pop(removed, None)
                if active is not None:
                    active.removed.set()

    def next_fault(self, service: str, request: HTTPRequest) -> ActiveFault | None:
        """Return the oldest fault that matches a request and count the hit, or return None without a match."""
        with self._lock:
            for active in self._faults.values():
                if not active.exhausted and self._matches(active.fault, service, request):
                    active.hits += 1
                    return active
        return None

    def describe(self) -> list[dict[str, Any]]:
        """Return each fault with its number and hits, for JSON."""
        with self._lock:
            return [
                {"id": number, "hits": active.hits, **dataclasses.asdict(active.fault)}
                for number, active in self._faults.items()
            ]

    def set_latency(self, service: str, seconds: float) -> None:
        """Set the delay before each response of a service."""
        with self._lock:
            self._latency[service] = seconds

    def latency(self, service: str) -> float:
        """Return the delay before each response of a service, in seconds."""
        return self._latency.get(service, 0.0)

    def _matches(self, fault: ResponseFault, service: str, request: HTTPRequest) -> bool:
        return (
            service == fault.service
            and (fault.path is None or re.search(fault.path, request.path) is not None)
            and (fault.project_id is None or fault.project_id in ids.referenced_projects(self._seed, request.text()))
        )
