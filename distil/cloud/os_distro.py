# SPDX-License-Identifier: Apache-2.0
"""The operating system of a virtual machine, from Nova, Cinder and Glance. It decides about licence fees."""

import re
import time
from collections.abc import Callable

from distil import exceptions
from distil.cloud import cache
from distil.cloud import client
from distil.cloud import connection
from distil.cloud import lookups
from distil.cloud import response

UNKNOWN = "unknown"
_ROOT_DEVICE = re.compile(r"/dev/(x?v|s|h)da1?")


class OsDistros:
    """:param lifetime: seconds for which an image's os_distro is remembered."""

    def __init__(
        self,
        cloud: connection.Connection,
        lifetime: float = lookups.LIFETIME_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._compute, self._block_storage, self._image = (
            client.ServiceClient(cloud, name, exceptions.LookupUnavailable)
            for name in ("compute", "block_storage", "image")
        )
        self._images = cache.TTLCache(self._of_image, lifetime, clock=clock)

    def os_distro(self, server_id: str, image_ref_url: object) -> str:
        """``os_distro`` of a server's root volume, else of its image, else ``unknown``.

        What is not there (server, volume, image) is passed over; a service that gives no answer is not.

        :param image_ref_url: the sample's metadata of that name, whatever it holds.
        :raises LookupUnavailable: Nova, Cinder or Glance gave no answer.
        """
        found = self._of_root_volume(server_id)
        image_id = _image_id(image_ref_url)
        if found is None and image_id is not None:
            found = self._images.get(image_id)
        return found or UNKNOWN

    def _of_root_volume(self, server_id: str) -> str | None:
        attachments = self._compute.get("servers", server_id, "os-volume_attachments")
        if attachments is None:
            return None
        for attachment in attachments.objects("volumeAttachments"):
            if _ROOT_DEVICE.fullmatch(attachment.optional_str("device") or ""):
                return self._of_volume(attachment.required_str("volumeId"))
        return None

    def _of_volume(self, volume_id: str) -> str | None:
        found = self._block_storage.get("volumes", volume_id)
        return None if found is None else _named(found.object("volume").object_or_empty("volume_image_metadata"))

    def _of_image(self, image_id: str) -> str | None:
        found = self._image.get("images", image_id)
        if found is None:
            return None
        found.required_str("id")  # without which it is no image, and does not say that there is no os_distro
        return _named(found)


def _named(properties: response.JSONObject) -> str | None:
    return properties.optional_str("os_distro") or None


def _image_id(image_ref_url: object) -> str | None:
    """The last part of the URL; telemetry writes the string ``None`` for a server without image."""
    if not isinstance(image_ref_url, str):
        return None
    image_id = image_ref_url.rpartition("/")[2]
    return None if image_id in ("", "None") else image_id
