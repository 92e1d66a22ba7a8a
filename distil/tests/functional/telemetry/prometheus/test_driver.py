# SPDX-License-Identifier: Apache-2.0
"""What the driver makes of series, and what it asks for."""

import itertools
import unittest
from typing import Any

from distil import exceptions
from distil import model
from distil.telemetry.driver import ServedMeter
from distil.tests.support.prometheus_driver import END
from distil.tests.support.prometheus_driver import MINUTE
from distil.tests.support.prometheus_driver import START
from distil.tests.support.prometheus_driver import TRAFFIC
from distil.tests.support.prometheus_driver import UP
from distil.tests.support.prometheus_driver import VOLUME
from distil.tests.support.prometheus_driver import SeriesServerCase
from distil.tests.support.prometheus_driver import entry
from distil.tests.support.prometheus_driver import every_minute
from distil.tests.support.prometheus_driver import make_driver
from distil.tests.support.prometheus_driver import series


class GaugeTest(SeriesServerCase):
    def test_sample_has_keys_of_ceilometer(self) -> None:
        labels = {"project": "p", "id": "v1", "name": "größe", "type": "ssd"}
        server = self.serve(series("volume_size", (30.5, 20), **labels))
        metadata = {"name": "name", "type": "type", "az": "zone", "kind": {"constant": None}, "size": {"value": True}}
        (sample,) = self.samples(server, [entry(metadata=metadata)])
        document = dict(sample.document)
        self.assertRegex(document.pop("id"), "^[0-9a-f]{32}$")
        self.assertEqual(
            {
                "meter": "volume.size",
                "type": "gauge",
                "project_id": "p",
                "resource_id": "v1",
                "timestamp": "2026-01-01T00:30:30",
                "volume": 20,
                "unit": "GB",
                "source": "prometheus",
                "metadata": {"name": "größe", "type": "ssd", "az": "None", "kind": "None", "size": "20"},
            },
            document,
        )
        self.assertEqual({"name": "größe", "type": "ssd", "az": None, "kind": None, "size": "20"}, sample.metadata)

    def test_period_is_half_open(self) -> None:
        millisecond = 1 / 60_000
        points = [(-millisecond, 1), (0, 2), (60 - millisecond, 3), (60, 4)]
        server = self.serve(series("volume_size", *points, project="p", id="v1"))
        self.assertEqual([2, 3], [volume for _, volume in self.values(server)])

    def test_runs_keep_first_and_last_sample(self) -> None:
        points = [*every_minute(0, 29, 20), *every_minute(30, 59, 40)]
        server = self.serve(series("volume_size", *points, project="p", id="v1"))
        self.assertEqual([(0, 20), (29, 20), (30, 40), (59, 40)], self.values(server))

    def test_changed_labels_are_seen(self) -> None:
        before = series("volume_size", *every_minute(0, 20), project="p", id="v1", type="hdd")
        after = series("volume_size", *every_minute(21, 59), project="p", id="v1", type="ssd")
        found = self.samples(self.serve(before, after), [entry(metadata={"type": "type"})])
        self.assertEqual(["hdd", "hdd", "ssd", "ssd"], [sample.metadata["type"] for sample in found])

    def test_transfer_divides_usage(self) -> None:
        before = series("volume_size", *every_minute(0, 20), project="p", id="v1")
        after = series("volume_size", *every_minute(21, 59), project="q", id="v1")
        server = self.serve(before, after)
        found = self.samples(server, projects=["q", "p"])
        self.assertEqual(["p", "p", "q", "q"], [sample.project_id for sample in found])
        self.assertEqual([21, 59], [time for time, _ in self.values(server, projects=["q"])])

    def test_codes_replace_status(self) -> None:
        points = [(0, 0), (1, 3), (2, -1)]
        codes = {"value": True, "codes": {0: 1, -1: -1}, "default": 0}
        server = self.serve(series("vpn", *points, project="p", id="v1"))
        self.assertEqual([1, 0, -1], [volume for _, volume in self.values(server, [entry("vpn", volume=codes)])])

    def test_unit_comes_from_label(self) -> None:
        labels = {"project": "project", "resource": "id", "unit": "unit"}
        server = self.serve(series("volume_size", (0, 1), project="p", id="v1", unit="TB"))
        (sample,) = self.samples(server, [{**entry(labels=labels), "unit": None}])
        self.assertEqual("TB", sample.document["unit"])

    def test_entries_of_one_meter_add_up(self) -> None:
        server = self.serve(series("one", (0, 1), project="p", id="a"), series("two", (0, 2), tenant="p", id="b"))
        labels = {"project": "tenant", "resource": "id"}
        entries = [entry(selector="one"), entry(selector="two", labels=labels)]
        self.assertEqual([1, 2], [volume for _, volume in self.values(server, entries)])

    def test_numbers_that_cannot_be_billed_stay_as_sent(self) -> None:
        points = [(0, float("nan")), (1, float("inf")), (2, -1.0), (3, 1e300)]
        server = self.serve(series("volume_size", *points, project="p", id="v1"))
        found = [sample.document["volume"] for sample in self.samples(server)]
        self.assertEqual(["nan", "inf", "-1", "1e+300"], list(map(str, found)))

    def test_sample_without_resource_is_rejected(self) -> None:
        (sample,) = self.read(self.serve(series("volume_size", (0, 1), project="p")))
        self.assertIsInstance(sample, model.RejectedSample)
        self.assertEqual(("p", "volume.size"), (sample.project_id, sample.meter))

    def test_ids_are_stable_and_differ(self) -> None:
        items = [series("volume_size", (0, 1), (1, 2), project="p", id=name) for name in ("a", "b")]
        first, second = ([sample.document["id"] for sample in self.samples(self.serve(*items))] for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(4, len(set(first)))

    def test_series_without_project_are_logged_once(self) -> None:
        homeless = [series("volume_size", *every_minute(), id=f"v{number}") for number in range(5)]
        server = self.serve(*homeless, series("volume_size", (0, 1), project="p", id="mine"))
        with self.assertLogs("distil.telemetry.prometheus", "WARNING") as logs:
            self.assertEqual(1, len(self.samples(server)))
        expected = "5 series of volume_size without the label project are not billed, such as .*v[0-4]"
        self.assertRegex("".join(logs.output), expected)
        self.assertEqual(1, len(logs.output))

    def test_label_of_project_that_no_series_has_is_error(self) -> None:
        server = self.serve(series("volume_size", (0, 1), tenant="p", id="v"))
        with self.assertRaisesRegex(
            exceptions.TelemetryError, "none of the 1 series of volume_size has the label project"
        ):
            self.samples(server)

    def test_selector_without_series_is_logged(self) -> None:
        with self.assertLogs("distil.telemetry.prometheus", "WARNING") as logs:
            self.assertEqual([], self.samples(self.serve()))
        self.assertRegex("".join(logs.output), "volume_size has no series in .*, so nothing is billed by it")


class CounterTest(SeriesServerCase):
    def test_series_have_what_they_counted(self) -> None:
        counter = series("traffic", (-5, 100), (5, 130), (10, 7), (15, 10), project="p", id="r1")
        (sample,) = self.samples(self.serve(counter), [TRAFFIC])
        self.assertEqual((30 + 7 + 3, "delta"), (sample.volume, sample.document["type"]))
        self.assertEqual(START + 15 * MINUTE, sample.timestamp)

    def test_windows_add_up(self) -> None:
        points = [(minute, float(minute * minute)) for minute in range(-9, 60)]
        server = self.serve(series("traffic", *points, project="p", id="r1"), up=series(UP, *every_minute(-20, 80)))
        whole = self.values(server, [TRAFFIC])
        edges = [START + minute * MINUTE for minute in (0, 7, 8, 31, 60)]
        parts = [self.values(server, [TRAFFIC], start=start, end=end) for start, end in itertools.pairwise(edges)]
        self.assertEqual(sum(volume for _, volume in whole), sum(volume for part in parts for _, volume in part), parts)

    def test_first_sample_can_count(self) -> None:
        server = self.serve(series("traffic", (5, 100), (6, 101), project="p", id="r1"))
        self.assertEqual([(6, 1)], self.values(server, [TRAFFIC]))
        self.assertEqual([(6, 101)], self.values(server, [{**TRAFFIC, "first_sample": "from_zero"}]))

    def test_conflict_fails_project_alone(self) -> None:
        twice = [series("traffic", (1, 5), (2, value), project="p", id="r1", port=str(value)) for value in (6, 7)]
        server = self.serve(*twice, series("traffic", (1, 5), (2, 8), project="q", id="r2"))
        self.assertEqual([(2, 3)], self.values(server, [TRAFFIC], projects=["q"]))
        with self.assertRaisesRegex(
            exceptions.TelemetryError, "resource r1 .* differ in port.* replica_labels"
        ) as caught:
            self.read(server, [TRAFFIC])
        self.assertFalse(caught.exception.affects_all)

    def test_transferred_counter_continues(self) -> None:
        """There and back again, once at the start of a window, from the first sample on."""
        owners = {"p": [*range(-20, 20), *range(50, 60)], "q": [*range(20, 50), *range(60, 80)]}
        items = [
            series("traffic", *((minute, 1000 + minute) for minute in minutes), project=name, id="r1")
            for name, minutes in owners.items()
        ]
        server = self.serve(*items, up=series(UP, *every_minute(-20, 119)))
        for first_sample in ("baseline", "from_zero"):
            traffic = {**TRAFFIC, "first_sample": first_sample}
            with self.subTest(first_sample):
                self.assertEqual([(59, 30)], self.values(server, [traffic]))
                self.assertEqual([(49, 30)], self.values(server, [traffic], projects=["q"]))
                next_hour = {"projects": ["q"], "start": END, "end": END + 60 * MINUTE}
                self.assertEqual([(79, 20)], self.values(server, [traffic], **next_hour))

    def test_counter_is_transferred_several_times(self) -> None:
        """Each project has a few samples, and one scrape failed."""
        owners = {"p": [0, 1], "q": [2], "r": [3, 5]}
        items = [
            series("traffic", *((minute, minute) for minute in minutes), project=name, id="r1")
            for name, minutes in owners.items()
        ]
        server = self.serve(*items)
        found = {name: self.values(server, [TRAFFIC], projects=[name]) for name in owners}
        self.assertEqual({"p": [(1, 1)], "q": [(2, 1)], "r": [(5, 3)]}, found)

    def test_same_id_in_two_projects_counts_apart(self) -> None:
        """Scraped together or not, with equal values or not, in few projects or many."""
        for count, offset, step in ((2, 0, 0), (2, 0, 1), (2, 0.5, 1), (20, 0, 1)):
            items = [
                series(
                    "traffic",
                    *((minute + number * offset, 100 * minute + number * step) for minute in range(1, 10)),
                    project=f"p{number}",
                    id="default",
                )
                for number in range(count)
            ]
            server = self.serve(*items)
            for number in (0, 1):
                with self.subTest(count=count, offset=offset, step=step, number=number):
                    ((_, volume),) = self.values(server, [TRAFFIC], projects=[f"p{number}"])
                    self.assertEqual(800, volume)

    def test_sparse_counter_is_logged(self) -> None:
        points = [(minute, 100.0 + minute) for minute in range(-20, 60, 15)]
        server = self.serve(series("traffic", *points, project="p", id="r1"))
        with self.assertLogs("distil.telemetry.prometheus", "WARNING") as logs:
            self.assertEqual([0], [volume for _, volume in self.values(server, [TRAFFIC])])
        self.assertRegex("".join(logs.output), "traffic: the samples of resource r1 .* max_gap .600 s.* not billed")
        with self.assertNoLogs("distil.telemetry.prometheus", "WARNING"):
            self.assertEqual([60], [volume for _, volume in self.values(server, [TRAFFIC], max_gap=1000)])

    def test_series_of_two_entries_fail_project(self) -> None:
        """Selectors that overlap; entries of different meters may."""
        server = self.serve(series("traffic", (1, 5), (2, 8), project="p", id="r1", scope="national"))
        national = {**TRAFFIC, "selector": 'traffic{scope="national"}'}
        for other in (national, {**TRAFFIC, "unit": "KB"}):
            with self.assertRaisesRegex(exceptions.TelemetryError, 'two entries of traffic .*"r1".* billed twice'):
                self.read(server, [TRAFFIC, other])
        self.assertEqual([(2, 3)] * 2, self.values(server, [TRAFFIC, {**national, "meter": "traffic.national"}]))

    def test_conflict_of_others_fails_them_alone(self) -> None:
        points = {"p": ((1, 5), (2, 6)), "q": ((3, 7), (4, 8), (5, 9)), "r": ((3, 1), (4, 2), (5, 3))}
        items = [series("traffic", *points[name], project=name, id="r1") for name in points]
        twice = series("traffic", (3, 8), (4, 80), project="q", id="r1", port="2")
        server = self.serve(*items, twice)
        self.assertEqual([(2, 1)], self.values(server, [TRAFFIC], projects=["p"]))
        self.assertEqual([(5, 2)], self.values(server, [TRAFFIC], projects=["r"]))
        with self.assertRaisesRegex(exceptions.TelemetryError, "differ in port"):
            self.read(server, [TRAFFIC], projects=["q"])

    def test_transfer_from_failed_project_is_counted(self) -> None:
        def spoil(metric: str, answer: Any) -> Any:
            for item in answer["data"]["result"] if metric == "traffic" else ():
                if item["metric"]["project"] == "p":
                    item["values"] = "?"
            return answer

        items = [
            series("traffic", (1, 5), (2, 6), project="p", id="r1"),
            series("traffic", (3, 7), (4, 9), project="q", id="r1"),
        ]
        server = self.serve(*items, spoil=spoil)
        self.assertEqual([(4, 2)], self.values(server, [TRAFFIC], projects=["q"]))

    def test_counters_without_resource_are_rejected_alone(self) -> None:
        items = [series("traffic", (1, 5), (2, value), project="p", port=str(value)) for value in (6, 7)]
        found = self.read(self.serve(*items, series("traffic", (1, 5), (2, 8), project="p", id="r1")), [TRAFFIC])
        rejected = [sample for sample in found if isinstance(sample, model.RejectedSample)]
        self.assertEqual(["resource_id is missing"] * 2, [sample.reason for sample in rejected])
        self.assertEqual([3], [sample.volume for sample in found if isinstance(sample, model.Sample)])

    def test_replicas_count_once(self) -> None:
        replicas = [series("traffic", *every_minute(0, 9, 5), (10, 8), project="p", id="r1", pod=pod) for pod in "ab"]
        self.assertEqual([(10, 3)], self.values(self.serve(*replicas), [TRAFFIC], replica_labels=["pod"]))


class QueryTest(SeriesServerCase):
    def test_selector_is_asked_once_for_all_projects(self) -> None:
        items = [series("volume_size", (0, 1), project=f"p{number}", id=str(number)) for number in range(30)]
        server = self.serve(*items)
        driver = make_driver([VOLUME, entry("disk", selector="volume_size")], url=server.url)
        for window in (START, START), (START, START):
            projects = [f"p{number}" for number in range(30)]
            self.assertEqual(60, len(list(driver.samples(projects, ["volume.size", "disk"], window[0], END))))
        asked = [query.partition("[")[0] for query in server.queries]
        self.assertEqual({UP, "volume_size"}, set(asked))
        self.assertLessEqual(len(asked), 4)

    def test_refused_query_is_divided(self) -> None:
        points = [(minute / 4, float(minute)) for minute in range(-8, 240)]
        server = self.serve(series("volume_size", *points, project="p", id="v1"), max_samples=80)
        self.assertEqual([float(minute) for minute in range(240)], [float(v) for _, v in self.values(server)])

    def test_answer_that_cannot_be_divided_fails(self) -> None:
        server = self.serve(series("volume_size", (0, 1), (0.001, 2), project="p", id="v1"), max_samples=1)
        with self.assertRaisesRegex(exceptions.TelemetryError, "volume_size from .* HTTP 422: .*too many samples"):
            self.read(server)

    def test_unrequested_is_not_read(self) -> None:
        server = self.serve(series("volume_size", (0, 1), project="p", id="v1"))
        driver = make_driver([VOLUME, entry("disk"), {"meter": "x", "unavailable": "no"}], url=server.url)
        self.assertEqual([], list(driver.samples(["p"], ["x", "unknown"], START, END)))
        self.assertEqual([], list(driver.samples([], ["disk"], START, END)))
        self.assertEqual([], list(driver.samples(["q"], ["volume.size"], START, END)))
        self.assertEqual({UP, "volume_size"}, {query.partition("[")[0] for query in server.queries})

    def test_require_answer_accepts_working_service(self) -> None:
        server = self.serve()
        make_driver([VOLUME], url=server.url).require_answer()
        self.assertEqual(["vector(1)"], server.queries)


class ServedTest(unittest.TestCase):
    def test_entries_say_what_is_served(self) -> None:
        driver = make_driver(
            [entry(metadata={"a": "x", "b": {"constant": "y"}}), TRAFFIC, {"meter": "x", "unavailable": "no"}]
        )
        expected = ServedMeter(metadata=frozenset("ab"), constants={"b": "y"}, adds_up=False)
        self.assertEqual(expected, driver.served("volume.size"))
        self.assertEqual(ServedMeter(metadata=frozenset()), driver.served("traffic"))
        self.assertEqual(ServedMeter(unavailable="no"), driver.served("x"))
        self.assertIsNone(driver.served("unknown"))

    def test_region_names_service(self) -> None:
        self.assertEqual("prometheus:9090", make_driver([VOLUME], url="http://prometheus:9090/x").region())
        self.assertEqual("R", make_driver([VOLUME], url="http://prometheus:9090/x", region_name="R").region())

    def test_lag_comes_from_options(self) -> None:
        self.assertEqual(MINUTE, make_driver([VOLUME], lag=60).lag)
