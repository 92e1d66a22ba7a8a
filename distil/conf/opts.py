# SPDX-License-Identifier: Apache-2.0
"""The entry point of oslo-config-generator, apart because nothing else needs it."""

from collections.abc import Iterable

from oslo_config import cfg

from distil.conf import collector
from distil.conf import coordination
from distil.conf import enabled_collectors
from distil.conf import gnocchi
from distil.conf import keystone_authtoken
from distil.conf import oslo_reports
from distil.conf import prometheus


def list_opts() -> list[tuple[str, Iterable[cfg.Opt]]]:
    """This project's options by group. Those of the oslo libraries are listed by the libraries."""
    return [
        ("DEFAULT", enabled_collectors.DEFAULT_OPTS),
        (collector.GROUP, collector.OPTS),
        (coordination.GROUP, coordination.OPTS),
        (gnocchi.GROUP, gnocchi.OPTS),
        (keystone_authtoken.GROUP, keystone_authtoken.all_opts()),
        (oslo_reports.GROUP, oslo_reports.OPTS),
        (prometheus.GROUP, prometheus.OPTS),
    ]
