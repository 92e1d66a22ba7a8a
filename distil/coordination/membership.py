# SPDX-License-Identifier: Apache-2.0
"""The members of a group and the hash ring that shares projects out among them, kept by tooz."""

import concurrent.futures
import contextlib
import threading
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import stevedore
from oslo_log import log
from tooz import coordination
from tooz import partitioner

from distil import exceptions
from distil.coordination.heartbeat import Heartbeat
from distil.coordination.timeout import call_with_timeout

LOG = log.getLogger(__name__)

# Of a member, on the ring: with tooz's 32 shares differ by half of their size.
VIRTUAL_NODES = 256

# Seconds for which the members are taken to be those of the last look.
MEMBERS_MAX_AGE = 1.0

# Seconds for an answer. Some drivers would try for a minute.
BACKEND_TIMEOUT = 15.0

# Seconds that leaving may take. Who does not leave is missed when its time is over.
LEAVE_TIMEOUT = 5.0


class HashRingMember:
    """A process's place on the ring. Threads may share it; none is started before the first :meth:`refresh`.

    :param backend_url: tooz's, with the options of its driver.
    :param group: the members' name for what they share.
    :param member: this process's name, unlike any other's.
    :param limit: seconds for an answer of the backend.
    """

    def __init__(self, backend_url: str, group: str, member: str, limit: float = BACKEND_TIMEOUT) -> None:
        self._backend_url = backend_url
        self._group = group.encode()
        self._member = member
        self._limit = limit
        self._lock = threading.Lock()
        self._joined: _Session | None = None
        self._joins = 0

    def refresh(self) -> None:
        """Look who the members are, after joining them where this process is not one (any more).

        :raises CoordinationError: the backend gave no usable answer.
        """
        with self._lock:
            self._refresh(0.0)

    def belongs_to_self(self, project_id: str) -> bool:
        """Whether a project is in this member's share, as the members were a moment ago.

        :raises CoordinationError: the backend gave no usable answer.
        """
        with self._lock:
            return self._refresh(MEMBERS_MAX_AGE).belongs_to_self(project_id)

    def leave_group(self) -> None:
        """Have the others take over at once. Returns after a few seconds, whatever the backend does."""
        with contextlib.suppress(TimeoutError):
            call_with_timeout(LEAVE_TIMEOUT, self._leave, self._late)

    def _refresh(self, age: float) -> "_Session":
        with self._translated():
            if self._joined is not None and self._joined.age >= age:
                call_with_timeout(self._limit, self._joined.look, self._late)
                if not self._joined.known:
                    LOG.warning(
                        "%s has been silent for too long and joins %s again.", self._member, self._group.decode()
                    )
                    self._abandon()
            if self._joined is None:
                self._joined = call_with_timeout(self._limit, self._join, self._late)
            return self._joined

    def _join(self) -> "_Session":
        self._joins += 1
        # Under a name of its own each time: what is left of the last time must not be taken for this one.
        membership = _Session(self._backend_url, self._group, f"{self._member}:{self._joins}".encode())
        LOG.info("%s is one of %d members of %s.", self._member, membership.size, self._group.decode())
        return membership

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        # A driver raises tooz's exceptions, those of its own client library, or neither.
        except Exception as error:
            self._abandon()
            text = _text(error, self._backend_url)
            raise exceptions.CoordinationError(f"the coordination backend gave no usable answer: {text}") from error

    def _late(self, outcome: "concurrent.futures.Future[Any]") -> None:
        error = outcome.exception()
        if error is not None:
            LOG.warning(
                "What got no answer from the coordination backend has failed: %s", _text(error, self._backend_url)
            )
        elif isinstance(membership := outcome.result(), _Session):
            membership.end()

    def _abandon(self) -> None:
        if self._joined is not None:
            threading.Thread(target=self._joined.end, name="leave ring", daemon=True).start()
            self._joined = None

    def _leave(self) -> None:
        with self._lock:
            if self._joined is not None:
                self._joined.end()
                self._joined = None


class _Session:
    """From joining to leaving, over one connection."""

    def __init__(self, backend_url: str, group: bytes, member: bytes) -> None:
        self._group = group
        self._member = member
        self._coordinator = coordination.get_coordinator(backend_url, member)
        self._coordinator.start()
        self._heart = Heartbeat(self._coordinator)
        try:
            self._partitioner: partitioner.Partitioner = self._coordinator.join_partitioned_group(
                group, partitions=VIRTUAL_NODES
            )
            self._looked = time.monotonic()
        except BaseException:
            self.end()
            raise

    @property
    def size(self) -> int:
        return len(self._partitioner.ring.nodes)

    @property
    def age(self) -> float:
        """Seconds since the last look at who the members are."""
        return time.monotonic() - self._looked

    @property
    def known(self) -> bool:
        """Whether the members, as they were then, are this one's too."""
        return self._member in self._partitioner.ring.nodes

    def look(self) -> None:
        self._coordinator.run_watchers()
        self._looked = time.monotonic()

    def belongs_to_self(self, project_id: str) -> bool:
        return self._partitioner.belongs_to_self(project_id)

    def end(self) -> None:
        self._heart.stop()
        try:
            self._coordinator.stop()
        except Exception as error:
            LOG.warning("%s could not leave %s: %s", self._member.decode(), self._group.decode(), type(error).__name__)


def backend_url_error(backend_url: str) -> str | None:
    """Why the URL cannot be used, as far as it tells without connecting; None: it can."""
    try:
        parts = urllib.parse.urlsplit(backend_url)
        _ = parts.port
        driver = type(coordination.get_coordinator(backend_url, b"check"))
    except stevedore.exception.NoMatches:
        return f"tooz has no driver {parts.scheme!r}, or the driver's own library is not installed"
    except Exception as error:
        # Its text may quote a part of the URL, be it the password.
        return f"it is no URL that a driver of tooz can read ({type(error).__name__})"
    if driver.join_group is coordination.CoordinationDriver.join_group:
        return f"tooz's driver {parts.scheme!r} has no groups"
    return None


def _text(error: BaseException, backend_url: str) -> str:
    """What went wrong, in one line and without the password."""
    text = " ".join(str(error).split()) or type(error).__name__
    password = urllib.parse.urlsplit(backend_url).password
    return text.replace(password, "***") if password else text
