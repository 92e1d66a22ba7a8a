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
from distil.sandbox.http.response_fault import DATA_KINDS
from distil.sandbox.http.response_fault import ResponseFault


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
            and (fault.project_id is None or self._concerns(fault, request))
        )

    def _concerns(self, fault: ResponseFault, request: HTTPRequest) -> bool:
        """Whether a request concerns the fault's project; what a service lacks of it, every request may."""
        return fault.kind in DATA_KINDS or fault.project_id in ids.referenced_projects(self._seed, request.text())
