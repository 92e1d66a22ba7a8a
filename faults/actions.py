# SPDX-License-Identifier: Apache-2.0
"""What happens to a process at a fault point."""

import dataclasses
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

from faults.instrumentation import Point

KILL = "kill"
STOP = "stop"
CUT = "cut"
ERROR = "error"
ANSWER = "answer"

DEADLOCK = 1213
_SERVICES = {"volume": "block-storage"}


@dataclasses.dataclass(frozen=True)
class Fault:
    """An action at a point.

    :param action: KILL; STOP, which is SIGSTOP; CUT, which closes the database connection under the driver's feet;
        ERROR, which has the statement fail with ``detail["errno"]`` and not be sent; ANSWER, which has the sandbox
        break the answer to the request as ``detail`` says.
    :param fuse: a file that does not exist yet: of the processes that share it, the fault happens to the first.
    """

    point: int
    action: str
    detail: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fuse: str | None = None

    def __call__(self, point: Point, subject: Any) -> None:
        """Act, if this is the point."""
        if point.number == self.point and self._first():
            _ACTIONS[self.action](subject, self.detail)

    def _first(self) -> bool:
        if self.fuse is None:
            return True
        try:
            pathlib.Path(self.fuse).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def _kill(_: Any, __: Mapping[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(_: Any, __: Mapping[str, Any]) -> None:
    # To this thread: to the process, another thread might take it, and this one would go on for a statement or two.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _cut(connection: Any, _: Mapping[str, Any]) -> None:
    connection._sock.shutdown(socket.SHUT_RDWR)


def _error(connection: Any, detail: Mapping[str, Any]) -> None:
    errno = detail["errno"]
    if errno == DEADLOCK:
        # The server has rolled back the whole transaction when it says this.
        connection.rollback()
    kind = pymysql.err.error_map.get(errno, pymysql.err.OperationalError)
    raise kind(errno, f"error {errno} on demand")


def _break_answer(request: Any, detail: Mapping[str, Any]) -> None:
    url = urllib.parse.urlsplit(request.url)
    prefix, _, path = url.path.removeprefix("/").partition("/")
    fault = {"service": _SERVICES.get(prefix, prefix), "path": f"^/{re.escape(path)}$", **detail}
    order = urllib.request.Request(f"http://{url.netloc}/sandbox/faults", json.dumps(fault).encode(), method="POST")
    with urllib.request.urlopen(order, timeout=10) as answer:
        answer.read()


_ACTIONS = {KILL: _kill, STOP: _stop, CUT: _cut, ERROR: _error, ANSWER: _break_answer}
