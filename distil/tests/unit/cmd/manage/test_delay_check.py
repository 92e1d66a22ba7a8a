# SPDX-License-Identifier: Apache-2.0
import datetime
import unittest

from distil.cmd.manage.delay_check import check_delay
from distil.telemetry.driver import Recording

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def recording(minute: float, delay: float) -> Recording:
    """A sample of some minute after the full hour, and how many minutes later it was recorded."""
    timestamp = START + datetime.timedelta(minutes=minute)
    return Recording(timestamp, timestamp + datetime.timedelta(minutes=delay))


class CheckDelayTest(unittest.TestCase):
    def test_sample_recorded_within_hour_needs_no_delay(self) -> None:
        status, detail = check_delay([recording(5, 54)], 0)
        self.assertEqual("ok", status)
        self.assertIn(
            "of the 1 sample of the last day that this check has read, the latest was recorded 0:54:00", detail
        )

    def test_late_sample_needs_longer_delay(self) -> None:
        status, detail = check_delay([recording(55, 12.5), recording(5, 20)], 300)
        self.assertEqual("warning", status)
        self.assertIn("collection_delay = 300: of the 2 samples", detail)
        self.assertIn("480 would have caught these", detail)

    def test_recommended_delay_is_accepted(self) -> None:
        self.assertEqual("ok", check_delay([recording(55, 12.5)], 480)[0])
