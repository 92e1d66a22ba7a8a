# SPDX-License-Identifier: Apache-2.0
"""``distil-db-manage``: upgrades, downgrades and inspects the database schema."""

import argparse
import logging
import sys
from collections.abc import Iterable
from collections.abc import Sequence

import sqlalchemy as sa
from oslo_config import cfg
from oslo_log import log

from distil import exceptions
from distil.conf import database
from distil.conf import loader
from distil.conf import validate
from distil.conf.registry import TrackedConfigOpts
from distil.db import migration
from distil.db import revision
from distil.escaping import escape_control
from distil.factory.engine import build_engine

_PROG = "distil-db-manage"


def main(argv: Sequence[str] | None = None) -> int:
    """:param argv: arguments without the program name; None: those of the process.
    :returns: the exit status: 0, or 1 with a line on standard error, one for each problem with the configuration.
    """
    conf = TrackedConfigOpts()
    database.register_opts(conf)
    log.register_options(conf)
    # Standard output is for the result.
    conf.set_default("use_stderr", True)
    conf.register_cli_opt(cfg.SubCommandOpt("command", title="commands", handler=_add_commands))
    try:
        loader.load(conf, argv, _PROG)
        _set_up_logging(conf)
        validate.require_valid(conf)
        _run(conf)
    except exceptions.ConfigurationError as error:
        return _print_errors(error.problems)
    except (cfg.Error, exceptions.DistilError, log.LogConfigError, OSError, UnicodeError) as error:
        return _print_errors([" ".join(loader.error_lines(error))])
    return 0


def _print_errors(problems: Iterable[str]) -> int:
    for problem in problems:
        sys.stderr.write(f"{_PROG}: {escape_control(' '.join(problem.split()))}\n")
    return 1


def _add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    upgrade = subparsers.add_parser("upgrade", help="upgrade to a revision (head)")
    upgrade.add_argument("revision", nargs="?", default="head")
    for name, description in (
        ("downgrade", "downgrade to a revision"),
        ("stamp", "record a revision without changing tables"),
    ):
        subparsers.add_parser(name, help=description).add_argument("revision")
    subparsers.add_parser("current", help="show the revision of the database")
    subparsers.add_parser("history", help="show all revisions, oldest first")
    subparsers.add_parser("check", help="fail unless the tables match the newest revision")


def _set_up_logging(conf: TrackedConfigOpts) -> None:
    loader.set_up_logging(conf)
    # It logs, with a traceback, errors that are raised as well and reported by main().
    logging.getLogger("oslo_db.sqlalchemy.exc_filters").setLevel(logging.ERROR)
    if conf.command.name == "check" and not conf.debug:
        # Alembic logs each difference; the result is one line.
        logging.getLogger("alembic").setLevel(logging.WARNING)


def _run(conf: cfg.ConfigOpts) -> None:
    if conf.command.name == "history":
        for number, description in migration.history():
            _print(f"{number}  {description}")
        return
    engine = build_engine(database.read(conf), creates=conf.command.name in ("upgrade", "stamp"))
    try:
        _run_on(engine, conf.command)
    finally:
        engine.dispose()


def _run_on(engine: sa.Engine, command: cfg.ConfigOpts.SubCommandAttr) -> None:
    match command.name:
        case "upgrade":
            migration.upgrade(engine, command.revision)
        case "downgrade":
            migration.downgrade(engine, command.revision)
        case "stamp":
            migration.stamp(engine, command.revision)
        case "current":
            _print(revision.current(engine) or "no revision")
        case "check":
            migration.check(engine)
            _print("the tables match the newest revision")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
