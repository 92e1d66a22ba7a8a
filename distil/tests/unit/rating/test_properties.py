# SPDX-License-Identifier: Apache-2.0
"""Properties of rating that hold for all samples and transformers."""

import json
import unittest
from collections import Counter
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil import model
from distil import text
from distil.rating import sample_parser
from distil.rating.explain import ExplainedWindow
from distil.rating.explain import Outcome
from distil.rating.explain import explain
from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

FIELDS = {"name": {"sources": ["name"], "template": "the %s"}, "size": {"sources": ["root_gb", "nodes"]}}
STATES = {"tracked_states": ["active", "paused"]}
IMAGE = {"md_keys": ["image_ref"], "none_values": ["None", ""], "size_keys": ["root_gb"]}
ENTRIES = [
    entry("max", service="a", type="Virtual Machine", metadata=FIELDS),
    entry("sum", service="b", filters=["metadata.name != 'off'"], metadata=FIELDS),
    entry("sum", service="c", volume={"sources": ["metadata.nodes", "volume"]}),
    entry("numbool", service="d", res_id_template="%s-d"),
    entry("networkservice", service="e"),
    entry("blockstoragemax", service="f", res_id_template="%s-f"),
    entry("objectstoragemax", service="g", type="Object Storage Container", metadata=FIELDS),
    entry("uptime", transformer_config={**STATES, "prefix": "h."}),
    entry("fromimage", service="i", transformer_config=IMAGE),
    entry("databasevolumemax", service="j", res_id_template="%s-j"),
    entry("databasemanagementuptime", transformer_config={**STATES, "prefix": "k."}, res_id_template="%s-k"),
]
LOOKUPS = Lookups(
    flavors={"1": "c1", "2": "c2"},
    volume_types={"t1": "fast"},
    types_of_volumes={"v1": "fast"},
    container_policies={"p1/c1": "multi"},
)
METADATA = {
    "status": ("active", "PAUSED", "deleted"),
    "state": ("active",),
    "instance_type": ("c1", "c2"),
    "name": ("x", "off"),
    "image_ref": ("i1", "None", ""),
    "root_gb": (0, "10", 20),
    "volume_type": ("t1", "gone"),
    "volume_id": ("v1", "gone"),
    "volume.size": (5, "7"),
    "flavor.id": ("1", "2", "gone"),
    "nodes": (1, "3"),
}
RESOURCES = ("r1", "r2", "p1/c1", "p1/c2")


def documents(**replaced: st.SearchStrategy[Any]) -> st.SearchStrategy[builders.Document]:
    """Samples with valid metadata; any field may be replaced by another strategy."""
    metadata = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in METADATA.items()})
    fields = {
        "resource_id": st.sampled_from(RESOURCES),
        "timestamp": st.integers(0, 3599).map(lambda second: builders.at(second / 60)),
        "volume": st.sampled_from((0, 1, 2.5, "7", None)),
        "metadata": metadata,
    }
    return st.fixed_dictionaries({**fields, **replaced}).map(lambda drawn: document(**drawn))


def numbered(samples: list[builders.Document]) -> list[builders.Document]:
    return [{**sample, "id": f"{number:04}"} for number, sample in enumerate(samples)]


def outcome(result: model.RatedWindow) -> tuple[Any, ...]:
    rejected = sorted((rejected.document["id"], rejected.reason) for rejected in result.rejected)
    instances = {key: sample.document for key, sample in result.instances.items()}
    return builders.volumes(result), builders.infos(result), rejected, instances


class RatingPropertiesTest(unittest.TestCase):
    @hypothesis.given(st.lists(documents(), max_size=12).map(numbered), st.randoms())
    def test_sample_order_does_not_matter(self, samples: list[Any], random: Any) -> None:
        shuffled = random.sample(samples, len(samples))
        first = builders.rated(ENTRIES, samples, lookups=LOOKUPS)
        self.assertEqual(outcome(first), outcome(builders.rated(ENTRIES, shuffled, lookups=LOOKUPS)))

    @hypothesis.given(st.lists(documents(), max_size=12).map(numbered))
    def test_resources_are_rated_independently(self, samples: list[Any]) -> None:
        together = builders.rated(ENTRIES, samples, lookups=LOOKUPS)
        alone: dict[tuple[str, str], Decimal] = {}
        infos: dict[str, Any] = {}
        for resource_id in RESOURCES:
            group = [sample for sample in samples if sample["resource_id"] == resource_id]
            result = builders.rated(ENTRIES, group, lookups=LOOKUPS)
            alone |= builders.volumes(result)
            infos |= builders.infos(result)
        self.assertEqual(alone, builders.volumes(together))
        self.assertEqual(infos, builders.infos(together))

    @hypothesis.given(st.sampled_from(("resource_id", "timestamp", "volume", "source", "metadata", "unit")), st.data())
    def test_any_field_value_is_rated_safely(self, field: str, data: st.DataObject) -> None:
        self.assert_rated_safely(data.draw(documents(**{field: strategies.json_values()})))

    @hypothesis.given(st.sampled_from(sorted(METADATA)), strategies.json_values(), documents())
    def test_any_metadata_value_is_rated_safely(self, key: str, value: Any, sample: Any) -> None:
        self.assert_rated_safely({**sample, "metadata": {**sample["metadata"], key: value}})

    @hypothesis.given(strategies.json_values())
    def test_any_json_is_rated_safely(self, answer: Any) -> None:
        self.assert_rated_safely(answer)

    def assert_rated_safely(self, sample: Any) -> None:
        """Assert that the result can be stored, whatever the sample is, and that another sample is billed."""
        valid = document(5, resource_id="valid/one", metadata={"name": "x"})
        result = builders.rated(ENTRIES, [sample, valid], lookups=LOOKUPS)
        self.assertEqual(Decimal(1), builders.volumes(result)["a", "valid/one"])
        for usage in result.usage:
            self.assert_storable(usage.service, model.MAX_SERVICE)
            self.assert_storable(usage.resource_id, model.MAX_RESOURCE_ID)
            self.assertGreaterEqual(usage.volume, 0)
            self.assertLess(usage.volume, Decimal(10) ** 28)
            self.assertEqual(-model.SCALE, usage.volume.as_tuple().exponent)
        for resource in result.resources:
            json.dumps(dict(resource.info), ensure_ascii=False).encode()
        self.assertTrue(all(rejected.reason for rejected in result.rejected))
        self.assertEqual({usage.resource_id for usage in result.usage}, {resource.id for resource in result.resources})

    def assert_storable(self, value: str, max_length: int) -> None:
        self.assertTrue(0 < len(value) <= max_length and text.is_storable(value), value[:50])

    def test_equal_timestamps_without_id_are_deterministic(self) -> None:
        samples = [
            document(5, metadata={"name": "x", "volume_type": "t1"}),
            document(5, metadata={"name": "y", "volume_type": "gone"}),
        ]
        forward = builders.rated(ENTRIES, samples, lookups=LOOKUPS)
        backward = builders.rated(ENTRIES, samples[::-1], lookups=LOOKUPS)
        self.assertEqual(builders.infos(forward), builders.infos(backward))
        self.assertEqual(builders.volumes(forward), builders.volumes(backward))

    def test_deepest_json_is_rated_safely(self) -> None:
        deep = strategies.deepest_json()
        for field in ("resource_id", "timestamp", "volume"):
            with self.subTest(field=field):
                self.assert_rated_safely(document(**{field: deep}))
        for key in METADATA:
            with self.subTest(key=key):
                self.assert_rated_safely(document(metadata={key: deep}))


