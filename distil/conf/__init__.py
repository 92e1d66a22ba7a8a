# SPDX-License-Identifier: Apache-2.0
"""What an operator can set.

Nothing else looks at a ConfigOpts: the rest is given values.
"""

import contextlib

from oslo_config import cfg
from oslo_service import opts as oslo_service

from distil.conf import collector
from distil.conf import coordination
from distil.conf import database
from distil.conf import keystone_authtoken
from distil.conf import log
from distil.conf import oslo_reports


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of every group."""
    log.register_opts(conf)
    oslo_service.register_service_opts(conf)
    collector.register_opts(conf)
    coordination.register_opts(conf)
    database.register_opts(conf)
    keystone_authtoken.register_opts(conf)
    oslo_reports.register_opts(conf)


def register_named_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of the collectors and of Keystone's plugin that the configuration names, once it is read.

    Where such a name cannot be used, others say so. A command that asks for neither has not registered their groups.
    """
    with contextlib.suppress(cfg.Error):
        if collector.GROUP in conf:
            collector.register_named_opts(conf)
    with contextlib.suppress(cfg.Error):
        if keystone_authtoken.GROUP in conf:
            keystone_authtoken.register_plugin_opts(conf)
