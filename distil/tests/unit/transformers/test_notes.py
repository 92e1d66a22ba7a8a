# SPDX-License-Identifier: Apache-2.0
"""The steps that transformers note while they compute usage."""

import unittest
from collections.abc import Iterable
from typing import Any

from distil import model
from distil.rating import sample_parser
from distil.rating.explain import explain
from distil.tests.support import builders
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

STATES = {"tracked_states": ["active"]}
IMAGE = {"md_keys": ["image_ref"], "none_values": ["None"], "size_keys": ["root_gb"]}
LOOKUPS = Lookups(
    flavors={"1": "c1"},
    volume_types={"t1": "fast"},
    types_of_volumes={"v1": "fast"},
    container_policies={"p1/c1": "multi"},
)


def machine(minute: int, status: str, flavor: str) -> builders.Document:
    return document(minute, metadata={"status": status, "instance_type": flavor})


def steps(entry: builders.Entry, documents: Iterable[Any], window: model.Window = builders.HOUR) -> list[str]:
    samples = [sample_parser.parse_sample(found, builders.PROJECT, builders.METER) for found in documents]
    (explanation,) = explain(builders.rules([entry]), samples, window, LOOKUPS).explanations
    return list(explanation.steps)


class NotesTest(unittest.TestCase):
    def test_largest_volume_is_multiplied(self) -> None:
        found = steps(entry("max"), [document(0, volume=2.50), document(5, volume=1)], builders.window(minutes=20))
        self.assertEqual(["the largest volume is 2.5; 2.5 x 0.3333333333 h = 0.8333333333"], found)

    def test_sum_counts_volumes_inside_window(self) -> None:
        found = steps(entry("sum"), [document(0, volume=2), document(5, volume=1.5), document(60, volume=9)])
        self.assertEqual(["the sum of the 2 volumes inside the window is 3.5"], found)

    def test_uptime_is_divided_among_flavors(self) -> None:
        machines = [machine(0, "active", "a"), machine(1, "active", "b"), machine(2, "deleted", "a")]
        self.assertEqual(
            ["2 of 3 samples are in a tracked state", "the window's 3600 seconds / 2 = 1800 for each flavor"],
            steps(entry("uptime", transformer_config=STATES), machines),
        )
        self.assertEqual(
            ["0 of 1 samples are in a tracked state"], steps(entry("uptime", transformer_config=STATES), machines[2:])
        )

    def test_switch_names_what_decides(self) -> None:
        on = ["a sample is on, with volume 2, so the whole window counts: 1 h"]
        self.assertEqual(on, steps(entry("numbool"), [document(0, volume=0), document(1, volume=2)]))
        self.assertEqual(["no sample is on"], steps(entry("numbool"), [document(volume=0)]))

    def test_volume_type_is_named(self) -> None:
        for volume_type, step in (
            ("t1", "billed as the name of the last volume type, fast"),
            ("gone", "billed as s1: no volume type is called gone"),
            ("", "billed as s1: no sample has a volume type"),
        ):
            found = steps(entry("blockstoragemax"), [document(metadata={"volume_type": volume_type})])
            self.assertEqual([step, "the largest volume is 1; 1 x 1 h = 1"], found)

    def test_storage_policy_is_named(self) -> None:
        for resource_id, step in (
            ("p1/c1", "billed as the container's storage policy, multi"),
            ("p1/c2", "billed as s1: the container has no storage policy"),
        ):
            self.assertEqual(step, steps(entry("objectstoragemax"), [document(resource_id=resource_id)])[0])

    def test_disks_are_explained(self) -> None:
        image = entry("fromimage", transformer_config=IMAGE)
        (none,) = steps(image, [document(metadata={"image_ref": "None", "root_gb": 5})])
        self.assertIn("was not booted from an image", none)
        sizes = ["the largest volume is 5; 5 x 1 h = 5"]
        self.assertEqual(sizes, steps(image, [document(metadata={"image_ref": "i", "root_gb": 5})]))
        database = document(metadata={"volume_id": "v1", "volume.size": "5.5"})
        found = steps(entry("databasevolumemax"), [database])
        self.assertEqual(["the type of the last volume, v1, is fast", *sizes], found)

    def test_nothing_is_noted_while_rating(self) -> None:
        mapping = builders.rules([entry("max")]).mappings[0]
        noted: list[str] = []
        mapping.transformer.noting(noted)
        sample = sample_parser.parse_sample(document(), builders.PROJECT, builders.METER)
        assert isinstance(sample, model.Sample)
        prepared = mapping.prepare(sample, LOOKUPS)
        assert prepared is not None
        mapping.transformer.usage("s1", [prepared], builders.HOUR, LOOKUPS)
        self.assertEqual([], noted)
