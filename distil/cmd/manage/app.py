# SPDX-License-Identifier: Apache-2.0
"""The program: its options, its exit status, and what the commands share."""

import argparse
import difflib
import functools
import importlib.metadata
import io
import itertools
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

from distil import exceptions
from distil.conf import database
from distil.conf import enabled_collectors
from distil.conf import loader
from distil.conf import registry
from distil.conf.registry import TrackedConfigOpts
from distil.db import revision
from distil.escaping import escape_control
from distil.escaping import escape_lines
from distil.factory.engine import build_engine
from distil.redaction import redact

_STATUS_NOT_FOUND = 3
_STATUS_BROKEN_PIPE = 128 + signal.SIGPIPE

# Of a command: noun and verb.
_MAX_WORDS = 2

# By the number of -v, starting from -q.
_LEVELS = (logging.WARNING, logging.WARNING, logging.INFO, logging.DEBUG)

_EPILOG = (
    "Exit status: 0; 1 if something failed or is invalid; 2 if the command line is invalid; 3 if something that it"
    " names does not exist."
)


def main(argv: Sequence[str] | None = None) -> int:
    """:param argv: arguments without the program name; None: those of the process.
    :returns: the exit status.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The locale, for example that of a cron job, may not be able to encode a project's name.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = Manage().run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except BrokenPipeError:
        status = _STATUS_BROKEN_PIPE
    if status == _STATUS_BROKEN_PIPE:
        # The interpreter flushes again at exit, which would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


class Manage(app.App):
    """The application that every command belongs to."""

    NAME = "distil-manage"
    LOG = logging.getLogger(NAME)

    def __init__(self) -> None:
        super().__init__(
            description="Shows the configuration, projects, usage, leases and rejected samples of an installation.",
            version=importlib.metadata.version("distil"),
            command_manager=_Commands("distil.manage"),
            # --help after a command is about that command.
            deferred_help=True,
        )
        self._error: BaseException | None = None

    @functools.cached_property
    def conf(self) -> TrackedConfigOpts:
        """The configuration as read; its values have not been validated.

        :raises ConfigurationError: a file cannot be read.
        """
        conf = TrackedConfigOpts()
        registry.register_opts(conf)
        conf.register_cli_opts(enabled_collectors.CLI_OPTS)
        arguments = [f"--config-file={path}" for path in self.options.config_file]
        arguments += [f"--config-dir={path}" for path in self.options.config_dir]
        try:
            loader.load(conf, arguments, self.NAME)
        except cfg.Error as error:
            raise exceptions.ConfigurationError(loader.error_lines(error)) from None
        return conf

    @functools.cached_property
    def engine(self) -> sa.Engine:
        """The database, at the newest revision.

        :raises ConfigurationError: no database is configured.
        :raises SchemaError: the database is at another revision.
        :raises StoreError: the connection failed.
        """
        engine = build_engine(database.read(self.conf).without_retries())
        revision.require_head(engine)
        return engine

    def build_option_parser(
        self, description: str | None, version: str | None, argparse_kwargs: dict[str, Any] | None = None
    ) -> argparse.ArgumentParser:
        defaults = {"prog": self.NAME, "epilog": _EPILOG, "allow_abbrev": False}
        parser = super().build_option_parser(description, version, defaults | (argparse_kwargs or {}))
        # cliff's begins with the name of the program, as no other command's does.
        next(action for action in parser._actions if action.dest == "version").version = version  # type: ignore[attr-defined]  # noqa: SLF001
        for option, what in (("file", "configuration file"), ("dir", "directory with configuration files (*.conf)")):
            parser.add_argument(
                f"--config-{option}",
                action="append",
                default=[],
                metavar="PATH",
                help=f"{what}; can be repeated, and later files take precedence",
            )
        return parser

    def configure_logging(self) -> None:
        """Log to standard error and to ``--log-file``; never to the collector's log."""
        level = logging.DEBUG if self.options.debug else _LEVELS[min(self.options.verbose_level, len(_LEVELS) - 1)]
        handler = logging.StreamHandler(self.stderr)
        handler.setFormatter(_PrefixFormatter())
        logging.basicConfig(level=level, handlers=[handler])
        if self.options.log_file:
            try:
                file = logging.FileHandler(self.options.log_file, encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                problem = f"the log file {self.options.log_file} cannot be written: {error.strerror}"
                raise exceptions.ConfigurationError([problem]) from error
            file.setFormatter(_LineFormatter(self.LOG_FILE_MESSAGE_FORMAT))
            logging.getLogger().addHandler(file)
        # What a command says about its result, unless --quiet.
        logging.getLogger("distil.cmd.manage").setLevel(
            min(level, logging.INFO) if self.options.verbose_level else level
        )
        if not self.options.debug:
            # They log errors, some with a traceback, that are raised as well.
            for name in ("keystoneauth", "oslo_db.sqlalchemy.engines", "oslo_db.sqlalchemy.exc_filters", "stevedore"):
                logging.getLogger(name).setLevel(logging.CRITICAL)

    def initialize_app(self, argv: list[str]) -> None:
        if not argv and not self.options.deferred_help:
            self.parser.error("a command is required; --help lists them")

    def run_subcommand(self, argv: list[str]) -> int:
        try:
            self.command_manager.find_command(argv)
        except ValueError:
            words = list(itertools.takewhile(lambda word: not word.startswith("-"), argv[:_MAX_WORDS])) or argv[:1]
            similar = _similar_commands(words, sorted(name for name, _ in self.command_manager))
            hint = f"similar commands: {', '.join(similar)}" if similar else "--help lists the commands"
            self.parser.error(f"unknown command {' '.join(words)!r}; {hint}")
        status = super().run_subcommand(argv)
        return _STATUS_NOT_FOUND if isinstance(self._error, exceptions.NotFound) else status

    def clean_up(self, cmd: command.Command, result: int, err: BaseException | None) -> None:
        self._error = err
        if "engine" in vars(self):
            self.engine.dispose()


def _similar_commands(words: Sequence[str], commands: Sequence[str]) -> Sequence[str]:
    """The commands that may have been meant: those of the noun if there is one so spelt, or else the closest ones."""
    typed = " ".join(words)
    of_noun = [name for name in commands if name.split()[0] == words[0]]
    if not of_noun:
        nouns = difflib.get_close_matches(words[0], {name.split()[0] for name in commands}, n=1)
        of_noun = [name for name in commands if name.split()[0] in nouns or name.split()[-1] == words[0]]
    return difflib.get_close_matches(typed, of_noun, n=3, cutoff=0.8) or of_noun


class _Commands(commandmanager.CommandManager):
    """The commands of an entry-point group, imported when needed."""

    def load_commands(self, namespace: str) -> None:
        self.group_list.append(namespace)
        found = importlib.metadata.entry_points(group=namespace)
        self.commands |= {entry_point.name.replace("_", " "): entry_point for entry_point in found}


class _LineFormatter(logging.Formatter):
    """Writes text from outside so that it stays on its line, and without secrets."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return escape_control(super().formatMessage(record))

    def formatException(self, *arguments: Any) -> str:  # noqa: N802
        return escape_lines(super().formatException(*arguments))

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _PrefixFormatter(_LineFormatter):
    """Prefixes each line with the program name: an error may have several lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return "\n".join(f"{Manage.NAME}: {escape_control(line)}" for line in record.getMessage().splitlines())
