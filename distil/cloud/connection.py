# SPDX-License-Identifier: Apache-2.0
"""The connection to the cloud, shared by the look-ups and the project list."""

import threading

import openstack.connection
import openstack.proxy
from keystoneauth1 import session as ks_session

from distil import exceptions
from distil.catalog import region_hint


class Connection:
    """A thread-safe openstacksdk connection over a keystoneauth session, opened when it is first used.

    Constructing one sends nothing. It ignores clouds.yaml and OS_* environment variables: only the session counts.

    :param session: authenticated, with the operator's TLS settings and time-outs.
    :param region_name: region of the endpoints in the catalog; None: any.
    :param interface: interface of the endpoints in the catalog (public, internal, admin).
    """

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self.session = session
        self._region_name = region_name
        self._interface = interface
        self._lock = threading.Lock()
        self._connection: openstack.connection.Connection | None = None

    def proxy(self, service: str) -> openstack.proxy.Proxy:
        """openstacksdk's proxy of a service; its first use discovers the endpoint.

        :param service: openstacksdk's name of the service: ``compute``, ``block_storage``, ...
        :raises ServiceError: the catalog has no such endpoint. Other errors are openstacksdk's.
        """
        connection = self._connect()
        proxy = getattr(connection, service)
        if not isinstance(proxy, openstack.proxy.Proxy):
            self._discard(connection)
            region = f" in region {self._region_name}" if self._region_name else ""
            problem = f"the catalog has no {self._interface} endpoint for it{region}{self._hint()}"
            raise exceptions.ServiceError(problem, affects_all=True)
        return proxy

    def _hint(self) -> str:
        """The regions that there are, or why the catalog may be empty.

        The token of an application credential always has a project.
        """
        if self.session.get_project_id():
            return region_hint(self.session, self._interface, self._region_name)
        return "; a token without a project ([keystone_authtoken] project_name) has no catalog"

    def _connect(self) -> openstack.connection.Connection:
        with self._lock:
            if self._connection is None:
                self._connection = openstack.connection.Connection(
                    session=self.session, region_name=self._region_name, interface=self._interface
                )
            return self._connection

    def _discard(self, connection: openstack.connection.Connection) -> None:
        """openstacksdk caches a missing endpoint for ever, but a catalog can be repaired."""
        with self._lock:
            if self._connection is connection:
                self._connection = None
