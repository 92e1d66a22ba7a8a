# SPDX-License-Identifier: Apache-2.0
"""Flavors and servers in Nova."""

import re

from distil.cloud import client

_ROOT_DEVICE = re.compile(r"/dev/(x?v|s|h)da1?")


def flavor_name(compute: client.ServiceClient, flavor_id: str) -> str | None:
    """The name of a public or private flavor; None if it does not exist.

    :raises LookupUnavailable: Nova gave no usable answer.
    """
    found = compute.get("flavors", flavor_id)
    return None if found is None else found.object("flavor").required_str("name")


def root_volume_id(compute: client.ServiceClient, server_id: str) -> str | None:
    """The volume that a server boots from; None if the server does not exist, or boots from another disk.

    :raises LookupUnavailable: Nova gave no usable answer.
    """
    attachments = compute.get("servers", server_id, "os-volume_attachments")
    if attachments is None:
        return None
    for attachment in attachments.objects("volumeAttachments"):
        if _ROOT_DEVICE.fullmatch(attachment.optional_str("device") or ""):
            return attachment.required_str("volumeId")
    return None
