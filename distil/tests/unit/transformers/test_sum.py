# SPDX-License-Identifier: Apache-2.0
"""``sum``: the sum of the volumes of the samples inside the window."""

import unittest
from decimal import Decimal

import hypothesis
from hypothesis import strategies as st

from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


class SumTest(unittest.TestCase):
    def test_volumes_added_for_any_window_length(self) -> None:
        documents = [document(1, volume=3), document(2, volume="4.5"), document(3, volume=0)]
        for minutes in (43, 60, 180):
            result = builders.rated(entry("sum"), documents, window=builders.window(minutes))
            self.assertEqual({(SERVICE, RESOURCE): Decimal("7.5")}, builders.volumes(result))

    def test_window_includes_start_excludes_end(self) -> None:
        documents = [
            document(minute, volume=volume) for minute, volume in ((-1, 1), (0, 2), (59.99, 4), (60, 8), (61, 16))
        ]
        result = builders.rated(entry("sum"), documents)
        self.assertEqual({(SERVICE, RESOURCE): Decimal(6)}, builders.volumes(result))

    def test_null_volume_is_rejected(self) -> None:
        result = builders.rated(entry("sum"), [document(1, volume=None), document(2, volume=5)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(5)}, builders.volumes(result))
        self.assertEqual(1, len(result.rejected))
        self.assertIn("null", builders.reasons(result)[0])

    def test_identical_samples_all_count(self) -> None:
        result = builders.rated(entry("sum"), [document(1, volume=5) for _ in range(3)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(15)}, builders.volumes(result))

    @hypothesis.given(st.lists(strategies.volumes(), min_size=1, max_size=50))
    def test_sum_is_exact(self, volumes: list[Decimal]) -> None:
        documents = [document(number, volume=str(volume)) for number, volume in enumerate(volumes)]
        result = builders.rated(entry("sum"), documents)
        exact = sum(int(volume.scaleb(10)) for volume in volumes)
        self.assertEqual({(SERVICE, RESOURCE): Decimal(exact).scaleb(-10)}, builders.volumes(result))

    def test_tiny_volumes_are_summed_before_rounding(self) -> None:
        result = builders.rated(entry("sum"), [document(1, volume="1e-12") for _ in range(200)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal("2e-10")}, builders.volumes(result))
