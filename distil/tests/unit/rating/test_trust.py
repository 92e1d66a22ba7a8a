# SPDX-License-Identifier: Apache-2.0
"""Trusted sources."""

import unittest
from decimal import Decimal

from distil.rating import rate
from distil.tests.unit import builders
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry


class TestTrust(unittest.TestCase):
    def trusted(self, patterns: list[str], *sources: object) -> rate.Rated:
        documents = [document(source=source) for source in sources]
        return builders.rated(entry("sum"), documents, trusted=patterns)

    def assert_trusted(self, number: int, patterns: list[str], *sources: object) -> None:
        result = self.trusted(patterns, *sources)
        self.assertEqual(Decimal(number), sum(builders.volumes(result).values(), Decimal(0)))
        self.assertEqual((len(sources) - number, len(sources)), (result.untrusted, result.samples))
        self.assertEqual((), result.rejected)

    def test_without_a_list_every_source_is_trusted(self) -> None:
        self.assert_trusted(2, [], "openstack", "anyone")

    def test_any_expression_of_the_list_may_match(self) -> None:
        patterns = ["openstack", ".{4}:Traffic"]
        self.assert_trusted(2, patterns, "openstack", "abcd:Traffic", "abc:Traffic", "anyone")

    def test_they_match_at_the_beginning(self) -> None:
        self.assert_trusted(1, ["openstack"], "openstack-2", "an openstack", "Openstack")

    def test_an_expression_may_ask_for_the_whole(self) -> None:
        self.assert_trusted(1, ["openstack$"], "openstack", "openstack-2")

    def test_a_null_source_is_rejected_and_not_ignored(self) -> None:
        result = self.trusted(["openstack"], None, "openstack", "anyone")
        self.assertEqual((1, 1, 3), (len(result.rejected), result.untrusted, result.samples))
