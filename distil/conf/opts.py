# SPDX-License-Identifier: Apache-2.0
"""For oslo-config-generator."""

from collections.abc import Iterable

from oslo_config import cfg

from distil.conf import collector
from distil.conf import coordination
from distil.conf import keystone_authtoken
from distil.conf import oslo_reports


def list_opts() -> list[tuple[str, Iterable[cfg.Opt]]]:
    """All groups with their options; those of oslo's libraries come from the libraries."""
    return [
        ("DEFAULT", collector.DEFAULT_OPTS),
        (collector.GROUP, collector.OPTS),
        (coordination.GROUP, coordination.OPTS),
        (keystone_authtoken.GROUP, keystone_authtoken.list_opts()),
        (oslo_reports.GROUP, oslo_reports.OPTS),
    ]
