# SPDX-License-Identifier: Apache-2.0
"""The ids that resources are stored with."""

import hashlib
import unittest

from distil import model
from distil.tests.support import builders
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry

CONTAINER = entry("max", type="Object Storage Container")


class ResourceIdTemplateTest(unittest.TestCase):
    def test_resource_id_fills_template(self) -> None:
        for resource_id in ("r", "100%", "%s", "%d", "ü", "x" * 300):
            with self.subTest(resource_id=resource_id):
                result = builders.rated(entry(res_id_template="%s-root_disk"), [document(resource_id=resource_id)])
                self.assertEqual([(SERVICE, f"{resource_id}-root_disk")], list(builders.volumes(result)))
                self.assertEqual([f"{resource_id}-root_disk"], list(builders.infos(result)))

    def test_placeholder_may_stand_anywhere(self) -> None:
        result = builders.rated(entry(res_id_template="disk %s (100%%)"), [document(resource_id="r")])
        self.assertEqual(["disk r (100%)"], list(builders.infos(result)))

    def test_overlong_id_rejects_resource_alone(self) -> None:
        documents = [document(resource_id="x" * model.MAX_RESOURCE_ID), document(resource_id="r")]
        result = builders.rated(entry(res_id_template="%s-"), documents)
        self.assertEqual(["r-"], list(builders.infos(result)))
        self.assertEqual(1, len(result.rejected))

    def test_longest_id_is_stored(self) -> None:
        resource_id = "🐌" * model.MAX_RESOURCE_ID
        result = builders.rated(entry(), [document(resource_id=resource_id)])
        self.assertEqual([resource_id], list(builders.infos(result)))


class ContainerIdTest(unittest.TestCase):
    def test_path_gives_digest_and_name(self) -> None:
        for name in ("c", "a/b/c", "a?b#c", "ü🐌", " ", "/", "a" * 300):
            with self.subTest(name=name):
                result = builders.rated(CONTAINER, [document(resource_id=f"p1/{name}")])
                digest = hashlib.md5(f"p1/{name}".encode(), usedforsecurity=False).hexdigest()
                self.assertEqual([(SERVICE, digest)], list(builders.volumes(result)))
                stored = builders.infos(result)[digest]["name"]
                self.assertEqual(name[:200], stored[:200])
                self.assertEqual("Object Storage Container", builders.infos(result)[digest]["type"])

    def test_digest_matches_known_value(self) -> None:
        result = builders.rated(CONTAINER, [document(resource_id="p1/photos")])
        self.assertEqual(["ffda77fae6098417e0389cbc808cddce"], list(builders.infos(result)))

    def test_container_name_overrides_metadata(self) -> None:
        configured = {**CONTAINER, "metadata": {"name": {"sources": ["name"]}}}
        result = builders.rated(configured, [document(resource_id="p1/c", metadata={"name": "other"})])
        self.assertEqual(["c"], [info["name"] for info in builders.infos(result).values()])

    def test_only_id_without_slash_is_rejected(self) -> None:
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
