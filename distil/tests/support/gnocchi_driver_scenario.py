# SPDX-License-Identifier: Apache-2.0
"""Tests of the driver gnocchi against any server of Gnocchi's API.

A module that provides a server derives its test cases from :class:`DriverScenario`.
"""

import pathlib
import tempfile
import uuid

from distil import exceptions
from distil.telemetry.driver import MeterPresence
from distil.tests.support.gnocchi_driver_case import BILLING
from distil.tests.support.gnocchi_driver_case import HOUR
from distil.tests.support.gnocchi_driver_case import LOW
from distil.tests.support.gnocchi_driver_case import MINUTE
from distil.tests.support.gnocchi_driver_case import START
from distil.tests.support.gnocchi_driver_case import TICKS
from distil.tests.support.gnocchi_driver_case import GnocchiDriverCase


class SampleScenario(GnocchiDriverCase):
    """What samples hold."""

    def test_sample_has_attributes_and_unit(self) -> None:
        resource = self.add("disk", "volume.size", BILLING, {7: 20}, display_name="täglich", unit="GiB")
        (sample,) = self.samples("volume.size")
        self.assertEqual((self.project, resource, "volume.size"), (sample.project_id, sample.resource_id, sample.meter))
        self.assertEqual(START + 5 * MINUTE, sample.timestamp)
        self.assertEqual({"name": "täglich"}, sample.metadata)
        self.assertEqual((20, "GiB", "gnocchi"), (sample.volume, sample.document["unit"], sample.source))

    def test_null_is_text_in_document(self) -> None:
        self.add("disk", "volume.size", BILLING, {7: 20})
        (sample,) = self.samples("volume.size")
        self.assertEqual(({"name": None}, {"name": "None"}), (sample.metadata, sample.document["metadata"]))

    def test_period_has_its_aggregates_only(self) -> None:
        self.add("disk", "volume.size", BILLING, {-0.1: 1, 0: 2, 59.9: 3, 60: 4})
        self.assertEqual({0: 2, 55: 3}, self.volumes("volume.size"))

    def test_best_kept_aggregation_is_read(self) -> None:
        for policy, expected in ((LOW, 15), (BILLING, 20)):
            with self.subTest(policy):
                self.project = uuid.uuid4().hex
                self.add("disk", "volume.size", policy, {5: 20, 6: 10})
                self.assertEqual({5: expected}, self.volumes("volume.size"))

    def test_mixed_policies_are_read_together(self) -> None:
        for policy in (LOW, BILLING) * 8:
            self.add("disk", "volume.size", policy, {5: 20, 6: 10})
        self.assertEqual([15] * 8 + [20] * 8, sorted(sample.volume for sample in self.samples("volume.size")))

    def test_other_values_are_of_same_time_or_nearest(self) -> None:
        resource = self.add("vm", "disk.root.size", BILLING, dict.fromkeys((0, 10, 20, 30), 10))
        self.add_measures(resource, "memory", LOW, {-5: 128, 10: 256, 15: 512, 40: 1024})
        memory = [sample.metadata["memory"] for sample in self.samples("instance")]
        self.assertEqual(["256", "256", "512", "512"], memory)

    def test_missing_other_metric_is_null(self) -> None:
        self.add("vm", "disk.root.size", BILLING, {10: 5})
        (sample,) = self.samples("instance")
        self.assertIsNone(sample.metadata["memory"])
        self.assertEqual(("5", 1), (sample.metadata["root_gb"], sample.volume))

    def test_container_has_its_project_in_id(self) -> None:
        name = "storage.containers.objects.size"
        self.add("bucket", name, LOW, {10: 5}, identifier=f"{self.project}_my_container")
        (sample,) = self.samples(name)
        self.assertEqual(f"{self.project}/my_container", sample.resource_id)


