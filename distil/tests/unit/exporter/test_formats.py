# SPDX-License-Identifier: Apache-2.0
"""How long things take, in words."""

import unittest
from datetime import timedelta

from distil.exporter.text import format_duration


class FormatDurationTest(unittest.TestCase):
    def test_two_largest_units_are_shown(self) -> None:
        for seconds, said in (
            (-5, "0.0 s"), (0.21, "0.2 s"), (12.4, "12 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"),
            (3601, "1 h"), (3660, "1 h 1 min"), (90000, "1 d 1 h"), (86400 * 40, "40 d"),
        ):  # fmt: skip
            self.assertEqual(said, format_duration(timedelta(seconds=seconds)))