class ExplanationPropertiesTest(unittest.TestCase):
    SAMPLES = documents(
        id=st.sampled_from(("a", "b", "c", None)),
        source=st.sampled_from(("test", "untrusted")),
        volume=st.sampled_from((0, 1, 2.5, None, -1, "much")),
        resource_id=st.sampled_from((*RESOURCES, None, "")),
        timestamp=st.sampled_from((builders.at(0), builders.at(20), builders.at(50), "soon")),
    )

    @hypothesis.given(st.lists(SAMPLES, max_size=12))
    def test_explained_usage_is_rated_usage(self, drawn: list[Any]) -> None:
        rated, explanations = self.explained(drawn)
        explained: Counter[tuple[str, str, str]] = Counter()
        for explanation in explanations:
            for usage in explanation.transformed if explanation.refusal is None else ():
                explained[usage.service, usage.resource_id, usage.unit] += usage.volume  # type: ignore[assignment]
        self.assertEqual(
            {(usage.service, usage.resource_id, usage.unit): usage.volume for usage in rated.usage}, dict(explained)
        )
        self.assertEqual(rated, builders.rated(ENTRIES, drawn, lookups=LOOKUPS, trusted=["test"]))

    @hypothesis.given(st.lists(SAMPLES, max_size=12))
    def test_each_sample_appears_once_per_mapping(self, drawn: list[Any]) -> None:
        rated, explanations = self.explained(drawn)
        ids = sorted(map(id, drawn))
        for number in range(1, len(ENTRIES) + 1):
            of_mapping = [explanation for explanation in explanations if explanation.number == number]
            samples = [found for explanation in of_mapping for found in explanation.samples]
            self.assertEqual(ids, sorted(id(found.sample.document) for found in samples))
            counts = Counter(found.outcome for found in samples)
            self.assertEqual(rated.untrusted, counts[Outcome.UNTRUSTED])
            self.assertEqual(sum(rated.duplicates.values()), counts[Outcome.DUPLICATE])
        reasons = {found.reason for explanation in explanations for found in explanation.samples if found.reason}
        self.assertLessEqual({rejected.reason for rejected in rated.rejected}, reasons)

    def explained(self, drawn: list[Any]) -> ExplainedWindow:
        samples = [sample_parser.parse_sample(document, builders.PROJECT, builders.METER) for document in drawn]
        return explain(builders.rules(ENTRIES, trusted=["test"]), samples, builders.HOUR, LOOKUPS)


class SampleAccountingTest(unittest.TestCase):
    @hypothesis.given(
        st.lists(st.sampled_from(("valid", "filtered", "untrusted", "invalid volume", "invalid field")), max_size=30)
    )
    def test_every_sample_is_counted_once(self, kinds: list[str]) -> None:
        fields: dict[str, dict[str, Any]] = {
            "valid": {},
            "filtered": {"metadata": {"status": "off"}},
            "untrusted": {"source": "other"},
            "invalid volume": {"volume": "one"},
            "invalid field": {"timestamp": "soon"},
        }
        result = self.rated([document(minute, **fields[kind]) for minute, kind in enumerate(kinds)])
        self.assertEqual(len(kinds), result.samples)
        self.assertEqual(kinds.count("untrusted"), result.untrusted)
        self.assertEqual(kinds.count("invalid volume") + kinds.count("invalid field"), len(result.rejected))
        self.assertEqual(Decimal(kinds.count("valid")), sum(builders.volumes(result).values(), Decimal(0)))

    def rated(self, samples: list[builders.Document]) -> model.RatedWindow:
        mapping = entry("sum", filters=["metadata.status != 'off'"])
        return builders.rated(mapping, samples, trusted=["test"])

    def test_no_samples_give_no_usage(self) -> None:
        result = builders.rated(ENTRIES, [])
        self.assertEqual(model.RatedWindow((), (), (), {}, samples=0, used=(), untrusted=0), result)
