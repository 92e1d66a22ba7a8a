# SPDX-License-Identifier: Apache-2.0
"""What tells the others that a member is alive.

tooz has a thread for that. While the backend is away nothing ends it, and it logs each second.
"""

import threading

from oslo_log import log
from tooz import coordination

LOG = log.getLogger(__name__)

# Seconds between two beats after one that failed.
RETRY_SECONDS = 1.0

# Part of the time after which a member counts as dead.
BEAT_FRACTION = 1 / 3


class Heartbeat:
    """Beats for a coordinator that was started, in a thread, until it is stopped."""

    def __init__(self, coordinator: coordination.CoordinationDriver) -> None:
        self._coordinator = coordinator
        self._stopped = threading.Event()
        if coordinator.requires_beating:
            threading.Thread(target=self._run, name="heart", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        failing = False
        while not self._stopped.is_set():
            try:
                pause = (self._coordinator.heartbeat() or 0.0) * BEAT_FRACTION
            except Exception as error:
                if not failing:
                    LOG.warning("The coordination backend does not take heartbeats: %s", type(error).__name__)
                failing, pause = True, RETRY_SECONDS
            else:
                failing = False
            self._stopped.wait(pause)
