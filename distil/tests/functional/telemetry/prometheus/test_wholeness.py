# SPDX-License-Identifier: Apache-2.0
"""What the driver makes of periods, and of answers, that are not whole or not as documented."""

from typing import Any

from distil import exceptions
from distil import model
from distil.tests.support.prometheus_driver import START
from distil.tests.support.prometheus_driver import UP
from distil.tests.support.prometheus_driver import SeriesServer
from distil.tests.support.prometheus_driver import SeriesServerCase
from distil.tests.support.prometheus_driver import every_minute
from distil.tests.support.prometheus_driver import series


class WholenessTest(SeriesServerCase):
    def assert_incomplete(self, server: SeriesServer, pattern: str, **options: Any) -> None:
        with self.assertRaisesRegex(exceptions.PeriodIncomplete, pattern) as caught:
            self.read(server, **options)
        self.assertTrue(caught.exception.affects_all)

    def test_gap_of_all_targets_holds_window(self) -> None:
        for name, points in {
            "start": every_minute(11, 59),
            "middle": [*every_minute(0, 20), *every_minute(32, 59)],
            "end": every_minute(0, 49),
            "down": [*every_minute(0, 20), *every_minute(21, 31, 0), *every_minute(32, 59)],
        }.items():
            with self.subTest(name):
                server = self.serve(up=series(UP, *points))
                self.assert_incomplete(server, f"{UP} has no sample other than 0 .*max_gap to [67][0-9][0-9] until")

    def test_accepted_gap_does_not(self) -> None:
        points = [*every_minute(9, 20), *every_minute(30, 50), (61, 1)]
        self.assertEqual([], self.samples(self.serve(up=series(UP, *points))))

    def test_late_samples_are_awaited(self) -> None:
        """As if the collector's clock were five minutes ahead."""
        for name, points in {
            "regular": every_minute(-20, 55),
            "gap": [*every_minute(-20, 10), *every_minute(13, 55)],
        }.items():
            with self.subTest(name):
                server = self.serve(up=series(UP, *points))
                self.assert_incomplete(server, "no sample after 2026-01-01T00:55:00Z yet")
        for name, points in {
            "later": [*every_minute(-20, 55), (60, 0)],
            "slow": every_minute(-20, 55)[::5],
        }.items():
            with self.subTest(name):
                self.assertEqual([], self.samples(self.serve(up=series(UP, *points))))

    def test_unknown_up_holds_window(self) -> None:
        self.assert_incomplete(
            self.serve(up=series("other", (0, 1))), r"exporter_up has no sample from 2026.*retention \(15d\)"
        )

    def test_target_that_was_up_and_fails_holds_window(self) -> None:
        for name, points, gap in (
            ("at the end", [*every_minute(0, 20), *every_minute(21, 59, 0)], "from 2026-01-01T00:20:00Z to"),
            ("up before", [*every_minute(-20, -5), *every_minute(-4, 59, 0)], "from 2026-01-01T00:00:00Z to"),
            (
                "across",
                [*every_minute(-20, -5), *every_minute(-4, 5, 0), *every_minute(6)],
                "from 2025-12-31T23:55:00Z",
            ),
            ("unknown", [*every_minute(-20, 20), *every_minute(32)], "from 2026-01-01T00:20:00Z to 2026-01-01T00:32"),
        ):
            with self.subTest(name):
                server = self.serve(series(UP, *points, instance="compute7"))
                self.assert_incomplete(server, f"1 of 2 targets .*compute7.* {gap}.* max_gap to 3600 until")
                self.assertEqual([], self.samples(server, max_gap=3600))

    def test_target_that_was_down_before_is_logged(self) -> None:
        for name, points in {
            "always": every_minute(-20, 59, 0),
            "until": [*every_minute(-20, 20, 0), *every_minute(21)],
        }.items():
            with self.subTest(name), self.assertLogs("distil.telemetry.prometheus", "WARNING") as logs:
                self.assertEqual([], self.samples(self.serve(series(UP, *points, instance="compute7"))))
            self.assertRegex("".join(logs.output), "1 of 2 targets .*compute7.* from 2026-01-01T00:00:00Z to")

    def test_target_added_or_removed_is_not(self) -> None:
        old, new = (
            series(UP, *points, instance=name)
            for name, points in (("a", every_minute(-20, 20)), ("b", every_minute(30)))
        )
        with self.assertNoLogs("distil.telemetry.prometheus.wholeness", "WARNING"):
            self.assertEqual([], self.samples(self.serve(old, new)))

    def test_target_is_up_while_a_replica_is(self) -> None:
        one = series(UP, *every_minute(-20, 30), *every_minute(31, 59, 0), job="pair", replica="one")
        other = series(UP, *every_minute(-20, 10), *every_minute(32), job="pair", replica="other")
        server = self.serve(one, other)
        self.assert_incomplete(server, "2 of 3 targets")
        self.assertEqual([], self.samples(server, replica_labels=["replica"]))

    def test_gap_across_start_of_window_holds_it(self) -> None:
        """What counters counted meanwhile is unknown."""
        server = self.serve(up=series(UP, *every_minute(-20, -8), *every_minute(8)))
        self.assert_incomplete(server, "from 2025-12-31T23:52:00Z to 2026-01-01T00:08:00Z")

    def test_doubts_of_service_hold_window(self) -> None:
        server = self.serve(spoil=lambda _, answer: {**answer, "warnings": ["store-1 is unavailable"]})
        self.assert_incomplete(server, "says that its answer may be incomplete: store-1 is unavailable")


class MalformedAnswerTest(SeriesServerCase):
    """Answers about ``volume_size``; those about the target's state are right."""

    def spoiled(self, **changes: Any) -> SeriesServer:
        """Serve a series of p that is not as documented, and one of q that is."""

        def spoil(metric: str, answer: Any) -> Any:
            if metric != UP and answer["data"]["result"]:
                answer["data"]["result"][0].update(changes)
            return answer

        items = [series("volume_size", *every_minute(), project=name, id=name) for name in ("p", "q")]
        return self.serve(*items, spoil=spoil)

    def test_malformed_series_fails_its_project_alone(self) -> None:
        server = self.spoiled(values=[[START.timestamp(), "many"]])
        self.assertEqual(2, len(self.samples(server, projects=["q"])))
        with self.assertRaisesRegex(exceptions.TelemetryError, "prometheus: a series of volume_size .*many") as caught:
            self.read(server)
        self.assertFalse(caught.exception.affects_all)

    def test_malformed_series_without_project_fails_all(self) -> None:
        with self.assertRaisesRegex(exceptions.TelemetryError, "prometheus: a series of volume_size") as caught:
            self.read(self.spoiled(metric={"project": 5}), projects=["q"])
        self.assertTrue(caught.exception.affects_all)

    def test_malformed_state_of_target_fails_all(self) -> None:
        server = self.serve(spoil=lambda _, answer: {**answer, "data": {**answer["data"], "result": [5]}})
        with self.assertRaisesRegex(exceptions.TelemetryError, f"prometheus: a series of {UP} cannot be used"):
            self.read(server)

    def test_labels_may_hold_any_text(self) -> None:
        for name in ('a "name"', "größe", "a\\b", "two\nlines", "\N{CLOUD}", "{}"):
            with self.subTest(name):
                server = self.serve(series("volume_size", (0, 1), project=name, id=name))
                (sample,) = self.samples(server, projects=[name])
                self.assertEqual((name, name), (sample.project_id, sample.resource_id))
        (rejected,) = self.read(self.serve(series("volume_size", (0, 1), project="p", id="\0")))
        self.assertIsInstance(rejected, model.RejectedSample)
