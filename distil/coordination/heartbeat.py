# SPDX-License-Identifier: Apache-2.0
"""Heartbeats, which tell a group that a member is alive.

They replace tooz's own heartbeat thread, which cannot be stopped and logs each second while the backend is unavailable.
"""

import threading

from oslo_log import log
from tooz import coordination

LOG = log.getLogger(__name__)

# Between two heartbeats after a failed one.
_RETRY_SECONDS = 1.0

# Interval of the heartbeats, as a fraction of the time after which the backend expires a member.
_INTERVAL_FRACTION = 1 / 3


class Heartbeat:
    """Sends a started coordinator's heartbeats in a thread until it is stopped."""

    def __init__(self, coordinator: coordination.CoordinationDriver) -> None:
        self._coordinator = coordinator
        self._stopped = threading.Event()
        if coordinator.requires_beating:
            threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        failing = False
        while not self._stopped.is_set():
            try:
                pause = (self._coordinator.heartbeat() or 0.0) * _INTERVAL_FRACTION
            except Exception as error:
                if not failing:
                    LOG.warning("Heartbeat to the coordination backend failed; retrying: %s", type(error).__name__)
                failing, pause = True, _RETRY_SECONDS
            else:
                failing = False
            self._stopped.wait(pause)
