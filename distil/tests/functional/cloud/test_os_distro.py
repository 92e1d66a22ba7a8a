# SPDX-License-Identifier: Apache-2.0
"""The os_distro of virtual machines."""

import datetime
import unittest
from typing import Any

from distil import exceptions
from distil import model
from distil.cloud.os_distro import OsDistros
from distil.cloud.os_distro import annotate_os_distro
from distil.tests.support.cloud_server import OWN_PROJECT
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import RESET
from distil.tests.support.http_server import Response

ATTACHMENTS = "/compute/v2.1/servers/s1/os-volume_attachments"
VOLUMES = f"/volume/v3/{OWN_PROJECT}/volumes"
IMAGE = "/image/v2/images/i1"
IMAGE_URL = "http://glance.example.com:9292/images/i1"


def attached(*devices: str | None) -> Response:
    return Response(
        {"volumeAttachments": [{"device": device, "volumeId": f"v{i}"} for i, device in enumerate(devices)]}
    )


def volume(**properties: Any) -> Response:
    return Response({"volume": {"id": "v", "volume_type": None, **properties}})


def image(**properties: Any) -> Response:
    return Response({"id": "i1", "name": "An image", **properties})


class OsDistroTest(unittest.TestCase):
    def os_distro(self, responses: dict[str, Response], image_ref_url: object = IMAGE_URL) -> str:
        self.server = self.enterContext(CloudServer(responses))
        return OsDistros(self.server.connection()).os_distro("s1", image_ref_url)

    def test_root_volume_wins_over_image(self) -> None:
        responses = {
            ATTACHMENTS: attached("/dev/vda"),
            f"{VOLUMES}/v0": volume(volume_image_metadata={"os_distro": "windows"}),
            IMAGE: image(os_distro="ubuntu"),
        }
        self.assertEqual("windows", self.os_distro(responses))

    def test_picks_first_volume_on_root_device(self) -> None:
        windows = volume(volume_image_metadata={"os_distro": "windows"})
        for device in (f"/dev/{kind}da{part}" for kind in ("v", "xv", "s", "h") for part in ("", "1")):
            with self.subTest(device=device):
                responses = {ATTACHMENTS: attached(None, "/dev/vdb", device, "/dev/sda"), f"{VOLUMES}/v2": windows}
                self.assertEqual("windows", self.os_distro(responses))

    def test_non_root_device_is_ignored(self) -> None:
        for device in ("/dev/vdb", "/dev/vda2", "/dev/vdaa", "vda", "/dev/xsda", "/dev/vda\n", "", None):
            with self.subTest(device=device):
                windows = volume(volume_image_metadata={"os_distro": "windows"})
                responses = {ATTACHMENTS: attached(device), f"{VOLUMES}/v0": windows, IMAGE: image(os_distro="ubuntu")}
                self.assertEqual("ubuntu", self.os_distro(responses))

    def test_missing_volume_metadata_uses_image(self) -> None:
        for root in (volume(), volume(volume_image_metadata={}), volume(volume_image_metadata={"os_distro": ""})):
            with self.subTest(root=root):
                responses = {ATTACHMENTS: attached("/dev/vda"), f"{VOLUMES}/v0": root, IMAGE: image(os_distro="ubuntu")}
                self.assertEqual("ubuntu", self.os_distro(responses))

    def test_missing_attachments_and_volume_are_skipped(self) -> None:
        responses = {IMAGE: image(os_distro="ubuntu")}
        self.assertEqual("ubuntu", self.os_distro(responses))
        self.assertEqual("ubuntu", self.os_distro({**responses, ATTACHMENTS: attached("/dev/vda")}))

    def test_returns_unknown_without_metadata(self) -> None:
        self.assertEqual("unknown", self.os_distro({}))
        self.assertEqual("unknown", self.os_distro({IMAGE: image()}))

    def test_missing_image_sends_no_request(self) -> None:
        none: tuple[object, ...] = (None, "", "None", "http://glance/images/", "http://glance/images/None", 7, {})
        for image_ref_url in none:
            with self.subTest(image_ref_url=image_ref_url):
                self.assertEqual("unknown", self.os_distro({}, image_ref_url))
                self.assertEqual([f"GET {ATTACHMENTS}"], self.server.service_request_lines)

    def test_image_lookup_is_shared_between_servers(self) -> None:
        server = self.enterContext(CloudServer({IMAGE: image(os_distro="ubuntu")}))
        distros = OsDistros(server.connection())
        self.assertEqual(["ubuntu"] * 2, [distros.os_distro(server_id, IMAGE_URL) for server_id in ("s1", "s2")])
        self.assertEqual(1, server.service_request_lines.count(f"GET {IMAGE}"))

    def test_unavailable_service_raises(self) -> None:
        responses = {
            ATTACHMENTS: attached("/dev/vda"),
            f"{VOLUMES}/v0": volume(volume_image_metadata={}),
            IMAGE: image(os_distro="ubuntu"),
        }
        for target in responses:
            for failure in (Response(status=503), Response(b"<html>"), Response([]), RESET):
                with self.subTest(target=target, failure=failure), self.assertRaises(exceptions.LookupUnavailable):
                    self.os_distro({**responses, target: failure})

    def test_unavailable_service_is_not_retried(self) -> None:
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "image GET /images/i1: HTTP 503"):
            self.os_distro({IMAGE: Response(status=503)})
        self.assertEqual(1, self.server.service_request_lines.count(f"GET {IMAGE}"))


class AnnotateOsDistroTest(unittest.TestCase):
    def annotate(
        self, responses: dict[str, Response], *server_ids: str, **stored_info: dict[str, object]
    ) -> dict[str, Any]:
        """The info of the resources by id, after annotation."""
        self.cloud = self.enterContext(CloudServer(responses))
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        metadata = {"image_ref_url": IMAGE_URL}
        instances = {
            server_id: model.Sample("p1", "instance", server_id, start, 1, "openstack", metadata, {})
            for server_id in server_ids
        }
        resources = [model.Resource(server_id, {"name": server_id}) for server_id in (*server_ids, "other")]
        annotated = annotate_os_distro(OsDistros(self.cloud.connection()), instances, stored_info, resources)
        return {resource.id: resource.info for resource in annotated}

    def test_annotates_instances_alone(self) -> None:
        found = self.annotate({IMAGE: image(os_distro="ubuntu")}, "s1")
        self.assertEqual({"s1": {"name": "s1", "os_distro": "ubuntu"}, "other": {"name": "other"}}, found)

    def test_stored_os_distro_is_kept(self) -> None:
        self.assertEqual({"name": "s1"}, self.annotate({}, "s1", s1={"os_distro": "debian"})["s1"])
        self.assertEqual([], self.cloud.service_request_lines)

    def test_failed_lookups_are_limited(self) -> None:
        servers = [f"s{number}" for number in range(9)]
        responses = {
            f"/compute/v2.1/servers/{server}/os-volume_attachments": Response(status=503) for server in servers
        }
        with self.assertLogs("distil.cloud", "WARNING") as logs:
            found = self.annotate(responses, *servers)
        self.assertEqual((3, 3), (len(self.cloud.service_request_lines), len(logs.output)))
        self.assertEqual({server: {"name": server} for server in (*servers, "other")}, found)
