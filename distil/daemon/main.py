# SPDX-License-Identifier: Apache-2.0
"""distil-collector: collects usage at an interval, or once up to a given time."""

import datetime
import importlib.metadata
import signal
import sys
from collections.abc import Collection
from collections.abc import Sequence
from typing import NamedTuple

from oslo_config import cfg
from oslo_log import log

from distil import exceptions
from distil import model
from distil.collector.shutdown import Shutdown
from distil.conf import enabled_collectors
from distil.conf import loader
from distil.conf import log as log_conf
from distil.conf import registry
from distil.conf import validate
from distil.conf.collector import CollectorOptions
from distil.conf.registry import TrackedConfigOpts
from distil.daemon import guru_meditation
from distil.daemon.launcher import launch
from distil.daemon.progress import progress
from distil.daemon.service import CollectorService
from distil.escaping import escape_control
from distil.factory import collector
from distil.factory import validation
from distil.monitoring.reload_state import ReloadState

LOG = log.getLogger(__name__)

_PROG = "distil-collector"

_EXPECTED_ERRORS = (cfg.Error, exceptions.DistilError, OSError, UnicodeError)

# For open transactions after a signal, where no service has a configured limit.
_TRANSACTION_TIMEOUT_SECONDS = 60.0


class _Worker(NamedTuple):
    """A collector process: the name of its collector, and its number."""

    collector: str
    number: int


class _Address(NamedTuple):
    """Where an exporter listens."""

    host: str
    port: int


def main(argv: Sequence[str] | None = None) -> int:
    """Run the collectors.

    :param argv: arguments without the program name; None: those of the process.
    :returns: the exit status: 1 for an invalid configuration, a whole window up to the end time that was not collected,
        or a process that was killed while it was stopping; else 0.
    """
    conf = TrackedConfigOpts()
    try:
        _parse(conf, argv)
        loader.set_up_logging(conf)
        guru_meditation.install_guru_meditation(conf)
    except _EXPECTED_ERRORS as error:
        return _print_errors(loader.error_lines(error))
    try:
        _warn_unknown_options(conf)
        validate.require_valid(conf)
        end = _end_time(conf)
        collectors = enabled_collectors.read_collectors(conf)
        _validate(conf, collectors, None if end else ())
        return _collect_once(conf, collectors, end) if end else _serve(conf, argv, collectors)
    except _EXPECTED_ERRORS as error:
        return _report_errors(conf, loader.error_lines(error))


def _parse(conf: TrackedConfigOpts, argv: Sequence[str] | None) -> None:
    registry.register_opts(conf)
    conf.register_cli_opts(enabled_collectors.CLI_OPTS)
    loader.load(conf, argv, _PROG)


def _warn_unknown_options(conf: TrackedConfigOpts) -> None:
    for problem in validate.unknown_options(conf):
        LOG.warning(problem)


def _report_errors(conf: cfg.ConfigOpts, problems: Sequence[str]) -> int:
    """Log the problems if the log is a file or JSON, and print them unless that would mix text into JSON."""
    options = log_conf.read(conf)
    has_file = bool(options.log_file or options.log_dir)
    for problem in problems if has_file or options.use_json else ():
        LOG.critical(problem)
    return 1 if options.use_json and not has_file else _print_errors(problems)


def _print_errors(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"{_PROG}: {escape_control(problem)}", file=sys.stderr)  # noqa: T201
    return 1


def _validate(
    conf: cfg.ConfigOpts, collectors: Sequence[CollectorOptions], own_addresses: Collection[_Address] | None
) -> None:
    """Validate the collectors' options, rules and exporter addresses, and log what may not be meant.

    :param own_addresses: in use by this process's own exporters; None: no exporter will be started.
    :raises ConfigurationError: with all problems, each once.
    """
    results = [result for options in collectors for result in validation.validate_collector(conf, options)]
    for warning in dict.fromkeys(warning for result in results for warning in result.warnings):
        LOG.warning(warning)
    problems = [problem for result in results for problem in result.problems]
    if own_addresses is not None and not problems:
        problems = [
            problem
            for options in collectors
            for worker, address in enumerate(_addresses(options))
            if address not in own_addresses
            for problem in validation.validate_exporter_address(conf, options, worker)
        ]
    if problems:
        raise exceptions.ConfigurationError(dict.fromkeys(problems))


