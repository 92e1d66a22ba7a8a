# SPDX-License-Identifier: Apache-2.0
"""``window recheck`` with the drivers that read a period of all projects at once."""

import datetime
import json
import unittest
from typing import Any

from distil.sandbox.telemetry import telemetry_sections
from distil.tests.support import manage
from distil.tests.support.site import HOUR
from distil.tests.support.site import Site

_STRANGER = 32 * "e"
_METERS = """
- meter: image.size
  transformer: max
  unit: byte
  type: Image
  service: o1.image
  metadata:
    name: {sources: [name]}
"""


class _Drivers:
    class RecheckTest(unittest.TestCase):
        """A project with an image has it from the first window on; another one was never seen by a run."""

        TELEMETRY: str

        def setUp(self) -> None:
            self.site = self.enterContext(Site(projects=1, resources=1))
            sections = dict(telemetry_sections(self.site.cloud, self.TELEMETRY))
            driver = sections.pop("collector")["collector_backend"]
            mappings = self.site.folder / "mappings.yml"
            mappings.write_text(_METERS, encoding="utf-8")
            self.site.configure(sections=sections, collector_backend=driver, meter_mappings_file=mappings)
            self.site.collect()
            self.project = self.site.cloud.projects.enabled_ids[0]

        def add_image(self, project_id: str, moment: datetime.datetime) -> None:
            """Have a sample of an image of its own come late."""
            raise NotImplementedError

        def recheck(self, *arguments: str, status: int = 0) -> list[tuple[Any, ...]]:
            """Return project, hour, numbers of samples and kind of difference."""
            start = self.site.start.isoformat()
            result = manage.run(self.site.config, "window", "recheck", "--start", start, *arguments, "-f", "json")
            self.assertEqual(status, result.returncode, result.stderr)
            rows = json.loads(result.stdout)
            hours = [(datetime.datetime.fromisoformat(row["start"]) - self.site.start) // HOUR for row in rows]
            names = ("collected", "held", "change")
            return [
                (row["project_id"], hour, *(row[name] for name in names)) for row, hour in zip(rows, hours, strict=True)
            ]

        def test_equal_windows_are_not_late(self) -> None:
            for arguments in ((), ("--digest",)):
                self.assertEqual([], self.recheck(*arguments))

        def test_late_samples_and_unknown_project_are_found(self) -> None:
            self.add_image(self.project, self.site.start + HOUR + HOUR / 2)
            self.add_image(_STRANGER, self.site.start + HOUR + HOUR / 2)
            (late, never) = self.recheck(status=1)
            self.assertEqual((self.project, 1, late[2], late[2] + 1, "more"), late)
            self.assertEqual((_STRANGER, 1, 0, 1, "never collected"), never)
            self.assertEqual([late], self.recheck("--digest", status=1))


class GnocchiRecheckTest(_Drivers.RecheckTest):
    TELEMETRY = "gnocchi"

    def add_image(self, project_id: str, moment: datetime.datetime) -> None:
        gnocchi = self.site.cloud.gnocchi
        image = gnocchi.add_resource("image", project_id, (self.site.start, {"name": "image"}))
        gnocchi.add_measures(image, "image.size", "billing", [(moment, 1.0)], "B")


class PrometheusRecheckTest(_Drivers.RecheckTest):
    TELEMETRY = "prometheus"

    def add_image(self, project_id: str, moment: datetime.datetime) -> None:
        labels = {
            "__name__": "openstack_glance_image_bytes",
            "id": project_id,
            "name": "image",
            "tenant_id": project_id,
        }
        self.site.cloud.add_series(labels, [(moment, 1.0)])
