# SPDX-License-Identifier: Apache-2.0
"""Keystone's service catalog, for messages about what it lacks."""

from keystoneauth1 import exceptions as ks_exceptions
from keystoneauth1 import session as ks_session
from keystoneauth1.identity import base

from distil import exceptions


def region_hint(
    session: ks_session.Session, interface: str, region: str | None, service_type: str | None = None
) -> str:
    """The regions that there are, if a region is not among them: ``; the catalog has region RegionOne``.

    :param service_type: of the service whose regions are meant; None: of all services.
    """
    if region is None or not isinstance(session.auth, base.BaseIdentityPlugin):
        return ""
    try:
        catalog = session.auth.get_access(session).service_catalog
        found = catalog.get_endpoints_data(service_type=service_type, interface=interface)
    except (ks_exceptions.ClientException, exceptions.ServiceError, AttributeError):
        return ""
    regions = {endpoint.region_name for endpoints in found.values() for endpoint in endpoints if endpoint.region_name}
    if not regions or region in regions:
        return ""
    return f"; the catalog has {'region' if len(regions) == 1 else 'regions'} {', '.join(sorted(regions))}"
