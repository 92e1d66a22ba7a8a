# SPDX-License-Identifier: Apache-2.0
"""The driver against the real Gnocchi behind a real Keystone."""

import datetime
import pathlib
import tempfile
import unittest
import uuid
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from keystoneauth1 import session as ks_session

from distil import exceptions
from distil import model
from distil.telemetry.gnocchi.driver import GnocchiDriver
from distil.tests.support import databases
from distil.tests.support import gnocchi_driver
from distil.tests.support.real import gnocchi
from distil.tests.support.real import keystone

START = datetime.datetime(2026, 1, 1, 10, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
TICKS = range(0, 60, 5)

METERS = """
- meter: instance
  resource_type: instance
  metric: disk.root.size
  unit: instance
  volume: 1
  metadata:
    display_name: display_name
    instance_type: flavor_name
    root_gb: {value: true}
    memory: {metric: memory}
- meter: volume.size
  resource_type: volume
  metric: volume.size
  aggregations: [max, mean]
  metadata: {name: display_name}
- meter: traffic
  resource_type: instance
  metric: traffic
  kind: delta
  metadata: {name: display_name}
- meter: storage.containers.objects.size
  resource_type: swift_account
  metric: storage.containers.objects.size
  resource_id: container
"""


class RealGnocchiDriverTest(unittest.TestCase):
    """All tests fill the same cloud, and look at what projects of their own have in it."""

    BACKEND = databases.MYSQL
    keystone: ClassVar[keystone.Keystone]
    gnocchi: ClassVar[gnocchi.Gnocchi]
    meters_file: ClassVar[pathlib.Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.keystone = keystone.Keystone()
        cls.addClassCleanup(cls.keystone.stop)
        # So few rows in a page that each search has several.
        cls.gnocchi = gnocchi.Gnocchi(cls.keystone, cls.BACKEND, max_limit=3)
        cls.addClassCleanup(cls.gnocchi.stop)
        cls.gnocchi.add_archive_policy("billing", ("max", "last", "sum"), timespan="10000 days", back_window=24)
        cls.gnocchi.add_archive_policy("ceilometer-low", ("mean",), timespan="10000 days")
        cls.gnocchi.add_resource_type("instance", "display_name", "flavor_name")
        cls.gnocchi.add_resource_type("volume", "display_name")
        cls.gnocchi.add_resource_type("swift_account")
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.meters_file = pathlib.Path(directory.name, "meters.yml")
        cls.meters_file.write_text(METERS)

    def setUp(self) -> None:
        self.project, self.other_project = uuid.uuid4().hex, uuid.uuid4().hex

    def driver(self, session: ks_session.Session | None = None, **changes: Any) -> GnocchiDriver:
        options = {"meters_file": str(self.meters_file), "processing_timeout": 20} | changes
        return gnocchi_driver.create(session or self.keystone.session(), **options)

    def add(self, resource_type: str, metric: str, policy: str, values: Mapping[float, float], **more: Any) -> str:
        """Add a resource of an hour before, with measures.

        :param values: by minutes since the start.
        :param more: attributes; ``project_id``: not that of the test.
        """
        unit, project = more.pop("unit", None), more.pop("project_id", self.project)
        with self.gnocchi.dated(START - HOUR):
            resource_id = self.gnocchi.add_resource(resource_type, project, **more)
        self.measure(resource_id, metric, policy, values, unit)
        return resource_id

    def measure(
        self, resource_id: str, metric: str, policy: str, values: Mapping[float, float], unit: str | None = None
    ) -> None:
        measures = [(START + minute * MINUTE, value) for minute, value in values.items()]
        self.gnocchi.add_measures(resource_id, metric, policy, measures, unit)

    def update(self, minute: float, resource_type: str, resource_id: str, **attributes: Any) -> None:
        with self.gnocchi.dated(START + minute * MINUTE):
            self.gnocchi.update_resource(resource_type, resource_id, **attributes)

    def samples(
        self, meter: str, *projects: str, driver: GnocchiDriver | None = None, process: bool = True
    ) -> list[model.Sample]:
        """The samples of the test's project by default, in order."""
        if process:
            self.gnocchi.process()
        found = (driver or self.driver()).samples(projects or (self.project,), [meter], START, START + HOUR)
        samples: list[model.Sample] = []
        for sample in found:
            assert isinstance(sample, model.Sample), sample
            samples.append(sample)
        return sorted(samples, key=lambda sample: (sample.timestamp, sample.document["id"]))

    def volumes(self, meter: str, *projects: str) -> dict[int, Any]:
        """Volumes by minute, of a single resource."""
        samples = self.samples(meter, *projects)
        volumes = {int((sample.timestamp - START) / MINUTE): sample.volume for sample in samples}
        self.assertEqual(len(samples), len(volumes))
        return volumes

    def test_sample_has_attributes_and_unit(self) -> None:
        resource = self.add("volume", "volume.size", "billing", {7: 20}, display_name="täglich", unit="GiB")
        (sample,) = self.samples("volume.size")
        self.assertEqual((self.project, resource, "volume.size"), (sample.project_id, sample.resource_id, sample.meter))
        self.assertEqual(START + 5 * MINUTE, sample.timestamp)
        self.assertEqual({"name": "täglich"}, sample.metadata)
        self.assertEqual((20, "GiB", "gnocchi"), (sample.volume, sample.document["unit"], sample.source))

    def test_null_is_text_in_document(self) -> None:
        self.add("volume", "volume.size", "billing", {7: 20})
        (sample,) = self.samples("volume.size")
        self.assertEqual(({"name": None}, {"name": "None"}), (sample.metadata, sample.document["metadata"]))

    def test_period_has_its_aggregates_only(self) -> None:
        self.add("volume", "volume.size", "billing", {-0.1: 1, 0: 2, 59.9: 3, 60: 4})
        self.assertEqual({0: 2, 55: 3}, self.volumes("volume.size"))

    def test_best_kept_aggregation_is_read(self) -> None:
        for policy, expected in (("ceilometer-low", 15), ("billing", 20)):
            with self.subTest(policy):
                self.project = uuid.uuid4().hex
                self.add("volume", "volume.size", policy, {5: 20, 6: 10})
                self.assertEqual({5: expected}, self.volumes("volume.size"))

    def test_mixed_policies_are_read_together(self) -> None:
        policies = ("ceilometer-low", "billing") * 4
        for policy in policies:
            self.add("volume", "volume.size", policy, {5: 20, 6: 10})
        self.assertEqual([15] * 4 + [20] * 4, sorted(sample.volume for sample in self.samples("volume.size")))

    def test_changed_attributes_have_samples_each(self) -> None:
        resource = self.add("instance", "disk.root.size", "billing", dict.fromkeys(TICKS, 10), flavor_name="small")
        self.update(12, "instance", resource, flavor_name="large")
        samples = self.samples("instance")
        flavors = {(int((s.timestamp - START) / MINUTE), s.metadata["instance_type"]) for s in samples}
        expected = {(minute, "small") for minute in (0, 5, 10)} | {(minute, "large") for minute in range(10, 60, 5)}
        self.assertEqual((expected, 13), (flavors, len(samples)))

    def test_irrelevant_revisions_have_no_samples(self) -> None:
        resource = self.add("volume", "volume.size", "billing", {10: 1}, display_name="data")
        self.update(11, "volume", resource, user_id="someone")
        self.assertEqual({10: 1}, self.volumes("volume.size"))

    def test_transfer_divides_state(self) -> None:
        resource = self.add("volume", "volume.size", "billing", dict.fromkeys(TICKS, 10))
        self.update(30, "volume", resource, project_id=self.other_project)
        self.assertEqual(list(range(0, 30, 5)), list(self.volumes("volume.size")))
        self.assertEqual(list(range(30, 60, 5)), list(self.volumes("volume.size", self.other_project)))

    def test_transfer_within_aggregate_bills_amount_once(self) -> None:
        resource = self.add("instance", "traffic", "billing", dict.fromkeys(TICKS, 7))
        self.update(32, "instance", resource, project_id=self.other_project)
        self.assertEqual(dict.fromkeys(range(0, 30, 5), 7), self.volumes("traffic"))
        self.assertEqual(dict.fromkeys(range(30, 60, 5), 7), self.volumes("traffic", self.other_project))

    def test_amounts_are_added(self) -> None:
        self.add("instance", "traffic", "billing", {10: 700, 11: 800})
        self.assertEqual({10: 1500}, self.volumes("traffic"))

    def test_mean_of_amounts_is_refused_for_project_alone(self) -> None:
        self.add("instance", "traffic", "ceilometer-low", {10: 700, 11: 800})
        self.add("instance", "traffic", "billing", {10: 5}, project_id=self.other_project)
        self.assertEqual({10: 5}, self.volumes("traffic", self.other_project))
        with self.assertRaisesRegex(
            exceptions.TelemetryError, "ceilometer-low, keeps mean, but .* wants sum"
        ) as caught:
            self.samples("traffic")
        self.assertFalse(caught.exception.affects_all)

    def test_missing_granularity_is_refused_for_project_alone(self) -> None:
        name = f"hourly-{self.project}"
        self.gnocchi.add_archive_policy(name, ("max",), granularity="1 hour", timespan="10000 days")
        self.add("volume", "volume.size", name, {10: 700})
        self.add("volume", "volume.size", "billing", {10: 5}, project_id=self.other_project)
        self.assertEqual({10: 5}, self.volumes("volume.size", self.other_project))
        self.assertRaisesRegex(
            exceptions.TelemetryError, r"of 300 s \(\[gnocchi\] granularity", self.samples, "volume.size"
        )

    def test_deleted_aggregates_are_refused(self) -> None:
        name = f"short-{self.project}"
        self.gnocchi.add_archive_policy(name, ("max",), timespan="1 day")
        self.add("volume", "volume.size", name, {10: 700})
        self.assertRaisesRegex(exceptions.TelemetryError, "for 1 days only", self.samples, "volume.size")

    def test_other_values_are_of_same_time_or_nearest(self) -> None:
        resource = self.add("instance", "disk.root.size", "billing", dict.fromkeys((0, 10, 20, 30), 10))
        self.measure(resource, "memory", "ceilometer-low", {-5: 128, 10: 256, 15: 512, 40: 1024})
        memory = [sample.metadata["memory"] for sample in self.samples("instance")]
        self.assertEqual(["256", "256", "512", "512"], memory)

    def test_missing_other_metric_is_null(self) -> None:
        self.add("instance", "disk.root.size", "billing", {10: 5})
        (sample,) = self.samples("instance")
        self.assertIsNone(sample.metadata["memory"])
        self.assertEqual(("5", 1), (sample.metadata["root_gb"], sample.volume))

    def test_ended_resource_is_billed_until_then(self) -> None:
        resource = self.add("volume", "volume.size", "billing", {0: 1, 5: 1})
        self.update(7, "volume", resource, ended_at=(START + 7 * MINUTE).isoformat())
        self.assertEqual({0: 1, 5: 1}, self.volumes("volume.size"))

    def test_resource_that_ended_before_is_not_read(self) -> None:
        resource = self.add("volume", "volume.size", "billing", {-30: 1})
        self.update(-20, "volume", resource, ended_at=(START - 20 * MINUTE).isoformat())
        self.assertEqual({}, self.volumes("volume.size"))

    def test_usage_before_first_revision_counts(self) -> None:
        with self.gnocchi.dated(START + 61 * MINUTE):
            resource = self.gnocchi.add_resource("volume", self.project)
        self.measure(resource, "volume.size", "billing", {0: 1, 55: 2})
        self.assertEqual({0: 1, 55: 2}, self.volumes("volume.size"))

    def test_many_revisions_exceed_a_page(self) -> None:
        resource = self.add("instance", "disk.root.size", "billing", {30: 1}, flavor_name="0")
        for number in range(1, 8):
            self.update(30 + number / 100, "instance", resource, flavor_name=str(number))
        flavors = [sample.metadata["instance_type"] for sample in self.samples("instance")]
        self.assertEqual([str(number) for number in range(8)], flavors)

    def test_container_has_its_project_in_id(self) -> None:
        name = "storage.containers.objects.size"
        self.add("swift_account", name, "ceilometer-low", {10: 5}, id=f"{self.project}_my_container")
        (sample,) = self.samples(name)
        self.assertEqual(f"{self.project}/my_container", sample.resource_id)

    def test_resource_without_project_is_told(self) -> None:
        resource = self.add("volume", "volume.size", "billing", {10: 5}, project_id=None)
        with self.assertLogs("distil.telemetry.gnocchi", "WARNING") as logs:
            self.samples("volume.size")
        self.assertIn("without a project", logs.output[0])
        self.gnocchi.call("DELETE", f"resource/volume/{resource}")

    def test_unprocessed_measures_hold_period(self) -> None:
        self.add("volume", "volume.size", "billing", {10: 5})
        self.gnocchi.process()
        self.gnocchi.pause_metricd()
        try:
            self.add("volume", "volume.size", "billing", {10: 5}, project_id=self.other_project)
            with self.assertRaisesRegex(exceptions.TelemetryError, r"1 metric of it still has .* after \d s") as caught:
                self.samples("volume.size", driver=self.driver(processing_timeout=3), process=False)
            self.assertTrue(caught.exception.affects_all)
        finally:
            self.gnocchi.resume_metricd()
        self.assertEqual({10: 5}, self.volumes("volume.size", self.other_project))

    def test_period_waits_until_processed(self) -> None:
        self.gnocchi.pause_metricd()
        try:
            self.add("volume", "volume.size", "billing", {10: 5})
        finally:
            self.gnocchi.resume_metricd()
        samples = self.samples("volume.size", driver=self.driver(processing_timeout=60), process=False)
        self.assertEqual([5], [sample.volume for sample in samples])

    def test_role_service_reads_all_projects(self) -> None:
        self.add("volume", "volume.size", "ceilometer-low", {10: 5})
        driver = self.driver(self.keystone.user_session("service"))
        with self.assertLogs("distil.telemetry.gnocchi", "WARNING") as logs:
            self.assertEqual([5], [sample.volume for sample in self.samples("volume.size", driver=driver)])
        self.assertIn("does not tell this user about unprocessed measures", logs.output[0])

    def test_other_roles_are_refused(self) -> None:
        self.add("volume", "volume.size", "ceilometer-low", {10: 5})
        driver = self.driver(self.keystone.user_session("reader"))
        with self.assertRaisesRegex(exceptions.TelemetryError, "needs the role admin or service") as caught:
            self.samples("volume.size", driver=driver)
        self.assertTrue(caught.exception.affects_all)
        self.assertRaisesRegex(exceptions.TelemetryError, "role admin or service", driver.require_answer)

    def test_own_resources_do_not_prove_rights(self) -> None:
        session = self.keystone.user_session("member")
        resource = self.add("volume", "volume.size", "ceilometer-low", {10: 5}, project_id=session.get_project_id())
        driver = self.driver(session)
        with self.assertRaisesRegex(exceptions.TelemetryError, "of the user only: .* role admin or service"):
            driver.require_answer()
        self.gnocchi.call("DELETE", f"resource/volume/{resource}")

    def test_missing_type_is_refused(self) -> None:
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "meters.yml")
        path.write_text("- {meter: m, resource_type: nothing, metric: m}")
        self.add("volume", "volume.size", "ceilometer-low", {10: 5})
        driver = self.driver(meters_file=str(path))
        with self.assertRaisesRegex(exceptions.TelemetryError, "no resource type 'nothing'"):
            self.samples("m", driver=driver)

    def test_missing_attribute_is_refused(self) -> None:
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "meters.yml")
        path.write_text("- {meter: m, resource_type: volume, metric: volume.size, metadata: {x: nothing}}")
        self.add("volume", "volume.size", "ceilometer-low", {10: 5})
        driver = self.driver(meters_file=str(path))
        with self.assertRaisesRegex(exceptions.TelemetryError, "type volume has no attribute nothing"):
            self.samples("m", driver=driver)


class RealGnocchiDriverPostgreSQLTest(RealGnocchiDriverTest):
    """Paging relies on the order of ids and times, which is the database's."""

    BACKEND = databases.POSTGRESQL
