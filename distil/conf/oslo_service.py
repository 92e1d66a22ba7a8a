# SPDX-License-Identifier: Apache-2.0
"""oslo.service's option of how long a process may take to stop."""

from oslo_config import cfg

# oslo.service's default.
_DEFAULT_SECONDS = 60.0


def read_graceful_shutdown_timeout(conf: cfg.ConfigOpts) -> float:
    """Seconds; 0: no limit.

    The default if the files became invalid while they were reloaded: a process has to stop nevertheless.
    """
    try:
        return float(conf.graceful_shutdown_timeout)
    except cfg.Error:
        return _DEFAULT_SECONDS
