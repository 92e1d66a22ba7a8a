# SPDX-License-Identifier: Apache-2.0
"""``distil-status upgrade check``: checks that collectors can be started with what is installed and configured."""

import collections
import contextlib
import importlib.metadata
import io
import logging
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa
from oslo_config import cfg
from oslo_upgradecheck import upgradecheck
from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from distil import exceptions
from distil.conf import database
from distil.conf import enabled_collectors
from distil.conf import keystone_authtoken
from distil.conf import loader
from distil.conf import registry
from distil.conf import validate
from distil.conf.registry import TrackedConfigOpts
from distil.db import collected_by
from distil.db import leases
from distil.db import schema
from distil.escaping import escape_control
from distil.factory import validation
from distil.factory.engine import build_engine
from distil.factory.validation import ValidationResult
from distil.text import pluralize

_STATUS_UNREADABLE = 255
_STATUS_BROKEN_PIPE = 128 + signal.SIGPIPE

_DETAILS_WIDTH = 60


def main(argv: Sequence[str] | None = None) -> int:
    """:param argv: arguments without the program name; None: those of the process.
    :returns: 0; 1 if a check warns; 2 if one fails; 255 if a file cannot be read.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The locale may not be able to encode the name of a host or a collector.
        sys.stdout.reconfigure(errors="backslashreplace")
    # The rows show what libraries would log.
    logging.disable(logging.ERROR)
    arguments = list(sys.argv[1:] if argv is None else argv)
    default_files = cfg.find_config_files("distil", "distil-collector")
    try:
        status = upgradecheck.main(_CommandLine(), "distil", Commands(arguments), arguments, default_files)
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes again at exit, which would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _STATUS_BROKEN_PIPE
    except (cfg.Error, OSError, UnicodeError) as error:
        for problem in loader.error_lines(error):
            sys.stderr.write(f"distil-status: {escape_control(problem)}\n")
        return _STATUS_UNREADABLE
    return status


class _CommandLine(registry.CommandLine):
    """Adds ``--version``, which oslo.upgradecheck does not."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return super().__call__(*arguments, **{"version": importlib.metadata.version("distil")} | options)


class _Check(NamedTuple):
    """:param find_problems: returns an empty sequence if the check passes.
    :param code: the result if there are problems.
    """

    name: str
    find_problems: Callable[[TrackedConfigOpts], Sequence[str]]
    code: Code


class Commands(upgradecheck.UpgradeCommands):
    """:param argv: names the collector's files."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._upgrade_checks = tuple((check.name, (Commands._result, {"check": check})) for check in _CHECKS)

    def _result(self, check: _Check) -> Result:
        try:
            problems = check.find_problems(self._conf())
        except exceptions.DistilError as error:
            return Result(Code.FAILURE, "\n".join(loader.error_lines(error)))
        except cfg.Error:
            return Result(Code.FAILURE, "Cannot be checked until the configuration is fixed.")
        return Result(check.code, "\n".join(problems)) if problems else Result(Code.SUCCESS)

    def _conf(self) -> TrackedConfigOpts:
        conf = TrackedConfigOpts()
        registry.register_opts(conf)
        conf.register_opts(enabled_collectors.CLI_OPTS)
        return loader.load_files(conf, self._argv, "distil-collector")

    def _get_details(self, upgrade_check_result: Result) -> str | None:
        """Starts each problem on a line of its own."""
        problems = map(escape_control, (upgrade_check_result.details or "").splitlines())
        wrapper = textwrap.TextWrapper(
            _DETAILS_WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        return "\n".join(map(wrapper.fill, problems)) or None


def _invalid_configuration(conf: TrackedConfigOpts) -> Sequence[str]:
    validate.require_valid(conf)
    return _problems(
        result
        for options in enabled_collectors.read_collectors(conf)
        for result in validation.validate_options(conf, options)
    )


def _invalid_rules(conf: TrackedConfigOpts) -> Sequence[str]:
    return _problems(validation.validate_rules(conf, options) for options in enabled_collectors.read_collectors(conf))


def _problems(results: Iterator[ValidationResult]) -> Sequence[str]:
    """Each problem once: collectors share groups and files."""
    return list(dict.fromkeys(problem for result in results for problem in result.problems))


def _wrong_revision(conf: TrackedConfigOpts) -> Sequence[str]:
    with _engine(conf) as engine:
        schema.require_usable(engine)
    return ()


def _other_region(conf: TrackedConfigOpts) -> Sequence[str]:
    """Only if the region is configured, because Keystone is not asked."""
    if validate.invalid_values(conf):
        return ()
    region = keystone_authtoken.read(conf).region_name
    mine = {f"{options.collector_backend}/{region}" for options in enabled_collectors.read_collectors(conf)}
    try:
        with _engine(conf) as engine:
            used = {use.telemetry for use in collected_by.telemetry_in_use(engine) if use.telemetry}
    except exceptions.StoreError:
        # Another check reports it.
        return ()
    if not region or not used or used & mine:
        return ()
    theirs, ours = (", ".join(sorted(names)) for names in (used, mine))
    problem = (
        f"The database has the usage of {theirs}, and the collectors ask {ours}: they do not collect its projects. Use"
        " a database for each region; if only the name has changed, run distil-manage telemetry rename."
    )
    return [problem]


def _abandoned_leases(conf: TrackedConfigOpts) -> Sequence[str]:
    with _engine(conf) as engine:
        counts = collections.Counter((lease.owner, lease.free) for lease in leases.list_abandoned(engine))
    return [_abandoned(owner, count, free) for (owner, free), count in sorted(counts.items())]


def _abandoned(owner: str, count: int, free: bool) -> str:
    if free:
        return f"{owner} holds {pluralize(count, 'lease')} that the next run takes over."
    minutes = leases.LEGACY_LOCK_SECONDS // 60
    return (
        f"{owner} holds {pluralize(count, 'lease')} without expiry, as older collectors do. If that collector runs, "
        f"stop it. Such a lease counts as expired after {minutes} minutes."
    )


@contextlib.contextmanager
def _engine(conf: TrackedConfigOpts) -> Iterator[sa.Engine]:
    engine = build_engine(database.read(conf).without_retries())
    try:
        yield engine
    finally:
        engine.dispose()


_CHECKS = (
    _Check("Configuration", _invalid_configuration, Code.FAILURE),
    _Check("Unknown Options", validate.unknown_options, Code.WARNING),
    _Check("Deprecated Options", validate.deprecated_options, Code.WARNING),
    _Check("Rules", _invalid_rules, Code.FAILURE),
    _Check("Database Revision", _wrong_revision, Code.FAILURE),
    _Check("Region", _other_region, Code.FAILURE),
    _Check("Leases of Dead Owners", _abandoned_leases, Code.WARNING),
)
