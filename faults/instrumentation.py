# SPDX-License-Identifier: Apache-2.0
"""Fault points: every place where a process talks to the database or over HTTP, found from outside of the product.

A statement has three: before it is sent, when it is sent and not answered, and after its answer. They are taken at the
driver, so that COMMIT, ROLLBACK, pings and what libraries send on their own are among them. A request has three, too:
before it is sent, when the head of its answer is there, and when the body is.
"""

import functools
import itertools
import urllib.parse
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import pymysql.connections
import requests
import requests.adapters
from pymysql.constants import COMMAND

SQL = "sql"
HTTP = "http"
BEFORE = "before"
MIDWAY = "midway"
AFTER = "after"

_WORDS_SHOWN = 3
_WITHOUT_TEXT = {COMMAND.COM_PING: "PING"}


class Point(NamedTuple):
    """A fault point of a run: its number from 1 on, and what goes on there."""

    number: int
    kind: str
    phase: str
    what: str

    def __str__(self) -> str:
        return f"{self.number} ({self.phase} {self.what})"


# Called at each point, with the driver's connection or the prepared request.
Reached = Callable[[Point, Any], None]


class Hooks:
    """Counts the points of this process from now on, in the order in which they are reached."""

    def __init__(self, reached: Reached) -> None:
        self._reached = reached
        self._numbers = itertools.count(1)

    def install(self) -> None:
        """For good: it is for a process that runs one collector and ends."""
        connection = pymysql.connections.Connection
        _wrap(connection, "_execute_command", self._send_command)
        _wrap(connection, "connect", self._connect)
        for name in ("query", "commit", "rollback", "ping"):
            _wrap(connection, name, functools.partial(self._finish_command, name))
        _wrap(requests.adapters.HTTPAdapter, "send", self._send_request)
        _wrap(requests.Session, "send", self._finish_request)

    def _reach(self, kind: str, phase: str, what: str, subject: Any) -> None:
        self._reached(Point(next(self._numbers), kind, phase, what), subject)

    def _send_command(self, send: Callable[..., Any], connection: Any, command: int, sql: Any) -> Any:
        what = _WITHOUT_TEXT.get(command) or _statement(sql)
        self._reach(SQL, BEFORE, what, connection)
        result = send(connection, command, sql)
        self._reach(SQL, MIDWAY, what, connection)
        return result

    def _finish_command(self, name: str, finish: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
        result = finish(connection, *args, **kwargs)
        self._reach(SQL, AFTER, _statement(args[0]) if name == "query" else name.upper(), connection)
        return result

    def _connect(self, connect: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
        self._reach(SQL, BEFORE, "CONNECT", connection)
        result = connect(connection, *args, **kwargs)
        self._reach(SQL, AFTER, "CONNECT", connection)
        return result

    def _send_request(self, send: Callable[..., Any], adapter: Any, request: Any, **kwargs: Any) -> Any:
        what = _request(request)
        self._reach(HTTP, BEFORE, what, request)
        response = send(adapter, request, **kwargs)
        self._reach(HTTP, MIDWAY, what, request)
        return response

    def _finish_request(self, send: Callable[..., Any], session: Any, request: Any, **kwargs: Any) -> Any:
        response = send(session, request, **kwargs)
        self._reach(HTTP, AFTER, _request(request), request)
        return response


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(owner, name, wrapped)


def _statement(sql: str | bytes | bytearray) -> str:
    text = sql if isinstance(sql, str) else sql.decode(errors="replace")
    return " ".join(text.split()[:_WORDS_SHOWN])


def _request(request: requests.PreparedRequest) -> str:
    return f"{request.method} {urllib.parse.urlsplit(request.url or '').path!s}"
