# SPDX-License-Identifier: Apache-2.0
"""The program: its options, its exit status, and what its commands share."""

import argparse
import functools
import importlib.metadata
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from cliff import app
from cliff import command
from cliff import commandmanager
from oslo_config import cfg

from distil import conf as configuration
from distil import exceptions
from distil.conf import database
from distil.conf import loader
from distil.conf.collector import CLI_OPTS
from distil.conf.options import TrackedConfigOpts
from distil.db import revision

_NOT_FOUND = 3
_BROKEN_PIPE = 128 + signal.SIGPIPE

_LEVELS = (logging.WARNING, logging.WARNING, logging.INFO, logging.DEBUG)

_EPILOG = (
    "Exit status: 0; 1 where something failed or was found to be wrong; 2 where the command line is wrong; 3 where"
    " something that it names does not exist."
)


def main(argv: Sequence[str] | None = None) -> int:
    """:param argv: arguments after the program's name; None: those of the process.
    :returns: the exit status.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A project may have a name that the locale cannot write, as that of cron jobs.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = Manage().run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except BrokenPipeError:
        status = _BROKEN_PIPE
    if status == _BROKEN_PIPE:
        # The interpreter flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


class Manage(app.App):
    """What every command has."""

    NAME = "distil-manage"
    LOG = logging.getLogger(NAME)

    def __init__(self) -> None:
        super().__init__(
            description="Looks into a site: its configuration, projects, usage, leases and rejected samples.",
            version=importlib.metadata.version("distil"),
            command_manager=_Commands("distil.manage"),
            # So that --help after a command is about that command.
            deferred_help=True,
        )
        self._error: BaseException | None = None

    @functools.cached_property
    def conf(self) -> TrackedConfigOpts:
        """The configuration, as it is read; nothing has looked at its values.

        :raises ConfigurationError: a file cannot be read.
        """
        conf = TrackedConfigOpts()
        configuration.register_opts(conf)
        conf.register_cli_opts(CLI_OPTS)
        arguments = [f"--config-file={path}" for path in self.options.config_file]
        arguments += [f"--config-dir={path}" for path in self.options.config_dir]
        try:
            loader.load(conf, arguments, self.NAME)
        except cfg.Error as error:
            raise exceptions.ConfigurationError(loader.error_lines(error)) from None
        return conf

    @functools.cached_property
    def engine(self) -> sa.Engine:
        """The database, which is at the newest revision.

        :raises ConfigurationError: the configuration names none.
        :raises StoreError: there is no connecting to it, or it is at another revision.
        """
        # A person waits.
        self.conf.set_override("max_retries", 1, group="database")
        self.conf.set_override("retry_interval", 0, group="database")
        engine = database.create_engine(self.conf)
        revision.require_head(engine)
        return engine

    def build_option_parser(
        self, description: str | None, version: str | None, argparse_kwargs: dict[str, Any] | None = None
    ) -> argparse.ArgumentParser:
        own = {"prog": self.NAME, "epilog": _EPILOG, "allow_abbrev": False}
        parser = super().build_option_parser(description, version, own | (argparse_kwargs or {}))
        for option, what in (("file", "a file of configuration"), ("dir", "a directory with files (*.conf) of it")):
            parser.add_argument(
                f"--config-{option}",
                action="append",
                default=[],
                metavar="PATH",
                help=f"{what}; can be repeated, and the last one that sets an option counts",
            )
        return parser

    def configure_logging(self) -> None:
        """What is logged goes to standard error, and to a file where there is to be one; never to the collector's."""
        level = logging.DEBUG if self.options.debug else _LEVELS[min(self.options.verbose_level, len(_LEVELS) - 1)]
        handler = logging.StreamHandler(self.stderr)
        handler.setFormatter(_Lines())
        logging.basicConfig(level=level, handlers=[handler])
        if self.options.log_file:
            try:
                file = logging.FileHandler(self.options.log_file)
            except OSError as error:
                problem = f"the log file {self.options.log_file} cannot be written: {error.strerror}"
                raise exceptions.ConfigurationError([problem]) from error
            file.setFormatter(logging.Formatter(self.LOG_FILE_MESSAGE_FORMAT))
            logging.getLogger().addHandler(file)
        if not self.options.debug:
            # They log, some with a trace, what comes out as an exception.
            for name in ("keystoneauth", "oslo_db.sqlalchemy.engines", "oslo_db.sqlalchemy.exc_filters", "stevedore"):
                logging.getLogger(name).setLevel(logging.CRITICAL)

    def initialize_app(self, argv: list[str]) -> None:
        if not argv and not self.options.deferred_help:
            self.parser.error("it takes a command; --help lists them")

    def run_subcommand(self, argv: list[str]) -> int:
        try:
            self.command_manager.find_command(argv)
        except ValueError:
            known = [name for name, _ in self.command_manager if name.startswith(argv[0])]
            near = ", ".join(sorted(known) or self.get_fuzzy_matches(argv[0]))
            self.parser.error(f"there is no command {' '.join(argv)!r}; the nearest: {near}")
        status = super().run_subcommand(argv)
        return _NOT_FOUND if isinstance(self._error, exceptions.NotFound) else status

    def clean_up(self, cmd: command.Command, result: int, err: BaseException | None) -> None:
        self._error = err
        if "engine" in vars(self):
            self.engine.dispose()


class _Commands(commandmanager.CommandManager):
    """Those of a group of entry points, none of which is imported before it is needed."""

    def load_commands(self, namespace: str) -> None:
        self.group_list.append(namespace)
        found = importlib.metadata.entry_points(group=namespace)
        self.commands |= {entry_point.name.replace("_", " "): entry_point for entry_point in found}


class _Lines(logging.Formatter):
    """Each line says of which program it is: an error may have several problems to tell."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return "\n".join(f"{Manage.NAME}: {line}" for line in record.getMessage().splitlines())
