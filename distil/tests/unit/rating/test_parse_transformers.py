# SPDX-License-Identifier: Apache-2.0
"""What is refused in a transformer file, and what is said about it."""

import unittest

from distil.rating import mapping_parser
from distil.tests.unit import builders


class TestTransformerOptions(unittest.TestCase):
    def assert_refused(self, content: object, *words: str) -> None:
        _, found = mapping_parser.transformer_options(content, builders.plugins())
        self.assertEqual(1, len(found), found)
        for word in words:
            self.assertIn(word, found[0])

    def test_a_good_file_gives_its_sections(self) -> None:
        content = {"uptime": {"tracked_states": ["active"]}, "max": None, "sum": {}}
        self.assertEqual(
            ({"uptime": {"tracked_states": ["active"]}, "max": {}, "sum": {}}, []),
            mapping_parser.transformer_options(content, builders.plugins()),
        )

    def test_an_empty_file_has_no_sections(self) -> None:
        self.assertEqual(({}, []), mapping_parser.transformer_options(None, builders.plugins()))

    def test_a_file_that_holds_no_sections_is_refused(self) -> None:
        for content in ([], ["uptime"], "uptime", 5):
            self.assert_refused(content, "section", repr(content))

    def test_an_unknown_transformer_is_refused_with_the_nearest(self) -> None:
        self.assert_refused({"uptine": {}}, "section 'uptine'", "did you mean uptime?")
        self.assert_refused({5: {}}, "section 5")

    def test_a_section_holds_options(self) -> None:
        for section in ("active", ["active"], 5):
            self.assert_refused({"uptime": section}, "section 'uptime'", repr(section))

    def test_an_unknown_option_is_refused_with_the_nearest(self) -> None:
        self.assert_refused({"uptime": {"tracked_state": ["a"]}}, "'uptime'", "'tracked_state'", "tracked_states?")
        self.assert_refused({"max": {"prefix": "x"}}, "'max'", "'prefix'")

    def test_a_list_of_texts_is_one(self) -> None:
        for value in ("active", [], None, [5], ["active", None], [True], {"a": 1}):
            self.assert_refused({"uptime": {"tracked_states": value}}, "'uptime'", "tracked_states", repr(value))

    def test_what_must_be_text_is_text(self) -> None:
        for value in (5, None, ["x"], True):
            self.assert_refused({"uptime": {"prefix": value}}, "'uptime'", "prefix must be text", repr(value))

    def test_an_option_may_be_left_to_the_mappings(self) -> None:
        self.assertEqual([], mapping_parser.transformer_options({"uptime": {"prefix": "x"}}, builders.plugins())[1])

    def test_everything_wrong_is_told_at_once(self) -> None:
        content = {"uptine": {}, "uptime": {"prefix": 5, "tracked_states": 5, "x": 5}, "sum": 5}
        _, found = mapping_parser.transformer_options(content, builders.plugins())
        self.assertEqual(5, len(found), found)
