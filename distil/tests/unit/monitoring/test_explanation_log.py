# SPDX-License-Identifier: Apache-2.0
"""A failure to explain usage."""

import datetime
import unittest

from distil import model
from distil.monitoring import explanation_log
from distil.rating.rate import RatingRules
from distil.transformers.lookups import Lookups

START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


class ExplanationTest(unittest.TestCase):
    def test_failure_is_logged_not_raised(self) -> None:
        window = model.Window(START, START + datetime.timedelta(hours=1))
        rules = RatingRules((None,))  # type: ignore[arg-type]
        with self.assertLogs("distil.monitoring.explanation_log", "ERROR") as logs:
            explanation_log.log_explanation(rules, [], window, Lookups())
        self.assertIn("Could not explain the usage", logs.output[0])
