# SPDX-License-Identifier: Apache-2.0
"""Receipts: what a window's samples and usage are reduced to."""

import dataclasses
import json
import unittest
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil.rating import rules_document
from distil.rating.rate import rate
from distil.rating.receipt import make_receipt
from distil.rating.sample_parser import parse_sample
from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.tests.unit.rating.test_properties import ENTRIES
from distil.tests.unit.rating.test_properties import LOOKUPS
from distil.tests.unit.rating.test_properties import documents
from distil.tests.unit.rating.test_properties import numbered
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups
from distil.transformers.lookups import recorded_lookups

RULES = builders.rules(ENTRIES)


def receipt(sent: list[Any], trusted: tuple[str, ...] = ()) -> model.Receipt:
    samples = [parse_sample(sample, builders.PROJECT, builders.METER) for sample in sent]
    rules = builders.rules(ENTRIES, trusted=trusted)
    return make_receipt(samples, rate(rules, samples, builders.HOUR, LOOKUPS))


class ReceiptTest(unittest.TestCase):
    @hypothesis.given(st.lists(documents(), max_size=12).map(numbered), st.randoms())
    def test_order_does_not_matter(self, samples: list[Any], random: Any) -> None:
        self.assertEqual(receipt(samples), receipt(random.sample(samples, len(samples))))

    @hypothesis.given(strategies.json_values())
    def test_any_json_has_receipt(self, answer: Any) -> None:
        made = receipt([answer])
        self.assertEqual(1, made.samples)
        json.dumps({name: list(count) for name, count in made.meters.items()}).encode()

    def test_deepest_json_has_receipt(self) -> None:
        deep = strategies.deepest_json()
        for field in ("id", "resource_id", "timestamp", "volume", "unit"):
            with self.subTest(field=field):
                self.assertEqual(1, receipt([document(**{field: deep})]).samples)

    def test_any_change_of_sample_changes_digest(self) -> None:
        sample = document(5, id="1", metadata={"name": "x"})
        changed = ({"id": "2"}, {"resource_id": "other"}, {"timestamp": builders.at(6)}, {"volume": 2})
        digests = {receipt([{**sample, **change}]).samples_digest for change in ({}, *changed)}
        self.assertEqual(1 + len(changed), len(digests))

    def test_counts_each_kind_of_sample(self) -> None:
        sent = [
            document(5, id="1", resource_id="a", unit="GB"),
            document(5, id="1", resource_id="a", unit="GB"),
            document(6, id="2", resource_id="b", unit="TB", source="other"),
            document(7, id="3", resource_id="b", volume="NaN"),
        ]
        made = receipt(sent, trusted=("test",))
        self.assertEqual((4, 1, 1), (made.samples, made.untrusted, made.duplicates))
        self.assertGreater(made.rejected, 0)
        self.assertEqual({builders.METER: model.MeterCount(4, 2, "GB")}, made.meters)


class RecordedNamesTest(unittest.TestCase):
    @hypothesis.given(st.lists(documents(), max_size=12).map(numbered))
    def test_recorded_names_give_equal_usage(self, sent: list[Any]) -> None:
        samples = [parse_sample(sample, builders.PROJECT, builders.METER) for sample in sent]
        names = RecordingLookups(LOOKUPS)
        rated = rate(RULES, samples, builders.HOUR, names.lookups)
        recorded = recorded_lookups(names.document, Lookups(*[builders.Down()] * 4))
        self.assertEqual(rated, rate(RULES, samples, builders.HOUR, recorded))

    def test_unstorable_key_is_recorded(self) -> None:
        names = RecordingLookups(Lookups(flavors={"\0\ud800": "x"}))
        names.lookups.flavors.get("\0\ud800")
        self.assertTrue(names.document.isascii())
        self.assertEqual("x", recorded_lookups(names.document, Lookups()).flavors.get("\0\ud800"))

    def test_name_that_was_unknown_stays_unknown(self) -> None:
        names = RecordingLookups(Lookups())
        names.lookups.flavors.get("42")
        self.assertIsNone(recorded_lookups(names.document, Lookups(flavors={"42": "new"})).flavors.get("42"))


class RulesDocumentTest(unittest.TestCase):
    @hypothesis.given(st.lists(documents(), max_size=8).map(numbered))
    def test_parsed_document_rates_alike(self, sent: list[Any]) -> None:
        body = rules_document.dump(ENTRIES, {}, ["tes."], {})
        parsed = rules_document.parse(body, builders.plugins())
        samples = [parse_sample(sample, builders.PROJECT, builders.METER) for sample in sent]
        expected = rate(builders.rules(ENTRIES, trusted=["tes."]), samples, builders.HOUR, LOOKUPS)
        self.assertEqual(expected, rate(parsed.rules, samples, builders.HOUR, LOOKUPS))

    def test_keys_and_values_of_yaml_are_kept_as_text(self) -> None:
        mapping = entry(metadata={2: {"sources": ["a"]}, True: {"sources": ["b"]}}, volume=0.1)
        parsed = rules_document.parse(rules_document.dump([mapping], None, [], {}), builders.plugins())
        expected = dataclasses.replace(
            builders.rules([mapping]).mappings[0], transformer=parsed.rules.mappings[0].transformer
        )
        self.assertEqual((expected,), parsed.rules.mappings)

    def test_sections_of_transformers_are_kept(self) -> None:
        sections = {"uptime": {"tracked_states": ["active"], "prefix": "x."}}
        body = rules_document.dump([entry("uptime")], sections, [], {})
        (mapping,) = rules_document.parse(body, builders.plugins()).rules.mappings
        self.assertEqual(
            vars(builders.rules([entry("uptime")], sections).mappings[0].transformer), vars(mapping.transformer)
        )

    def test_versions_are_kept(self) -> None:
        body = rules_document.dump([entry()], {}, [], {"distil": "1.0"})
        self.assertEqual({"distil": "1.0"}, rules_document.parse(body, builders.plugins()).versions)
