# SPDX-License-Identifier: Apache-2.0
"""How long unprocessed measures are waited for."""

import unittest
from collections.abc import Mapping

from distil import exceptions
from distil.telemetry.gnocchi import backlog
from distil.telemetry.gnocchi.client import Backlog
from distil.tests.support.gnocchi_model import GnocchiModel


def monitor(*pending: Mapping[str, int] | None, timeout: float = 60) -> tuple[backlog.BacklogMonitor, GnocchiModel]:
    """A monitor whose seconds pass at once, with the answers of Gnocchi."""
    gnocchi = GnocchiModel(backlogs=[None if counts is None else Backlog(counts, 1) for counts in pending])
    return backlog.BacklogMonitor(gnocchi, timeout, _Clock()), gnocchi


class _Clock:
    """Each look at it takes a second."""

    def __init__(self) -> None:
        self._now = 1000.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


class BacklogMonitorTest(unittest.TestCase):
    def setUp(self) -> None:
        backlog._POLL_SECONDS, original = 0.0, backlog._POLL_SECONDS
        self.addCleanup(setattr, backlog, "_POLL_SECONDS", original)

    def assert_waits(self, answers: int, *pending: Mapping[str, int]) -> None:
        """:param answers: how many are needed until metric a is known to be processed."""
        waiting, gnocchi = monitor(*pending)
        waiting.look(0)
        waiting.wait({"a"})
        self.assertEqual(answers, len(gnocchi.requests))

    def test_nothing_pending_needs_no_second_look(self) -> None:
        self.assert_waits(1, {}, {"a": 1})

    def test_other_metrics_are_not_waited_for(self) -> None:
        self.assert_waits(1, {"b": 9})

    def test_absent_metric_is_processed(self) -> None:
        self.assert_waits(3, {"a": 1}, {"a": 1}, {"b": 1}, {"a": 1})

    def test_smaller_number_is_processed(self) -> None:
        self.assert_waits(3, {"a": 3}, {"a": 3}, {"a": 2})

    def test_growing_number_is_not_processed(self) -> None:
        self.assert_waits(4, {"a": 1}, {"a": 2}, {"a": 9}, {})

    def test_later_measures_do_not_matter(self) -> None:
        """A metric once seen as processed stays so, whatever is posted afterwards."""
        waiting, gnocchi = monitor({"a": 2, "b": 1}, {"a": 1, "b": 1}, {"a": 5})
        waiting.look(0)
        waiting.wait({"a"})
        waiting.wait({"b"})
        waiting.wait({"a", "b"})
        self.assertEqual(3, len(gnocchi.requests))

    def test_earlier_period_needs_no_look(self) -> None:
        waiting, gnocchi = monitor({})
        for since in (900, 500, 1000):
            waiting.look(since)
        self.assertEqual(1, len(gnocchi.requests))
        waiting.look(1500)
        self.assertEqual(2, len(gnocchi.requests))

    def test_timeout_names_metrics_and_cause(self) -> None:
        waiting, _ = monitor({"a": 1, "b": 2, "c": 1}, timeout=5)
        waiting.look(0)
        with self.assertRaisesRegex(exceptions.PeriodIncomplete, r"2 metrics .* have .* metric a; is gnocchi-metricd"):
            waiting.wait({"a", "b"})

    def test_next_attempt_waits_anew(self) -> None:
        # The clock is looked at five times until it is over; the next number to fall is 2.
        waiting, _ = monitor(*[{"a": 1}] * 5, {"a": 2}, {"a": 2}, {"a": 1}, timeout=4)
        waiting.look(0)
        self.assertRaises(exceptions.PeriodIncomplete, waiting.wait, {"a"})
        waiting.look(0)
        waiting.wait({"a"})

    def test_refused_status_is_told_and_taken_for_processed(self) -> None:
        waiting, _ = monitor(None)
        with self.assertLogs("distil.telemetry.gnocchi.backlog", "WARNING"):
            waiting.look(0)
        waiting.wait({"a"})
