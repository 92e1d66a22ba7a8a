# SPDX-License-Identifier: Apache-2.0
"""An invalid sample is rejected with its reason; all other samples are billed."""

import unittest
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import METER
from distil.tests.support.builders import PROJECT
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry

INVALID = (
    {"volume": "five"},
    {"volume": ""},
    {"volume": "1_000"},
    {"volume": True},
    {"volume": [1]},
    {"volume": {"volume": 1}},
    {"volume": "NaN"},
    {"volume": float("nan")},
    {"volume": float("-inf")},
    {"volume": "1e400"},
    {"volume": 10**30},
    {"volume": -1},
    {"timestamp": None},
    {"timestamp": "soon"},
    {"timestamp": 5},
    {"metadata": None},
    {"metadata": ["status"]},
    {"source": None},
    {"resource_id": None},
    {"resource_id": ""},
    {"resource_id": "a\0b"},
    {"resource_id": "\ud800"},
    {"resource_id": "x" * 5000},
)


def invalid_documents() -> st.SearchStrategy[builders.Document]:
    missing = st.sampled_from(("volume", "timestamp", "metadata", "source", "resource_id"))
    invalid: st.SearchStrategy[dict[str, Any]] = st.sampled_from(INVALID)
    return invalid.map(lambda fields: document(1, **fields)) | missing.map(
        lambda key: builders.without(document(1), key)
    )


class InvalidSamplesTest(unittest.TestCase):
    def test_invalid_sample_is_rejected_alone(self) -> None:
        for fields in INVALID:
            with self.subTest(fields=str(fields)[:50]):
                invalid = document(2, **fields)
                result = builders.rated(entry("sum"), [document(1, volume=3), invalid, document(3, volume=4)])
                self.assertEqual({(SERVICE, RESOURCE): Decimal(7)}, builders.volumes(result))
                (rejected,) = result.rejected
                self.assertIs(invalid, rejected.document)
                self.assertEqual((PROJECT, METER), (rejected.project_id, rejected.meter))
                self.assertIn(next(iter(fields)), rejected.reason)
                self.assertEqual(next(iter(fields)), rejected.kind)
                self.assertEqual((3, 2), (result.samples, len(result.used)))

    def test_missing_volume_is_rejected(self) -> None:
        result = builders.rated(entry("max"), [builders.without(document(1), "volume"), document(2)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(1)}, builders.volumes(result))
        self.assertEqual(["volume is missing"], builders.reasons(result))

    def test_numeric_text_is_accepted(self) -> None:
        result = builders.rated(entry("sum"), [document(1, volume="3"), document(2, volume="4.5")])
        self.assertEqual({(SERVICE, RESOURCE): Decimal("7.5")}, builders.volumes(result))

    def test_sample_is_billed_by_other_mapping(self) -> None:
        entries = [entry("uptime", service="u", transformer_config={"tracked_states": ["active"]}), entry("max")]
        result = builders.rated(entries, [document(1)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(1)}, builders.volumes(result))
        self.assertEqual(["metadata has no status and no state"], builders.reasons(result))

    def test_repeated_reason_is_kept_once(self) -> None:
        entries = [entry("max"), entry("sum", res_id_template="%s-sum"), entry("numbool", res_id_template="%s-bool")]
        self.assertEqual(["volume -1 is negative"], builders.reasons(builders.rated(entries, [document(1, volume=-1)])))

    def test_every_reason_is_kept(self) -> None:
        entries = [entry("max"), entry("uptime", transformer_config={"tracked_states": ["active"]}, volume=1)]
        self.assertEqual(2, len(builders.reasons(builders.rated(entries, [document(1, volume=-1)]))))

    def test_equal_invalid_samples_are_kept(self) -> None:
        result = builders.rated(entry("max"), [document(1, volume=-1) for _ in range(3)])
        self.assertEqual(3, len(result.rejected))

    @hypothesis.given(
        st.lists(strategies.volumes(), max_size=5), st.lists(invalid_documents(), min_size=1, max_size=5), st.randoms()
    )
    def test_invalid_samples_leave_valid_unchanged(
        self, volumes: list[Decimal], invalid: list[Any], random: Any
    ) -> None:
        entries = [entry("sum"), entry("max", res_id_template="%s-max", metadata={"name": {"sources": ["name"]}})]
        valid = [
            document(minute, volume=str(volume), metadata={"name": f"n{minute}"})
            for minute, volume in enumerate(volumes)
        ]
        mixed = [*valid, *({**fields} for fields in invalid)]
        random.shuffle(mixed)
        alone = builders.rated(entries, valid)
        together = builders.rated(entries, mixed)
        self.assertEqual(builders.volumes(alone), builders.volumes(together))
        self.assertEqual(builders.infos(alone), builders.infos(together))
        self.assertEqual((), alone.rejected)
        self.assertEqual(len(invalid), len({id(rejected.document) for rejected in together.rejected}))
