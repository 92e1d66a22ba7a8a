# SPDX-License-Identifier: Apache-2.0
"""The operating systems of virtual machines, from Nova, Cinder and Glance. They determine licence fees."""

import random
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from oslo_log import log

from distil import exceptions
from distil import model
from distil.cloud import cache
from distil.cloud import cinder
from distil.cloud import client
from distil.cloud import connection
from distil.cloud import lookups
from distil.cloud import nova
from distil.cloud import response

LOG = log.getLogger(__name__)

_OS_DISTRO = "os_distro"
_UNKNOWN = "unknown"

# Failed look-ups after which the rest of a window is skipped: each may last until its time-out.
_MAX_FAILED_LOOKUPS = 3


class OsDistros:
    """Looks up the os_distro of virtual machines.

    :param lifetime: seconds for which an image's os_distro is cached.
    """

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

        A server, volume or image that does not exist is skipped; a service without a usable answer is an error.

        :param image_ref_url: the value of that name in the sample's metadata, of any type.
        :raises LookupUnavailable: Nova, Cinder or Glance gave no usable answer.
        """
        found = self._of_root_volume(server_id)
        image_id = _image_id(image_ref_url)
        if found is None and image_id is not None:
            found = self._images.get(image_id)
        return found or _UNKNOWN

    def _of_root_volume(self, server_id: str) -> str | None:
        volume_id = nova.root_volume_id(self._compute, server_id)
        return None if volume_id is None else self._of_volume(volume_id)

    def _of_volume(self, volume_id: str) -> str | None:
        found = cinder.volume(self._block_storage, volume_id)
        return None if found is None else _property(found.object_or_empty("volume_image_metadata"))

    def _of_image(self, image_id: str) -> str | None:
        found = self._image.get("images", image_id)
        if found is None:
            return None
        found.required_str("id")  # an object without id is not an image: its os_distro is unknown, not unset
        return _property(found)


def _property(properties: response.JSONObject) -> str | None:
    return properties.optional_str(_OS_DISTRO) or None


def _image_id(image_ref_url: object) -> str | None:
    """The last part of the URL, which may be ``None`` for a server without image."""
    if not isinstance(image_ref_url, str):
        return None
    image_id = image_ref_url.rpartition("/")[2]
    return None if image_id in ("", "None") else image_id


def annotate_os_distro(
    distros: OsDistros,
    instances: Mapping[str, model.Sample],
    stored_info: Mapping[str, Mapping[str, object]],
    resources: Sequence[model.Resource],
) -> Sequence[model.Resource]:
    """The resources, with the os_distro of virtual machines that have none stored yet.

    If a look-up fails, none is stored, because it determines licence fees; the next window tries again.

    :param instances: last samples by stored id.
    :param stored_info: stored info by stored id.
    """
    found = _missing_distros(distros, instances, stored_info)
    if not found:
        return resources
    return [
        model.Resource(resource.id, {**resource.info, _OS_DISTRO: found[resource.id]})
        if resource.id in found
        else resource
        for resource in resources
    ]


def _missing_distros(
    distros: OsDistros, instances: Mapping[str, model.Sample], stored_info: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    found: dict[str, str] = {}
    failures = 0
    missing = [resource_id for resource_id in instances if _OS_DISTRO not in stored_info.get(resource_id, {})]
    # In random order, so that the same few failing machines do not block all others.
    for resource_id in random.sample(missing, len(missing)):
        sample = instances[resource_id]
        try:
            found[resource_id] = distros.os_distro(sample.resource_id, sample.metadata.get("image_ref_url"))
        except exceptions.LookupUnavailable as error:
            LOG.warning(
                "Could not look up the os_distro of a new virtual machine; retrying in its next window: %s", error
            )
            failures += 1
            if failures >= _MAX_FAILED_LOOKUPS:
                break
    return found
