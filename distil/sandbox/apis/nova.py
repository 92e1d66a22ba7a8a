# SPDX-License-Identifier: Apache-2.0
"""Nova's API, as an administrator sees it: servers, their volume attachments, flavors."""

from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data import inventory
from distil.sandbox.data.ids import ResourceLocation
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_NOT_FOUND = 404


class NovaApi(Api):
    """Serves servers, volume attachments and flavors of all projects."""

    name = "compute"
    prefix = "compute"

    def __init__(self, url: str, tokens: Tokens, resources: Resources) -> None:
        super().__init__(url, tokens)
        self._resources = resources

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/v2.1/servers/{id}", self._server),
            Route("GET", "/v2.1/servers/{id}/os-volume_attachments", self._attachments),
            Route("GET", "/v2.1/flavors", self._flavors),
            Route("GET", "/v2.1/flavors/detail", self._flavors),
            Route("GET", "/v2.1/flavors/{id}", self._flavor),
            Route("GET", "/v2.1/flavors/{id}/os-extra_specs", self._extra_specs),
            Route("GET", "/v2.1", lambda _: json_response({"version": self._version()}), public=True),
            Route("GET", "/", lambda _: json_response({"versions": [self._version()]}), public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        kind = {400: "badRequest", 403: "forbidden", _NOT_FOUND: "itemNotFound"}.get(status, "computeFault")
        return json_response({kind: {"code": status, "message": message}}, status)

    def _version(self) -> dict[str, Any]:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": "2.96",
            "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/"}],
        }

    def _server(self, _: HTTPRequest, server_id: str) -> HTTPResponse:
        location = self._find(server_id)
        index = location.index
        flavor = inventory.flavor_of(index)
        image: Any = "" if inventory.boots_from_volume(index) else {"id": inventory.public_image_of(index).id}
        server = {
            "id": server_id,
            "name": f"instance-{index}",
            "status": "ACTIVE",
            "tenant_id": self._resources.project_id(location.project),
            "image": image,
            "flavor": {"original_name": flavor.name, "vcpus": flavor.vcpus, "ram": flavor.ram, "disk": flavor.disk},
            "OS-EXT-AZ:availability_zone": inventory.AVAILABILITY_ZONE,
            "os-extended-volumes:volumes_attached": [
                {"id": attachment["volumeId"]} for attachment in self._attachments_of(server_id)
            ],
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/servers/{server_id}"}],
        }
        return json_response({"server": server})

    def _attachments(self, _: HTTPRequest, server_id: str) -> HTTPResponse:
        return json_response({"volumeAttachments": self._attachments_of(server_id)})

    def _attachments_of(self, server_id: str) -> list[dict[str, Any]]:
        """Return the root volume, if the server boots from one, and a data volume."""
        location = self._find(server_id)
        devices = [("/dev/vda", "root-volume")] if inventory.boots_from_volume(location.index) else []
        devices.append(("/dev/vdb", "volume"))
        return [
            self._attachment(server_id, device, self._resources.telemetry_id(kind, location.project, location.index))
            for device, kind in devices
        ]

    def _attachment(self, server_id: str, device: str, volume_id: str) -> dict[str, Any]:
        return {
            "id": volume_id,
            "attachment_id": ids.stable_id(server_id, volume_id),
            "bdm_uuid": ids.stable_id(server_id, device),
            "device": device,
            "serverId": server_id,
            "volumeId": volume_id,
            "tag": None,
            "delete_on_termination": False,
        }

    def _find(self, server_id: str) -> ResourceLocation:
        location = self._resources.locate("instance", server_id)
        if location is None:
            raise self.not_found(f"Instance {server_id} could not be found.")
        return location

    def _flavors(self, _: HTTPRequest) -> HTTPResponse:
        return json_response({"flavors": [self._describe(flavor) for flavor in inventory.FLAVORS]})

    def _flavor(self, _: HTTPRequest, flavor_id: str) -> HTTPResponse:
        return json_response({"flavor": self._describe(self._find_flavor(flavor_id))})

    def _extra_specs(self, _: HTTPRequest, flavor_id: str) -> HTTPResponse:
        self._find_flavor(flavor_id)
        return json_response({"extra_specs": {}})

    def _find_flavor(self, flavor_id: str) -> inventory.Flavor:
        for flavor in inventory.FLAVORS:
            if flavor.id == flavor_id:
                return flavor
        raise self.not_found(f"Flavor {flavor_id} could not be found.")

    def _describe(self, flavor: inventory.Flavor) -> dict[str, Any]:
        return {
            "id": flavor.id,
            "name": flavor.name,
            "vcpus": flavor.vcpus,
            "ram": flavor.ram,
            "disk": flavor.disk,
            "swap": 0,
            "description": None,
            "extra_specs": {},
            "os-flavor-access:is_public": True,
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/flavors/{flavor.id}"}],
        }
