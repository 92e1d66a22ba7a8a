# SPDX-License-Identifier: Apache-2.0
"""oslo.log's options, with this project's defaults."""

import contextlib
import errno
import logging
import os
import pathlib
from collections.abc import Iterator

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


def reload_logging(conf: cfg.ConfigOpts) -> None:
    """Have this process's log follow the configuration. Once more, and it opens its file anew.

    :raises ConfigurationError: it cannot; it stays as it was.
    """
    root = logging.getLogger()
    before = list(root.handlers)
    # Else a second one is an error.
    rate_limit.uninstall_filter()
    try:
        with _named(conf):
            log.setup(conf, "distil")
    except (log.LogConfigError, OSError, RuntimeError, TypeError, ValueError) as error:
        root.handlers[:] = before
        raise exceptions.ConfigurationError([_problem(error)]) from error
    for handler in before:
        handler.close()
    for handler in root.handlers:
        _guard(handler)


@contextlib.contextmanager
def _named(conf: cfg.ConfigOpts) -> Iterator[None]:
    """In log_dir alone, have one file for the program. oslo.log would name it after what a process begins with."""
    if not conf.log_dir or conf.log_file:
        yield
        return
    conf.set_override("log_file", f"{conf.prog}.log")
    try:
        yield
    finally:
        conf.clear_override("log_file")


def _guard(handler: logging.Handler) -> None:
    """Have a file that cannot be opened anew cost its lines, which go to standard error, and not whoever writes them.

    A handler that watches its file lets that error out of every line.
    """
    emit = handler.emit

    def guarded(record: logging.LogRecord) -> None:
        try:
            emit(record)
        except OSError:
            handler.handleError(record)

    handler.emit = guarded  # type: ignore[method-assign]


def require_writable_log(conf: cfg.ConfigOpts) -> None:
    """Look at a collector's log file without opening it: who looks is not always who is to own it.

    :raises ConfigurationError: this process's user cannot write it.
    """
    name = conf.log_file or (conf.log_dir and "distil-collector.log")
    if conf.log_config_append or not name:
        return
    try:
        _require_writable(pathlib.Path(conf.log_dir or "", name))
    except OSError as error:
        raise exceptions.ConfigurationError([_problem(error)]) from error


def _require_writable(path: pathlib.Path) -> None:
    written = path if path.exists() else path.parent
    for wrong, number in (
        (path.is_dir(), errno.EISDIR),
        (not path.parent.is_dir(), errno.ENOENT),
        (not os.access(written, os.W_OK), errno.EACCES),
    ):
        if wrong:
            raise OSError(number, os.strerror(number), str(path))


def _problem(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"the log file {error.filename} cannot be written: {error.strerror}"
    return f"there is no logging as [DEFAULT] says: {error}"
