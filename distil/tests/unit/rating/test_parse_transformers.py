# SPDX-License-Identifier: Apache-2.0
"""Validation of transformer files, and its messages."""

import unittest

from distil.rating import mapping_parser
from distil.tests.support import builders


class TransformerOptionsTest(unittest.TestCase):
    def assert_rejected(self, content: object, *words: str) -> None:
        (found,) = mapping_parser.parse_transformer_options(content, builders.plugins()).problems
        for word in words:
            self.assertIn(word, found.text)

    def test_valid_file_returns_sections(self) -> None:
        content = {"uptime": {"tracked_states": ["active"]}, "max": None, "sum": {}}
        self.assertEqual(
            ({"uptime": {"tracked_states": ["active"]}, "max": {}, "sum": {}}, []),
            mapping_parser.parse_transformer_options(content, builders.plugins()),
        )

    def test_empty_file_returns_no_sections(self) -> None:
        self.assertEqual(({}, []), mapping_parser.parse_transformer_options(None, builders.plugins()))

    def test_file_without_sections_is_rejected(self) -> None:
        for content in ([], ["uptime"], "uptime", 5):
            self.assert_rejected(content, "section", repr(content))

    def test_unknown_transformer_suggests_nearest(self) -> None:
        self.assert_rejected({"uptine": {}}, "section 'uptine'", "did you mean uptime?")
        self.assert_rejected({5: {}}, "section 5")

    def test_non_mapping_section_is_rejected(self) -> None:
        for section in ("active", ["active"], 5):
            self.assert_rejected({"uptime": section}, "section 'uptime'", repr(section))

    def test_unknown_option_suggests_nearest(self) -> None:
        self.assert_rejected({"uptime": {"tracked_state": ["a"]}}, "'uptime'", "'tracked_state'", "tracked_states?")
        self.assert_rejected({"max": {"prefix": "x"}}, "'max'", "'prefix'")

    def test_invalid_string_list_is_rejected(self) -> None:
        for value in ("active", [], None, [5], ["active", None], [True], {"a": 1}):
            self.assert_rejected({"uptime": {"tracked_states": value}}, "'uptime'", "tracked_states", repr(value))

    def test_non_text_value_is_rejected(self) -> None:
        for value in (5, None, ["x"], True):
            self.assert_rejected({"uptime": {"prefix": value}}, "'uptime'", "prefix must be text", repr(value))

    def test_required_option_may_be_omitted(self) -> None:
        self.assertEqual(
            [], mapping_parser.parse_transformer_options({"uptime": {"prefix": "x"}}, builders.plugins())[1]
        )

    def test_all_problems_are_reported_at_once(self) -> None:
        content = {"uptine": {}, "uptime": {"prefix": 5, "tracked_states": 5, "x": 5}, "sum": 5}
        found = mapping_parser.parse_transformer_options(content, builders.plugins()).problems
        self.assertEqual(["uptine", "uptime", "uptime", "uptime", "sum"], [problem.entry for problem in found])
