# SPDX-License-Identifier: Apache-2.0
"""distil-collector: collects usage once an hour, or up to a point in time and no further."""

import datetime
import functools
import importlib.metadata
import signal
import sys
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log

from distil import conf as configuration
from distil import exceptions
from distil import model
from distil.cmd import wiring
from distil.cmd.progress import progress_bar
from distil.collector.service import CollectorService
from distil.collector.service import launch
from distil.collector.stop import Stop
from distil.conf.collector import CLI_OPTS

LOG = log.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the collector.

    :returns: 0; 1 where the configuration cannot be used or a project could not be brought up to the end time.
    """
    conf = cfg.ConfigOpts()
    configuration.register_opts(conf)
    conf.register_cli_opts(CLI_OPTS)
    try:
        conf(argv, project="distil", prog="distil-collector", version=importlib.metadata.version("distil"))
        log.setup(conf, "distil")
        end = _end_time(conf)
        wiring.check(conf)
        return _serve(conf) if end is None else _collect_until(conf, end)
    except (cfg.Error, exceptions.DistilError) as error:
        problems = str(error).splitlines()
    for problem in problems:
        print(f"distil-collector: {problem}", file=sys.stderr)  # noqa: T201
        if conf.log_file or conf.log_dir:
            LOG.critical(problem)
    return 1


def _serve(conf: cfg.ConfigOpts) -> int:
    metrics = wiring.new_metrics()
    service = CollectorService(
        open_exporter=functools.partial(wiring.exporter, conf, metrics),
        assemble=functools.partial(wiring.collector, conf, metrics),
        interval=datetime.timedelta(seconds=conf.collector.periodic_interval),
        clock=wiring.utc_now,
    )
    launch(conf, service)
    return 0


def _collect_until(conf: cfg.ConfigOpts, end: datetime.datetime) -> int:
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.event.set())
    collector = wiring.collector(conf, wiring.new_metrics(), stop)
    with progress_bar() as progress:
        summary = collector.run(end, progress)
    for project_id in summary.failed:
        LOG.error("Project %s could not be brought up to %s.", project_id, end.isoformat())
    return 1 if summary.failed else 0


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
