# SPDX-License-Identifier: Apache-2.0
"""Owners of leases: their names, by which another process on the same host can tell that an owner is gone."""

import hashlib
import os
import pathlib
import re
import secrets
import socket

_MAX_HOSTNAME_LENGTH = 80
_DIGEST_LENGTH = 12

_PROC = pathlib.Path("/proc")
_ENDED = ("Z", "X")
_NAME = re.compile(r"(?P<host>[^:]*):(?P<pid>\d{1,10}):(?P<started>\d+)-(?P<namespace>[0-9a-f]+):.*", re.DOTALL)


def owner_name(collector: str) -> str:
    """A name for this process and one of its collectors, which no other process has, on this host or another.

    ``HOST:PID:START-NAMESPACE:COLLECTOR``, where START is in clock ticks since the kernel booted; or, where ``/proc``
    does not tell, a random number instead of the latter two.

    :param collector: its name, without colons.
    """
    namespace = _namespace()
    try:
        start = secrets.token_hex(_DIGEST_LENGTH // 2) if namespace is None else f"{_start('self')}-{namespace}"
    except OSError:
        start = secrets.token_hex(_DIGEST_LENGTH // 2)
    return f"{_hostname()}:{os.getpid()}:{start}:{collector}"


def is_gone(owner: str) -> bool:
    """Whether the owner was a process that this one would see, and does not run any more.

    False in case of doubt: it is on another host, in another container, or named by an older release.
    """
    name = _NAME.fullmatch(owner)
    if name is None or name["host"] != _hostname() or name["namespace"] != _namespace():
        return False
    try:
        os.kill(int(name["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        # It belongs to another user.
        pass
    try:
        return _state(name["pid"]) in _ENDED or _start(name["pid"]) != name["started"]
    except OSError:
        # Hidden, as processes of other users may be.
        return False


def _hostname() -> str:
    return socket.gethostname()[:_MAX_HOSTNAME_LENGTH].replace(":", "_")


def _namespace() -> str | None:
    """A digest of what this process's pid and start time are relative to: the kernel since its boot, and namespaces.

    None if that cannot be known. A namespace whose number is that of one that is gone has its processes nevertheless:
    those of the other one are gone, too.
    """
    try:
        if os.readlink(_PROC / "self") != str(os.getpid()):
            # This /proc is that of another namespace.
            return None
        parts = [(_PROC / "sys/kernel/random/boot_id").read_text(), os.readlink(_PROC / "self/ns/pid")]
        # Older kernels have no namespaces of time.
        parts += [os.readlink(path) for path in [_PROC / "self/ns/time"] if path.is_symlink()]
    except OSError:
        return None
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_DIGEST_LENGTH]


def _state(pid: str) -> str:
    return _stat(pid)[0]


def _start(pid: str) -> str:
    """When a process started, in clock ticks since the kernel booted."""
    return _stat(pid)[19]


def _stat(pid: str) -> list[str]:
    """The fields of /proc/PID/stat from the third one on, which follows the name in parentheses."""
    return (_PROC / pid / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
