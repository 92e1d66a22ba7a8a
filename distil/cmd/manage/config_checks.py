# SPDX-License-Identifier: Apache-2.0
"""Checks of a configuration that need no service."""

import collections
import contextlib
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

from distil import exceptions
from distil.conf import config_files
from distil.conf import enabled_collectors
from distil.conf import telemetry_drivers
from distil.conf import validate
from distil.conf.collector import CollectorOptions
from distil.conf.registry import TrackedConfigOpts
from distil.factory import validation
from distil.factory.collector import CollectorFactory
from distil.factory.validation import ValidationResult
from distil.telemetry.driver import Guarantee
from distil.telemetry.driver import TelemetryDriver

OK = "ok"
WARNING = "warning"
ERROR = "error"


_ANY_HOST = ("0.0.0.0", "::")  # noqa: S104 - compared with


class Finding(NamedTuple):
    """:param check: what was checked.
    :param status: OK, WARNING or ERROR.
    """

    check: str
    status: str
    detail: str


def errors(check: str, problems: Iterable[str]) -> Iterator[Finding]:
    return (Finding(check, ERROR, problem) for problem in problems)


def configuration(conf: TrackedConfigOpts) -> Generator[Finding, None, Sequence[CollectorOptions]]:
    """Check files, options and rules.

    :returns: the collectors; empty if their options cannot be read.
    """
    files, missing = config_files.paths(conf.config_file, conf.config_dir), config_files.none_found(conf)
    # Not an error: environment variables may set every option.
    yield Finding("configuration files", WARNING if missing else OK, missing or ", ".join(map(str, files)))
    yield from _options(conf)
    if validate.invalid_values(conf):
        return ()
    try:
        collectors = enabled_collectors.read_collectors(conf)
    except exceptions.ConfigurationError as error:
        yield from errors("collectors", error.problems)
        return ()
    yield Finding("collectors", OK, ", ".join(options.name for options in collectors))
    yield from _collectors(conf, collectors)
    return collectors


def _options(conf: TrackedConfigOpts) -> Iterator[Finding]:
    invalid = validate.invalid_values(conf)
    yield from errors("options", invalid)
    questionable = [*validate.unknown_options(conf), *validate.deprecated_options(conf)]
    yield from (Finding("options", WARNING, problem) for problem in questionable)
    if not invalid and not questionable:
        yield Finding("options", OK, "all options valid")


def _collectors(conf: TrackedConfigOpts, collectors: Sequence[CollectorOptions]) -> Iterator[Finding]:
    # Collectors share some groups.
    seen: set[str] = set()
    for options in collectors:
        for result in validation.validate_collector(conf, options):
            if result.check not in seen:
                yield from _result(result)
            seen.add(result.check)
        consequences = _consequences(options, _collection_delay(conf, options), _has_sources(conf, options))
        yield from (Finding(f"[{options.group}]", WARNING, problem) for problem in consequences)
    yield from (Finding("collectors", WARNING, problem) for problem in validation.overlaps(conf, collectors))
    processes: collections.Counter[str] = collections.Counter()
    for options in collectors:
        processes[options.collector_backend] += options.workers
    for name, number in processes.items():
        with contextlib.suppress(exceptions.ConfigurationError):  # the checks of the collectors report it
            yield from _driver(name, telemetry_drivers.load(name), number)


def _driver(name: str, driver: type[TelemetryDriver], processes: int) -> Iterator[Finding]:
    """What the driver does not guarantee, and what it costs that several processes use it."""
    missing = [guarantee for guarantee in Guarantee if guarantee not in driver.guarantees]
    yield Finding(f"driver {name}", OK, f"does not guarantee: {'; '.join(missing)}" if missing else "all guarantees")
    if driver.reads_all_projects and processes > 1:
        yield Finding(
            f"driver {name}",
            WARNING,
            f"it reads the samples of all projects at once, and {processes} processes use it: the telemetry service is"
            " asked for all of them by each; one worker of one collector is enough, unless its CPU is not",
        )


def _result(result: ValidationResult) -> Iterator[Finding]:
    yield from errors(result.check, result.problems)
    yield from (Finding(result.check, WARNING, warning) for warning in result.warnings)
    if not result.problems and not result.warnings:
        yield Finding(result.check, OK, "valid")


def _collection_delay(conf: TrackedConfigOpts, options: CollectorOptions) -> int:
    """Seconds after its end before a window is collected: the driver's lag is one, too."""
    try:
        return CollectorFactory(conf, options).plan().collection_delay
    except exceptions.ConfigurationError:  # the checks of the options report it
        return options.collection_delay


def _has_sources(conf: TrackedConfigOpts, options: CollectorOptions) -> bool:
    """Whether samples have sources of their own."""
    try:
        return CollectorFactory(conf, options).telemetry.offline_driver.source is None
    except exceptions.ConfigurationError:  # the checks of the options report it
        return True


def _consequences(options: CollectorOptions, collection_delay: int, has_sources: bool) -> Iterator[str]:
    """What valid values lead to, where that may not be meant.

    :param collection_delay: in seconds, also that of the driver.
    :param has_sources: whether samples have sources of their own.
    """
    if not options.max_windows_per_cycle:
        yield "max_windows_per_cycle = 0: the collector is paused; it collects nothing, and all windows stay due"
    elif options.max_windows_per_cycle * options.collect_window * 3600 <= options.periodic_interval:
        yield (
            f"max_windows_per_cycle = {options.max_windows_per_cycle}: a project that has fallen behind never catches"
            " up, because a run collects no more windows of it than become due until the next"
        )
    if not collection_delay:
        yield "collection_delay = 0: samples that telemetry gets after the collection of their window are not billed"
    if not options.trust_sources and has_sources:
        yield "trust_sources is empty: samples that users post to the telemetry service themselves are billed"
    if options.enable_exporter and options.exporter_host in _ANY_HOST and not options.exporter_client_cafile:
        default = " (the default)" if options.exporter_host == _ANY_HOST[0] else ""
        yield (
            f"exporter_host = {options.exporter_host}{default}: everyone who can connect to this host can read the"
            " names of projects in metrics and status page; set exporter_client_cafile or an internal address"
        )
