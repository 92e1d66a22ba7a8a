# SPDX-License-Identifier: Apache-2.0
"""Observes requests, each attributed to a service.

A request may fetch a token or the versions of an API on behalf of another one. keystoneauth does not tell them apart,
so a context variable names the service.
"""

import contextlib
import contextvars
from collections.abc import Iterator

_SERVICE = contextvars.ContextVar("service", default="other")


class RequestObserver:
    """Observes every request of a session; this base class ignores them."""

    def on_request(self) -> None:
        """Called before a request is sent."""

    def on_response(self, service: str, method: str, status: int | None, seconds: float) -> None:
        """Called after a request was answered or has failed.

        :param service: the service type that :func:`attribute_requests_to` set; ``other`` outside of it.
        :param status: HTTP status; None without a response.
        :param seconds: time from the request to the headers of its response.
        """


@contextlib.contextmanager
def attribute_requests_to(service_type: str) -> Iterator[None]:
    """Attribute this thread's requests to a service inside the ``with`` block."""
    token = _SERVICE.set(service_type)
    try:
        yield
    finally:
        _SERVICE.reset(token)


def current_service() -> str:
    """The service that this thread's requests are attributed to."""
    return _SERVICE.get()
