# SPDX-License-Identifier: Apache-2.0
"""[coordination]: how collectors of the same projects share them out."""

import hashlib
import os
import re
import secrets
import socket

import sqlalchemy as sa
from oslo_config import cfg

from distil import compat
from distil import exceptions
from distil.collector.scope import Scope
from distil.conf import secret
from distil.coordination.leases import LeasePartitioner
from distil.coordination.leases import Partitioner
from distil.db.leases import Leases
from distil.monitoring.metrics import Metrics

GROUP = "coordination"

OPTS = [
    cfg.StrOpt(
        "backend_url",
        secret=True,
        help="Where collectors of one name and scope meet, on one host or several, to share their projects out: a URL "
        "of tooz, like redis://HOST:6379?timeout=10. What the driver takes as its time-out is how long a collector "
        "that died keeps its share. Without a URL, and while the backend is away, leases in the database make sure "
        "that each project is collected by one of them at a time.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def check(conf: cfg.ConfigOpts) -> None:
    """:raises ConfigurationError: the backend's URL cannot be used, as far as it tells without connecting."""
    with secret.redacted(f"[{GROUP}] backend_url"):
        url = conf.coordination.backend_url
    if not url:
        return
    compat.without_eventlet()
    from distil.coordination.membership import backend_url_error  # noqa: PLC0415

    found = backend_url_error(url)
    if found:
        raise exceptions.ConfigurationError([f"[{GROUP}] backend_url: {found}"])


def sharing(conf: cfg.ConfigOpts, engine: sa.Engine, collector: str, scope: Scope, metrics: Metrics) -> Partitioner:
    """How a collector shares its projects with others. Nothing is connected to yet.

    A run up to an end time always goes by leases. It collects whatever nobody else is collecting at the moment:
    members of a ring would leave it the share of those who do a window an hour, and its coming and going would move
    theirs.
    """
    member = _member(collector)
    leases = LeasePartitioner(Leases(engine, member, on_takeover=metrics.leases_taken_over.inc), metrics)
    url = conf.coordination.backend_url
    if not url or conf.collect_end_time is not None:
        return leases
    compat.without_eventlet()
    from distil.coordination.hash_ring import HashRingPartitioner  # noqa: PLC0415
    from distil.coordination.membership import HashRingMember  # noqa: PLC0415

    return HashRingPartitioner(HashRingMember(url, _group(conf, engine, collector, scope), member), leases)


def _member(collector: str) -> str:
    """Names the host, the process, this start of it and the collector."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}:{secrets.token_hex(6)}:{_plain(collector)}"


def _group(conf: cfg.ConfigOpts, engine: sa.Engine, collector: str, scope: Scope) -> str:
    """The same for those who collect the same projects into the same database, and for no others.

    Two who are not meant to be one group and yet were would each leave projects to the other, which never collects
    them.
    """
    scopes = [sorted(entries) for entries in vars(scope).values()]
    target = engine.url.host, engine.url.port, engine.url.database, conf.keystone_authtoken.region_name
    digest = hashlib.sha256(repr((collector, scopes, target)).encode()).hexdigest()
    return f"distil-collector-{_plain(collector)}-{digest[:12]}"


def _plain(name: str) -> str:
    """For the drivers that make a path of it."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:100]
