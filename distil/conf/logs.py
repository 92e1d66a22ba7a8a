# SPDX-License-Identifier: Apache-2.0
"""oslo.log's options, with this project's defaults."""

import logging

from oslo_config import cfg
from oslo_log import log
from oslo_log import rate_limit

from distil import exceptions

_FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(request_id)s %(subject)s] %(message)s"


def set_defaults() -> None:
    """For oslo-config-generator, too."""
    # What it says at INFO is how it found its own backend.
    log.set_defaults(_FORMAT, [*log.get_default_log_levels(), "oslo_service=WARN"])


def register_opts(conf: cfg.ConfigOpts) -> None:
    set_defaults()
    log.register_options(conf)


def set_up(conf: cfg.ConfigOpts) -> None:
    """Have this process's log follow the configuration. Once more, and it opens its file anew.

    :raises ConfigurationError: it cannot; it stays as it was.
    """
    root = logging.getLogger()
    before = list(root.handlers)
    # Else a second one is an error.
    rate_limit.uninstall_filter()
    try:
        log.setup(conf, "distil")
    except (log.LogConfigError, OSError, RuntimeError, TypeError, ValueError) as error:
        root.handlers[:] = before
        raise exceptions.ConfigurationError([_problem(error)]) from error
    for handler in before:
        handler.close()


def _problem(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"the log file {error.filename} cannot be written: {error.strerror}"
    return f"there is no logging as [DEFAULT] says: {error}"
