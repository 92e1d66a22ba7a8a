# SPDX-License-Identifier: Apache-2.0
"""What the exporter shows at one path."""

import dataclasses
import threading
import time
from collections.abc import Callable
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

# Of what is only true now, and made of text that others have written.
NO_STORE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request.

    :param headers: those beside the content type.
    """

    content_type: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Page(Protocol):
    """Anything that can be asked for."""

    def render(self, accept: str) -> Response:
        """As it is now or later.

        :param accept: the Accept header.
        """


class CoalescedRender:
    """A rendering, made by one thread at a time.

    All who ask while it is being made share the next one: many clients cost no more than a few, neither time nor
    memory.
    """

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._lock = threading.Lock()
        self._begun = float("-inf")
        self._body = b""

    def body(self) -> bytes:
        """As it is now or later."""
        asked = time.monotonic()
        with self._lock:
            if self._begun < asked:
                begun = time.monotonic()
                self._body = self._render()
                self._begun = begun
            return self._body


def parse_accept(accept: str) -> frozenset[str]:
    """The media types that an Accept header names."""
    return frozenset(part.partition(";")[0].strip().lower() for part in accept.split(","))
