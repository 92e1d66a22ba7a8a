# SPDX-License-Identifier: Apache-2.0
"""A process that dies over and over does not spin."""

import time
from multiprocessing.sharedctypes import RawArray

# A process that has lived for so many seconds was well: its death is its own, not a repetition.
STABLE_AFTER = 60.0
MAX_DELAY = 300.0


class RespawnBackoff:
    """The history of the processes of one service, in memory that the parent and all of its children share.

    Made by the parent, before it forks; asked by each child.
    """

    def __init__(self) -> None:
        # Early deaths in a row, and when the latest process began its work (CLOCK_MONOTONIC; 0: none did, or it was
        # asked to stop). Without a lock, which a process that is killed might hold for ever; one process writes.
        self._history = RawArray("d", 2)

    def delay(self) -> float:
        """Seconds that this process is to wait before its work: 0, or 1, 2, 4... where its predecessors died early."""
        deaths, began = self._history
        now = time.monotonic()
        deaths = deaths + 1 if began and now - began < STABLE_AFTER else 0
        delay = min(2 ** (deaths - 1), MAX_DELAY) if deaths else 0.0
        self._history[:] = [deaths, now + delay]
        return float(delay)

    def stopped(self) -> None:
        """This process ends because it was asked to."""
        self._history[:] = [0, 0]
