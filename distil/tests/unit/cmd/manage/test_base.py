# SPDX-License-Identifier: Apache-2.0
"""How values are shown."""

import datetime
import unittest
from decimal import Decimal

from distil.cmd.manage import base


class ValueFormatTest(unittest.TestCase):
    def test_volume_loses_only_trailing_zeros(self) -> None:
        for volume, shown in (
            ("100", "100"),
            ("100.0000000000", "100"),
            ("1E+3", "1000"),
            ("0E-10", "0"),
            ("0.0000000001", "0.0000000001"),
            ("1234567890123456789012345678.0000000010", "1234567890123456789012345678.000000001"),
        ):
            self.assertEqual(shown, base.VolumeColumn(Decimal(volume)).machine_readable())

    def test_unknown_value_stays_none(self) -> None:
        self.assertIsNone(base.format_volume(None))
        self.assertIsNone(base.format_time(None))

    def test_time_is_shown_in_utc(self) -> None:
        moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        self.assertEqual("2026-01-01T00:00:00Z", base.format_time(moment))
