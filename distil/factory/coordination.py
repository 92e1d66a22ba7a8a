# SPDX-License-Identifier: Apache-2.0
"""From [coordination] to the partitioner, which divides the projects among collectors."""

import hashlib
import re

import sqlalchemy as sa
from oslo_config import cfg

from distil import compat
from distil import exceptions
from distil.collector.scope import Scope
from distil.conf import coordination
from distil.conf import enabled_collectors
from distil.conf import keystone_authtoken
from distil.coordination.leases import LeasePartitioner
from distil.coordination.leases import Partitioner
from distil.db.lease_owner import owner_name
from distil.db.leases import Leases
from distil.monitoring.metrics import Metrics

_MAX_NAME_LENGTH = 100
_DIGEST_LENGTH = 12


def require_usable_backend(conf: cfg.ConfigOpts) -> None:
    """Check the backend's URL without connecting.

    :raises ConfigurationError: the URL cannot be used.
    """
    url = coordination.read(conf).backend_url
    if url is None:
        return
    compat.without_eventlet()
    from distil.coordination.backend import backend_url_error  # noqa: PLC0415

    problem = backend_url_error(url)
    if problem:
        raise exceptions.ConfigurationError([f"[{coordination.GROUP}] backend_url: {problem}"])


def require_backend(conf: cfg.ConfigOpts) -> bool:
    """Connect to the backend. Returns whether there is one with a valid URL.

    :raises CoordinationError: the connection failed.
    """
    url = coordination.read(conf).backend_url
    if url is None:
        return False
    compat.without_eventlet()
    from distil.coordination import backend  # noqa: PLC0415

    if backend.backend_url_error(url):
        # The checks of the configuration report it.
        return False
    backend.require_backend(url)
    return True


def create_partitioner(
    conf: cfg.ConfigOpts, engine: sa.Engine, collector: str, scope: Scope, metrics: Metrics
) -> Partitioner:
    """The partitioner of one collector process. Nothing is connected to yet.

    A run up to an end time always uses leases: it collects whatever no other collector is collecting at the moment. As
    a member of the ring it would leave the others' shares alone and shift them when it joins and leaves.

    :param collector: its name.
    """
    member = owner_name(_path_safe(collector))
    leases = LeasePartitioner(Leases(engine, member, on_takeover=metrics.leases_taken_over.inc), metrics)
    url = coordination.read(conf).backend_url
    if url is None or enabled_collectors.read(conf).collect_end_time is not None:
        return leases
    compat.without_eventlet()
    from distil.coordination.hash_ring import HashRingPartitioner  # noqa: PLC0415
    from distil.coordination.membership import HashRingMember  # noqa: PLC0415

    region_name = keystone_authtoken.read(conf).region_name
    group = _group_name(engine.url, region_name, collector, scope)
    return HashRingPartitioner(HashRingMember(url, group, member), leases)


def _group_name(database: sa.URL, region_name: str | None, collector: str, scope: Scope) -> str:
    """The same name for collectors of the same projects into the same database, and for no others.

    If two collectors shared a group by mistake, each would leave projects to the other, which never collects them.
    """
    scopes = [sorted(entries) for entries in vars(scope).values()]
    target = database.host, database.port, database.database, region_name
    digest = hashlib.sha256(repr((collector, scopes, target)).encode()).hexdigest()
    return f"distil-collector-{_path_safe(collector)}-{digest[:_DIGEST_LENGTH]}"


def _path_safe(name: str) -> str:
    """A name for drivers that use it as a path."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:_MAX_NAME_LENGTH]
