# SPDX-License-Identifier: Apache-2.0
"""Waits for measures that have been posted to be processed: until then they look as if there were none."""

import threading
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping

import tenacity
from oslo_log import log

from distil import exceptions
from distil.telemetry.gnocchi import client
from distil.text import pluralize

LOG = log.getLogger(__name__)

_POLL_SECONDS = 2.0


class BacklogMonitor:
    """Knows which metrics have measures that were posted before some time, and are not processed. Threads share it.

    metricd processes all pending measures of a metric at once. So they are processed once a later answer has fewer, or
    none. Those that are posted meanwhile do not matter, so a steady flow of measures does not keep a period waiting.

    :param timeout: seconds to wait for metricd.
    """

    def __init__(self, gnocchi: client.GnocchiClient, timeout: float, clock: Callable[[], float] = time.time) -> None:
        self._gnocchi = gnocchi
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        # When the pending measures were looked up, in seconds since 1970, and what is left of them.
        self._since = float("-inf")
        self._pending: Mapping[str, int] = {}

    def look(self, since: float) -> None:
        """Find out what is pending, unless that is known of some time at or after ``since``, and can be waited for.

        :param since: in seconds since 1970.
        :raises TelemetryError: there is no usable answer.
        """
        with self._lock:
            now = self._clock()
            if self._since >= since and not (self._pending and now - self._since >= self._timeout):
                return
            backlog = self._gnocchi.backlog()
            if backlog is None:
                LOG.warning(
                    "Gnocchi does not tell this user about unprocessed measures: a window is collected after the lag,"
                    " whether metricd has processed its measures or not. The role admin would be allowed to ask."
                )
            self._since, self._pending = now, backlog.pending if backlog else {}

    def wait(self, metric_ids: Collection[str]) -> None:
        """Wait until the measures of these metrics that were pending are processed.

        :raises PeriodIncomplete: that takes too long.
        :raises TelemetryError: there is no usable answer.
        """
        with self._lock:
            if self._pending.keys().isdisjoint(metric_ids):
                return
            attempts = tenacity.Retrying(
                retry=tenacity.retry_if_result(bool),
                stop=lambda _: self._clock() - self._since >= self._timeout,
                wait=tenacity.wait_fixed(_POLL_SECONDS),
                retry_error_callback=self._give_up,
            )
            attempts(self._left, metric_ids)

    def _left(self, metric_ids: Collection[str]) -> Collection[str]:
        """Look again; the metrics among these whose measures are still pending."""
        backlog = self._gnocchi.backlog()
        pending = backlog.pending if backlog else {}
        self._pending = {
            metric_id: count for metric_id, count in self._pending.items() if pending.get(metric_id, 0) >= count
        }
        return self._pending.keys() & set(metric_ids)

    def _give_up(self, state: tenacity.RetryCallState) -> None:
        left = state.outcome.result() if state.outcome else ()
        raise exceptions.PeriodIncomplete(
            f"{pluralize(len(left), 'metric')} of it still {'has' if len(left) == 1 else 'have'} unprocessed measures"
            f" after {self._clock() - self._since:.0f} s ([gnocchi] processing_timeout), for example metric"
            f" {min(left)}; is gnocchi-metricd running, and does it keep up? See the storage summary of 'gnocchi"
            " status'"
        )
