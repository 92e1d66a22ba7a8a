# SPDX-License-Identifier: Apache-2.0
"""Tests of ids that can be read back."""

import unittest

from distil.sandbox.data import ids
from distil.sandbox.data import inventory


class IdsTest(unittest.TestCase):
    def test_a_project_id_tells_its_number(self) -> None:
        identity = ids.project_id(7, 9_999)
        self.assertRegex(identity, "^[0-9a-f]{32}$")
        self.assertEqual(9_999, ids.project_number(7, identity))

    def test_an_id_of_another_cloud_is_unknown(self) -> None:
        self.assertIsNone(ids.project_number(8, ids.project_id(7, 1)))
        self.assertIsNone(ids.locate(8, "volume", ids.resource_id(7, "volume", 1, 2)))
        self.assertIsNone(ids.locate(7, "instance", ids.resource_id(7, "volume", 1, 2)))

    def test_what_is_no_id_is_unknown(self) -> None:
        for text in ("", "None", "é" * 32, "0" * 32, "0" * 200):
            self.assertIsNone(ids.project_number(7, text))
            self.assertIsNone(ids.locate(7, "volume", text))

    def test_a_resource_id_tells_its_project_and_index(self) -> None:
        identity = ids.resource_id(7, "volume", 12, 34)
        self.assertEqual((12, 34), ids.locate(7, "volume", identity))

    def test_a_text_names_projects_by_their_own_ids_and_by_their_resources(self) -> None:
        text = f"/v1/AUTH_{ids.project_id(7, 1)}/volumes/{ids.resource_id(7, 'volume', 2, 0)}"
        self.assertEqual({ids.project_id(7, 1), ids.project_id(7, 2)}, ids.projects_named_in(7, text))


class ContainerNamesTest(unittest.TestCase):
    def test_a_name_tells_its_index(self) -> None:
        names = [inventory.container_name(index) for index in range(100)]
        self.assertEqual(100, len(set(names)))
        self.assertEqual(list(range(100)), [inventory.container_index(name) for name in names])

    def test_no_container_has_a_slash(self) -> None:
        self.assertFalse([name for name in inventory.CONTAINER_NAMES if "/" in name])

    def test_another_name_has_no_index(self) -> None:
        for name in ("", "backup", "backups0", "backups 0", "backups 01", "what"):
            self.assertIsNone(inventory.container_index(name), name)
