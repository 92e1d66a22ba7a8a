# SPDX-License-Identifier: Apache-2.0
"""The worked examples of the documentation, worked out."""

import datetime
import pathlib
import re
import textwrap
import unittest
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import yaml

from distil import model
from distil.tests.support import builders
from distil.transformers.lookups import Lookups

ROOT = pathlib.Path(__file__).parents[4]
DOC = ROOT / "doc" / "source"
EXAMPLES = sorted((DOC / "examples" / "usage").glob("*.yml"))
DATE = builders.START.date()


def at(time: str) -> datetime.datetime:
    return datetime.datetime.combine(DATE, datetime.time.fromisoformat(time), datetime.UTC)


def rated(example: Mapping[str, Any]) -> model.RatedWindow:
    start, end = example["window"]
    meter = example["meter_mappings"][0]["meter"]
    documents = [
        builders.document(**{"meter": meter, **sample, "timestamp": at(sample["timestamp"]).isoformat()})
        for sample in example["samples"]
    ]
    return builders.rated(
        example["meter_mappings"],
        documents,
        sections=example.get("transformers"),
        window=model.Window(at(start), at(end)),
        lookups=Lookups(**example.get("names", {})),
    )


class UsageExamplesTest(unittest.TestCase):
    def test_examples_rate_as_documented(self) -> None:
        for path in EXAMPLES:
            with self.subTest(path.name):
                example = yaml.safe_load(path.read_text())
                result = rated(example)
                usage = [
                    (entry["resource_id"], entry["service"], Decimal(str(entry["volume"])), entry["unit"])
                    for entry in example["usage"]
                ]
                self.assertCountEqual(
                    usage, [(entry.resource_id, entry.service, entry.volume, entry.unit) for entry in result.usage]
                )
                rejected = [(entry["resource_id"], entry["reason"]) for entry in example.get("rejected", [])]
                self.assertCountEqual(rejected, [(entry.resource_id, entry.reason) for entry in result.rejected])
                if "info" in example:
                    self.assertEqual(example["info"], builders.infos(result))

    def test_every_example_is_shown(self) -> None:
        text = "".join(path.read_text() for path in DOC.rglob("*.rst"))
        for path in EXAMPLES:
            self.assertIn(f"/examples/usage/{path.name}", text)


class ReadmeTest(unittest.TestCase):
    def test_its_mapping_yields_its_usage(self) -> None:
        text = (ROOT / "README.rst").read_text()
        mappings, example = (
            yaml.safe_load(textwrap.dedent(block))
            for block in re.findall(r"^\.\. code-block:: yaml\n\n((?:   .*\n)+)", text, re.MULTILINE)
        )
        names = {"volume_types": {"6f0fa7a2": "b1.nvme"}}
        result = rated({**example, "window": ["10:00", "11:00"], "meter_mappings": mappings, "names": names})
        (usage,) = example["usage"]
        (entry,) = result.usage
        self.assertEqual(usage, {name: getattr(entry, name) for name in usage})
        self.assertEqual((), tuple(result.rejected))
