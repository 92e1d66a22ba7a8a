# SPDX-License-Identifier: Apache-2.0
"""Tests of IDs that encode what they identify."""

import unittest

from distil.sandbox.data import ids
from distil.sandbox.data import inventory


class SyntheticIdsTest(unittest.TestCase):
    def test_project_id_encodes_number(self) -> None:
        identifier = ids.project_id(7, 9_999)
        self.assertRegex(identifier, "^[0-9a-f]{32}$")
        self.assertEqual(9_999, ids.project_number(7, identifier))

    def test_foreign_id_is_unknown(self) -> None:
        self.assertIsNone(ids.project_number(8, ids.project_id(7, 1)))
        self.assertIsNone(ids.locate(8, "volume", ids.resource_id(7, "volume", 1, 2)))
        self.assertIsNone(ids.locate(7, "instance", ids.resource_id(7, "volume", 1, 2)))

    def test_invalid_id_is_unknown(self) -> None:
        for text in ("", "None", "é" * 32, "0" * 32, "0" * 200):
            self.assertIsNone(ids.project_number(7, text))
            self.assertIsNone(ids.locate(7, "volume", text))

    def test_resource_id_encodes_project_and_index(self) -> None:
        identifier = ids.resource_id(7, "volume", 12, 34)
        self.assertEqual(ids.ResourceLocation(12, 34), ids.locate(7, "volume", identifier))

    def test_projects_found_by_project_and_resource(self) -> None:
        text = f"/v1/AUTH_{ids.project_id(7, 1)}/volumes/{ids.resource_id(7, 'volume', 2, 0)}"
        self.assertEqual({ids.project_id(7, 1), ids.project_id(7, 2)}, ids.referenced_projects(7, text))


class ContainerNamesTest(unittest.TestCase):
    def test_name_encodes_index(self) -> None:
        names = [inventory.container_name_of(index) for index in range(100)]
        self.assertEqual(100, len(set(names)))
        self.assertEqual(list(range(100)), [inventory.container_index_of(name) for name in names])

    def test_names_contain_no_slash(self) -> None:
        self.assertFalse([name for name in inventory.CONTAINER_NAMES if "/" in name])

    def test_unknown_name_has_no_index(self) -> None:
        for name in ("", "backup", "backups0", "backups 0", "backups 01", "what"):
            self.assertIsNone(inventory.container_index_of(name), name)
