# SPDX-License-Identifier: Apache-2.0
"""[DEFAULT] and the command line: which collectors run, and up to what time."""

import collections
import dataclasses
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Sequence

from oslo_config import cfg

from distil import exceptions
from distil.conf import collector
from distil.conf.collector import CollectorOptions

_MAX_PORT = 65535

DEFAULT_OPTS = [
    cfg.ListOpt(
        "enabled_collectors",
        default=[],
        help="Names of collectors. Each has its own processes and the options of its group [collector:NAME], which are "
        "those of [collector] and default to the values there. If empty, there is one collector, from [collector].",
    ),
]

CLI_OPTS = [
    cfg.StrOpt(
        "collector",
        dest="chosen_collector",
        metavar="NAME",
        help="Run only this one of the enabled collectors.",
    ),
    cfg.StrOpt(
        "collect-end-time",
        metavar="TIME",
        help="Collect every project in scope up to this time (ISO 8601, UTC by default), in as many windows as needed, "
        "and exit: with status 0, or 1 if a project could not be collected up to it.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessOptions:
    """The options of the process as a whole.

    :param chosen_collector: of ``--collector``.
    :param collect_end_time: of ``--collect-end-time``, as written.
    """

    enabled_collectors: tuple[str, ...]
    chosen_collector: str | None
    collect_end_time: str | None


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(DEFAULT_OPTS)


def read(conf: cfg.ConfigOpts) -> ProcessOptions:
    return ProcessOptions(
        enabled_collectors=tuple(conf.enabled_collectors),
        chosen_collector=conf.chosen_collector,
        collect_end_time=conf.collect_end_time,
    )


def read_collectors(conf: cfg.ConfigOpts) -> list[CollectorOptions]:
    """Read the options of the collectors to run.

    :raises ConfigurationError: the collectors cannot run side by side, or the one that the command line names is not
        enabled.
    """
    process = read(conf)
    _raise_problems(_name_problems(process, conf.list_all_sections()))
    collector.register_named_opts(conf, process.enabled_collectors)
    groups = [f"{collector.GROUP}:{name}" for name in process.enabled_collectors] or [collector.GROUP]
    collectors = [collector.read(conf, group) for group in groups]
    _raise_problems(_port_problems([port for options in collectors for port in options.exporter_ports if port]))
    return [options for options in collectors if process.chosen_collector in (None, options.name)]


def _name_problems(process: ProcessOptions, sections: Iterable[str]) -> list[str]:
    names, chosen = process.enabled_collectors, process.chosen_collector
    prefix = "[DEFAULT] enabled_collectors"
    problems = [
        f"{prefix}: no group [{collector.GROUP}:{name}] in the configuration files"
        for name in names
        if f"{collector.GROUP}:{name}" not in sections
    ]
    problems += [f"{prefix}: duplicate name {name}" for name in _repeated(names)]
    if chosen is not None and chosen not in names:
        problems.append(f"--collector {chosen} is not in {prefix} ({', '.join(names) or 'empty'})")
    return problems


def _port_problems(ports: Sequence[int]) -> list[str]:
    problems = [f"exporter_port: {port} is used by more than one collector or worker" for port in _repeated(ports)]
    problems += [f"exporter_port: worker port {port} exceeds {_MAX_PORT}" for port in ports if port > _MAX_PORT]
    return problems


def _raise_problems(problems: Sequence[str]) -> None:
    if problems:
        raise exceptions.ConfigurationError(problems)


def _repeated(values: Iterable[Hashable]) -> list[Hashable]:
    return [value for value, count in collections.Counter(values).items() if count > 1]
