# SPDX-License-Identifier: Apache-2.0
"""The info that is stored of a resource besides its usage."""

import json
import unittest
from typing import Any

from distil import model
from distil.rating import rate
from distil.rating import sample_parser
from distil.tests.support import builders
from distil.tests.support.builders import METER
from distil.tests.support.builders import PROJECT
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

NAME = {"name": {"sources": ["name", "display_name"]}}


def info(fields: dict[str, Any], *metadata: dict[str, Any], **keys: Any) -> dict[str, Any]:
    documents = [document(minute, metadata=values) for minute, values in enumerate(metadata)]
    return builders.infos(builders.rated(entry(metadata=fields, **keys), documents))[RESOURCE]


class ResourceInfoTest(unittest.TestCase):
    def test_type_is_stored(self) -> None:
        self.assertEqual({"type": "Volume"}, info({}, {}, type="Volume"))
        self.assertEqual({}, info({}, {}))

    def test_first_source_found_wins(self) -> None:
        self.assertEqual({"name": "a"}, info(NAME, {"name": "a", "display_name": "b"}))
        self.assertEqual({"name": "b"}, info(NAME, {"display_name": "b"}))

    def test_null_counts_as_missing(self) -> None:
        self.assertEqual({"name": "b"}, info(NAME, {"name": None, "display_name": "b"}))
        self.assertEqual({}, info(NAME, {"name": None}))

    def test_none_text_counts_as_missing(self) -> None:
        self.assertEqual({"name": "b"}, info(NAME, {"name": "None", "display_name": "b"}))
        self.assertEqual({}, info(NAME, {"name": "None"}))
        self.assertEqual({}, info({"name": {"sources": ["name"], "template": "%s - disk"}}, {"name": "None"}))

    def test_missing_field_is_not_stored(self) -> None:
        self.assertEqual({}, info(NAME, {"other": "a"}))

    def test_source_is_key_not_path(self) -> None:
        fields = {"os": {"sources": ["image.os", "OS:os"]}}
        self.assertEqual({"os": "a"}, info(fields, {"image.os": "a", "image": {"os": "b"}}))
        self.assertEqual({"os": "c"}, info(fields, {"image": {"os": "b"}, "OS:os": "c"}))

    def test_value_fills_template(self) -> None:
        fields = {"name": {"sources": ["name"], "template": "%s - root disk"}}
        for value, expected in (("a", "a"), ("%s", "%s"), (5, "5"), (["a"], '["a"]')):
            self.assertEqual({"name": f"{expected} - root disk"}, info(fields, {"name": value}))
        self.assertEqual({}, info(fields, {}))

    def test_last_sample_wins(self) -> None:
        self.assertEqual({"name": "new"}, info(NAME, {"name": "old"}, {"name": "new"}))

    def test_missing_field_ignores_earlier_sample(self) -> None:
        self.assertEqual({}, info(NAME, {"name": "old"}, {}))

    def test_last_sample_is_latest_in_time(self) -> None:
        documents = [document(9, metadata={"name": "last"}), document(1, metadata={"name": "first"})]
        result = builders.rated(entry(metadata=NAME), documents)
        self.assertEqual({RESOURCE: {"name": "last"}}, builders.infos(result))

    def test_later_mapping_wins_per_field(self) -> None:
        entries = [
            entry(type="A", metadata={"name": {"sources": ["name"]}, "host": {"sources": ["host"]}}),
            entry("sum", service="s2", type="B", metadata={"name": {"sources": ["display_name"]}}),
        ]
        sample = document(metadata={"name": "n", "display_name": "d", "host": "h"})
        self.assertEqual(
            {RESOURCE: {"name": "d", "host": "h", "type": "B"}}, builders.infos(builders.rated(entries, [sample]))
        )

    def test_resource_without_usage_is_not_stored(self) -> None:
        entries = [entry("databasevolumemax", type="A"), entry("max", filters=["metadata.none"], type="B")]
        result = builders.rated(entries, [document(metadata={"volume.size": 1})])
        self.assertEqual({}, builders.infos(result))

    def test_info_is_always_storable(self) -> None:
        nested = {"a": [1, {"b": None}], "c": "\0\ud800"}
        for value in ("x" * 5000, "🐌" * 5000, "a\0b\ud800c", nested, [nested] * 1000, 5, 1.5, True, False):
            with self.subTest(value=str(value)[:20]):
                stored = info(NAME, {"name": value})["name"]
                self.assertLessEqual(len(str(stored)), 255)
                self.assertNotIn("\0", str(stored))
                json.dumps(stored, ensure_ascii=False).encode()

    def test_truncated_value_ends_with_mark(self) -> None:
        stored = info(NAME, {"name": "x" * 5000})["name"]
        self.assertTrue(stored.startswith("x" * 200), stored)
        self.assertTrue(stored.endswith("(cut)"), stored)
        self.assertEqual({"name": "x" * 255}, info(NAME, {"name": "x" * 255}))

    def test_numbers_are_bounded_and_valid_json(self) -> None:
        for value in (10**4000, float("nan"), float("inf")):
            with self.subTest(value=str(value)[:20]):
                stored = info(NAME, {"name": value})["name"]
                self.assertLess(len(json.dumps(stored, allow_nan=False)), 300)


class InstancesTest(unittest.TestCase):
    def test_instance_keeps_last_sample(self) -> None:
        entries = [entry(type="Virtual Machine"), entry("sum", type="Volume", res_id_template="%s-disk")]
        documents = [document(9, volume=9), document(1, volume=1)]
        instances = builders.rated(entries, documents).instances
        self.assertEqual({RESOURCE: documents[0]}, {key: sample.document for key, sample in instances.items()})

    def test_resource_without_usage_is_omitted(self) -> None:
        config = {"tracked_states": ["active"]}
        entries = [entry("uptime", type="Virtual Machine", transformer_config=config)]
        result = builders.rated(entries, [document(metadata={"status": "deleted", "instance_type": "c1"})])
        self.assertEqual({}, result.instances)

    def test_input_sample_is_not_modified(self) -> None:
        given = document(metadata={"name": "x" * 5000, "nested": {"a": [1]}})
        before = json.dumps(given)
        sample = sample_parser.parse_sample(given, PROJECT, METER)
        assert isinstance(sample, model.Sample)
        rate.rate(builders.rules([entry(metadata=NAME, volume=7)]), [sample], builders.HOUR, Lookups())
        self.assertEqual(before, json.dumps(given))
        self.assertEqual(1, sample.volume)