class RevisionScenario(GnocchiDriverCase):
    """Whose samples they are, with which attributes."""

    def test_changed_attributes_have_samples_each(self) -> None:
        change = (12, {"flavor_name": "large"})
        self.add("vm", "disk.root.size", BILLING, dict.fromkeys(TICKS, 10), change, flavor_name="small")
        samples = self.samples("instance")
        flavors = {(int((s.timestamp - START) / MINUTE), s.metadata["instance_type"]) for s in samples}
        expected = {(minute, "small") for minute in (0, 5, 10)} | {(minute, "large") for minute in range(10, 60, 5)}
        self.assertEqual((expected, 13), (flavors, len(samples)))

    def test_irrelevant_revisions_have_no_samples(self) -> None:
        self.add("disk", "volume.size", BILLING, {10: 1}, (11, {"user_id": "someone"}), display_name="data")
        self.assertEqual({10: 1}, self.volumes("volume.size"))

    def test_transfer_divides_state(self) -> None:
        transfer = (30, {"project_id": self.other_project})
        self.add("disk", "volume.size", BILLING, dict.fromkeys(TICKS, 10), transfer)
        self.assertEqual(list(range(0, 30, 5)), list(self.volumes("volume.size")))
        self.assertEqual(list(range(30, 60, 5)), list(self.volumes("volume.size", self.other_project)))

    def test_transfer_within_aggregate_bills_amount_once(self) -> None:
        self.add("vm", "traffic", BILLING, dict.fromkeys(TICKS, 7), (32, {"project_id": self.other_project}))
        self.assertEqual(dict.fromkeys(range(0, 30, 5), 7), self.volumes("traffic"))
        self.assertEqual(dict.fromkeys(range(30, 60, 5), 7), self.volumes("traffic", self.other_project))

    def test_amounts_are_added(self) -> None:
        self.add("vm", "traffic", BILLING, {10: 700, 11: 800})
        self.assertEqual({10: 1500}, self.volumes("traffic"))

    def test_ended_resource_is_billed_until_then(self) -> None:
        self.add("disk", "volume.size", BILLING, {0: 1, 5: 1}, ended=7)
        self.assertEqual({0: 1, 5: 1}, self.volumes("volume.size"))

    def test_resource_that_ended_before_is_not_read(self) -> None:
        self.add("disk", "volume.size", BILLING, {-30: 1}, ended=-20)
        self.assertEqual({}, self.volumes("volume.size"))

    def test_usage_before_first_revision_counts(self) -> None:
        resource = self.add_resource("disk", (61, {"project_id": self.project}))
        self.add_measures(resource, "volume.size", BILLING, {0: 1, 55: 2})
        self.assertEqual({0: 1, 55: 2}, self.volumes("volume.size"))

    def test_many_revisions_exceed_a_page(self) -> None:
        changes = [(30 + number / 2, {"flavor_name": str(number)}) for number in range(1, 8)]
        self.add("vm", "disk.root.size", BILLING, {30: 1}, *changes, flavor_name="0")
        flavors = [sample.metadata["instance_type"] for sample in self.samples("instance")]
        self.assertEqual([str(number) for number in range(8)], flavors)

    def test_resource_without_project_is_told(self) -> None:
        resource = self.add("disk", "volume.size", BILLING, {10: 5}, project_id=None)
        self.addCleanup(self.delete, "disk", resource)
        with self.assertLogs("distil.telemetry.gnocchi", "WARNING") as logs:
            self.samples("volume.size")
        self.assertIn("without a project", logs.output[0])

    def test_metric_that_no_resource_has_is_told_once(self) -> None:
        self.add("disk", "volume.size", BILLING, {10: 5})
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("- {meter: volume.size, resource_type: disk, metric: volume.sizes}\n")
            file.flush()
            driver = self.driver(meters_file=file.name)
        with self.assertLogs("distil.telemetry.gnocchi", "WARNING") as logs:
            self.assertEqual([], self.samples("volume.size", driver=driver))
            later = driver.samples([self.project], ["volume.size"], START + HOUR, START + 2 * HOUR)
            self.assertEqual([], list(later))
        told = [line for line in logs.output if "No resource of the type disk has the metric volume.sizes" in line]
        self.assertEqual(1, len(told), logs.output)


class PolicyScenario(GnocchiDriverCase):
    """Archive policies that keep too little."""

    def test_mean_of_amounts_is_refused_for_project_alone(self) -> None:
        self.add("vm", "traffic", LOW, {10: 700, 11: 800})
        self.add("vm", "traffic", BILLING, {10: 5}, project_id=self.other_project)
        self.assertEqual({10: 5}, self.volumes("traffic", self.other_project))
        with self.assertRaisesRegex(exceptions.TelemetryError, f"{LOW}, keeps mean, but .* wants sum") as caught:
            self.samples("traffic")
        self.assertFalse(caught.exception.affects_all)

    def test_missing_granularity_is_refused_for_project_alone(self) -> None:
        name = f"hourly-{self.project}"
        self.add_policy(name, ("max",), 3600, 10_000)
        self.add("disk", "volume.size", name, {10: 700})
        self.add("disk", "volume.size", BILLING, {10: 5}, project_id=self.other_project)
        self.assertEqual({10: 5}, self.volumes("volume.size", self.other_project))
        expected = r"of 300 s \(\[gnocchi\] granularity"
        self.assertRaisesRegex(exceptions.TelemetryError, expected, self.samples, "volume.size")

    def test_deleted_aggregates_are_refused(self) -> None:
        name = f"short-{self.project}"
        self.add_policy(name, ("max",), 300, 1)
        self.add("disk", "volume.size", name, {10: 700})
        self.assertRaisesRegex(exceptions.TelemetryError, "for 1 d.*: these are deleted", self.samples, "volume.size")


