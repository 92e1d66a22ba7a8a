# SPDX-License-Identifier: Apache-2.0
"""What becomes of a window whose usage cannot be explained."""

import datetime
import unittest

from distil import model
from distil.collector import explaining
from distil.rating.rate import RatingRules
from distil.transformers.lookups import Lookups

START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


class ExplanationTest(unittest.TestCase):
    def test_failure_is_logged_not_raised(self) -> None:
        window = model.Window(START, START + datetime.timedelta(hours=1))
        rules = RatingRules((None,))  # type: ignore[arg-type]
        with self.assertLogs("distil.collector.explaining", "ERROR") as logs:
            explaining.log_explanation(rules, [], window, Lookups())
        self.assertIn("cannot be explained", logs.output[0])
