# SPDX-License-Identifier: Apache-2.0
"""Nova's API, as an administrator sees it: servers, their volume attachments, flavors."""

from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import ids
from distil.sandbox.data import inventory
from distil.sandbox.data.resources import Resources
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_NOT_FOUND = 404


class NovaApi(Api):
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

    def _server(self, _: HTTPRequest, identity: str) -> HTTPResponse:
        project, index = self._find(identity)
        flavor = inventory.flavor_of(index)
        image: Any = "" if inventory.boots_from_volume(index) else {"id": inventory.public_image_of(index).id}
        server = {
            "id": identity,
            "name": f"instance-{index}",
            "status": "ACTIVE",
            "tenant_id": self._resources.project_id(project),
            "image": image,
            "flavor": {"original_name": flavor.name, "vcpus": flavor.vcpus, "ram": flavor.ram, "disk": flavor.disk},
            "OS-EXT-AZ:availability_zone": inventory.AVAILABILITY_ZONE,
            "os-extended-volumes:volumes_attached": [{"id": one["volumeId"]} for one in self._attached(identity)],
            "links": [{"rel": "self", "href": f"{self.url}/v2.1/servers/{identity}"}],
        }
        return json_response({"server": server})

    def _attachments(self, _: HTTPRequest, identity: str) -> HTTPResponse:
        self._find(identity)
        return json_response({"volumeAttachments": self._attached(identity)})

    def _attached(self, identity: str) -> list[dict[str, Any]]:
        """A data volume for every instance; before it the root volume, where the instance boots from one."""
        project, index = self._find(identity)
        devices = [("/dev/vda", "root-volume")] if inventory.boots_from_volume(index) else []
        devices.append(("/dev/vdb", "volume"))
        return [
            self._attachment(identity, device, self._resources.telemetry_id(kind, project, index))
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

    def _find(self, identity: str) -> tuple[int, int]:
        found = self._resources.locate("instance", identity)
        if found is None:
            raise self.not_found(f"Instance {identity} could not be found.")
        return found

    def _flavors(self, _: HTTPRequest) -> HTTPResponse:
        return json_response({"flavors": [self._describe(flavor) for flavor in inventory.FLAVORS]})

    def _flavor(self, _: HTTPRequest, identity: str) -> HTTPResponse:
        return json_response({"flavor": self._describe(self._known_flavor(identity))})

    def _extra_specs(self, _: HTTPRequest, identity: str) -> HTTPResponse:
        self._known_flavor(identity)
        return json_response({"extra_specs": {}})

    def _known_flavor(self, identity: str) -> inventory.Flavor:
        for flavor in inventory.FLAVORS:
            if flavor.id == identity:
                return flavor
        raise self.not_found(f"Flavor {identity} could not be found.")

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
