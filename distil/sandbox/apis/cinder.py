# SPDX-License-Identifier: Apache-2.0
"""Cinder's v3 API, as an administrator sees it: volumes and volume types."""

from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import inventory
from distil.sandbox.data.ids import ResourceLocation
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_VOLUME_KINDS = ("volume", "root-volume", "database-volume")
_NOT_FOUND = 404


class CinderApi(Api):
    """Serves volumes and volume types of all projects."""

    name = "block-storage"
    prefix = "volume"

    def __init__(self, url: str, tokens: Tokens, resources: Resources) -> None:
        super().__init__(url, tokens)
        self._resources = resources

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/v3/{project}/volumes/{id}", self._volume),
            Route("GET", "/v3/{project}/types", self._types),
            Route("GET", "/v3/{project}/types/{id}", self._type),
            Route("GET", "/v3", lambda _: json_response({"versions": [self._version()]}), public=True),
            Route("GET", "/", lambda _: json_response({"versions": [self._version()]}, 300), public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        kind = {400: "badRequest", 403: "forbidden", _NOT_FOUND: "itemNotFound"}.get(status, "computeFault")
        return json_response({kind: {"code": status, "message": message}}, status)

    def _version(self) -> dict[str, Any]:
        return {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "3.71",
            "min_version": "3.0",
            "updated": "2023-08-31T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self.url}/v3/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}],
        }

    def _volume(self, _: HTTPRequest, __: str, volume_id: str) -> HTTPResponse:
        for kind in _VOLUME_KINDS:
            location = self._resources.locate(kind, volume_id)
            if location is not None:
                return json_response({"volume": self._describe(kind, volume_id, location)})
        raise self.not_found(f"Volume {volume_id} could not be found.")

    def _describe(self, kind: str, volume_id: str, location: ResourceLocation) -> dict[str, Any]:
        volume = {
            "id": volume_id,
            "name": f"{kind}-{location.index}",
            "status": "in-use",
            "size": 10,
            "volume_type": inventory.volume_type_of(location.index).name,
            "availability_zone": inventory.AVAILABILITY_ZONE,
            "bootable": "false",
            "metadata": {},
            "attachments": [],
            "os-vol-tenant-attr:tenant_id": self._resources.project_id(location.project),
        }
        if kind == "root-volume":
            image = inventory.public_image_of(location.index)
            distribution = {"os_distro": image.os_distro} if image.os_distro else {}
            volume["bootable"] = "true"
            volume["volume_image_metadata"] = {"image_id": image.id, "image_name": image.name, **distribution}
        return volume

    def _types(self, request: HTTPRequest, _: str) -> HTTPResponse:
        """Without ``is_public`` Cinder lists public types only, even for an administrator."""
        is_public = (request.argument("is_public") or "true").lower()
        types: tuple[inventory.VolumeType, ...] = inventory.VOLUME_TYPES
        if is_public != "none":
            public = is_public in ("1", "true", "t", "yes", "on", "y")
            types = tuple(volume_type for volume_type in types if volume_type.is_public is public)
        marker = request.argument("marker")
        if marker is not None:
            ids = [volume_type.id for volume_type in types]
            if marker not in ids:
                raise self.not_found(f"Volume type {marker} could not be found.")
            types = types[ids.index(marker) + 1 :]
        return json_response({"volume_types": [_describe_type(volume_type) for volume_type in types]})

    def _type(self, _: HTTPRequest, __: str, type_id: str) -> HTTPResponse:
        for volume_type in inventory.VOLUME_TYPES:
            if volume_type.id == type_id:
                return json_response({"volume_type": _describe_type(volume_type)})
        raise self.not_found(f"Volume type {type_id} could not be found.")


def _describe_type(volume_type: inventory.VolumeType) -> dict[str, Any]:
    return {
        "id": volume_type.id,
        "name": volume_type.name,
        "is_public": volume_type.is_public,
        "os-volume-type-access:is_public": volume_type.is_public,
        "description": None,
        "extra_specs": {},
        "qos_specs_id": None,
    }
