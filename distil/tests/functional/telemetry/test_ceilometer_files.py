# SPDX-License-Identifier: Apache-2.0
"""The files for an operator's Ceilometer: what Gnocchi keeps of its samples with them."""

import datetime
import unittest
import uuid
from collections.abc import Mapping
from typing import Any

import yaml

from distil.tests.support.real import ceilometer_agent
from distil.tests.support.real import telemetry_messages
from distil.tests.support.site import ETC

_START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_MINUTE = datetime.timedelta(minutes=1)
_FILES = ETC.parent / "ceilometer"
_NAMED: Mapping[str, Any] = {"name": "a name"}
_TRAFFIC = "traffic.outbound.national"


class CeilometerFilesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.agent = ceilometer_agent.shared()
        self.gnocchi = self.agent.gnocchi
        self.project = uuid.uuid4().hex
        self.resource = str(uuid.uuid4())

    def polled(
        self, meter: str, minute: float, volume: float = 1, metadata: Mapping[str, Any] = _NAMED
    ) -> dict[str, Any]:
        time = _START + minute * _MINUTE
        return telemetry_messages.polled(meter, self.resource, self.project, time, volume, "unit", metadata)

    def polled_instance(self, flavor: str, status: str, minute: float) -> dict[str, Any]:
        server = telemetry_messages.server(self.resource, self.project, flavor, status)
        return telemetry_messages.polled_instance("disk.root.size", server, _START + minute * _MINUTE, 20, "GiB")

    def volume_notification(self, event_type: str, minute: float, **payload: Any) -> dict[str, Any]:
        volume = {
            "volume_id": self.resource,
            "tenant_id": self.project,
            "user_id": "user",
            "display_name": "data",
            "size": 10,
            "status": "available",
            "volume_type": "type",
            "availability_zone": "az-a",
            "created_at": "2026-01-01T00:00:00",
            "glance_metadata": [],
            "volume_attachment": [],
        }
        time = _START + minute * _MINUTE
        return telemetry_messages.notification(event_type, time, "volume.c1", **volume | payload)

    def revisions(self, resource_type: str) -> list[Any]:
        path = f"search/resource/{resource_type}?history=true&sort=revision_start:asc"
        found: list[Any] = self.gnocchi.call("POST", path, {"=": {"original_resource_id": self.resource}})
        return found

    def measures(self, resource_type: str, metric: str, method: str) -> list[float]:
        self.gnocchi.process()
        (resource,) = self.gnocchi.call(
            "POST", f"search/resource/{resource_type}", {"=": {"original_resource_id": self.resource}}
        )
        path = f"metric/{resource['metrics'][metric]}/measures?aggregation={method}"
        return [value for _, _, value in self.gnocchi.call("GET", path)]

    def test_pipeline_sends_each_meter_once(self) -> None:
        definitions = yaml.safe_load((_FILES / "billing_resources.yaml").read_text())["resources"]
        meters = [meter for definition in definitions for meter in definition["metrics"]]
        billing, other = yaml.safe_load((_FILES / "pipeline.yaml").read_text())["sources"]
        self.assertEqual(meters, billing["meters"])
        self.assertEqual([f"!{meter}" for meter in meters], other["meters"])

    def test_every_meter_has_resource_type(self) -> None:
        definitions = yaml.safe_load((_FILES / "billing_resources.yaml").read_text())["resources"]
        for definition in definitions:
            self.resource = str(uuid.uuid4())
            metadata = {"name": "a name", "display_name": "a name", "flavor": {"id": "1", "name": "c1"}}
            self.agent.publish(*(self.polled(meter, 0, metadata=metadata) for meter in definition["metrics"]))
            (resource,) = self.gnocchi.call("POST", "search/resource/generic", {"=": {"id": self.resource}})
            self.assertEqual(definition["resource_type"], resource["type"])
            self.assertEqual(set(definition["metrics"]), set(resource["metrics"]))
            for metric_id in resource["metrics"].values():
                policy = self.gnocchi.call("GET", f"metric/{metric_id}")["archive_policy"]
                self.assertEqual("billing", policy["name"])
                self.assertLessEqual({"max", "last", "sum", "mean"}, set(policy["aggregation_methods"]))

    def test_flavor_and_status_make_revisions(self) -> None:
        states = (("c1.small", "ACTIVE"), ("c1.large", "ACTIVE"), ("c1.large", "SHUTOFF"))
        for tick, (flavor, status) in enumerate(states):
            with self.gnocchi.dated(_START + 10 * tick * _MINUTE):
                self.agent.publish(self.polled_instance(flavor, status, 10 * tick))
        revisions = self.revisions("instance")
        found = [(row["flavor_name"], row["status"].upper()) for row in revisions]
        self.assertEqual(states, tuple(found))
        starts = [datetime.datetime.fromisoformat(row["revision_start"]) for row in revisions]
        self.assertEqual([_START + 10 * tick * _MINUTE for tick in (1, 2)], starts[1:])
        self.assertEqual({"az-a"}, {row["availability_zone"] for row in revisions})
        self.assertEqual({telemetry_messages.IMAGE_ID}, {row["image_ref"] for row in revisions})

    def test_numbers_and_dotted_keys_are_kept(self) -> None:
        dotted: dict[str, Any] = {"flavor.id": "1", "volume.size": 5}
        nested: dict[str, Any] = {"flavor": {"id": "1"}, "volume": {"size": 5}}
        for metadata in (dotted, nested):
            self.resource = str(uuid.uuid4())
            self.agent.publish(self.polled("database.instance", 0, metadata={**_NAMED, **metadata}))
            (row,) = self.revisions("database")
            self.assertEqual(("1", 5.0), (row["flavor_id"], row["volume_size"]))

    def test_traffic_of_bucket_is_added(self) -> None:
        self.agent.publish(*(self.polled(_TRAFFIC, minute, 500) for minute in (0, 2, 4, 5)))
        self.assertEqual([1500, 500], self.measures("traffic", _TRAFFIC, "sum"))

    def test_late_measure_is_kept(self) -> None:
        self.agent.publish(self.polled(_TRAFFIC, 100, 1))
        self.assertEqual([1], self.measures("traffic", _TRAFFIC, "sum"))
        self.agent.publish(self.polled(_TRAFFIC, 0, 2))
        self.assertEqual([2, 1], self.measures("traffic", _TRAFFIC, "sum"))

    def test_largest_size_of_bucket_is_kept(self) -> None:
        self.agent.publish(*(self.polled("volume.size", minute, size) for minute, size in ((0, 10), (1, 30), (2, 20))))
        self.assertEqual([30], self.measures("volume", "volume.size", "max"))

    def test_transfer_and_deletion_are_recorded(self) -> None:
        other = uuid.uuid4().hex
        messages = (
            self.polled("volume.size", 0),
            self.volume_notification("volume.transfer.accept.end", 10, tenant_id=other),
            self.volume_notification("volume.delete.end", 20, tenant_id=other),
        )
        for tick, message in enumerate(messages):
            with self.gnocchi.dated(_START + 10 * tick * _MINUTE):
                self.agent.publish(message)
        first, *others = self.revisions("volume")
        self.assertEqual((self.project, {other}), (first["project_id"], {row["project_id"] for row in others}))
        ended = [row["ended_at"] and datetime.datetime.fromisoformat(row["ended_at"]) for row in (first, *others)]
        self.assertEqual(None, ended[0])
        self.assertLess(abs(ended[-1] - (_START + 20 * _MINUTE)), _MINUTE)

    def test_refused_resource_is_reported(self) -> None:
        """Ceilometer drops the samples of an image without a name."""
        with self.assertRaisesRegex(AssertionError, "Error creating resource .*required key not provided"):
            self.agent.publish(self.polled("image.size", 0, metadata={"name": None}))
