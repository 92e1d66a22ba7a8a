# SPDX-License-Identifier: Apache-2.0
"""Fault points: instruments the database driver and the HTTP client of a process, without changes to the product.

A statement has three points: before it is sent, when it is sent but not answered, and after its result. They are in
the driver, so that COMMIT, ROLLBACK, pings and what libraries send are included. A request has three points, too:
before it is sent, after the head of its response, and after the body. In PostgreSQL's driver, a statement has two
points, before and after it.
"""

import enum
import functools
import itertools
import urllib.parse
from collections.abc import Callable
from typing import Any
from typing import NamedTuple
from typing import Protocol

import psycopg
import pymysql.connections
import requests
import requests.adapters
from pymysql.constants import COMMAND

_MAX_STATEMENT_WORDS = 3
_COMMANDS_WITHOUT_TEXT = {COMMAND.COM_PING: "PING"}


class Channel(enum.StrEnum):
    """What a process communicates over."""

    SQL = "sql"
    HTTP = "http"


class Phase(enum.StrEnum):
    """Progress of a statement or request."""

    BEFORE = "before"
    MIDWAY = "midway"
    AFTER = "after"


class FaultPoint(NamedTuple):
    """A place in a run where a fault can be injected.

    :param number: position in the run, from 1 on.
    :param operation: first words of the statement, or method and path of the request.
    """

    number: int
    channel: Channel
    phase: Phase
    operation: str

    def __str__(self) -> str:
        return f"{self.phase} {self.operation}"


class Listener(Protocol):
    """Is notified of every fault point that a process reaches."""

    def on_point(self, point: FaultPoint, target: Any) -> None:
        """Handle a fault point, in the thread that has reached it.

        :param target: the driver's connection or the prepared request.
        """


class PointRecorder:
    """Records the fault points of a process."""

    def __init__(self) -> None:
        self.points: list[FaultPoint] = []

    def on_point(self, point: FaultPoint, target: Any) -> None:
        self.points.append(point)


class Instrumentation:
    """Numbers the fault points that this process reaches, and notifies a listener of each."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._numbers = itertools.count(1)

    def install(self) -> None:
        """Instrument this process, permanently: it runs one program and ends."""
        connection = pymysql.connections.Connection
        _wrap(connection, "_execute_command", self._send_command)
        _wrap(connection, "connect", self._connect)
        for name in ("query", "commit", "rollback", "ping"):
            _wrap(connection, name, functools.partial(self._finish_command, name))
        for name in ("execute", "executemany"):
            _wrap(psycopg.Cursor, name, self._execute)
        for name in ("commit", "rollback"):
            _wrap(psycopg.Connection, name, functools.partial(self._end_transaction, name.upper()))
        _wrap(requests.adapters.HTTPAdapter, "send", self._send_request)
        _wrap(requests.Session, "send", self._finish_request)

    def _notify(self, channel: Channel, phase: Phase, operation: str, target: Any) -> None:
        self._listener.on_point(FaultPoint(next(self._numbers), channel, phase, operation), target)

    def _send_command(self, send: Callable[..., Any], connection: Any, command: int, sql: Any) -> Any:
        operation = _COMMANDS_WITHOUT_TEXT.get(command) or _describe_statement(sql)
        self._notify(Channel.SQL, Phase.BEFORE, operation, connection)
        result = send(connection, command, sql)
        self._notify(Channel.SQL, Phase.MIDWAY, operation, connection)
        return result

    def _finish_command(self, name: str, finish: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
        result = finish(connection, *args, **kwargs)
        operation = _describe_statement(args[0]) if name == "query" else name.upper()
        self._notify(Channel.SQL, Phase.AFTER, operation, connection)
        return result

    def _connect(self, connect: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
        self._notify(Channel.SQL, Phase.BEFORE, "CONNECT", connection)
        result = connect(connection, *args, **kwargs)
        self._notify(Channel.SQL, Phase.AFTER, "CONNECT", connection)
        return result

    def _execute(self, execute: Callable[..., Any], cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        operation = _describe_statement(query)
        self._notify(Channel.SQL, Phase.BEFORE, operation, cursor.connection)
        result = execute(cursor, query, *args, **kwargs)
        self._notify(Channel.SQL, Phase.AFTER, operation, cursor.connection)
        return result

    def _end_transaction(self, operation: str, end: Callable[..., Any], connection: Any) -> None:
        self._notify(Channel.SQL, Phase.BEFORE, operation, connection)
        end(connection)
        self._notify(Channel.SQL, Phase.AFTER, operation, connection)

    def _send_request(self, send: Callable[..., Any], adapter: Any, request: Any, **kwargs: Any) -> Any:
        operation = _describe_request(request)
        self._notify(Channel.HTTP, Phase.BEFORE, operation, request)
        response = send(adapter, request, **kwargs)
        self._notify(Channel.HTTP, Phase.MIDWAY, operation, request)
        return response

    def _finish_request(self, send: Callable[..., Any], session: Any, request: Any, **kwargs: Any) -> Any:
        response = send(session, request, **kwargs)
        self._notify(Channel.HTTP, Phase.AFTER, _describe_request(request), request)
        return response


def _wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(owner, name, wrapper)


def _describe_statement(sql: object) -> str:
    text = sql.decode(errors="replace") if isinstance(sql, bytes | bytearray) else str(sql)
    return " ".join(text.split()[:_MAX_STATEMENT_WORDS])


def _describe_request(request: requests.PreparedRequest) -> str:
    return f"{request.method} {urllib.parse.urlsplit(request.url or '').path!s}"
