# SPDX-License-Identifier: Apache-2.0
"""JSON and text as columns keep them."""

import json
import math
import unittest
from decimal import Decimal
from typing import Any

from distil.db import json_columns


class TestInfo(unittest.TestCase):
    def test_what_is_dumped_is_loaded_again(self) -> None:
        info = {"name": "größe 🐘", "type": "Volume", "tags": ["a", None, 1.5, True], "nested": {"a": {"b": 1}}}
        self.assertEqual(info, json_columns.load_info(json_columns.dump_info(info)))

    def test_other_alphabets_stay_readable(self) -> None:
        self.assertIn("größe 🐘", json_columns.dump_info({"name": "größe 🐘"}))

    def test_what_is_no_json_object_reads_as_empty(self) -> None:
        for text in (None, "", "null", "[]", "3", "{'a': 1}", "{", "[" * 100_000):
            with self.subTest(text=text and text[:10]):
                self.assertEqual({}, json_columns.load_info(text))

    def test_one_value_too_long_is_cut_with_a_mark_and_costs_no_other_its_place(self) -> None:
        info = {"blob": "x" * 1_000_000, "name": "n", "type": "Volume"}
        text = json_columns.dump_info(info)
        stored = json_columns.load_info(text)
        self.assertLessEqual(len(text), json_columns.MAX_INFO)
        self.assertEqual(("n", "Volume"), (stored["name"], stored["type"]))
        self.assertTrue(stored["blob"].startswith("xxx"))
        self.assertTrue(stored["blob"].endswith(json_columns.CUT))

    def test_too_many_too_long_keys_are_bounded_too(self) -> None:
        text = json_columns.dump_info({f"{number}{'k' * 500}": "v" * 500 for number in range(1000)})
        self.assertLessEqual(len(text), json_columns.MAX_INFO)
        self.assertGreater(len(json_columns.load_info(text)), 50)

    def test_half_a_surrogate_pair_is_stored_as_its_escape(self) -> None:
        text = json_columns.dump_info({"name": "a\ud800b"})
        text.encode("utf-8")
        self.assertEqual({"name": "a\ud800b"}, json_columns.load_info(text))


class TestPlain(unittest.TestCase):
    def test_what_json_does_not_have_becomes_text(self) -> None:
        given = {"a": math.nan, "b": [math.inf, -math.inf], 3: Decimal("1.50"), "d": (1, 2)}
        wanted = {"a": "nan", "b": ["inf", "-inf"], "3": "1.50", "d": [1, 2]}
        self.assertEqual(wanted, json_columns.plain(given))

    def test_the_given_value_is_left_alone(self) -> None:
        inner = [math.nan]
        json_columns.plain({"a": inner})
        self.assertTrue(math.isnan(inner[0]))

    def test_endless_depth_is_cut(self) -> None:
        value: dict[str, Any] = {}
        for _ in range(100_000):
            value = {"a": value}
        self.assertLess(len(json_columns.dump_sample(value)), 1000)


class TestSample(unittest.TestCase):
    def test_it_is_valid_json_where_it_is_not_cut(self) -> None:
        def refuse(constant: str) -> None:
            self.fail(f"{constant} is no JSON")

        text = json_columns.dump_sample({"volume": math.nan, "resource_id": "ü"})
        self.assertEqual({"volume": "nan", "resource_id": "ü"}, json.loads(text, parse_constant=refuse))

    def test_a_long_one_is_cut_with_a_mark(self) -> None:
        text = json_columns.dump_sample({"metadata": "x" * 1_000_000})
        self.assertEqual(json_columns.MAX_SAMPLE, len(text))
        self.assertTrue(text.endswith(json_columns.CUT))


class TestBounded(unittest.TestCase):
    def test_a_text_that_fits_is_unchanged(self) -> None:
        self.assertEqual("🐘" * 10, json_columns.bounded("🐘" * 10, 10))

    def test_a_longer_one_has_the_limit_s_length_and_a_mark(self) -> None:
        self.assertEqual("aaaa" + json_columns.CUT, json_columns.bounded("a" * 11, 10))

    def test_what_databases_refuse_is_escaped(self) -> None:
        self.assertEqual("a\\x00b\\udfff", json_columns.bounded("a\x00b\udfff", 100))
