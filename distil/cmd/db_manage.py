# SPDX-License-Identifier: Apache-2.0
"""``distil-db-manage``: brings the database to a revision and says where it stands."""

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
from distil.conf import values
from distil.conf.options import TrackedConfigOpts
from distil.db import migration
from distil.db import revision


def main(argv: Sequence[str] | None = None) -> int:
    """:param argv: arguments after the program's name; None: those of the process.
    :return: the exit status: 0, or 1 with a line on stderr; one for each problem with the configuration.
    """
    conf = TrackedConfigOpts()
    database.register_opts(conf)
    log.register_options(conf)
    # Standard output is for what was asked for.
    conf.set_default("use_stderr", True)
    conf.register_cli_opt(cfg.SubCommandOpt("command", title="commands", handler=_add_commands))
    try:
        loader.load(conf, argv, "distil-db-manage")
        _set_up_logging(conf)
        values.require_valid(conf)
        _run(conf)
    except exceptions.ConfigurationError as error:
        return _give_up(error.problems)
    except (cfg.Error, exceptions.DistilError, log.LogConfigError, OSError, UnicodeError) as error:
        return _give_up([" ".join(loader.error_lines(error))])
    return 0


def _give_up(problems: Iterable[str]) -> int:
    for problem in problems:
        sys.stderr.write(f"distil-db-manage: {' '.join(problem.split())}\n")
    return 1


def _add_commands(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    upgrade = subparsers.add_parser("upgrade", help="go on to a revision")
    upgrade.add_argument("revision", nargs="?", default="head")
    for name, description in (
        ("downgrade", "go back to a revision"),
        ("stamp", "record a revision without going there"),
    ):
        subparsers.add_parser(name, help=description).add_argument("revision")
    subparsers.add_parser("current", help="show the database's revision")
    subparsers.add_parser("history", help="show all revisions, oldest first")
    subparsers.add_parser("check", help="fail unless the tables are those of the newest revision")


def _set_up_logging(conf: TrackedConfigOpts) -> None:
    loader.set_up_logging(conf)
    # It logs, with a traceback, what comes out as an exception and is reported by main().
    logging.getLogger("oslo_db.sqlalchemy.exc_filters").setLevel(logging.ERROR)
    if conf.command.name == "check" and not conf.debug:
        # What Alembic has to say on the way comes out as one answer.
        logging.getLogger("alembic").setLevel(logging.WARNING)


def _run(conf: cfg.ConfigOpts) -> None:
    if conf.command.name == "history":
        for revision, description in migration.history():
            _say(f"{revision}  {description}")
        return
    engine = database.create_engine(conf)
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
            _say(revision.current(engine) or "no revision")
        case "check":
            migration.check(engine)
            _say("the tables are those of the newest revision")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