class WholenessScenario(GnocchiDriverCase):
    """What looks like no usage, and is not."""

    def test_unprocessed_measures_hold_period(self) -> None:
        self.add("disk", "volume.size", BILLING, {10: 5}, project_id=self.other_project)
        self.process()
        with self.unprocessed():
            self.add("disk", "volume.size", BILLING, {10: 5})
            with self.assertRaisesRegex(
                exceptions.PeriodIncomplete, r"1 metric of it still has .* after \d s"
            ) as caught:
                self.samples("volume.size", driver=self.driver(processing_timeout=3), process=False)
            self.assertTrue(caught.exception.affects_all)
        self.assertEqual({10: 5}, self.volumes("volume.size"))

    def test_role_service_reads_all_projects(self) -> None:
        self.add("disk", "volume.size", LOW, {10: 5})
        with self.assertLogs("distil.telemetry.gnocchi", "WARNING") as logs:
            samples = self.samples("volume.size", driver=self.driver(self.session("service")))
        self.assertEqual([5], [sample.volume for sample in samples])
        self.assertIn("does not tell this user about unprocessed measures", logs.output[0])

    def test_other_roles_are_refused(self) -> None:
        self.add("disk", "volume.size", LOW, {10: 5})
        driver = self.driver(self.session("reader"))
        with self.assertRaisesRegex(exceptions.TelemetryError, "needs the role admin or service") as caught:
            self.samples("volume.size", driver=driver)
        self.assertTrue(caught.exception.affects_all)
        self.assertRaisesRegex(exceptions.TelemetryError, "role admin or service", driver.require_answer)

    def test_own_resources_do_not_prove_rights(self) -> None:
        session = self.session("member")
        resource = self.add("disk", "volume.size", LOW, {10: 5}, project_id=session.get_project_id())
        self.addCleanup(self.delete, "disk", resource)
        with self.assertRaisesRegex(exceptions.TelemetryError, "of the user only: .* role admin or service"):
            self.driver(session).require_answer()

    def test_resources_of_other_creators_are_not_read(self) -> None:
        self.add("disk", "volume.size", LOW, {10: 5})
        self.process()
        rows = (
            self.session()
            .post(
                "/v1/search/resource/disk",
                json={"=": {"project_id": self.project}},
                endpoint_filter={"service_type": "metric"},
            )
            .json()
        )
        driver = self.driver(creators=[row["creator"] for row in rows])
        self.assertEqual([5], [sample.volume for sample in self.samples("volume.size", driver=driver)])
        driver = self.driver(creators=["another:user"])
        with self.assertRaisesRegex(exceptions.TelemetryError, r"\[gnocchi\] creators"):
            self.samples("volume.size", driver=driver)
        self.assertIn("others than [gnocchi] creators", *driver.warnings())
        self.assertIn("creators is empty", *self.driver().warnings())

    def test_missing_type_or_attribute_is_refused(self) -> None:
        self.add("disk", "volume.size", LOW, {10: 5})
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "meters.yml")
        for entry, expected in (
            ("resource_type: nothing, metric: m", "no resource type '?nothing'?"),
            ("resource_type: disk, metric: volume.size, metadata: {x: nothing}", "type disk has no attribute nothing"),
        ):
            with self.subTest(entry):
                path.write_text(f"- {{meter: m, {entry}}}")
                driver = self.driver(meters_file=str(path))
                self.assertRaisesRegex(exceptions.TelemetryError, expected, self.samples, "m", driver=driver)
                self.assertRegex(driver.report("m", START, START + HOUR).problems[0], expected)


class CheckScenario(GnocchiDriverCase):
    """What a check of the configuration finds."""

    def test_report_shows_a_sample(self) -> None:
        self.add("vm", "disk.root.size", BILLING, {5: 20}, flavor_name="small")
        self.process()
        report = self.driver().report("instance", START, START + HOUR + MINUTE)
        self.assertEqual((MeterPresence.PRESENT, [], ["gnocchi"]), report[:3])
        assert report.example is not None
        self.assertEqual(("instance", 1), (report.example["meter"], report.example["volume"]))

    def test_meter_without_measures_is_absent(self) -> None:
        report = self.driver().report("instance", START + 500 * HOUR, START + 501 * HOUR)
        self.assertEqual(MeterPresence.ABSENT, report.presence)
        self.assertIn("there is nothing of vm / disk.root.size (resource type / metric)", report.warnings[-1])

    def test_problems_tell_rights(self) -> None:
        self.add("disk", "volume.size", LOW, {10: 5})
        self.process()
        driver = self.driver()
        self.assertEqual([], list(driver.problems()))
        self.assertIn("creators is empty", *driver.warnings())
        driver = self.driver(self.session("service"))
        self.assertEqual([], list(driver.problems()))
        warning, _ = driver.warnings()
        self.assertIn("role admin", warning)
        self.assertRaisesRegex(
            exceptions.TelemetryError, "role admin", list, self.driver(self.session("reader")).problems()
        )


class DriverScenario(SampleScenario, RevisionScenario, PolicyScenario, WholenessScenario, CheckScenario):
    """All of the driver."""
