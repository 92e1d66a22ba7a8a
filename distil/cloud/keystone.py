# SPDX-License-Identifier: Apache-2.0
"""Projects and domains, as Keystone knows them."""

from collections.abc import Iterable

from distil import exceptions
from distil import model
from distil.cloud import client
from distil.cloud import connection
from distil.cloud import pagination
from distil.cloud import response


class KeystoneProjects:
    """:param page_size: projects or domains asked for in one request; Keystone may answer with smaller pages."""

    def __init__(self, cloud: connection.Connection, page_size: int = 1000) -> None:
        self._identity = client.ServiceClient(cloud, "identity", exceptions.IdentityError)
        self._page_size = page_size

    def enabled(self) -> list[model.Project]:
        """Every enabled project of every domain.

        A disabled domain does not disable its projects: its users get no token, but their instances and volumes stay,
        and so does their usage. To leave such a domain out is for the scope to say.

        :raises IdentityError: there is no answer, or it is not whole.
        """
        found = pagination.list_all(self._identity, "projects", self._page_size, {"enabled": "true"})
        return [_project(entry) for entry in found if _is_enabled_project(entry)]

    def domain_ids(self, entries: Iterable[str]) -> dict[str, str | None]:
        """Each entry, a domain's id or name, with that domain's id; None where there is no such domain.

        An entry that is one domain's id and another's name means the id. Disabled domains are found too.

        :raises IdentityError: there is no answer, or it is not whole.
        """
        wanted = tuple(entries)
        if not wanted:
            return {}
        domains = pagination.list_all(self._identity, "domains", self._page_size, {})
        ids = {domain.required_str("name"): domain.required_str("id") for domain in domains}
        ids |= {domain.required_str("id"): domain.required_str("id") for domain in domains}
        return {entry: ids.get(entry) for entry in wanted}


def _is_enabled_project(entry: response.JSONObject) -> bool:
    return bool(entry.document.get("enabled", True)) and not entry.document.get("is_domain")


def _project(entry: response.JSONObject) -> model.Project:
    def attribute(name: str) -> str | None:
        """Whatever it holds: one odd project must not cost the others their usage."""
        value = entry.document.get(name)
        return None if value is None else str(value)

    return model.Project(
        id=entry.required_str("id"),
        name=attribute("name") or "",
        domain_id=attribute("domain_id") or "",
        description=attribute("description") or "",
        created_on=attribute("created_on"),
    )
