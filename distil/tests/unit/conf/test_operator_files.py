# SPDX-License-Identifier: Apache-2.0
"""Rules files in the style of existing sites load unchanged and give the documented usage."""

import hashlib
from decimal import Decimal
from typing import Any

from distil import model
from distil.rating import rate
from distil.rating import sample_parser
from distil.tests.support import builders
from distil.tests.unit.factory.test_rules import RulesCase
from distil.transformers.lookups import Lookups

MAPPINGS = """\
---

-
  # the machines
  meter: instance
  type: Virtual Machine
  transformer: uptime
  unit: second
  metadata:
    name:
      sources:
        # more than one, if need be
        - display_name
    zone:
      sources:
        - OS-EXT-AZ:zone
-
  meter: instance
  service: disk.root
  type: Volume
  transformer: fromimage
  unit: gigabyte
  transform_info: true
  res_id_template: "%s-root"
  metadata:
    name:
      sources:
        - display_name
      template: "%s - root"
-
  meter: volume.size
  service: disk.plain
  type: Volume
  transformer: blockstoragemax
  unit: gigabyte
  metadata:
    name:
      sources:
        - name
        - volume_id
-
  meter: bucket.size
  service: object.plain
  type: Object Storage Container
  transformer: objectstoragemax
  unit: byte
  metadata:
    name:
      sources:
        - name
-
  meter: traffic.out
  service: net.out
  type: Traffic
  transformer: sum
  unit: byte
-
  meter: vpn
  service: net.vpn
  type: VPN
  transformer: networkservice
  unit: hour

-
  meter: db.instance
  service: disk.plain
  type: Database Volume
  transformer: databasevolumemax
  unit: gigabyte
  res_id_template: "%s-data"
-
  meter: db.instance
  type: Database
  transformer: databasemanagementuptime
  unit: second
-
  meter: cluster
  service: kube.cluster
  type: Cluster
  unit: hour
  transformer: numbool
  filters:
    - "!contains(['BUILDING', 'GONE'], metadata.status)"
-
  meter: cluster
  service: kube.worker
  type: Worker
  unit: worker
  transformer: max
  volume:
    source: metadata.workers
  filters:
    - "!contains(['BUILDING', 'GONE'], metadata.status)"
  res_id_template: "%s-worker"
"""

TRANSFORMERS = """\
---

uptime:
  # what is billed
  tracked_states:
    - active
    - stopped
fromimage:
  service: disk.root
  md_keys:
    - image_ref
    - image.base
  none_values:
    - None
    - ""
  size_keys:
    - root_gb
databaseuptime:
  tracked_states:
    - HEALTHY
databasemanagementuptime:
  prefix: "db."
  tracked_states:
    - HEALTHY
"""

VM = {"status": "ACTIVE", "instance_type": "c1", "display_name": "web", "OS-EXT-AZ:zone": "z1"}
SAMPLES: tuple[tuple[str, str, float, Any, dict[str, Any]], ...] = (
    ("instance", "vm1", 5, 1, {**VM, "image_ref": "i1", "root_gb": "10"}),
    ("instance", "vm1", 15, 1, {**VM, "image_ref": "i1", "root_gb": "10", "instance_type": "c2"}),
    ("instance", "vm2", 5, 1, {**VM, "image_ref": "None", "root_gb": "10"}),
    ("volume.size", "vol1", 5, 20, {"volume_type": "t1", "volume_id": "vol1"}),
    ("volume.size", "vol2", 5, 30, {"volume_type": "gone", "name": "data"}),
    ("bucket.size", "p1/a?b", 5, 7, {}),
    ("traffic.out", "if1", 5, 100, {}),
    ("traffic.out", "if1", 15, 50, {}),
    ("vpn", "vpn1", 5, 2, {}),
    ("db.instance", "db1", 5, 1, {"status": "HEALTHY", "flavor.id": "7", "volume_id": "v", "volume.size": "5"}),
    ("cluster", "k1", 5, 1, {"status": "OK", "workers": "3"}),
    ("cluster", "k2", 5, 1, {"status": "BUILDING", "workers": "3"}),
    ("vpn", "vpn2", 5, "soon", {}),
)
LOOKUPS = Lookups(
    flavors={"7": "c4"},
    volume_types={"t1": "disk.fast"},
    types_of_volumes={"v": "disk.fast"},
    container_policies={"p1/a?b": "object.multi"},
)
BUCKET = hashlib.md5(b"p1/a?b", usedforsecurity=False).hexdigest()


class OperatorFilesTest(RulesCase):
    def rated(self) -> model.RatedWindow:
        rules = self.load(MAPPINGS, TRANSFORMERS)
        samples = [
            sample_parser.parse_sample(
                builders.document(minute, resource_id=resource_id, volume=volume, metadata=metadata), "p1", meter
            )
            for meter, resource_id, minute, volume, metadata in SAMPLES
        ]
        return rate.rate(rules, samples, builders.HOUR, LOOKUPS)

    def test_rates_expected_usage(self) -> None:
        expected = {
            ("c1", "vm1", "second"): 1800,
            ("c2", "vm1", "second"): 1800,
            ("c1", "vm2", "second"): 3600,
            ("disk.root", "vm1-root", "gigabyte"): 10,
            ("disk.fast", "vol1", "gigabyte"): 20,
            ("disk.plain", "vol2", "gigabyte"): 30,
            ("object.multi", BUCKET, "byte"): 7,
            ("net.out", "if1", "byte"): 150,
            ("net.vpn", "vpn1", "hour"): 0,
            ("disk.fast", "db1-data", "gigabyte"): 5,
            ("db.c4", "db1", "second"): 3600,
            ("kube.cluster", "k1", "hour"): 1,
            ("kube.worker", "k1-worker", "worker"): 3,
        }
        usage = {(each.service, each.resource_id, each.unit): each.volume for each in self.rated().usage}
        self.assertEqual({key: Decimal(volume) for key, volume in expected.items()}, usage)

    def test_returns_expected_resources(self) -> None:
        infos = builders.infos(self.rated())
        self.assertEqual({"name": "web", "zone": "z1", "type": "Virtual Machine"}, infos["vm1"])
        self.assertEqual({"name": "web - root", "type": "Volume"}, infos["vm1-root"])
        self.assertEqual({"name": "vol1", "type": "Volume"}, infos["vol1"])
        self.assertEqual({"name": "data", "type": "Volume"}, infos["vol2"])
        self.assertEqual({"name": "a?b", "type": "Object Storage Container"}, infos[BUCKET])
        self.assertEqual({"type": "Worker"}, infos["k1-worker"])

    def test_counts_machines_and_rejected_samples(self) -> None:
        result = self.rated()
        self.assertEqual({"vm1", "vm2"}, set(result.instances))
        self.assertEqual(["vpn2"], [rejected.resource_id for rejected in result.rejected])
        self.assertIsInstance(result.rejected[0], model.RejectedSample)
        self.assertEqual((len(SAMPLES), 0), (result.samples, result.untrusted))
