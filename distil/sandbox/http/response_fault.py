# SPDX-License-Identifier: Apache-2.0
"""What a fault is."""

import dataclasses
import re
from collections.abc import Mapping

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

SERVICE_KINDS: Mapping[str, tuple[str, ...]] = {
    "unprivileged": ("metric", "metric-storage"),
    "unprocessed": ("metric",),
    "hole": ("metric-storage", "prometheus"),
    "down": ("metric-storage", "prometheus"),
    "warnings": ("metric-storage", "prometheus"),
}
"""Kinds that a service itself knows, and these services."""

DATA_KINDS = ("unprocessed", "hole", "down")
"""Kinds by which a service lacks data, whatever it is asked."""

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
    "unprivileged": "correct response to a user with the role reader",
    "unprocessed": "aggregates lack the measures of the last ``seconds``, or all, which the status counts",
    "hole": "the series lack all samples of the first ``seconds`` of each hour",
    "down": "targets are down for the first ``seconds`` of each hour: ``up`` is 0, other series have no samples",
    "warnings": "correct response with a warning",
}


@dataclasses.dataclass(frozen=True)
class ResponseFault:
    """A fault in the responses of one service.

    :param kind: one of ``status``, ``proxy``, ``echo``, ``html``, ``empty``, ``truncated``, ``cut``, ``reset``,
        ``timeout``, ``slow``, ``capped``, ``not_a_list``, ``unprivileged``, ``unprocessed``, ``hole``, ``down`` and
        ``warnings``.
    :param path: regular expression searched in the path below the service's prefix; None matches every path.
    :param project_id: restricts the fault to requests that refer to this project or one of its resources, and
        ``unprocessed``, ``hole`` and ``down`` to its resources; None matches every request.
    :param times: number of requests that the fault affects; None is unlimited.
    :param status: of an error response, or of ``echo``.
    :param seconds: duration of ``timeout`` and ``unprocessed`` (None is unlimited), and of ``slow``, ``hole`` and
        ``down`` (required).
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
        if self.service not in SERVICE_KINDS.get(self.kind, SERVICES):
            raise ValueError(f"service {self.service!r} does not know kind {self.kind!r}")
        if self.kind in ("slow", "hole", "down") and self.seconds is None:
            raise ValueError(f"kind {self.kind!r} requires seconds")
        if self.kind == "capped" and self.rows is None:
            raise ValueError("kind 'capped' requires rows")
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"path {self.path!r} is not a valid regular expression: {error}") from error