def _addresses(options: CollectorOptions) -> list[_Address]:
    return [_Address(options.exporter_host, port) for port in options.exporter_ports]


def _workers(collectors: Sequence[CollectorOptions]) -> list[_Worker]:
    return [_Worker(options.name, number) for options in collectors for number in range(options.workers)]


class _Reload:
    """Validates the configuration files before a reload.

    :param conf: the configuration in force.
    :param collectors: those that run.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, argv: Sequence[str] | None, collectors: Sequence[CollectorOptions]
    ) -> None:
        self._conf = conf
        self._argv = argv
        self._workers = _workers(collectors)
        self._validated = collectors

    def validate(self) -> None:
        """Validate the files as they are now, and have this process's log follow them.

        :raises ConfigurationError: they cannot be used, or not without a restart.
        """
        new = TrackedConfigOpts()
        try:
            _parse(new, self._argv)
        except cfg.Error as error:
            raise exceptions.ConfigurationError(loader.error_lines(error)) from error
        validate.require_valid(new)
        _warn_unknown_options(new)
        collectors = enabled_collectors.read_collectors(new)
        if _workers(collectors) != self._workers:
            raise exceptions.ConfigurationError(["a change of collectors or workers requires a restart"])
        _validate(new, collectors, [address for options in self._in_force() for address in _addresses(options)])
        log_conf.reload_logging(new)
        self._validated = collectors

    def _in_force(self) -> Sequence[CollectorOptions]:
        """The collectors as they are now: an earlier reload may have changed their options."""
        try:
            return enabled_collectors.read_collectors(self._conf)
        except (cfg.Error, exceptions.ConfigurationError):
            # The files changed between their validation and the reload, which must not prevent the next reload.
            return self._validated


def _serve(conf: cfg.ConfigOpts, argv: Sequence[str] | None, collectors: Sequence[CollectorOptions]) -> int:
    reload_state = ReloadState()
    services = [
        CollectorService(
            collector.CollectorFactory(conf, options, worker, reload_state),
            collector.utc_now,
            f"{options.name} worker {worker}",
        )
        for options in collectors
        for worker in range(options.workers)
    ]
    names = ", ".join(options.name for options in collectors)
    LOG.info("Distil Collector %s starts: %s.", importlib.metadata.version("distil"), names)
    return 0 if launch(conf, services, _Reload(conf, argv, collectors).validate, reload_state) else 1


def _collect_once(conf: cfg.ConfigOpts, collectors: Sequence[CollectorOptions], end: datetime.datetime) -> int:
    shutdown = Shutdown()

    def stop_early(*_: object) -> None:
        shutdown.event.set()
        if not shutdown.in_transaction:
            # Interrupts whatever this thread waits for, which nothing depends on.
            raise SystemExit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_early)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    status = 0
    try:
        for options in collectors:
            status |= _collect_one(conf, options, end, shutdown)
            if shutdown.requested:
                return 1
    finally:
        # Threads may be in a transaction and have to release leases; another signal must not prevent that.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        shutdown.request(_TRANSACTION_TIMEOUT_SECONDS)
    return status


def _collect_one(conf: cfg.ConfigOpts, options: CollectorOptions, end: datetime.datetime, shutdown: Shutdown) -> int:
    try:
        factory = collector.CollectorFactory(conf, options)
        with progress() as display, factory.monitor.run(display):
            result = factory.collector(shutdown).run(end)
    except exceptions.DistilError as error:
        # The other collectors still run.
        return _report_errors(conf, [f"collector {options.name}: {line}" for line in loader.error_lines(error)])
    return int(bool(result.failed or result.missing))


def _end_time(conf: cfg.ConfigOpts) -> datetime.datetime | None:
    value = enabled_collectors.read(conf).collect_end_time
    if value is None:
        return None
    try:
        end = model.parse_time(value)
    except ValueError as error:
        problem = f"--collect-end-time {value!r} is not a valid ISO 8601 time: {error}"
        raise exceptions.ConfigurationError([problem]) from error
    if end > collector.utc_now():
        raise exceptions.ConfigurationError([f"--collect-end-time {value} is in the future"])
    return end
