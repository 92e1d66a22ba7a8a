# SPDX-License-Identifier: Apache-2.0
"""Validation of meter mappings files, and its messages."""

import unittest
from typing import Any

from distil.rating import mapping_parser
from distil.tests.support import builders
from distil.tests.support.builders import entry


def problems(*entries: object) -> list[str]:
    return list(map(str, mapping_parser.parse_meter_mappings(list(entries), builders.plugins(), {}).problems))


class MeterMappingsTest(unittest.TestCase):
    def assert_rejected(self, configured: object, *words: str, entries: int = 1) -> None:
        """Assert that there is one problem, which names the entry and holds the words."""
        found = problems(*[entry()] * (entries - 1), configured)
        self.assertEqual(1, len(found), found)
        self.assertTrue(found[0].startswith(f"entry {entries} ("), found[0])
        for word in words:
            self.assertIn(word, found[0])

    def test_valid_entry_is_accepted(self) -> None:
        every_key = entry(
            type="T",
            filters=["volume"],
            volume={"source": "volume"},
            res_id_template="%s-x",
            metadata={"name": {"sources": ["a", "b"], "template": "%s (100%%)"}},
            transformer_config={},
        )
        self.assertEqual([], problems(entry(), every_key))

    def test_file_without_entry_list_is_rejected(self) -> None:
        content: object
        for content in (None, [], {}, {"meter": "m"}, "meter", 5):
            mappings, found = mapping_parser.parse_meter_mappings(content, builders.plugins(), {})
            self.assertEqual(((), 1), (mappings, len(found)))
            expected = "is empty" if content is None else repr(content)
            self.assertEqual((None, True), (found[0].entry, expected in found[0].text))

    def test_non_mapping_entry_is_rejected(self) -> None:
        for content in (None, "meter", 5, ["meter"]):
            self.assert_rejected(content, repr(content), entries=2)

    def test_missing_required_key_is_rejected(self) -> None:
        for key in ("meter", "unit", "transformer"):
            self.assert_rejected(builders.without(entry(), key), f"{key} is missing")
            self.assert_rejected(entry() | {key: None}, f"{key} is missing")

    def test_empty_or_non_text_is_rejected(self) -> None:
        for key in ("meter", "service", "type", "unit"):
            for value in (5, True, ["a"], {"a": 1}, ""):
                self.assert_rejected(entry() | {key: value}, f"{key} must be text", repr(value))

    def test_too_long_text_is_rejected(self) -> None:
        for key, max_length in (("service", 260), ("unit", 100)):
            self.assertEqual([], problems(entry() | {key: "x" * max_length}))
            self.assert_rejected(entry() | {key: "x" * (max_length + 1)}, key, str(max_length))

    def test_unknown_key_suggests_nearest(self) -> None:
        for key, nearest in (("filter", "filters"), ("Meter", "meter"), ("res_id_tmpl", "res_id_template")):
            self.assert_rejected(entry() | {key: "x"}, repr(key), f"did you mean {nearest}?")
        self.assert_rejected(entry() | {"xyz": 1}, "'xyz'", "transformer_config")
        self.assert_rejected(entry() | {5: 1}, "unknown key 5")

    def test_unknown_transformer_suggests_nearest(self) -> None:
        self.assert_rejected(entry("maxx"), "transformer", "'maxx'", "did you mean max?")
        self.assert_rejected(entry("blockstorage"), "'blockstorage'", "did you mean blockstoragemax?")
        self.assert_rejected(entry("zzz"), "'zzz'", "uptime")

    def test_filters_must_list_valid_expressions(self) -> None:
        self.assert_rejected(entry(filters="volume"), "filters", "'volume'")
        self.assert_rejected(entry(filters=["volume", "a ==="]), "filters[2]", "'a ==='")
        self.assert_rejected(entry(filters=[""]), "filters[1]", "''")
        self.assert_rejected(entry(filters=[5]), "filters[1]", "5")
        self.assertEqual([], problems(entry(filters=None), entry(meter="m2", filters=[])))

    def test_every_invalid_filter_is_reported(self) -> None:
        found = problems(entry(filters=["a ===", "b", "c ===", "'"]))
        self.assertEqual(
            ["filters[1]", "filters[3]", "filters[4]"], [problem.split(": ")[1].split(" ")[0] for problem in found]
        )

    def test_volume_must_be_number_or_sources(self) -> None:
        value: Any
        for value in ("five", True, [1], -1, float("nan"), float("inf"), 10**30, ""):
            self.assert_rejected(entry(volume=value), "volume", repr(value))
        for value in ({}, {"sauce": "a"}, {"source": "a", "sources": ["a"]}, {"other": 1, "source": "a"}):
            self.assert_rejected(entry(volume=value), "volume", "source or sources", repr(value))
        for value in ({"sources": "a"}, {"sources": []}, {"sources": None}):
            self.assert_rejected(entry(volume=value), "volume.sources must be a list")
        for value in ({"source": "a ==="}, {"sources": ["a", "a ==="]}):
            self.assert_rejected(entry(volume=value), "volume 'a ==='", "JMESPath")
        self.assert_rejected(entry(volume={"source": 5}), "volume 5")

    def test_templates_must_hold_one_placeholder(self) -> None:
        for template in ("x", "%s %s", "%d", "%", "%(name)s", "%%s", "%.0s", 5, ["%s"], ""):
            self.assert_rejected(entry(res_id_template=template), "res_id_template", repr(template))
            self.assert_rejected(
                entry(metadata={"name": {"sources": ["a"], "template": template}}), "metadata.name", repr(template)
            )

    def test_metadata_fields_must_name_sources(self) -> None:
        self.assert_rejected(entry(metadata=["name"]), "metadata", "['name']")
        self.assert_rejected(entry(metadata="name"), "metadata", "'name'")
        field: object
        for field in (None, "a", ["a"], {}, {"sources": "a"}, {"sources": []}, {"sources": [5]}, {"sources": None}):
            self.assert_rejected(entry(metadata={"name": field}), "metadata.name", "sources", repr(field))
        self.assert_rejected(
            entry(metadata={"name": {"sources": ["a"], "tmplate": "%s"}}), "metadata.name", "'tmplate'", "template?"
        )
        self.assertEqual([], problems(entry(metadata=None), entry(meter="m2", metadata={})))

    def test_all_problems_are_reported_at_once(self) -> None:
        first = {"meter": 5, "transformer": "maxx", "filters": "a", "volume": "v", "res_id_template": "x", "kind": "K"}
        found = problems(first, entry(), entry(metadata={"a": 1, "b": 2}))
        for start in (
            "entry 1 (5): unknown key 'kind'",
            "entry 1 (5): meter must",
            "entry 1 (5): unit is",
            "entry 1 (5): transformer: unknown transformer 'maxx'",
            "entry 1 (5): filters must",
            "entry 1 (5): volume 'v'",
            "entry 1 (5): res_id_template must",
            "entry 3 (m1): metadata.a must",
            "entry 3 (m1): metadata.b must",
        ):
            self.assertEqual(1, sum(problem.startswith(start) for problem in found), (start, found))
        self.assertEqual(9, len(found))

    def test_unused_key_accepts_any_value(self) -> None:
        for value in (True, False, None, "x"):
            self.assertEqual([], problems(entry(transform_info=value)))

    def test_unused_keys_are_found(self) -> None:
        self.assertEqual(
            {"transform_info"}, mapping_parser.unused_keys([entry(transform_info=True), entry(transform_info=True)])
        )
        for document in ([entry()], [], None, "x", {"transform_info": True}, ["transform_info"]):
            self.assertEqual(set(), mapping_parser.unused_keys(document))

    def test_unknown_function_is_rejected(self) -> None:
        for expression in ("contain(metadata.a, 'x')", "metadata.a && !size_of(metadata.b)"):
            self.assert_rejected(entry(filters=[expression]), "filters[1]", expression)
            self.assert_rejected(entry(volume={"source": expression}), "volume", expression)

    def test_wrong_argument_count_is_rejected(self) -> None:
        for expression in ("length()", "contains(metadata.a)", "starts_with(metadata.a, 'x', 'y')"):
            self.assert_rejected(entry(filters=[expression]), "filters[1]", expression)

    def test_lossy_template_conversion_is_rejected(self) -> None:
        for template in ("%c", "%r", "%a", "%.1s"):
            with self.subTest(template=template):
                self.assert_rejected(entry(res_id_template=template), "res_id_template", repr(template))

    def test_unstorable_text_is_rejected(self) -> None:
        for key, value in (("service", "s\0"), ("service", "s\ud800"), ("unit", "u\0"), ("res_id_template", "%s\0")):
            with self.subTest(key=key, value=value):
                self.assert_rejected(entry() | {key: value}, key)

    def test_empty_value_of_wrong_type_rejected(self) -> None:
        for key in ("filters", "metadata"):
            for value in (False, 0, ""):
                with self.subTest(key=key, value=value):
                    self.assert_rejected(entry() | {key: value}, key)

    def test_null_transformer_config_is_accepted(self) -> None:
        self.assertEqual([], problems(entry(transformer_config=None)))
