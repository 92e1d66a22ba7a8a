# SPDX-License-Identifier: Apache-2.0
"""Versions of the distributions that usage depends on."""

import unittest

from distil import distributions


class DistributionsTest(unittest.TestCase):
    def test_present_versions_have_not_changed(self) -> None:
        versions = distributions.versions_for({"max"})
        self.assertEqual({"distil", "jmespath"}, versions.keys())
        self.assertEqual([], distributions.changes(versions))

    def test_other_version_is_told(self) -> None:
        changes = distributions.changes({"jmespath": "0.1", "acme-transformers": "2.0"})
        self.assertRegex(changes[0], r"^jmespath was 0\.1 and is 1")
        self.assertEqual("acme-transformers was 2.0 and is not installed", changes[1])
