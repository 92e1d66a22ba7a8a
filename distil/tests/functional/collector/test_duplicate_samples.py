# SPDX-License-Identifier: Apache-2.0
"""Samples that the telemetry service holds several times, as agents publish at least once."""

import json
import unittest

from distil.tests.support.site import Site

METER = "traffic.outbound.national"


class DuplicateSamplesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(projects=1, resources=1))
        (self.project_id,) = self.site.cloud.projects.enabled_ids

    def add(self, **values: object) -> None:
        sample = self.site.sample(self.project_id, METER, resource_id="twice", id="m-1", **values)
        self.site.cloud.add_samples(self.project_id, METER, [sample], at=self.site.start.isoformat())

    def test_sum_counts_newest_recorded_once(self) -> None:
        self.add(volume=5, recorded_at="2026-03-01T10:00:05")
        self.add(volume=3, recorded_at="2026-03-01T10:00:07")
        self.add(volume=3, recorded_at="2026-03-01T10:00:06")
        self.assertIn("1 sample not billed, because another with its message ID", self.site.collect())
        self.assertEqual([3], [entry.volume for entry in self.site.usage(resource_id="twice")])

    def test_rejected_sample_is_kept_once(self) -> None:
        for second in (5, 7, 6):
            self.add(volume="much", recorded_at=f"2026-03-01T10:00:0{second}")
        self.site.collect()
        (kept,) = self.site.rejected()
        self.assertEqual("2026-03-01T10:00:07", json.loads(kept.sample)["recorded_at"])
