# SPDX-License-Identifier: Apache-2.0
"""Keystone's projects and domains."""

from collections.abc import Iterable
from collections.abc import Mapping

from distil import exceptions
from distil import model
from distil.cloud import client
from distil.cloud import connection
from distil.cloud import pagination
from distil.cloud import response


class KeystoneProjects:
    """Lists projects and domains.

    :param page_size: projects or domains requested at once; Keystone may return smaller pages.
    """

    def __init__(self, cloud: connection.Connection, page_size: int = 1000) -> None:
        self._identity = client.ServiceClient(cloud, "identity", exceptions.IdentityError)
        self._page_size = page_size

    def enabled(self) -> list[model.Project]:
        """Every enabled project of every domain.

        Projects of a disabled domain are included: its users get no token, but their instances and volumes remain, and
        so does their usage. The collector's scope can exclude such a domain.

        :raises IdentityError: Keystone gave no usable answer, or an incomplete one.
        """
        entries = self._list("projects", {"enabled": "true"})
        return [_project(entry) for entry in entries if _is_enabled_project(entry)]

    def disabled_ids(self) -> set[str]:
        """The ids of all disabled projects.

        :raises IdentityError: Keystone gave no usable answer, or an incomplete one.
        """
        entries = self._list("projects", {"enabled": "false"})
        return {entry.required_str("id") for entry in entries if not entry.document.get("enabled", True)}

    def ids(self) -> set[str]:
        """The ids of all projects, enabled or not.

        :raises IdentityError: Keystone gave no usable answer, or an incomplete one.
        """
        return {project.required_str("id") for project in self._list("projects", {})}

    def domain_ids(self, entries: Iterable[str]) -> dict[str, str | None]:
        """The domain id for each id or name of a domain; None if the domain does not exist.

        An entry that is one domain's id and another domain's name stands for the id. Disabled domains are included.

        :raises IdentityError: Keystone gave no usable answer, or an incomplete one.
        """
        ids_or_names = tuple(entries)
        if not ids_or_names:
            return {}
        domains = self._list("domains", {})
        ids = {domain.required_str("name"): domain.required_str("id") for domain in domains}
        ids |= {domain.required_str("id"): domain.required_str("id") for domain in domains}
        return {id_or_name: ids.get(id_or_name) for id_or_name in ids_or_names}

    def domain_names(self) -> dict[str, str]:
        """The name of every domain, by its id.

        :raises IdentityError: Keystone gave no usable answer, or an incomplete one.
        """
        return {domain.required_str("id"): domain.required_str("name") for domain in self._list("domains", {})}

    def _list(self, collection: str, filters: Mapping[str, str]) -> list[response.JSONObject]:
        params = {**filters, "limit": str(self._page_size)}
        return pagination.list_all(self._identity, collection, collection, params)


def _is_enabled_project(entry: response.JSONObject) -> bool:
    return bool(entry.document.get("enabled", True)) and not entry.document.get("is_domain")


def _project(entry: response.JSONObject) -> model.Project:
    def attribute(name: str) -> str | None:
        """Any value as text: one malformed project must not cost the others their usage."""
        value = entry.document.get(name)
        return None if value is None else str(value)

    return model.Project(
        id=entry.required_str("id"),
        name=attribute("name") or "",
        domain_id=attribute("domain_id") or "",
        description=attribute("description") or "",
        created_on=attribute("created_on"),
    )
