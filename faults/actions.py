# SPDX-License-Identifier: Apache-2.0
"""What a fault does to a process at a fault point."""

import dataclasses
import enum
import json
import os
import pathlib
import re
import signal
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import pymysql.err

from faults.instrumentation import FaultPoint

DEADLOCK_ERRNO = 1213
_SERVICES_BY_PREFIX = {"volume": "block-storage"}
_CONTROL_TIMEOUT_SECONDS = 10


class Action(enum.StrEnum):
    """The effect of a fault."""

    KILL = "kill"  # SIGKILL
    PAUSE = "pause"  # SIGSTOP
    DISCONNECT = "disconnect"  # breaks the database connection, unnoticed by the driver
    FAIL_STATEMENT = "fail-statement"  # raises the driver's error for detail["errno"] instead of sending
    FAULTY_RESPONSE = "faulty-response"  # injects a sandbox.http.response_fault.ResponseFault with detail


@dataclasses.dataclass(frozen=True)
class Fault:
    """An action at a fault point. It can be the listener of an instrumentation.

    :param point: number of the fault point.
    :param detail: of the action.
    :param once_file: a file that does not exist yet; of several processes with the same file, only the first that
        reaches the point acts.
    """

    point: int
    action: Action
    detail: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    once_file: str | None = None

    def on_point(self, point: FaultPoint, target: Any) -> None:
        """Act if this is the fault point."""
        if point.number == self.point and self._is_first():
            _ACTIONS[self.action](target, self.detail)

    def _is_first(self) -> bool:
        if self.once_file is None:
            return True
        try:
            pathlib.Path(self.once_file).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def _kill(_: Any, __: Mapping[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _pause(_: Any, __: Mapping[str, Any]) -> None:
    # Sent to this thread: if another one took the signal, this one would execute a few more statements.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _disconnect(connection: Any, _: Mapping[str, Any]) -> None:
    connection._sock.shutdown(socket.SHUT_RDWR)


def _fail_statement(connection: Any, detail: Mapping[str, Any]) -> None:
    errno = detail["errno"]
    if errno == DEADLOCK_ERRNO:
        # A server that reports a deadlock has rolled back the whole transaction.
        connection.rollback()
    error_class = pymysql.err.error_map.get(errno, pymysql.err.OperationalError)
    raise error_class(errno, f"injected error {errno}")


def _inject_response_fault(request: Any, detail: Mapping[str, Any]) -> None:
    url = urllib.parse.urlsplit(request.url)
    prefix, _, path = url.path.removeprefix("/").partition("/")
    service = _SERVICES_BY_PREFIX.get(prefix, prefix)
    body = json.dumps({"service": service, "path": f"^/{re.escape(path)}$", **detail}).encode()
    injection = urllib.request.Request(f"http://{url.netloc}/sandbox/faults", body, method="POST")
    with urllib.request.urlopen(injection, timeout=_CONTROL_TIMEOUT_SECONDS) as response:
        response.read()


_ACTIONS = {
    Action.KILL: _kill,
    Action.PAUSE: _pause,
    Action.DISCONNECT: _disconnect,
    Action.FAIL_STATEMENT: _fail_statement,
    Action.FAULTY_RESPONSE: _inject_response_fault,
}
