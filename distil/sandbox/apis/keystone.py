# SPDX-License-Identifier: Apache-2.0
"""Keystone's v3 API: tokens with a catalog, projects, domains."""

import bisect
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil.sandbox.data import catalog
from distil.sandbox.data.credentials import Credentials
from distil.sandbox.data.projects import SandboxProjects
from distil.sandbox.data.tokens import IssuedToken
from distil.sandbox.data.tokens import Tokens
from distil.sandbox.http import pagination
from distil.sandbox.http.api import UNAUTHORIZED_MESSAGE
from distil.sandbox.http.api import Api
from distil.sandbox.http.messages import HTTPError
from distil.sandbox.http.messages import HTTPRequest
from distil.sandbox.http.messages import HTTPResponse
from distil.sandbox.http.messages import Route
from distil.sandbox.http.messages import json_response

_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}


class KeystoneApi(Api):
    """Issues tokens, and lists projects and domains.

    :param cloud_url: base URL of the endpoints in the catalog.
    :param users: who may authenticate.
    :param region: of these endpoints.
    """

    name = "identity"
    prefix = "identity"

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        *,
        cloud_url: str,
        projects: SandboxProjects,
        users: Sequence[Credentials],
        limits: pagination.PageLimits,
        region: str,
    ) -> None:
        super().__init__(url, tokens)
        self._cloud_url = cloud_url
        self._projects = projects
        self._users = users
        self._limits = limits
        self._region = region

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/v3/auth/tokens", self._issue_token, public=True),
            Route("GET", "/v3/projects", self._list_projects),
            Route("GET", "/v3/projects/{id}", self._get_project),
            Route("GET", "/v3/domains", self._list_domains),
            Route("GET", "/v3/domains/{id}", self._get_domain),
            Route("GET", "/v3", lambda _: json_response({"version": self._version()}), public=True),
            Route("GET", "/", lambda _: json_response({"versions": {"values": [self._version()]}}, 300), public=True),
        )

    def error(self, status: int, message: str) -> HTTPResponse:
        title = _TITLES.get(status, "Error")
        return json_response({"error": {"code": status, "message": message, "title": title}}, status)

    def _version(self) -> dict[str, Any]:
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self.url}/v3/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }

    def _issue_token(self, request: HTTPRequest) -> HTTPResponse:
        try:
            auth = request.json()["auth"]
            user = auth["identity"]["password"]["user"]
            scope = auth.get("scope")
            service_id = self._projects.service_id
            known = next((each for each in self._users if each.accepts(user, scope, service_id)), None)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HTTPError(self.error(400, f"Invalid input for field 'auth': {error}")) from error
        if known is None:
            raise HTTPError(self.error(401, UNAUTHORIZED_MESSAGE))
        token = self.tokens.issue(known.roles)
        body = {"token": self._describe_token(token, known, scoped=bool(scope))}
        return json_response(body, 201, [("X-Subject-Token", token.secret), ("Vary", "X-Auth-Token")])

    def _describe_token(self, token: IssuedToken, user: Credentials, *, scoped: bool) -> dict[str, Any]:
        document: dict[str, Any] = {
            "methods": ["password"],
            "user": user.user_document(),
            "audit_ids": ["sandbox"],
            "issued_at": f"{token.issued_at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "expires_at": f"{token.expires_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        if scoped:
            document["project"] = user.project_document(self._projects.service_id)
            document["is_domain"] = False
            document["roles"] = [{"id": role, "name": role} for role in user.roles]
            document["catalog"] = catalog.catalog_entries(self._cloud_url, self._projects.service_id, self._region)
        return document

    def _list_projects(self, request: HTTPRequest) -> HTTPResponse:
        # Keystone does not filter by ID, and ignores the argument.
        fields = ("domain_id", "enabled", "name", "parent_id", "is_domain")
        entries = self._after_marker(self._projects.sorted_ids, request, self._projects.find)
        return self._list("projects", entries, request, fields)

    def _list_domains(self, request: HTTPRequest) -> HTTPResponse:
        domains = {domain["id"]: domain for domain in self._projects.domains}
        entries = self._after_marker(sorted(domains), request, domains.get)
        return self._list("domains", entries, request, ("name", "enabled"))

    def _list(self, key: str, entries: Iterator[Any], request: HTTPRequest, fields: Sequence[str]) -> HTTPResponse:
        filtered = (entry for entry in entries if pagination.matches_filters(entry, request, fields))
        try:
            return json_response(pagination.build_page(key, f"{self.url}/v3/{key}", filtered, request, self._limits))
        except ValueError as error:
            raise HTTPError(self.error(400, f"Invalid input for field 'limit': {error}")) from error

    def _after_marker(
        self, sorted_ids: Sequence[str], request: HTTPRequest, find: Callable[[str], Mapping[str, Any] | None]
    ) -> Iterator[Mapping[str, Any]]:
        marker = request.argument("marker")
        if marker and find(marker) is None:
            raise self.not_found(f"Marker {marker} could not be found.")
        first = bisect.bisect_right(sorted_ids, marker) if marker else 0
        entries = (find(sorted_ids[position]) for position in range(first, len(sorted_ids)))
        return (entry for entry in entries if entry is not None)

    def _get_project(self, _: HTTPRequest, project_id: str) -> HTTPResponse:
        return self._get("project", project_id, self._projects.find(project_id))

    def _get_domain(self, _: HTTPRequest, domain_id: str) -> HTTPResponse:
        domain = next((domain for domain in self._projects.domains if domain["id"] == domain_id), None)
        return self._get("domain", domain_id, domain)

    def _get(self, kind: str, identifier: str, entry: Mapping[str, Any] | None) -> HTTPResponse:
        if entry is None:
            raise self.not_found(f"Could not find {kind}: {identifier}.")
        return json_response({kind: {**entry, "links": {"self": f"{self.url}/v3/{kind}s/{identifier}"}}})
