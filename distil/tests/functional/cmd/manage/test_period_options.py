# SPDX-License-Identifier: Apache-2.0
"""The options that choose a period."""

import datetime

from distil.db import models
from distil.tests.support import manage

HOUR = datetime.timedelta(hours=1)


class PeriodTest(manage.ManageTestCase):
    def test_period_must_make_sense(self) -> None:
        for options, problem in (
            (("--start", "2026-02-01", "--end", "2026-01-01"), "--start must be before --end"),
            (("--start", "2026-02-01", "--end", "2026-02-01"), "--start must be before --end"),
            (("--month", "2026-02", "--end", "2026-02-02"), "--month cannot be combined with --start and --end"),
            (("--month", "2026-13"), "argument --month: '2026-13' is not a month, such as 2026-10"),
        ):
            for command in (("usage", "list"), ("usage", "summary"), ("rejected", "list"), ("rejected", "retry")):
                self.assertEqual(problem, self.usage_error(*command, *options))

    def test_unknown_time_zone_is_refused(self) -> None:
        for zone in ("Pacific", "Pacific/Nowhere", "../etc/passwd", "", "/etc/passwd"):
            self.assertIn(
                "is not a time zone of the IANA database", self.usage_error("usage", "list", "--time-zone", zone)
            )

    def test_month_of_rejected_samples_is_local(self) -> None:
        start = datetime.datetime(2026, 9, 30, 11, tzinfo=datetime.UTC)
        sample = {"tenant_id": "p1", "meter": "m", "reason": "r", "sample": "{}", "created": start}
        for hour in (-1, 0, 743, 744):
            self.insert(
                models.rejected_samples, {**sample, "start": start + hour * HOUR, "end": start + (hour + 1) * HOUR}
            )
        rows = self.rows("rejected", "list", "--month", "2026-10", "--time-zone", "Pacific/Auckland")
        self.assertEqual(["2026-10-01T00:00:00+13:00", "2026-10-31T23:00:00+13:00"], [row["start"] for row in rows])

    def test_invalid_option_value_exits_with_2(self) -> None:
        for option in (("--group-by", "week"), ("--start", "yesterday"), ("--limit", "-1")):
            self.usage_error("usage", "summary", *option)
