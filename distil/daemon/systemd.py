# SPDX-License-Identifier: Apache-2.0
"""What systemd is told (sd_notify(3)) of a service of ``Type=notify``. Without systemd nothing happens."""

import os
import socket
import time

from oslo_log import log

LOG = log.getLogger(__name__)


class Systemd:
    """The manager's socket, if there is one.

    :param watchdog: seconds within which it wants a sign of life; None where it wants none.
    """

    def __init__(self) -> None:
        # cotyledon says READY and takes the variable away; later notices need the address still.
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
        self.watchdog = int(usec) / 1_000_000 if usec.isdigit() and pid in ("", str(os.getpid())) else None

    def ready(self) -> None:
        self._notify("READY=1")

    def reloading(self) -> None:
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._notify("STOPPING=1")

    def alive(self) -> None:
        self._notify("WATCHDOG=1")

    def _notify(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notice:
                notice.setblocking(False)
                notice.connect(self._address)
                notice.send(state.encode())
        except OSError as error:
            # A notice is a courtesy: that nobody takes it must not keep a signal from being heeded.
            LOG.debug("systemd does not take %s: %s", state, error)
