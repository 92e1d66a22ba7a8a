# SPDX-License-Identifier: Apache-2.0
"""Samples that cannot be used: each is kept with its reason, and everything else is billed."""

import json
import unittest
from typing import Any

from distil.tests.support import databases
from distil.tests.support.site import Site

REMOVED = object()
LONG = "x" * 5000

MACHINE = {"status": "active", "instance_type": "c1.c1r1"}
DATABASE = {"status": "ACTIVE", "flavor.id": "1"}
CONTAINERS = "storage.containers.objects.size"

# (what is wrong, meter, values of the sample, part of the reason)
BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("volume missing", "network", {"volume": REMOVED}, "volume is missing"),
    ("volume is text", "network", {"volume": "much"}, "is not a number"),
    ("volume is a list", "network", {"volume": [1]}, "is not a number"),
    ("volume is NaN", "network", {"volume": float("nan")}, "is not finite"),
    ("volume is infinite", "network", {"volume": float("inf")}, "is not finite"),
    ("volume is negative", "network", {"volume": -1}, "is negative"),
    ("volume is too large", "network", {"volume": 1e30}, "exceeds the maximum"),
    ("volume of a sum is null", "traffic.outbound.national", {"volume": None}, "volume is null"),
    ("timestamp missing", "network", {"timestamp": REMOVED}, "timestamp is missing"),
    ("timestamp unreadable", "network", {"timestamp": "yesterday"}, "is not a valid ISO 8601 time"),
    ("metadata null", "network", {"metadata": None}, "metadata is null"),
    ("metadata is a list", "network", {"metadata": ["name"]}, "metadata is a list"),
    ("source null", "network", {"source": None}, "source is missing"),
    ("resource id missing", "network", {"resource_id": REMOVED}, "resource_id is missing"),
    ("resource id null", "network", {"resource_id": None}, "resource_id is missing"),
    ("resource id too long", "network", {"resource_id": LONG}, "longer than"),
    ("resource id with NUL", "network", {"resource_id": "a\0b"}, "cannot be stored"),
    ("resource id with a lone surrogate", "network", {"resource_id": "a\ud800"}, "cannot be stored"),
    ("status null", "instance", {"metadata": MACHINE | {"status": None}}, "status"),
    ("flavor too long", "instance", {"metadata": MACHINE | {"instance_type": LONG}}, "longer than"),
    ("size is no number", "instance", {"metadata": MACHINE | {"root_gb": "big"}}, "root_gb"),
    ("size of a database", "database.instance", {"metadata": DATABASE | {"volume.size": "?"}}, "volume.size"),
    ("container without a slash", CONTAINERS, {"resource_id": "container"}, "<project>/<container>"),
]


class _Backends:
    class BadSamplesTest(unittest.TestCase):
        BACKEND: str

        def test_invalid_samples_are_stored_others_billed(self) -> None:
            site = self.enterContext(Site(self.BACKEND, projects=2, resources=1))
            undisturbed = self.enterContext(Site(cloud=site.cloud))
            undisturbed.collect()
            project_id = site.cloud.projects.enabled_ids[0]
            for name, meter, values, _ in BAD:
                sample = site.sample(project_id, meter, id=name, **values)
                document = {key: value for key, value in sample.items() if value is not REMOVED}
                site.cloud.add_samples(project_id, meter, [document], at=site.start.isoformat())
            site.collect()
            rejected = site.rejected()
            reasons: dict[str, list[str]] = {}
            for row in rejected:
                reasons.setdefault(json.loads(row.sample)["id"], []).append(row.reason)
            for name, meter, _, reason in BAD:
                with self.subTest(name):
                    self.assertTrue(any(reason in text for text in reasons[name]), reasons[name])
                    self.assertIn(meter, {row.meter for row in rejected if json.loads(row.sample)["id"] == name})
            self.assertEqual({(project_id, site.start)}, {(row.tenant_id, row.start) for row in rejected})
            # A sample that one mapping rejects may be good for another one of its meter.
            others = [entry for entry in site.usage() if not entry.resource_id.startswith("resource-1")]
            self.assertEqual(undisturbed.usage(), others)


class SQLiteTest(_Backends.BadSamplesTest):
    BACKEND = databases.SQLITE


class MariaDBTest(_Backends.BadSamplesTest):
    BACKEND = databases.MYSQL


class PostgreSQLTest(_Backends.BadSamplesTest):
    BACKEND = databases.POSTGRESQL
