# SPDX-License-Identifier: Apache-2.0
"""databasemanagementuptime: uptime of database instances, whose samples name their flavor by its id."""

import unittest
from decimal import Decimal
from typing import Any

from distil import exceptions
from distil.tests.unit import builders
from distil.tests.unit.builders import RESOURCE
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry
from distil.transformers.lookups import Lookups

SECTIONS: builders.Sections = {
    "databasemanagementuptime": {"prefix": "db.", "tracked_states": ["ACTIVE", "HEALTHY"]},
    "databaseuptime": {"tracked_states": ["ACTIVE", "HEALTHY"]},
}
ENTRY = entry("databasemanagementuptime", unit="second")
FLAVORS = Lookups(flavors={"1": "c1", "2": "c2", "one": "c1"})


def database(minute: int, flavor_id: object, status: object = "ACTIVE", **metadata: Any) -> builders.Document:
    return document(minute, metadata={"flavor.id": flavor_id, "status": status, **metadata})


class TestDatabaseUptime(unittest.TestCase):
    def assert_billed(self, expected: dict[str, str], *documents: builders.Document) -> None:
        result = builders.rated(ENTRY, documents, SECTIONS, lookups=FLAVORS)
        self.assertEqual([], builders.reasons(result))
        self.assertEqual(
            {(flavor, RESOURCE): Decimal(seconds) for flavor, seconds in expected.items()}, builders.volumes(result)
        )

    def test_it_is_billed_as_prefix_and_name_of_its_flavor(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, "1"))

    def test_an_id_may_be_a_number(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, 1))

    def test_several_flavors_share_the_window(self) -> None:
        self.assert_billed({"db.c1": "1800", "db.c2": "1800"}, database(1, "1"), database(2, "2", "healthy"))

    def test_two_ids_of_one_name_are_one_flavor(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, "1"), database(2, "one"))

    def test_untracked_states_do_not_count(self) -> None:
        self.assert_billed({"db.c1": "3600"}, database(1, "1"), database(2, "2", "ERROR"))
        self.assert_billed({}, database(1, "1", "ERROR"))

    def test_the_state_is_no_substitute_for_the_status(self) -> None:
        result = builders.rated(ENTRY, [database(1, "1", None, state="ACTIVE")], SECTIONS, lookups=FLAVORS)
        self.assertEqual((), result.usage)
        self.assertEqual(1, len(result.rejected))

    def test_a_missing_flavor_is_rejected_and_the_others_are_billed(self) -> None:
        documents = [database(1, "1"), database(2, None), document(3, metadata={"status": "ACTIVE"})]
        result = builders.rated(ENTRY, documents, SECTIONS, lookups=FLAVORS)
        self.assertEqual({("db.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(2, len(result.rejected))

    def test_a_flavor_that_does_not_exist_is_rejected_by_its_id(self) -> None:
        result = builders.rated(ENTRY, [database(1, "gone")], SECTIONS, lookups=FLAVORS)
        self.assertEqual((), result.usage)
        self.assertIn("'gone'", builders.reasons(result)[0])

    def test_a_flavor_that_does_not_exist_costs_no_other_sample_its_usage(self) -> None:
        result = builders.rated(ENTRY, [database(1, "1"), database(2, "gone")], SECTIONS, lookups=FLAVORS)
        self.assertEqual({("db.c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))

    def test_flavors_of_untracked_samples_are_not_asked_for(self) -> None:
        flavors = builders.Names({"1": "c1"})
        builders.rated(ENTRY, [database(1, "1"), database(2, "2", "ERROR")], SECTIONS, lookups=Lookups(flavors=flavors))
        self.assertEqual({"1"}, set(flavors.asked))

    def test_the_window_waits_while_nobody_can_say_what_the_flavor_is(self) -> None:
        with self.assertRaises(exceptions.LookupUnavailable):
            builders.rated(ENTRY, [database(1, "1")], SECTIONS, lookups=Lookups(flavors=builders.Down()))

    def test_its_other_name_has_options_of_its_own(self) -> None:
        result = builders.rated(entry("databaseuptime"), [database(1, "1")], SECTIONS, lookups=FLAVORS)
        self.assertEqual({("c1", RESOURCE): Decimal(3600)}, builders.volumes(result))
