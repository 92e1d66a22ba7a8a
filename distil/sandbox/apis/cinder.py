# SPDX-License-Identifier: Apache-2.0
"""Cinder's v3 API, as an administrator sees it: volumes and volume types."""

from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import inventory
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_KINDS = ("volume", "root-volume", "database-volume")
_NOT_FOUND = 404


class CinderApi(Api):
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

    def _volume(self, _: HTTPRequest, __: str, identity: str) -> HTTPResponse:
        for kind in _KINDS:
            found = self._resources.locate(kind, identity)
            if found is not None:
                return json_response({"volume": self._describe(kind, identity, *found)})
        raise self.not_found(f"Volume {identity} could not be found.")

    def _describe(self, kind: str, identity: str, project: int, index: int) -> dict[str, Any]:
        volume = {
            "id": identity,
            "name": f"{kind}-{index}",
            "status": "in-use",
            "size": 10,
            "volume_type": inventory.volume_type_of(index).name,
            "availability_zone": inventory.AVAILABILITY_ZONE,
            "bootable": "false",
            "metadata": {},
            "attachments": [],
            "os-vol-tenant-attr:tenant_id": self._resources.project_id(project),
        }
        if kind == "root-volume":
            image = inventory.public_image_of(index)
            distribution = {"os_distro": image.os_distro} if image.os_distro else {}
            volume["bootable"] = "true"
            volume["volume_image_metadata"] = {"image_id": image.id, "image_name": image.name, **distribution}
        return volume

    def _types(self, request: HTTPRequest, _: str) -> HTTPResponse:
        """Public types alone, unless ``is_public`` says otherwise: even to an administrator."""
        asked = (request.argument("is_public") or "true").lower()
        kinds: tuple[inventory.VolumeType, ...] = inventory.VOLUME_TYPES
        if asked != "none":
            kinds = tuple(kind for kind in kinds if kind.is_public is (asked in ("1", "true", "t", "yes", "on", "y")))
        return json_response({"volume_types": [_describe_type(kind) for kind in kinds]})

    def _type(self, _: HTTPRequest, __: str, identity: str) -> HTTPResponse:
        for kind in inventory.VOLUME_TYPES:
            if kind.id == identity:
                return json_response({"volume_type": _describe_type(kind)})
        raise self.not_found(f"Volume type {identity} could not be found.")


def _describe_type(kind: inventory.VolumeType) -> dict[str, Any]:
    return {
        "id": kind.id,
        "name": kind.name,
        "is_public": kind.is_public,
        "os-volume-type-access:is_public": kind.is_public,
        "description": None,
        "extra_specs": {},
        "qos_specs_id": None,
    }
