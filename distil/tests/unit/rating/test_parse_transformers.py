# SPDX-License-Identifier: Apache-2.0
"""What is refused in a transformer file, and what is said about it."""

import unittest

from distil.rating import mapping_parser
from distil.tests.support import builders


class TransformerOptionsTest(unittest.TestCase):
    def assert_refused(self, content: object, *words: str) -> None:
        _, found = mapping_parser.transformer_options(content, builders.plugins())
        self.assertEqual(1, len(found), found)
        for word in words:
            self.assertIn(word, found[0])

    def test_valid_file_returns_sections(self) -> None:
        content = {"uptime": {"tracked_states": ["active"]}, "max": None, "sum": {}}
        self.assertEqual(
            ({"uptime": {"tracked_states": ["active"]}, "max": {}, "sum": {}}, []),
            mapping_parser.transformer_options(content, builders.plugins()),
        )

    def test_empty_file_returns_no_sections(self) -> None:
        self.assertEqual(({}, []), mapping_parser.transformer_options(None, builders.plugins()))

    def test_file_without_sections_is_rejected(self) -> None:
        for content in ([], ["uptime"], "uptime", 5):
            self.assert_refused(content, "section", repr(content))

    def test_unknown_transformer_suggests_nearest(self) -> None:
        self.assert_refused({"uptine": {}}, "section 'uptine'", "did you mean uptime?")
        self.assert_refused({5: {}}, "section 5")

    def test_non_mapping_section_is_rejected(self) -> None:
        for section in ("active", ["active"], 5):
            self.assert_refused({"uptime": section}, "section 'uptime'", repr(section))

    def test_unknown_option_suggests_nearest(self) -> None:
        self.assert_refused({"uptime": {"tracked_state": ["a"]}}, "'uptime'", "'tracked_state'", "tracked_states?")
        self.assert_refused({"max": {"prefix": "x"}}, "'max'", "'prefix'")

    def test_invalid_string_list_is_rejected(self) -> None:
        for value in ("active", [], None, [5], ["active", None], [True], {"a": 1}):
            self.assert_refused({"uptime": {"tracked_states": value}}, "'uptime'", "tracked_states", repr(value))

    def test_non_text_value_is_rejected(self) -> None:
        for value in (5, None, ["x"], True):
            self.assert_refused({"uptime": {"prefix": value}}, "'uptime'", "prefix must be text", repr(value))

    def test_required_option_may_be_omitted(self) -> None:
        self.assertEqual([], mapping_parser.transformer_options({"uptime": {"prefix": "x"}}, builders.plugins())[1])

    def test_all_problems_are_reported_at_once(self) -> None:
        content = {"uptine": {}, "uptime": {"prefix": 5, "tracked_states": 5, "x": 5}, "sum": 5}
        _, found = mapping_parser.transformer_options(content, builders.plugins())
        self.assertEqual(5, len(found), found)
