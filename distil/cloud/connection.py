# SPDX-License-Identifier: Apache-2.0
"""The connection to the cloud that the look-ups and the list of projects share."""

import threading

import openstack.connection
import openstack.proxy
from keystoneauth1 import session as ks_session

from distil import exceptions


class Connection:
    """openstacksdk over a keystoneauth session, made when it is first needed, for any number of threads.

    Making one sends nothing. It reads no clouds.yaml and no OS_ environment variables: the session says it all.

    :param session: authenticated, with the operator's TLS settings and time-outs.
    :param region_name: region of the catalog's endpoints; None is any.
    :param interface: interface of the catalog's endpoints (public, internal, admin).
    """

    def __init__(self, session: ks_session.Session, region_name: str | None, interface: str) -> None:
        self.session = session
        self._region_name = region_name
        self._interface = interface
        self._lock = threading.Lock()
        self._connection: openstack.connection.Connection | None = None

    def proxy(self, service: str) -> openstack.proxy.Proxy:
        """openstacksdk's proxy of a service; the first time, its endpoint is discovered.

        :param service: openstacksdk's name of it: ``compute``, ``block_storage``, ...
        :raises ServiceError: the catalog has no such endpoint. What else can happen is openstacksdk's.
        """
        connection = self._connect()
        proxy = getattr(connection, service)
        if not isinstance(proxy, openstack.proxy.Proxy):
            self._forget(connection)
            region = f" in region {self._region_name}" if self._region_name else ""
            raise exceptions.ServiceError(
                f"the catalog has no {self._interface} endpoint of it{region}; a token without a project"
                " ([keystone_authtoken] project_name) has no catalog at all"
            )
        return proxy

    def _connect(self) -> openstack.connection.Connection:
        with self._lock:
            if self._connection is None:
                self._connection = openstack.connection.Connection(
                    session=self.session, region_name=self._region_name, interface=self._interface
                )
            return self._connection

    def _forget(self, connection: openstack.connection.Connection) -> None:
        """openstacksdk remembers a missing endpoint for ever; a catalog can be mended."""
        with self._lock:
            if self._connection is connection:
                self._connection = None
