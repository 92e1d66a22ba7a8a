# SPDX-License-Identifier: Apache-2.0
"""Whether the resources of all projects are visible. To a user without the right role, a cloud looks empty."""

from distil import exceptions
from distil.telemetry.gnocchi import client

_ROLES = "the user of [keystone_authtoken] needs the role admin or service"


def require_visible_resources(gnocchi: client.GnocchiClient) -> None:
    """Find a resource of another project than the session's.

    :raises TelemetryError: there is no usable answer, or no such resource is visible.
    """
    own = gnocchi.session_project_id()
    if own is not None and gnocchi.has_resource({"!=": {"project_id": own}}, "any resource of others"):
        return
    if not gnocchi.has_resource({}, "any resource"):
        reason = (
            f"Gnocchi shows no resource of any project: {_ROLES}, Ceilometer must publish to this Gnocchi, and"
            " [gnocchi] creators, unless it is empty, must name Ceilometer's user"
        )
        raise exceptions.TelemetryError(reason, affects_all=True)
    # Who may ask for the status is an administrator, who sees everything.
    if own is not None and gnocchi.backlog() is None:
        reason = f"Gnocchi shows resources of the project {own} of the user only: {_ROLES}"
        raise exceptions.TelemetryError(reason, affects_all=True)
