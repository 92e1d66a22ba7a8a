# SPDX-License-Identifier: Apache-2.0
"""The id that a resource is stored with."""

import hashlib
import unittest

from distil import model
from distil.tests.unit import builders
from distil.tests.unit.builders import SERVICE
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry

CONTAINER = entry("max", type="Object Storage Container")


class TestTemplate(unittest.TestCase):
    def test_the_resource_id_takes_the_place_in_the_template(self) -> None:
        for resource_id in ("r", "100%", "%s", "%d", "ü", "x" * 300):
            with self.subTest(resource_id=resource_id):
                result = builders.rated(entry(res_id_template="%s-root_disk"), [document(resource_id=resource_id)])
                self.assertEqual([(SERVICE, f"{resource_id}-root_disk")], list(builders.volumes(result)))
                self.assertEqual([f"{resource_id}-root_disk"], list(builders.infos(result)))

    def test_it_may_stand_anywhere(self) -> None:
        result = builders.rated(entry(res_id_template="disk %s (100%%)"), [document(resource_id="r")])
        self.assertEqual(["disk r (100%)"], list(builders.infos(result)))

    def test_an_id_that_becomes_too_long_rejects_its_resource_alone(self) -> None:
        documents = [document(resource_id="x" * model.MAX_RESOURCE_ID), document(resource_id="r")]
        result = builders.rated(entry(res_id_template="%s-"), documents)
        self.assertEqual(["r-"], list(builders.infos(result)))
        self.assertEqual(1, len(result.rejected))

    def test_an_id_of_the_longest_length_is_stored(self) -> None:
        longest = "🐌" * model.MAX_RESOURCE_ID
        self.assertEqual([longest], list(builders.infos(builders.rated(entry(), [document(resource_id=longest)]))))


class TestContainer(unittest.TestCase):
    def test_the_id_is_a_digest_and_the_name_is_behind_the_first_slash(self) -> None:
        for name in ("c", "a/b/c", "a?b#c", "ü🐌", " ", "/", "a" * 300):
            with self.subTest(name=name):
                result = builders.rated(CONTAINER, [document(resource_id=f"p1/{name}")])
                digest = hashlib.md5(f"p1/{name}".encode(), usedforsecurity=False).hexdigest()
                self.assertEqual([(SERVICE, digest)], list(builders.volumes(result)))
                stored = builders.infos(result)[digest]["name"]
                self.assertEqual(name[:200], stored[:200])
                self.assertEqual("Object Storage Container", builders.infos(result)[digest]["type"])

    def test_the_digest_is_the_known_one(self) -> None:
        result = builders.rated(CONTAINER, [document(resource_id="p1/photos")])
        self.assertEqual(["ffda77fae6098417e0389cbc808cddce"], list(builders.infos(result)))

    def test_the_name_wins_over_the_metadata(self) -> None:
        configured = {**CONTAINER, "metadata": {"name": {"sources": ["name"]}}}
        result = builders.rated(configured, [document(resource_id="p1/c", metadata={"name": "other"})])
        self.assertEqual(["c"], [info["name"] for info in builders.infos(result).values()])

    def test_without_a_slash_the_resource_is_rejected_and_the_others_are_billed(self) -> None:
        for transformer in ("max", "sum", "objectstoragemax"):
            with self.subTest(transformer=transformer):
                configured = {**CONTAINER, "transformer": transformer}
                documents = [document(resource_id="none"), document(resource_id="none"), document(resource_id="p1/c")]
                result = builders.rated(configured, documents)
                self.assertEqual(["c"], [info["name"] for info in builders.infos(result).values()])
                self.assertEqual(["none", "none"], [rejected.resource_id for rejected in result.rejected])

    def test_other_types_keep_their_slashes(self) -> None:
        result = builders.rated(entry(type="Swift Traffic"), [document(resource_id="p1/c")])
        self.assertEqual({"p1/c": {"type": "Swift Traffic"}}, builders.infos(result))
