# SPDX-License-Identifier: Apache-2.0
"""Tests of the sandbox's Nova, Cinder, Glance and Swift through openstacksdk."""

import urllib.parse
from typing import Any

import openstack.connection
from openstack import exceptions

from distil.cloud.connection import Connection
from distil.cloud.os_distro import OsDistros
from distil.sandbox.data import inventory
from distil.tests.support import sandbox
from distil.tests.support.sandbox import HOUR
from distil.tests.support.sandbox import START


class LookupsTest(sandbox.SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connection = openstack.connection.Connection(session=self.session, region_name="RegionOne")
        self.addCleanup(self.connection.close)

    def _metadata(self, meter: str) -> list[dict[str, Any]]:
        """Return the metadata of one sample of each resource, with the resource's ID."""
        found = self.cloud.samples(self.project_id, meter, START, START + HOUR / 6)
        return [{**sample["metadata"], "id": sample["resource_id"]} for sample in found]

    def test_distro_comes_from_boot_volume(self) -> None:
        server = self._metadata("instance")[1]
        self.assertEqual("None", server["image_ref"])
        root, _ = self.connection.compute.volume_attachments(server["id"])
        self.assertEqual("/dev/vda", root.device)
        volume = self.connection.block_storage.get_volume(root.volume_id)
        self.assertEqual("ubuntu", volume.volume_image_metadata["os_distro"])

    def test_distro_comes_from_boot_image(self) -> None:
        first, _, third, _ = self._metadata("instance")
        self.assertEqual(
            ["/dev/vdb"], [volume.device for volume in self.connection.compute.volume_attachments(first["id"])]
        )
        for metadata, expected in ((first, "ubuntu"), (third, "windows")):
            image_id = metadata["image_ref_url"].rsplit("/", 1)[1]
            self.assertEqual(expected, self.connection.image.get_image(image_id).os_distro)

    def test_missing_image_gives_unknown_distro(self) -> None:
        server = self._metadata("instance")[0]
        image_ref_url = server["image_ref_url"].rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
        distros = OsDistros(Connection(self.session, "RegionOne", "public"))
        self.assertEqual("unknown", distros.os_distro(server["id"], image_ref_url))

    def test_server_has_name_and_project(self) -> None:
        server = self.connection.compute.get_server(self._metadata("instance")[0]["id"])
        self.assertEqual(("instance-0", self.project_id), (server.name, server.project_id))

    def test_flavors_match_sample_metadata(self) -> None:
        for metadata in (*self._metadata("instance"), *self._metadata("database.instance")):
            name = self.connection.compute.get_flavor(metadata["flavor.id"]).name
            self.assertEqual(metadata.get("instance_type", "db1.c1r2"), name)
        self.assertEqual(len(inventory.FLAVORS), len(list(self.connection.compute.flavors())))

    def test_volume_types_match_sample_metadata(self) -> None:
        for metadata in self._metadata("volume.size"):
            volume = self.connection.block_storage.get_volume(metadata["volume_id"])
            known = {kind.id: kind.name for kind in inventory.VOLUME_TYPES}
            self.assertEqual(volume.volume_type, known.get(metadata["volume_type"], metadata["volume_type"]))
        for metadata in self._metadata("database.instance"):
            self.assertTrue(self.connection.block_storage.get_volume(metadata["volume_id"]).volume_type)

    def test_private_types_are_listed_on_request(self) -> None:
        public = {kind.name for kind in self.connection.block_storage.types()}
        all_types = {kind.name for kind in self.connection.block_storage.types(is_public="None")}
        self.assertEqual({"b1.private-nvme"}, all_types - public)
        private = inventory.VOLUME_TYPES[-1]
        self.assertEqual(private.name, self.connection.block_storage.get_type(private.id).name)

    def test_containers_return_storage_policy(self) -> None:
        policies = [self._head(resource_id) for resource_id in self._containers()]
        expected = [(204, policy) for policy in ("o1.standard", "o1.sr-r3", "o1.standard", None)]
        self.assertEqual(expected, policies)

    def test_unknown_resources_return_404(self) -> None:
        unknown = "00000000-0000-0000-0000-000000000000"
        lookups = (
            lambda: self.connection.compute.get_server(unknown),
            lambda: self.connection.compute.get_flavor(unknown),
            lambda: list(self.connection.compute.volume_attachments(unknown)),
            lambda: self.connection.block_storage.get_volume(unknown),
            lambda: self.connection.block_storage.get_type(unknown),
            lambda: self.connection.image.get_image(unknown),
        )
        for lookup in lookups:
            with self.assertRaises(exceptions.NotFoundException):
                lookup()
        self.assertEqual((404, None), self._head(f"{self.project_id}/no-such-container"))
        self.assertEqual((404, None), self._head(f"{self.cloud.projects.service_id}/backups"))

    def _containers(self) -> list[str]:
        return [metadata["id"] for metadata in self._metadata("storage.containers.objects.size")]

    def _head(self, resource_id: str) -> tuple[int, str | None]:
        project_id, name = resource_id.split("/", 1)
        store = str(self.session.get_endpoint(service_type="object-store")).rpartition("/")[0]
        url = f"{store}/AUTH_{project_id}/{urllib.parse.quote(name, safe='')}"
        response = self.session.head(url, raise_exc=False)
        return response.status_code, response.headers.get("X-Storage-Policy")
