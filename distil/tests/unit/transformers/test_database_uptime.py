# SPDX-License-Identifier: Apache-2.0
"""``databasemanagementuptime``: uptime of database instances, whose samples hold the id of their flavor."""

import unittest
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

SECTIONS: builders.Sections = {
    "databasemanagementuptime": {"prefix": "db.", "tracked_states": ["ACTIVE", "HEALTHY"]},
    "databaseuptime": {"tracked_states": ["ACTIVE", "HEALTHY"]},
}
ENTRY = entry("databasemanagementuptime", unit="second")
FLAVORS = Lookups(flavors={"1": "c1", "2": "c2", "one": "c1"})


def database(minute: int, flavor_id: object, status: object = "ACTIVE", **metadata: Any) -> builders.Document:
    return document(minute, metadata={"flavor.id": flavor_id, "status": status, **metadata})


class DatabaseUptimeTest(unittest.TestCase):
    def assert_billed(self, expected: dict[str, str], *documents: builders.Document) -> None:
        result = builders.rated(ENTRY, documents, SECTIONS, lookups=FLAVORS)
        self.assertEqual([], builders.reasons(result))
        self.assertEqual(
            {(flavor, RESOURCE): Decimal(seconds) for flavor, seconds in expected.items()}, builders.volumes(result)
        )

    def test_service_is_prefix_and_flavor_name(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, "1"))

    def test_numeric_flavor_id_is_accepted(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, 1))

    def test_flavors_share_window_equally(self) -> None:
        self.assert_billed({"db.c1": "1800", "db.c2": "1800"}, database(1, "1"), database(2, "2", "healthy"))

    def test_ids_with_same_name_are_merged(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, "1"), database(2, "one"))

    def test_untracked_states_are_ignored(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, "1"), database(2, "2", "ERROR"))
        self.assert_billed({}, database(1, "1", "ERROR"))

    def test_state_does_not_replace_null_status(self) -> None:
        result = builders.rated(ENTRY, [database(1, "1", None, state="ACTIVE")], SECTIONS, lookups=FLAVORS)
        self.assertEqual((), result.usage)
        self.assertEqual(1, len(result.rejected))

    def test_missing_flavor_is_rejected(self) -> None:
        unknown = [database(minute, flavor) for minute, flavor in enumerate((None, "None", ""), start=2)]
        documents = [database(1, "1"), document(9, metadata={"status": "ACTIVE"}), *unknown]
        result = builders.rated(ENTRY, documents, SECTIONS, lookups=FLAVORS)
        self.assertEqual({("db.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(["metadata has no flavor.id"] * 4, builders.reasons(result))

    def test_rejection_reason_names_unknown_flavor(self) -> None:
        result = builders.rated(ENTRY, [database(1, "gone")], SECTIONS, lookups=FLAVORS)
        self.assertEqual((), result.usage)
        self.assertIn("'gone'", builders.reasons(result)[0])

    def test_unknown_flavor_keeps_other_samples_billed(self) -> None:
        result = builders.rated(ENTRY, [database(1, "1"), database(2, "gone")], SECTIONS, lookups=FLAVORS)
        self.assertEqual({("db.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))

    def test_untracked_samples_need_no_flavor_lookup(self) -> None:
        flavors = builders.Names({"1": "c1"})
        builders.rated(ENTRY, [database(1, "1"), database(2, "2", "ERROR")], SECTIONS, lookups=Lookups(flavors=flavors))
        self.assertEqual({"1"}, set(flavors.asked))

    def test_unavailable_flavor_lookup_raises(self) -> None:
        with self.assertRaises(exceptions.LookupUnavailable):
            builders.rated(ENTRY, [database(1, "1")], SECTIONS, lookups=Lookups(flavors=builders.Down()))

    def test_alias_has_its_own_options(self) -> None:
        result = builders.rated(entry("databaseuptime"), [database(1, "1")], SECTIONS, lookups=FLAVORS)
        self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
