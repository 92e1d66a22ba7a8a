# SPDX-License-Identifier: Apache-2.0
"""Validation of a mapping's transformer_config, and its messages."""

import unittest
from typing import Any

from distil.rating import mapping_parser
from distil.tests.support import builders
from distil.tests.support.builders import entry
from distil.transformers.options import Options


def problems(*entries: object, **sections: dict[str, Any]) -> list[str]:
    return list(map(str, mapping_parser.parse_meter_mappings(list(entries), builders.plugins(), sections).problems))


class TransformerConfigTest(unittest.TestCase):
    def test_non_mapping_is_rejected(self) -> None:
        for value in ("x", ["x"], 5):
            (found,) = problems(entry("uptime", transformer_config=value))
            self.assertIn("transformer_config", found)
            self.assertIn(repr(value), found)

    def test_every_invalid_option_is_reported(self) -> None:
        config = {"tracked_states": "active", "prefix": 5, "prefx": "x"}
        found = problems(entry("uptime", transformer_config=config))
        self.assertEqual(3, len(found), found)
        for word in ("tracked_states must be", "prefix must be text, not 5", "'prefx'; did you mean prefix?"):
            self.assertEqual(1, sum(word in problem for problem in found), (word, found))
        self.assertTrue(all(problem.startswith("entry 1 (m1): transformer_config: ") for problem in found), found)

    def test_transformer_without_options_rejects_any(self) -> None:
        (found,) = problems(entry("max", transformer_config={"prefix": "x"}))
        self.assertIn("'prefix'", found)

    def test_required_option_accepted_in_either_file(self) -> None:
        states = {"tracked_states": ["active"]}
        self.assertEqual([], problems(entry("uptime", transformer_config=states)))
        self.assertEqual([], problems(entry("uptime"), uptime=states))
        (found,) = problems(entry("uptime"), uptime={"prefix": "x"})
        self.assertIn("entry 1 (m1): transformer uptime: tracked_states is missing", found)

    def test_every_missing_option_is_reported(self) -> None:
        found = problems(entry("fromimage"))
        self.assertEqual(
            ["md_keys", "none_values", "size_keys"], [problem.split(": ")[2].split(" ")[0] for problem in found]
        )

    def test_every_transformer_reports_unknown_option(self) -> None:
        for name, plugin in builders.plugins().items():
            with self.subTest(name=name):
                options = Options({"no such option": 1})
                plugin(options)
                self.assertEqual(1, len(options.problems))
