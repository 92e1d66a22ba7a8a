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
from distil.cmd import checking
from distil.cmd import reading
from distil.cmd import report
from distil.cmd import wiring
from distil.cmd.progress import progress
from distil.collector.launcher import launch
from distil.collector.service import CollectorService
from distil.collector.stop import Stop
from distil.conf import logs
from distil.conf import unknown
from distil.conf import values
from distil.conf.collector import CLI_OPTS
from distil.conf.collector import CollectorType
from distil.conf.collector import collector_types
from distil.conf.options import Options

LOG = log.getLogger(__name__)

_PROBLEMS = (cfg.Error, exceptions.DistilError, OSError, UnicodeError)

# Seconds that transactions have to end in after a signal, where there is no service that says how long.
_PATIENCE = 60.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the collectors.

    :returns: 0; 1 where the configuration cannot be used, a project could not be brought up to the end time, there is
        none in scope, or graceful_shutdown_timeout cut a process off.
    """
    conf = Options()
    try:
        _parse(conf, argv)
        reading.set_up_logging(conf)
        report.on_sigusr2(conf)
    except _PROBLEMS as error:
        return _say(reading.problems(error))
    try:
        _warn(conf)
        values.check(conf)
        end = _end_time(conf)
        types = collector_types(conf)
        _check(conf, types, () if end is None else None)
        return _serve(conf, argv, types) if end is None else _collect_until(conf, types, end)
    except _PROBLEMS as error:
        problems = reading.problems(error)
    return _give_up(conf, problems)


def _parse(conf: Options, argv: Sequence[str] | None) -> None:
    configuration.register_opts(conf)
    conf.register_cli_opts(CLI_OPTS)
    reading.read(conf, argv, "distil-collector")


def _warn(conf: Options) -> None:
    for problem in unknown.problems(conf):
        LOG.warning(problem)


def _give_up(conf: cfg.ConfigOpts, problems: Sequence[str]) -> int:
    in_a_file = conf.log_file or conf.log_dir
    for problem in problems if in_a_file or conf.use_json else ():
        LOG.critical(problem)
    return 1 if conf.use_json and not in_a_file else _say(problems)


def _say(problems: Sequence[str]) -> int:
    for problem in problems:
        print(f"distil-collector: {problem}", file=sys.stderr)  # noqa: T201
    return 1


def _check(conf: cfg.ConfigOpts, types: Sequence[CollectorType], listening: Collection[tuple[str, int]] | None) -> None:
    """Look at everything.

    :param listening: the addresses that this process's own exporters have; None where there will be no exporter.
    :raises ConfigurationError: with all problems, each once.
    """
    problems = [problem for each in types for _, found in checking.everything(conf, each) for problem in found]
    if listening is not None and not problems:
        problems = [
            problem
            for each in types
            for worker, port in enumerate(each.exporter_ports)
            if (each.exporter_host, port) not in listening
            for problem in checking.exporter(conf, each, worker)
        ]
    if problems:
        raise exceptions.ConfigurationError(dict.fromkeys(problems))


def _serve(conf: cfg.ConfigOpts, argv: Sequence[str] | None, types: Sequence[CollectorType]) -> int:
    processes = [(each, worker) for each in types for worker in range(each.workers)]
    services = [
        CollectorService(wiring.Wiring(conf, each, worker), wiring.utc_now, f"{each.name} worker {worker}")
        for each, worker in processes
    ]
    running = [(each.name, worker) for each, worker in processes]
    LOG.info("Distil Collector %s starts: %s.", importlib.metadata.version("distil"), ", ".join(x.name for x in types))

    def check() -> None:
        """Look at the files as they are now, beside the configuration in force, and have the log follow them."""
        new = Options()
        try:
            _parse(new, argv)
        except cfg.Error as error:
            raise exceptions.ConfigurationError(reading.problems(error)) from error
        values.check(new)
        _warn(new)
        new_types = collector_types(new)
        if [(each.name, worker) for each in new_types for worker in range(each.workers)] != running:
            raise exceptions.ConfigurationError(["other collectors or workers than before need a restart"])
        # By the configuration in force, which the last reload may have changed.
        listening = {(each.exporter_host, port) for each in types for port in each.exporter_ports}
        _check(new, new_types, listening)
        logs.set_up(new)

    return 0 if launch(conf, services, check) else 1


def _collect_until(conf: cfg.ConfigOpts, types: Sequence[CollectorType], end: datetime.datetime) -> int:
    stop = Stop()

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
            status |= _collect_one_until(conf, each, end, stop)
            if stop.requested:
                return 1
    finally:
        # Threads may be in a transaction, and have leases to give back. Another signal must not keep them from it.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        stop.request(_PATIENCE)
    return status


def _collect_one_until(conf: cfg.ConfigOpts, one: CollectorType, end: datetime.datetime, stop: Stop) -> int:
    try:
        parts = wiring.Wiring(conf, one)
        with progress() as watcher, parts.recorder().run(watcher) as record:
            summary = parts.collector(stop).run(record, end)
    except exceptions.DistilError as error:
        # It costs the other collectors nothing.
        problems = [f"[{one.group}] {problem}" for problem in reading.problems(error)]
    else:
        return int(bool(summary.failed) or not summary.projects)
    return _give_up(conf, problems)


def _end_time(conf: cfg.ConfigOpts) -> datetime.datetime | None:
    value = conf.collect_end_time
    if value is None:
        return None
    try:
        end = model.parse_time(value)
    except ValueError as error:
        raise exceptions.ConfigurationError([f"--collect-end-time {value!r} is no ISO 8601 time: {error}"]) from error
    if end > wiring.utc_now():
        raise exceptions.ConfigurationError([f"--collect-end-time {value} is not over yet"])
    return end
