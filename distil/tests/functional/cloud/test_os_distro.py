# SPDX-License-Identifier: Apache-2.0
"""Where a virtual machine's os_distro comes from."""

import unittest
from typing import Any

from distil import exceptions
from distil.cloud.os_distro import OsDistros
from distil.tests.functional.cloud.server import OWN_PROJECT
from distil.tests.functional.cloud.server import RESET
from distil.tests.functional.cloud.server import Answer
from distil.tests.functional.cloud.server import Cloud

ATTACHMENTS = "/compute/v2.1/servers/s1/os-volume_attachments"
VOLUMES = f"/volume/v3/{OWN_PROJECT}/volumes"
IMAGE = "/image/v2/images/i1"
IMAGE_URL = "http://glance.example.com:9292/images/i1"


def attached(*devices: str | None) -> Answer:
    return Answer({"volumeAttachments": [{"device": device, "volumeId": f"v{i}"} for i, device in enumerate(devices)]})


def volume(**properties: Any) -> Answer:
    return Answer({"volume": {"id": "v", "volume_type": None, **properties}})


def image(**properties: Any) -> Answer:
    return Answer({"id": "i1", "name": "An image", **properties})


class TestOsDistro(unittest.TestCase):
    def os_distro(self, answers: dict[str, Answer], image_ref_url: object = IMAGE_URL) -> str:
        self.server = self.enterContext(Cloud(answers))
        return OsDistros(self.server.connection()).os_distro("s1", image_ref_url)

    def test_the_root_volumes_wins_over_the_images(self) -> None:
        answers = {
            ATTACHMENTS: attached("/dev/vda"),
            f"{VOLUMES}/v0": volume(volume_image_metadata={"os_distro": "windows"}),
            IMAGE: image(os_distro="ubuntu"),
        }
        self.assertEqual("windows", self.os_distro(answers))

    def test_the_root_volume_is_the_first_on_a_root_device(self) -> None:
        windows = volume(volume_image_metadata={"os_distro": "windows"})
        for device in (f"/dev/{kind}da{part}" for kind in ("v", "xv", "s", "h") for part in ("", "1")):
            with self.subTest(device=device):
                answers = {ATTACHMENTS: attached(None, "/dev/vdb", device, "/dev/sda"), f"{VOLUMES}/v2": windows}
                self.assertEqual("windows", self.os_distro(answers))

    def test_another_device_is_no_root_device(self) -> None:
        for device in ("/dev/vdb", "/dev/vda2", "/dev/vdaa", "vda", "/dev/xsda", "/dev/vda\n", "", None):
            with self.subTest(device=device):
                windows = volume(volume_image_metadata={"os_distro": "windows"})
                answers = {ATTACHMENTS: attached(device), f"{VOLUMES}/v0": windows, IMAGE: image(os_distro="ubuntu")}
                self.assertEqual("ubuntu", self.os_distro(answers))

    def test_a_root_volume_that_does_not_say_leaves_it_to_the_image(self) -> None:
        for root in (volume(), volume(volume_image_metadata={}), volume(volume_image_metadata={"os_distro": ""})):
            with self.subTest(root=root):
                answers = {ATTACHMENTS: attached("/dev/vda"), f"{VOLUMES}/v0": root, IMAGE: image(os_distro="ubuntu")}
                self.assertEqual("ubuntu", self.os_distro(answers))

    def test_what_is_not_there_is_passed_over(self) -> None:
        there = {IMAGE: image(os_distro="ubuntu")}
        self.assertEqual("ubuntu", self.os_distro(there))
        self.assertEqual("ubuntu", self.os_distro({**there, ATTACHMENTS: attached("/dev/vda")}))

    def test_it_is_unknown_where_nothing_says_it(self) -> None:
        self.assertEqual("unknown", self.os_distro({}))
        self.assertEqual("unknown", self.os_distro({IMAGE: image()}))

    def test_a_server_without_an_image_asks_for_none(self) -> None:
        none: tuple[object, ...] = (None, "", "None", "http://glance/images/", "http://glance/images/None", 7, {})
        for image_ref_url in none:
            with self.subTest(image_ref_url=image_ref_url):
                self.assertEqual("unknown", self.os_distro({}, image_ref_url))
                self.assertEqual([f"GET {ATTACHMENTS}"], self.server.asked())

    def test_an_image_is_asked_for_once_for_all_its_servers(self) -> None:
        server = self.enterContext(Cloud({IMAGE: image(os_distro="ubuntu")}))
        distros = OsDistros(server.connection())
        self.assertEqual(["ubuntu"] * 2, [distros.os_distro(server_id, IMAGE_URL) for server_id in ("s1", "s2")])
        self.assertEqual(1, server.asked().count(f"GET {IMAGE}"))

    def test_a_service_that_is_away_never_becomes_unknown(self) -> None:
        whole = {
            ATTACHMENTS: attached("/dev/vda"),
            f"{VOLUMES}/v0": volume(volume_image_metadata={}),
            IMAGE: image(os_distro="ubuntu"),
        }
        for target in whole:
            for away in (Answer(status=503), Answer(b"<html>"), Answer([]), RESET):
                with self.subTest(target=target, away=away), self.assertRaises(exceptions.LookupUnavailable):
                    self.os_distro({**whole, target: away})

    def test_a_service_that_is_away_is_asked_once(self) -> None:
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "image GET /images/i1: HTTP 503"):
            self.os_distro({IMAGE: Answer(status=503)})
        self.assertEqual(1, self.server.asked().count(f"GET {IMAGE}"))
