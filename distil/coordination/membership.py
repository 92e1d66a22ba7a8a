# SPDX-License-Identifier: Apache-2.0
"""A process's membership in a group of tooz, and the hash ring of the group."""

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Iterator

from oslo_log import log
from tooz import partitioner

from distil import exceptions
from distil.coordination.backend import error_text
from distil.coordination.backend import get_coordinator
from distil.coordination.call_timeout import call_with_timeout
from distil.coordination.heartbeat import Heartbeat

LOG = log.getLogger(__name__)

# Virtual nodes of a member on the ring. With tooz's default of 32, the members' shares differ by half of their size.
_VIRTUAL_NODES = 256

# For how long the list of members is reused.
_MEMBERS_MAX_AGE_SECONDS = 1.0

# For a response of the backend. Some drivers would wait for a minute.
_BACKEND_TIMEOUT_SECONDS = 15.0

# For leaving a group. A member that does not leave expires.
_LEAVE_TIMEOUT_SECONDS = 5.0


class HashRingMember:
    """A process's membership in a group. Threads may share it; the first :meth:`refresh` joins the group.

    :param backend_url: tooz URL with the options of the driver.
    :param member: unique name of this process.
    :param timeout: seconds for a response of the backend.
    """

    def __init__(self, backend_url: str, group: str, member: str, timeout: float = _BACKEND_TIMEOUT_SECONDS) -> None:
        self._backend_url = backend_url
        self._group = group.encode()
        self._member = member
        self._timeout = timeout
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._join_count = 0
        # Of a request that had timed out before, since the last success: the cause of time-outs.
        self._late_error: str | None = None

    def refresh(self) -> None:
        """Updates the list of members; joins the group if this process is not a member or has expired.

        :raises CoordinationError: the backend request failed.
        """
        with self._lock:
            self._refresh(0.0)

    def belongs_to_self(self, project_id: str) -> bool:
        """Whether the ring assigns a project to this member, by a list of members that may be a moment old.

        :raises CoordinationError: the backend request failed.
        """
        with self._lock:
            return self._refresh(_MEMBERS_MAX_AGE_SECONDS).belongs_to_self(project_id)

    def leave_group(self) -> None:
        """Leaves the group, which reassigns the projects at once. Returns within seconds, whatever the backend does."""
        with contextlib.suppress(TimeoutError):
            call_with_timeout(_LEAVE_TIMEOUT_SECONDS, self._leave, self._on_late_result)

    def _refresh(self, max_age: float) -> "_Session":
        with self._translate_errors():
            if self._session is not None and self._session.age >= max_age:
                call_with_timeout(self._timeout, self._session.refresh, self._on_late_result)
                if not self._session.is_member:
                    LOG.warning("%s expired in group %s; rejoining", self._member, self._group.decode())
                    self._abandon()
            if self._session is None:
                self._session = call_with_timeout(self._timeout, self._join, self._on_late_session)
            self._late_error = None
            return self._session

    def _join(self) -> "_Session":
        self._join_count += 1
        # A new name each time, so that remnants of an earlier session are not taken for this one.
        session = _Session(self._backend_url, self._group, f"{self._member}:{self._join_count}".encode())
        LOG.info("%s joined group %s (members: %d)", self._member, self._group.decode(), session.size)
        return session

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        # A driver raises exceptions of tooz, of its own client library, or others.
        except Exception as error:
            self._abandon()
            text = error_text(error, self._backend_url)
            if isinstance(error, TimeoutError) and self._late_error:
                text += f"; the request before this failed after its time-out: {self._late_error}"
            raise exceptions.CoordinationError(f"coordination backend request failed: {text}") from error

    def _on_late_result(self, result: "concurrent.futures.Future[None]") -> None:
        error = result.exception()
        if error is not None:
            self._log_late_failure(error)

    def _on_late_session(self, result: "concurrent.futures.Future[_Session]") -> None:
        error = result.exception()
        if error is not None:
            self._log_late_failure(error)
        else:
            result.result().end()

    def _log_late_failure(self, error: BaseException) -> None:
        self._late_error = error_text(error, self._backend_url)
        LOG.warning("Coordination backend request failed after it had timed out: %s", self._late_error)

    def _abandon(self) -> None:
        if self._session is not None:
            threading.Thread(target=self._session.end, name="leave group", daemon=True).start()
            self._session = None

    def _leave(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.end()
                self._session = None


class _Session:
    """A membership from joining to leaving, over one connection."""

    def __init__(self, backend_url: str, group: bytes, member: bytes) -> None:
        self._group = group
        self._member = member
        self._coordinator = get_coordinator(backend_url, member)
        self._coordinator.start()
        self._heartbeat = Heartbeat(self._coordinator)
        try:
            self._partitioner: partitioner.Partitioner = self._coordinator.join_partitioned_group(
                group, partitions=_VIRTUAL_NODES
            )
            self._refreshed = time.monotonic()
        except BaseException:
            self.end()
            raise

    @property
    def size(self) -> int:
        """Number of members, as of the last :meth:`refresh`."""
        return len(self._partitioner.ring.nodes)

    @property
    def age(self) -> float:
        """Seconds since the last :meth:`refresh`."""
        return time.monotonic() - self._refreshed

    @property
    def is_member(self) -> bool:
        """Whether this member was in the group at the last :meth:`refresh`."""
        return self._member in self._partitioner.ring.nodes

    def refresh(self) -> None:
        """Updates the list of members."""
        self._coordinator.run_watchers()
        self._refreshed = time.monotonic()

    def belongs_to_self(self, project_id: str) -> bool:
        return self._partitioner.belongs_to_self(project_id)

    def end(self) -> None:
        """Leaves the group and closes the connection; logs failures."""
        self._heartbeat.stop()
        try:
            self._coordinator.stop()
        except Exception as error:
            name, group = self._member.decode(), self._group.decode()
            LOG.warning("%s could not leave group %s: %s", name, group, type(error).__name__)
