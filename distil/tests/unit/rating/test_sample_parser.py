# SPDX-License-Identifier: Apache-2.0
"""Parsing of the samples that a telemetry service returns."""

import datetime
import unittest

import hypothesis

from distil import model
from distil.rating import sample_parser
from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import METER
from distil.tests.support.builders import PROJECT
from distil.tests.support.builders import document


class ParseSampleTest(unittest.TestCase):
    def test_every_field_is_parsed(self) -> None:
        sample = document(5, resource_id="r", volume="7", source="p1:openstack", metadata={"a": "b"})
        expected = model.Sample(
            project_id=PROJECT,
            meter=METER,
            resource_id="r",
            timestamp=builders.START + datetime.timedelta(minutes=5),
            volume="7",
            source="p1:openstack",
            metadata={"a": "b"},
            document=sample,
        )
        self.assertEqual(expected, sample_parser.parse_sample(sample, PROJECT, METER))

    def test_null_volume_differs_from_missing(self) -> None:
        null = sample_parser.parse_sample(document(volume=None), PROJECT, METER)
        missing = sample_parser.parse_sample(builders.without(document(), "volume"), PROJECT, METER)
        assert isinstance(null, model.Sample)
        assert isinstance(missing, model.Sample)
        self.assertIsNone(null.volume)
        self.assertIsNotNone(missing.volume)

    def test_none_text_in_metadata_is_null(self) -> None:
        sent = document(metadata={"status": "None", "state": "active", "name": "none", "flavor": ["None"]})
        sample = sample_parser.parse_sample(sent, PROJECT, METER)
        assert isinstance(sample, model.Sample)
        self.assertEqual({"status": None, "state": "active", "name": "none", "flavor": ["None"]}, sample.metadata)
        self.assertEqual("None", sample.document["metadata"]["status"])

    def test_none_text_elsewhere_is_kept(self) -> None:
        sample = sample_parser.parse_sample(document(resource_id="None", source="None", volume="None"), PROJECT, METER)
        assert isinstance(sample, model.Sample)
        self.assertEqual(("None", "None", "None"), (sample.resource_id, sample.source, sample.volume))

    def test_bad_field_rejects_sample_with_reason(self) -> None:
        for field, value, reason in (
            ("resource_id", None, "resource_id is missing"),
            ("resource_id", "", "resource_id is missing"),
            ("resource_id", 5, "resource_id is a int"),
            ("resource_id", ["a"], "resource_id is a list"),
            ("resource_id", "a\0", "resource_id 'a\\x00'"),
            ("resource_id", "a\ud800", "resource_id 'a\\ud800'"),
            ("source", None, "source is missing"),
            ("source", 5, "source is a int"),
            ("metadata", None, "metadata is null"),
            ("metadata", [], "metadata is a list"),
            ("metadata", "a", "metadata is a str"),
            ("timestamp", None, "timestamp is missing"),
            ("timestamp", "soon", "timestamp 'soon' is not a valid ISO 8601 time"),
        ):
            with self.subTest(field=field, value=value):
                invalid = {**document(), field: value}
                rejected = sample_parser.parse_sample(invalid, PROJECT, METER)
                assert isinstance(rejected, model.RejectedSample)
                self.assertTrue(rejected.reason.startswith(reason), rejected.reason)
                self.assertEqual((PROJECT, METER, invalid), (rejected.project_id, rejected.meter, rejected.document))

    def test_missing_field_rejects_sample(self) -> None:
        for field in ("resource_id", "source", "metadata", "timestamp"):
            rejected = sample_parser.parse_sample(builders.without(document(), field), PROJECT, METER)
            assert isinstance(rejected, model.RejectedSample)
            self.assertTrue(rejected.reason.startswith(field), rejected.reason)

    def test_non_mapping_is_rejected_and_kept(self) -> None:
        value: object
        for value in (None, [], "sample", 5):
            rejected = sample_parser.parse_sample(value, PROJECT, METER)
            assert isinstance(rejected, model.RejectedSample)
            self.assertIn("not a mapping", rejected.reason)
            self.assertIn(value, rejected.document.values())

    def test_rejected_sample_keeps_sanitized_resource_id(self) -> None:
        for resource_id, expected in (("r", "r"), ("r\0\ud800", "r??"), (None, None), (5, None)):
            rejected = sample_parser.parse_sample(document(resource_id=resource_id, source=None), PROJECT, METER)
            assert isinstance(rejected, model.RejectedSample)
            self.assertEqual(expected, rejected.resource_id)
        long = sample_parser.parse_sample(document(resource_id="x" * 5000, source=None), PROJECT, METER)
        assert long.resource_id is not None
        self.assertEqual(model.MAX_RESOURCE_ID, len(long.resource_id))

    @hypothesis.given(strategies.json_values())
    def test_any_json_is_parsed_or_rejected(self, value: object) -> None:
        self.assertIsInstance(sample_parser.parse_sample(value, PROJECT, METER), model.Sample | model.RejectedSample)
