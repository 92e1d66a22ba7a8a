# SPDX-License-Identifier: Apache-2.0
"""JSON as columns hold it."""

import json
import math
import unittest
from decimal import Decimal
from typing import Any

from distil import text
from distil.db import json_columns


class InfoDocumentTest(unittest.TestCase):
    def test_dumped_info_loads_unchanged(self) -> None:
        info = {"name": "größe 🐘", "type": "Volume", "tags": ["a", None, 1.5, True], "nested": {"a": {"b": 1}}}
        self.assertEqual(info, json_columns.load_info(json_columns.dump_info(info)))

    def test_non_ascii_text_stays_readable(self) -> None:
        self.assertIn("größe 🐘", json_columns.dump_info({"name": "größe 🐘"}))

    def test_non_object_loads_as_empty(self) -> None:
        for document in (None, "", "null", "[]", "3", "{'a': 1}", "{", "[" * 100_000):
            with self.subTest(document=document and document[:10]):
                self.assertEqual({}, json_columns.load_info(document))

    def test_only_long_value_is_truncated(self) -> None:
        info = {"blob": "x" * 1_000_000, "name": "n", "type": "Volume"}
        document = json_columns.dump_info(info)
        stored = json_columns.load_info(document)
        self.assertLessEqual(len(document), json_columns.MAX_INFO)
        self.assertEqual(("n", "Volume"), (stored["name"], stored["type"]))
        self.assertTrue(stored["blob"].startswith("xxx"))
        self.assertTrue(stored["blob"].endswith(text.COLUMN_CUT))

    def test_many_long_keys_are_bounded(self) -> None:
        document = json_columns.dump_info({f"{number}{'k' * 500}": "v" * 500 for number in range(1000)})
        self.assertLessEqual(len(document), json_columns.MAX_INFO)
        self.assertGreater(len(json_columns.load_info(document)), 50)

    def test_lone_surrogate_is_stored_escaped(self) -> None:
        document = json_columns.dump_info({"name": "a\ud800b"})
        document.encode("utf-8")
        self.assertEqual({"name": "a\ud800b"}, json_columns.load_info(document))


class JsonValueTest(unittest.TestCase):
    def test_non_json_values_become_text(self) -> None:
        value = {"a": math.nan, "b": [math.inf, -math.inf], 3: Decimal("1.50"), "d": (1, 2)}
        expected = {"a": "nan", "b": ["inf", "-inf"], "3": "1.50", "d": [1, 2]}
        self.assertEqual(expected, json_columns.to_json_value(value))

    def test_input_is_not_modified(self) -> None:
        inner = [math.nan]
        json_columns.to_json_value({"a": inner})
        self.assertTrue(math.isnan(inner[0]))

    def test_excessive_depth_is_truncated(self) -> None:
        value: dict[str, Any] = {}
        for _ in range(100_000):
            value = {"a": value}
        self.assertLess(len(json_columns.dump_sample(value)), 1000)


class SampleDocumentTest(unittest.TestCase):
    def test_short_sample_is_valid_json(self) -> None:
        def refuse(constant: str) -> None:
            self.fail(f"{constant} is not JSON")

        document = json_columns.dump_sample({"volume": math.nan, "resource_id": "ü"})
        self.assertEqual({"volume": "nan", "resource_id": "ü"}, json.loads(document, parse_constant=refuse))

    def test_long_sample_is_truncated_with_mark(self) -> None:
        document = json_columns.dump_sample({"metadata": "x" * 1_000_000})
        self.assertEqual(json_columns.MAX_SAMPLE, len(document))
        self.assertTrue(document.endswith(text.COLUMN_CUT))
