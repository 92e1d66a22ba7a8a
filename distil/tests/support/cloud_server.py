# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that gives prepared responses in the place of all services of a cloud."""

import pathlib
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import session as ks_session
from keystoneauth1.identity import v3

from distil.cloud import connection
from distil.tests.support.http_server import TOKEN
from distil.tests.support.http_server import HTTPServer
from distil.tests.support.http_server import Request
from distil.tests.support.http_server import Response

PASSWORD = "secret-password"
OWN_PROJECT = "0123456789abcdef"
REGION = "north"
TOKENS = "/identity/v3/auth/tokens"
ENDPOINTS = {
    "identity": "/identity/v3",
    "compute": "/compute/v2.1",
    "volumev3": f"/volume/v3/{OWN_PROJECT}",
    "image": "/image",
    "object-store": f"/swift/v1/AUTH_{OWN_PROJECT}",
}


def not_found(path: str) -> Response:
    """Return "not found" as the service of a path says it."""
    resource_id = path.rpartition("/")[2]
    message = f"No resource found with ID {resource_id}"
    if path.startswith("/swift/"):
        return Response(status=404, headers={"X-Trans-Id": "tx1"})
    if path.startswith("/image/"):
        body = {"message": f"{message}<br /><br />\n\n\n", "code": "404 Not Found", "title": "Not Found"}
        return Response(body, 404, {"X-Openstack-Request-Id": "req-1"})
    if path.startswith("/identity/"):
        return Response({"error": {"code": 404, "message": message, "title": "Not Found"}}, 404)
    return Response({"itemNotFound": {"code": 404, "message": message}}, 404)


class CloudServer(HTTPServer):
    """Responds by the target of a request: its path with the query, or else its path.

    :param responses: target -> response, beyond those to authentication and discovery.
    :param endpoints: service type -> path of its endpoint.
    :param certificate: see :class:`.HTTPServer`, as for ``client_cafile``.
    """

    def __init__(
        self,
        responses: Mapping[str, Response] | None = None,
        endpoints: Mapping[str, str] = ENDPOINTS,
        certificate: tuple[pathlib.Path, pathlib.Path] | None = None,
        client_cafile: pathlib.Path | None = None,
    ) -> None:
        super().__init__(certificate=certificate, client_cafile=client_cafile)
        self.responses = self._discovery()
        self.set_endpoints(endpoints)
        self.responses |= responses or {}

    def set_endpoints(self, endpoints: Mapping[str, str]) -> None:
        """Have the catalog of the next token hold these endpoints."""
        self.responses[TOKENS] = Response(self._token(endpoints), 201, {"X-Subject-Token": TOKEN})

    def session(self, timeout: float = 5) -> ks_session.Session:
        """Return a session that authenticates by password."""
        auth = v3.Password(
            f"{self.url}/identity/v3",
            username="distil",
            password=PASSWORD,
            user_domain_id="default",
            project_id=OWN_PROJECT,
        )
        return ks_session.Session(auth=auth, timeout=timeout)

    def connection(
        self, region_name: str | None = REGION, interface: str = "public", timeout: float = 5
    ) -> connection.Connection:
        return connection.Connection(self.session(timeout), region_name, interface)

    def respond(self, request: Request) -> Response:
        path = request.target.partition("?")[0]
        return self.responses.get(request.target) or self.responses.get(path) or not_found(path)

    @property
    def request_lines(self) -> list[str]:
        """Method and target of each request so far."""
        return [str(request) for request in self.requests]

    @property
    def service_request_lines(self) -> list[str]:
        """Those of requests that are neither for a token nor for discovery."""
        own = {f"GET {path}" for path in self._discovery()} | {f"POST {TOKENS}"}
        return [line for line in self.request_lines if line not in own]

    def _discovery(self) -> dict[str, Response]:
        nova = {
            "id": "v2.1",
            "status": "CURRENT",
            "version": "2.96",
            "min_version": "2.1",
            **self._self("/compute/v2.1/"),
        }
        cinder = {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "3.70",
            "min_version": "3.0",
            **self._self("/volume/v3/"),
        }
        glance = {"id": "v2.9", "status": "CURRENT", **self._self("/image/v2/")}
        keystone = {"id": "v3.14", "status": "stable", **self._self("/identity/v3/")}
        return {
            "/identity/v3": Response({"version": keystone}),
            "/compute": Response({"versions": [nova]}),
            "/compute/v2.1": Response({"version": nova}),
            "/volume/v3/": Response({"versions": [cinder]}),
            "/image": Response({"versions": [glance]}, status=300),
        }

    def _self(self, path: str) -> dict[str, Any]:
        return {"links": [{"rel": "self", "href": self.url + path}]}

    def _token(self, endpoints: Mapping[str, str]) -> dict[str, Any]:
        catalog = [
            {
                "type": service,
                "name": service,
                "id": service,
                "endpoints": [
                    {
                        "id": service,
                        "interface": "public",
                        "region": REGION,
                        "region_id": REGION,
                        "url": self.url + path,
                    }
                ],
            }
            for service, path in endpoints.items()
        ]
        domain = {"id": "default", "name": "Default"}
        who = {"user": {"id": "u", "name": "distil", "domain": domain}, "roles": []}
        project = {"id": OWN_PROJECT, "name": "service", "domain": domain}
        times = {"issued_at": "2026-01-01T00:00:00.000000Z", "expires_at": "2999-01-01T00:00:00.000000Z"}
        return {"token": {"methods": ["password"], "project": project, "catalog": catalog, **who, **times}}
