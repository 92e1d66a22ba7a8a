# SPDX-License-Identifier: Apache-2.0
"""Explanations of usage."""

import unittest
from collections.abc import Iterable
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import exceptions
from distil.rating import sample_parser
from distil.rating.explain import Explanation
from distil.rating.explain import explain
from distil.rating.sentence import sentence
from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

UPTIME = {"uptime": {"tracked_states": ["active"]}, "databaseuptime": {"tracked_states": ["active"]}}


def explained(
    entries: list[builders.Entry],
    documents: Iterable[Any],
    lookups: Lookups | None = None,
    trusted: Iterable[str] = (),
) -> list[Explanation]:
    rules = builders.rules(entries, UPTIME, trusted)
    samples = [sample_parser.parse_sample(document, builders.PROJECT, document["meter"]) for document in documents]
    return list(explain(rules, samples, builders.HOUR, lookups or Lookups()).explanations)


def sentences(*arguments: Any, **keywords: Any) -> list[str]:
    return [sentence(explanation) for explanation in explained(*arguments, **keywords)]


class ExplanationTest(unittest.TestCase):
    maxDiff = None

    def test_samples_transformer_and_entry_are_shown(self) -> None:
        found = sentences([entry("max")], [document(0, volume=2), document(10, volume=2), document(20, volume=3)])
        self.assertEqual(
            [
                "Resource r1, entry 1 (m1): 3 samples",
                "3 for Max, from 2026-03-01T10:00:00Z to 2026-03-01T10:20:00Z, with volume 2 (2 times), 3",
                "Max gives 3 hour of s1",
                "stored for r1: 3 hour.",
            ],
            found[0].split("; "),
        )

    def test_unbilled_samples_show_reason(self) -> None:
        documents = [
            document(0, source="untrusted"),
            document(10, metadata={"status": "gone"}),
            document(20, volume=-1),
            document(30, volume=4),
        ]
        found = sentences([entry("max", filters=["metadata.status != 'gone'"])], documents, trusted=["test"])
        self.assertEqual(
            [
                "Resource r1, entry 1 (m1): 4 samples",
                "1 of source 'untrusted', not trusted",
                "1 dropped by metadata.status != 'gone'",
                "1 rejected: volume -1 is negative",
                "1 for Max, from 2026-03-01T10:30:00Z to 2026-03-01T10:30:00Z, with volume 4",
                "Max gives 4 hour of s1",
                "stored for r1: 4 hour.",
            ],
            found[0].split("; "),
        )

    def test_duplicates_are_shown_once(self) -> None:
        (sentence,) = sentences([entry("sum")], [document(0, id="a", volume=4)] * 3)
        self.assertIn("3 samples; 2 delivered again; 1 for Sum, from", sentence)
        self.assertIn("with volume 4; Sum gives 4 hour of s1; stored", sentence)

    def test_changed_duplicates_are_told_apart(self) -> None:
        documents = [document(minute, id="a", volume=4) for minute in (0, 0, 1)]
        (sentence,) = sentences([entry("sum")], documents)
        self.assertIn("3 samples; 2 delivered again, 2 of them with other content; 1 for Sum, from", sentence)

    def test_missing_usage_shows_reason(self) -> None:
        for filters, metadata, reason in (
            (["volume > `5`"], {}, "1 dropped by volume > `5`; no usage, because no sample is left."),
            ([], {}, "1 rejected: metadata has no status and no state; no usage, because no sample is left."),
            ([], {"status": "shelved", "instance_type": "c1"}, "Uptime gives no usage."),
        ):
            with self.subTest(reason):
                (sentence,) = sentences([entry("uptime", filters=filters)], [document(metadata=metadata)])
                self.assertTrue(sentence.endswith(reason), sentence)

    def test_lookups_are_shown(self) -> None:
        lookups = Lookups(flavors={"7": "c1.c2r4"})
        metadata = {"status": "active", "flavor.id": "7"}
        (sentence,) = sentences([entry("databaseuptime")], [document(metadata=metadata)], lookups)
        self.assertIn("flavors 7 is c1.c2r4; DatabaseUptime gives 3600 hour of c1.c2r4", sentence)

    def test_volume_from_mapping_is_shown(self) -> None:
        (sentence,) = sentences([entry("sum", volume=7)], [document(volume=1)])
        self.assertIn("with volume 7; Sum gives 7 hour", sentence)

    def test_sum_with_other_mappings_is_shown(self) -> None:
        found = sentences([entry("sum"), entry("sum", volume=2)], [document(volume=1)])
        self.assertTrue(found[0].endswith("gives 1 hour of s1; stored for r1: 3 hour, with other meter mappings."))
        self.assertTrue(found[1].endswith("gives 2 hour of s1; stored for r1: 3 hour, with other meter mappings."))

    def test_conflicting_unit_is_shown(self) -> None:
        found = sentences([entry("sum"), entry("sum", unit="day")], [document(volume=1)])
        self.assertTrue(found[0].endswith("stored for r1: 1 hour."))
        reason = "s1 of this resource is billed in hour, not day"
        self.assertIn(f"1 sample; 1 rejected: {reason}; Sum gives 1 day of s1; not stored: {reason}.", found[1])

    def test_each_resource_has_own_explanation(self) -> None:
        explanations = explained([entry("sum")], [document(resource_id="b"), document(resource_id="a")])
        self.assertEqual(["a", "b"], [explanation.resource_id for explanation in explanations])

    @hypothesis.given(
        st.lists(
            st.builds(
                document,
                st.integers(0, 59),
                volume=st.integers(-1, 5) | strategies.json_values(),
                resource_id=st.sampled_from(["r1", "r2", None]),
                source=st.sampled_from(["test", "untrusted"]),
                id=st.sampled_from(["a", "b", None]),
            ),
            max_size=6,
        )
    )
    def test_explained_usage_equals_stored_usage(self, documents: list[Any]) -> None:
        entries = [entry("sum", filters=["volume != `1`"]), entry("max", service="s2")]
        stored = builders.rated(entries, documents, trusted=["test"]).usage
        explanations = explained(entries, documents, trusted=["test"])
        transformed = [usage for explanation in explanations for usage in explanation.transformed]
        self.assertEqual(sorted(map(repr, stored)), sorted(map(repr, transformed)))


class RecordingLookupsTest(unittest.TestCase):
    def test_answers_are_recorded_and_replayed(self) -> None:
        recorder = RecordingLookups(Lookups(flavors={"7": "c1"}))
        self.assertEqual("c1", recorder.lookups.flavors.get("7"))
        self.assertIsNone(recorder.lookups.volume_types.get("x"))
        self.assertEqual({"flavors 7": "c1", "volume_types x": None}, recorder.as_dict)
        self.assertEqual("c1", recorder.answers.flavors.get("7"))

    def test_failed_lookup_is_not_recorded(self) -> None:
        recorder = RecordingLookups(Lookups(flavors=builders.Down()))
        with self.assertRaises(exceptions.LookupUnavailable):
            recorder.lookups.flavors.get("7")
        self.assertEqual({}, recorder.as_dict)
