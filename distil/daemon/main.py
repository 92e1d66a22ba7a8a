# SPDX-License-Identifier: Apache-2.0
"""distil-collector: collects usage once an hour, or up to a point in time and no further."""

import datetime
import importlib.metadata
import signal
import sys
from collections.abc import Collection
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log

from distil import conf as configuration
from distil import exceptions
from distil import model
from distil.collector.shutdown import Shutdown
from distil.conf import loader
from distil.conf import log as log_conf
from distil.conf import unknown
from distil.conf import values
from distil.conf.collector import CLI_OPTS
from distil.conf.collector import CollectorOptions
from distil.conf.collector import collector_types
from distil.conf.options import TrackedConfigOpts
from distil.daemon import guru_meditation
from distil.daemon.launcher import launch
from distil.daemon.progress import progress
from distil.daemon.service import CollectorService
from distil.factory import collector
from distil.factory import validation

LOG = log.getLogger(__name__)

_EXPECTED_ERRORS = (cfg.Error, exceptions.DistilError, OSError, UnicodeError)

# Seconds that transactions have to end in after a signal, where there is no service that says how long.
TRANSACTION_TIMEOUT = 60.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the collectors.

    :returns: 0; 1 where the configuration cannot be used, a project could not be brought up to the end time, there is
        none in scope, or graceful_shutdown_timeout cut a process off.
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
        values.require_valid(conf)
        end = _end_time(conf)
        types = collector_types(conf)
        _validate(conf, types, () if end is None else None)
        return _serve(conf, argv, types) if end is None else _collect_once(conf, types, end)
    except _EXPECTED_ERRORS as error:
        problems = loader.error_lines(error)
    return _report_errors(conf, problems)


def _parse(conf: TrackedConfigOpts, argv: Sequence[str] | None) -> None:
    configuration.register_opts(conf)
    conf.register_cli_opts(CLI_OPTS)
    loader.load(conf, argv, "distil-collector")


def _warn_unknown_options(conf: TrackedConfigOpts) -> None:
    for problem in unknown.unknown_options(conf):
        LOG.warning(problem)


def _report_errors(conf: cfg.ConfigOpts, problems: Sequence[str]) -> int:
    in_a_file = conf.log_file or conf.log_dir
    for problem in problems if in_a_file or conf.use_json else ():
        LOG.critical(problem)
    return 1 if conf.use_json and not in_a_file else _print_errors(problems)


def _print_errors(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"distil-collector: {problem}", file=sys.stderr)  # noqa: T201
    return 1


def _validate(
    conf: cfg.ConfigOpts, types: Sequence[CollectorOptions], listening: Collection[tuple[str, int]] | None
) -> None:
    """Look at everything.

    :param listening: the addresses that this process's own exporters have; None where there will be no exporter.
    :raises ConfigurationError: with all problems, each once.
    """
    problems = [
        problem for each in types for _, found in validation.validate_collector(conf, each) for problem in found
    ]
    if listening is not None and not problems:
        problems = [
            problem
            for each in types
            for worker, port in enumerate(each.exporter_ports)
            if (each.exporter_host, port) not in listening
            for problem in validation.validate_exporter_address(conf, each, worker)
        ]
    if problems:
        raise exceptions.ConfigurationError(dict.fromkeys(problems))


def _serve(conf: cfg.ConfigOpts, argv: Sequence[str] | None, types: Sequence[CollectorOptions]) -> int:
    processes = [(each, worker) for each in types for worker in range(each.workers)]
    services = [
        CollectorService(
            collector.CollectorFactory(conf, each, worker), collector.utc_now, f"{each.name} worker {worker}"
        )
        for each, worker in processes
    ]
    running = [(each.name, worker) for each, worker in processes]
    LOG.info("Distil Collector %s starts: %s.", importlib.metadata.version("distil"), ", ".join(x.name for x in types))

    def check() -> None:
        """Look at the files as they are now, beside the configuration in force, and have the log follow them."""
        new = TrackedConfigOpts()
        try:
            _parse(new, argv)
        except cfg.Error as error:
            raise exceptions.ConfigurationError(loader.error_lines(error)) from error
        values.require_valid(new)
        _warn_unknown_options(new)
        new_types = collector_types(new)
        if [(each.name, worker) for each in new_types for worker in range(each.workers)] != running:
            raise exceptions.ConfigurationError(["other collectors or workers than before need a restart"])
        # By the configuration in force, which the last reload may have changed.
        listening = {(each.exporter_host, port) for each in types for port in each.exporter_ports}
        _validate(new, new_types, listening)
        log_conf.reload_logging(new)

    return 0 if launch(conf, services, check) else 1


def _collect_once(conf: cfg.ConfigOpts, types: Sequence[CollectorOptions], end: datetime.datetime) -> int:
    stop = Shutdown()

    def end_early(*_: object) -> None:
        stop.event.set()
        if not stop.in_transaction:
            # Out of whatever this thread waits for; nothing depends on that.
            raise SystemExit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end_early)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    status = 0
    try:
        for each in types:
            status |= _collect_one(conf, each, end, stop)
            if stop.requested:
                return 1
    finally:
        # Threads may be in a transaction, and have leases to give back. Another signal must not keep them from it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        stop.request(TRANSACTION_TIMEOUT)
    return status


def _collect_one(conf: cfg.ConfigOpts, one: CollectorOptions, end: datetime.datetime, stop: Shutdown) -> int:
    try:
        parts = collector.CollectorFactory(conf, one)
        with progress() as display, parts.monitor.run(display):
            result = parts.collector(stop).run(end)
    except exceptions.DistilError as error:
        # It costs the other collectors nothing.
        problems = [f"[{one.group}] {problem}" for problem in loader.error_lines(error)]
    else:
        return int(bool(result.failed) or not result.projects)
    return _report_errors(conf, problems)


def _end_time(conf: cfg.ConfigOpts) -> datetime.datetime | None:
    value = conf.collect_end_time
    if value is None:
        return None
    try:
        end = model.parse_time(value)
    except ValueError as error:
        raise exceptions.ConfigurationError([f"--collect-end-time {value!r} is no ISO 8601 time: {error}"]) from error
    if end > collector.utc_now():
        raise exceptions.ConfigurationError([f"--collect-end-time {value} is not over yet"])
    return end
