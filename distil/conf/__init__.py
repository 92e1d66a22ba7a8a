# SPDX-License-Identifier: Apache-2.0
"""What an operator can set.

Nothing else looks at a ConfigOpts: the rest is given values.
"""

from oslo_config import cfg
from oslo_log import log

from distil.conf import collector
from distil.conf import coordination
from distil.conf import database
from distil.conf import identity


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of every group."""
    log.register_options(conf)
    collector.register_opts(conf)
    coordination.register_opts(conf)
    database.register_opts(conf)
    identity.register_opts(conf)
