# SPDX-License-Identifier: Apache-2.0
"""oslo.log's options with this project's defaults, and the set-up of logging from them."""

import contextlib
import dataclasses
import errno
import logging
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

from oslo_config import cfg
from oslo_log import formatters
from oslo_log import log
from oslo_log import rate_limit

from distil import exceptions
from distil.conf.log_formatters import JSONFormatter
from distil.conf.log_formatters import TextFormatter
from distil.conf.log_handler import ResilientHandler

_FORMAT = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(request_id)s %(subject)s] %(message)s"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogOptions:
    """The values of oslo.log's options that are read here, by option name."""

    log_config_append: str | None
    log_date_format: str
    log_dir: str | None
    log_file: str | None
    use_json: bool

    def path(self, prog: str) -> pathlib.Path | None:
        """The log file; None if there is none, or an a logging configuration file defines it.

        :param prog: the program that the file is named after if only a directory is configured.
        """
        name = self.log_file or (self.log_dir and f"{prog}.log")
        if self.log_config_append or not name:
            return None
        return pathlib.Path(self.log_dir or "", name)


class LogErrors(NamedTuple):
    """:ivar number: number of records that could not be written.
    :ivar problem: why the last record could not be written; None if it was.
    """

    number: int
    problem: str | None


def set_defaults() -> None:
    """Set oslo.log's defaults, also for oslo-config-generator."""
    # At INFO, oslo.service logs how it chose its backend. At WARNING, oslo.db logs, with a traceback, errors that are
    # raised as well.
    levels = [*log.get_default_log_levels(), "oslo_service=WARN", "oslo_db.sqlalchemy.exc_filters=ERROR"]
    # So does keystoneauth where Keystone does not respond.
    levels.append("keystoneauth.identity.generic.base=ERROR")
    log.set_defaults(_FORMAT, levels)


def register_opts(conf: cfg.ConfigOpts) -> None:
    set_defaults()
    log.register_options(conf)


def read(conf: cfg.ConfigOpts) -> LogOptions:
    return LogOptions(**{field.name: conf[field.name] for field in dataclasses.fields(LogOptions)})


def reload_logging(conf: cfg.ConfigOpts) -> None:
    """Configure this process's logging, again if need be; the log file is reopened.

    :raises ConfigurationError: logging cannot be configured so; the previous configuration stays in force.
    """
    root = logging.getLogger()
    previous = list(root.handlers)
    # oslo.log refuses to install a second one.
    rate_limit.uninstall_filter()
    try:
        with _log_file_named_after_program(conf):
            log.setup(conf, "distil")
    except (log.LogConfigError, OSError, RuntimeError, TypeError, ValueError) as error:
        root.handlers[:] = previous
        raise exceptions.ConfigurationError([_problem(error)]) from error
    for handler in previous:
        handler.close()
    _set_formatters(root, conf)
    root.handlers[:] = [ResilientHandler(handler) for handler in root.handlers]


def log_errors() -> LogErrors:
    """The state of this process's log since it was configured last."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, ResilientHandler)]
    problem = next((handler.problem for handler in handlers if handler.problem), None)
    return LogErrors(sum(handler.errors for handler in handlers), problem)


def problems() -> list[str]:
    """What is wrong with this process's log at the moment, for operators."""
    errors = log_errors()
    if errors.problem is None:
        return []
    return [f"The log cannot be written: {errors.problem}. Records lost so far: {errors.number}."]


def require_writable_log(conf: cfg.ConfigOpts) -> None:
    """Check a collector's log file without opening it, which would create it with this user as its owner.

    :raises ConfigurationError: this process's user cannot write it.
    """
    path = read(conf).path("distil-collector")
    if path is None:
        return
    try:
        _require_writable(path)
    except OSError as error:
        raise exceptions.ConfigurationError([_problem(error)]) from error


def _set_formatters(root: logging.Logger, conf: cfg.ConfigOpts) -> None:
    options = read(conf)
    if options.log_config_append:
        _replace_oslo_formatters(root)
        return
    for handler in root.handlers:
        handler.setFormatter(
            JSONFormatter(datefmt=options.log_date_format)
            if options.use_json
            else TextFormatter(project="distil", datefmt=options.log_date_format, config=conf)
        )


def _replace_oslo_formatters(root: logging.Logger) -> None:
    """Replace the formatters of oslo.log that a logging configuration file names, and leave all others."""
    loggers = [root, *(logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger))]
    for handler in (handler for logger in loggers for handler in logger.handlers):
        formatter = handler.formatter
        if type(formatter) is formatters.JSONFormatter:
            handler.setFormatter(JSONFormatter(datefmt=formatter.datefmt))
        elif type(formatter) is formatters.ContextFormatter:
            handler.setFormatter(
                TextFormatter(
                    datefmt=formatter.datefmt,
                    project=formatter.project,
                    version=formatter.version,
                    config=formatter.conf,
                )
            )


@contextlib.contextmanager
def _log_file_named_after_program(conf: cfg.ConfigOpts) -> Iterator[None]:
    """If only log_dir is set, use one file for all processes; oslo.log names it after the command that was started."""
    options = read(conf)
    if not options.log_dir or options.log_file:
        yield
        return
    conf.set_override("log_file", f"{conf.prog}.log")
    try:
        yield
    finally:
        conf.clear_override("log_file")


def _require_writable(path: pathlib.Path) -> None:
    written = path if path.exists() else path.parent
    for is_wrong, number in (
        (path.is_dir(), errno.EISDIR),
        (not path.parent.is_dir(), errno.ENOENT),
        (not os.access(written, os.W_OK), errno.EACCES),
    ):
        if is_wrong:
            raise OSError(number, os.strerror(number), str(path))


def _problem(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"the log file {error.filename} cannot be written: {error.strerror}"
    return f"logging cannot be configured from [DEFAULT]: {error}"
