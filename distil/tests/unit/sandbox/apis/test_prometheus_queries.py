# SPDX-License-Identifier: Apache-2.0
"""Tests of values as Prometheus writes them."""

import math
import unittest

from distil.sandbox.apis.prometheus_queries import format_value


class FormatValueTest(unittest.TestCase):
    def test_values_are_written_as_in_go(self) -> None:
        for value, expected in (
            (20.0, "20"),
            (20.5, "20.5"),
            (1e9, "1000000000"),
            (123456789012345678.0, "123456789012345680"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e300, "1e+300"),
            (1.5e-6, "0.0000015"),
            (1.5e-7, "1.5e-07"),
            (0.0, "0"),
            (-0.0, "-0"),
            (-3.0, "-3"),
            (math.nan, "NaN"),
            (math.inf, "+Inf"),
            (-math.inf, "-Inf"),
        ):
            self.assertEqual(expected, format_value(value))
