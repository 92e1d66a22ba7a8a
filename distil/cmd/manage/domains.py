# SPDX-License-Identifier: Apache-2.0
"""Finds the domains that the command line names."""

from collections.abc import Sequence

from distil import exceptions
from distil.cmd.manage.app import Manage
from distil.db import projects


def find_domain_ids(app: Manage, ids_or_names: Sequence[str]) -> list[str]:
    """The ids of domains. Keystone is asked for those that are not the id of a stored project's domain.

    :raises NotFound: there is no such domain.
    :raises ConfigurationError: the connection to Keystone is not configured.
    :raises IdentityError: Keystone gave no usable answer.
    """
    stored = projects.domain_ids(app.engine) if ids_or_names else set()
    names = [text for text in ids_or_names if text not in stored]
    found: dict[str, str | None] = {text: text for text in stored}
    if names:
        # Slow to import, as everything that speaks to the cloud.
        from distil.cloud.keystone import KeystoneProjects  # noqa: PLC0415
        from distil.factory.session import connect  # noqa: PLC0415

        found |= KeystoneProjects(connect(app.conf)).domain_ids(names)
    ids = [found[text] for text in ids_or_names]
    missing = [text for text, domain_id in zip(ids_or_names, ids, strict=True) if domain_id is None]
    if missing:
        raise exceptions.NotFound(f"no domain has the ID or name {', '.join(map(repr, missing))}")
    return [domain_id for domain_id in ids if domain_id is not None]
