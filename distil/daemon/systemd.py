# SPDX-License-Identifier: Apache-2.0
"""Notifies systemd of state changes (sd_notify(3)), for a service of ``Type=notify``."""

import os
import socket
import time

from oslo_log import log

LOG = log.getLogger(__name__)

_MICROSECONDS = 1_000_000


class Systemd:
    """The notification socket of the service manager. Without systemd, notifying does nothing.

    :ivar watchdog_seconds: time within which systemd expects a sign of life; None: it expects none.
    """

    def __init__(self) -> None:
        # cotyledon sends READY and removes the variable; later notifications need the address.
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        timeout, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
        is_watched = timeout.isdigit() and pid in ("", str(os.getpid()))
        self.watchdog_seconds = int(timeout) / _MICROSECONDS if is_watched else None

    def ready(self) -> None:
        self._notify("READY=1")

    def reloading(self) -> None:
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._notify("STOPPING=1")

    def heartbeat(self) -> None:
        self._notify("WATCHDOG=1")

    def _notify(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notification:
                notification.setblocking(False)
                notification.connect(self._address)
                notification.send(state.encode())
        except OSError as error:
            # Notifying is optional; a failure must not disturb the handling of signals.
            LOG.debug("systemd could not be notified of %s: %s", state, error)
