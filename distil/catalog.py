# SPDX-License-Identifier: Apache-2.0
"""Keystone's service catalog: the regions in it."""

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import base

from distil import exceptions

# What :func:`regions` raises if there is no token, and so no catalog.
ERRORS = (ks_exceptions.ClientException, exceptions.ServiceError)


def regions(session: ks_session.Session, interface: str, service_type: str | None = None) -> list[str | None]:
    """The region of each endpoint with an interface, in the catalog's order; none if the session has no catalog.

    :param service_type: of the service whose endpoints are meant; None: of all services.
    """
    if not isinstance(session.auth, base.BaseIdentityPlugin):
        return []
    catalog = session.auth.get_access(session).service_catalog
    found = catalog.get_endpoints_data(service_type=service_type, interface=interface)
    return [endpoint.region_name for endpoints in found.values() for endpoint in endpoints]


def region_hint(
    session: ks_session.Session, interface: str, region: str | None, service_type: str | None = None
) -> str:
    """The regions that there are, if a region is not among them: ``; the catalog has region RegionOne``.

    :param service_type: of the service whose regions are meant; None: of all services.
    """
    if region is None:
        return ""
    try:
        found = sorted(set(filter(None, regions(session, interface, service_type))))
    except ERRORS:
        return ""
    if not found or region in found:
        return ""
    return f"; the catalog has {'region' if len(found) == 1 else 'regions'} {', '.join(found)}"
