# SPDX-License-Identifier: Apache-2.0
"""``distil-status upgrade check``: says whether collectors can be started on what is installed and configured."""

import collections
import contextlib
import importlib.metadata
import logging
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_upgradecheck import upgradecheck
from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from distil import conf as configuration
from distil import exceptions
from distil.conf import database
from distil.conf import loader
from distil.conf import unknown
from distil.conf import values
from distil.conf.collector import CLI_OPTS
from distil.conf.collector import CollectorOptions
from distil.conf.collector import collector_types
from distil.conf.options import TrackedConfigOpts
from distil.db import leases
from distil.db import revision
from distil.factory import validation

_NO_ANSWER = 255
_BROKEN_PIPE = 128 + signal.SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """:returns: 0; 1 where a check warns; 2 where one fails; 255 where the files cannot be read."""
    # The rows say what libraries would log.
    logging.disable(logging.ERROR)
    arguments = list(sys.argv[1:] if argv is None else argv)
    own = cfg.find_config_files("distil", "distil-collector")
    try:
        status = upgradecheck.main(_CommandLine(), "distil", Commands(arguments), arguments, own)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (cfg.Error, OSError, UnicodeError) as error:
        for problem in loader.error_lines(error):
            sys.stderr.write(f"distil-status: {problem}\n")
        return _NO_ANSWER
    return status


class _CommandLine(cfg.ConfigOpts):
    """With a version, which oslo.upgradecheck names none of."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return super().__call__(*arguments, **{"version": importlib.metadata.version("distil")} | options)


class Commands(upgradecheck.UpgradeCommands):
    """:param argv: names the files of the collector."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._upgrade_checks = tuple(
            (name, (Commands._row, {"look": look, "code": code})) for name, look, code in _CHECKS
        )

    def _row(self, look: Callable[[TrackedConfigOpts], Sequence[str]], code: Code) -> Result:
        try:
            problems = look(self._conf())
        except exceptions.DistilError as error:
            return Result(Code.FAILURE, "\n".join(loader.error_lines(error)))
        except cfg.Error:
            return Result(Code.FAILURE, "This cannot be looked at before the configuration is mended.")
        return Result(code, "\n".join(problems)) if problems else Result(Code.SUCCESS)

    def _conf(self) -> TrackedConfigOpts:
        options = TrackedConfigOpts()
        configuration.register_opts(options)
        options.register_opts(CLI_OPTS)
        return loader.load_files(options, self._argv, "distil-collector")

    def _get_details(self, upgrade_check_result: Result) -> str | None:
        """Each problem from the beginning of a line."""
        problems = (upgrade_check_result.details or "").splitlines()
        wrapper = textwrap.TextWrapper(60, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        return "\n".join(map(wrapper.fill, problems)) or None


def _configuration(conf: TrackedConfigOpts) -> Sequence[str]:
    values.require_valid(conf)
    return _of_all_collectors(conf, validation.validate_options)


def _rules(conf: TrackedConfigOpts) -> Sequence[str]:
    return _of_all_collectors(conf, lambda *its: [validation.validate_rules(*its)])


def _of_all_collectors(
    conf: TrackedConfigOpts, check: Callable[[TrackedConfigOpts, CollectorOptions], list[validation.Checked]]
) -> Sequence[str]:
    found = [problem for each in collector_types(conf) for _, problems in check(conf, each) for problem in problems]
    return list(dict.fromkeys(found))


def _revision(conf: TrackedConfigOpts) -> Sequence[str]:
    with _engine(conf) as engine:
        revision.require_head(engine)
    return ()


def _leases(conf: TrackedConfigOpts) -> Sequence[str]:
    with _engine(conf) as engine:
        found = collections.Counter((each.owner, each.expired) for each in leases.list_abandoned(engine))
    advice = {
        True: "that have expired: the next run takes them over.",
        False: "without an end, as older collectors do: if that one runs, stop it. They count as expired "
        f"{leases.LEGACY_LOCK_SECONDS // 60} minutes after they were taken.",
    }
    return [f"{owner} holds {count} {advice[expired]}" for (owner, expired), count in sorted(found.items())]


@contextlib.contextmanager
def _engine(conf: TrackedConfigOpts) -> Iterator[sa.Engine]:
    engine = database.create_engine(conf, max_retries=1, retry_interval=0)
    try:
        yield engine
    finally:
        engine.dispose()


_CHECKS: tuple[tuple[str, Callable[[TrackedConfigOpts], Sequence[str]], Code], ...] = (
    ("Configuration", _configuration, Code.FAILURE),
    ("Unknown Options", unknown.unknown_options, Code.WARNING),
    ("Deprecated Options", unknown.deprecated_options, Code.WARNING),
    ("Rules", _rules, Code.FAILURE),
    ("Database Revision", _revision, Code.FAILURE),
    ("Leases of Dead Owners", _leases, Code.WARNING),
)
