# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: what goes wrong, where, and how often."""

import dataclasses
import itertools
import re
import threading
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

SERVICES = ("identity", "metering", "compute", "block-storage", "image", "object-store")

_KINDS = {
    "status": "an error with the status that ``status`` names, worded as the service words its own",
    "html": "status 200 and a page of HTML",
    "empty": "status 200 and no body",
    "truncated": "the right answer, of which half the body comes before the connection is closed",
    "cut": "the right answer, cut in half, with a length that fits",
    "reset": "no answer: the connection is reset",
    "timeout": "no answer for ``seconds``, or until the fault is taken back; then the connection is closed",
    "slow": "the right answer, in drops that take ``seconds`` altogether",
    "not_a_list": "status 200 and ``body``, which is an empty object unless it is named",
}


@dataclasses.dataclass(frozen=True)
class ResponseFault:
    """A fault.

    :param path: regular expression that is searched in the path below the service's prefix; None is any.
    :param project_id: only requests that name this project or one of its resources; None is any.
    :param times: how often it happens; None is for ever.
    :param seconds: see :data:`KINDS`; None is for ever, which ``slow`` cannot be.
    :raises ValueError: it makes no sense.
    """

    service: str
    kind: str
    path: str | None = None
    project_id: str | None = None
    times: int | None = None
    status: int = 500
    seconds: float | None = None
    body: str = "{}"

    def __post_init__(self) -> None:
        if self.service not in SERVICES:
            raise ValueError(f"service is one of {', '.join(SERVICES)}, not {self.service!r}")
        if self.kind not in _KINDS:
            raise ValueError(f"kind is one of {', '.join(_KINDS)}, not {self.kind!r}")
        if self.kind == "slow" and self.seconds is None:
            raise ValueError("a slow answer needs seconds")
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from error

    def matches(self, service: str, path: str, projects: Callable[[], frozenset[str]]) -> bool:
        return (
            service == self.service
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.project_id is None or self.project_id in projects())
        )


class ActiveFault:
    """A fault that was ordered.

    :ivar released: set when it was taken back.
    """

    def __init__(self, fault: ResponseFault) -> None:
        self.fault = fault
        self.hits = 0
        self.removed = threading.Event()

    @property
    def exhausted(self) -> bool:
        return self.fault.times is not None and self.hits >= self.fault.times


class FaultInjector:
    """The faults and latencies that were ordered."""

    def __init__(self, latency: Mapping[str, float]) -> None:
        self._faults: dict[int, ActiveFault] = {}
        self._numbers = itertools.count(1)
        self._latency = dict(latency)
        self._lock = threading.Lock()

    def add(self, fault: ResponseFault) -> int:
        """Order a fault; the number takes it back."""
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = ActiveFault(fault)
            return number

    def clear(self, number: int | None = None) -> None:
        """Take a fault back, or all of them; what hangs in one goes on."""
        with self._lock:
            gone = list(self._faults) if number is None else [number]
            for each in gone:
                active = self._faults.pop(each, None)
                if active is not None:
                    active.removed.set()

    def next_fault(self, service: str, path: str, projects: Callable[[], frozenset[str]]) -> ActiveFault | None:
        """The oldest fault that concerns a request, which counts as one of its times.

        :param projects: finds the ids of the projects that the request is about.
        """
        with self._lock:
            for active in self._faults.values():
                if not active.exhausted and active.fault.matches(service, path, projects):
                    active.hits += 1
                    return active
        return None

    def describe(self) -> list[dict[str, Any]]:
        """Every fault that was not taken back, with its number and how often it happened."""
        with self._lock:
            return [
                {"id": number, "hits": active.hits, **dataclasses.asdict(active.fault)}
                for number, active in self._faults.items()
            ]

    def set_latency(self, service: str, seconds: float) -> None:
        """How long a service waits before each answer."""
        with self._lock:
            self._latency[service] = seconds

    def latency(self, service: str) -> float:
        return self._latency.get(service, 0.0)
