# SPDX-License-Identifier: Apache-2.0
"""Sources whose samples are trusted."""

import unittest
from decimal import Decimal

from distil import model
from distil.tests.support import builders
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


class TrustedSourcesTest(unittest.TestCase):
    def trusted(self, patterns: list[str], *sources: object) -> model.RatedWindow:
        documents = [document(source=source) for source in sources]
        return builders.rated(entry("sum"), documents, trusted=patterns)

    def assert_trusted(self, number: int, patterns: list[str], *sources: object) -> None:
        result = self.trusted(patterns, *sources)
        self.assertEqual(Decimal(number), sum(builders.volumes(result).values(), Decimal(0)))
        self.assertEqual((len(sources) - number, len(sources)), (result.untrusted, result.samples))
        self.assertEqual((), result.rejected)

    def test_empty_list_trusts_every_source(self) -> None:
        self.assert_trusted(2, [], "openstack", "other")

    def test_any_expression_may_match(self) -> None:
        patterns = ["openstack", ".{4}:Traffic"]
        self.assert_trusted(2, patterns, "openstack", "abcd:Traffic", "abc:Traffic", "other")

    def test_expressions_match_at_start(self) -> None:
        self.assert_trusted(1, ["openstack"], "openstack-2", "an openstack", "Openstack")

    def test_anchored_expression_matches_whole_source(self) -> None:
        self.assert_trusted(1, ["openstack$"], "openstack", "openstack-2")

    def test_null_source_is_rejected_not_untrusted(self) -> None:
        result = self.trusted(["openstack"], None, "openstack", "other")
        self.assertEqual((1, 1, 3), (len(result.rejected), result.untrusted, result.samples))
