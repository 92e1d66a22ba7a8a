# SPDX-License-Identifier: Apache-2.0
"""Checks of the telemetry of a collector: its meters, and whether its projects are collected from it."""

import collections
import datetime
import shlex
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from distil import exceptions
from distil import model
from distil.cloud.connection import Connection
from distil.cmd.manage.config_checks import ERROR
from distil.cmd.manage.config_checks import OK
from distil.cmd.manage.config_checks import WARNING
from distil.cmd.manage.config_checks import Finding
from distil.cmd.manage.delay_check import check_delay
from distil.collector.plan import Plan
from distil.db.store import Store
from distil.factory.collector import CollectorFactory
from distil.factory.collector import utc_now
from distil.rating.mapping import MeterMapping
from distil.rating.rate import RatingRules
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport
from distil.telemetry.driver import Recording
from distil.telemetry.driver import TelemetryDriver
from distil.text import format_duration
from distil.text import pluralize
from distil.text import truncate

# A meter of an existing resource has a sample every few minutes.
_METER_CHECK_PERIOD = datetime.timedelta(hours=24)

# Characters of a value that is shown.
_MAX_VALUE = 60

# Part of all projects below which it is not worth its cost to read all.
_FEW_PROJECTS = 0.1


def meters(factory: CollectorFactory, connection: Connection) -> Iterator[Finding]:
    """Check that the service shows what it has, that each meter has samples, and that the sources are trusted."""
    check = f"telemetry of {factory.name}"
    try:
        rules = factory.rules()
        driver = factory.telemetry.driver(connection.session)
    except exceptions.ConfigurationError:
        # The checks of the configuration report it.
        return
    try:
        yield from (Finding(check, ERROR, problem) for problem in driver.problems())
        yield from (Finding(check, WARNING, warning) for warning in driver.warnings())
        yield from (Finding(check, *found) for found in _meters(driver, rules, factory.plan()))
    except exceptions.TelemetryError as error:
        yield Finding(check, ERROR, str(error))


def _meters(driver: TelemetryDriver, rules: RatingRules, plan: Plan) -> Iterator[tuple[str, str]]:
    """Status and detail of what is found of each meter that has samples according to the meters file."""
    # How far back the collection of new projects may start.
    start_age = datetime.timedelta(hours=plan.max_collection_start_age)
    recordings: list[Recording] = []
    now = utc_now()
    # That others have none is known without asking.
    names = [meter for meter in sorted(rules.meters) if (has := driver.served(meter)) and has.unavailable is None]
    presences: collections.Counter[MeterPresence] = collections.Counter()
    short: dict[str, datetime.timedelta] = {}
    for meter in names:
        report = driver.report(meter, now - _METER_CHECK_PERIOD, now)
        presences[report.presence] += 1
        recordings += report.recordings
        if report.kept is not None and report.kept < start_age:
            short[meter] = report.kept
        yield from ((ERROR, f"meter {meter}: {problem}") for problem in report.problems)
        yield from ((WARNING, f"meter {meter}: {warning}") for warning in _warnings(report, rules))
        if report.example is not None:
            yield OK, f"meter {meter}: {_describe(report.example, rules.of_meter(meter))}"
    if short:
        yield WARNING, _start_age_problem(short, start_age)
    if recordings:
        yield check_delay(recordings, plan.collection_delay)
    if presences[MeterPresence.UNKNOWN]:
        yield OK, "the driver cannot tell which meters have samples"
    else:
        yield OK, f"{presences[MeterPresence.PRESENT]} of {pluralize(len(names), 'meter has', 'meters have')} samples"


def _start_age_problem(short: Mapping[str, datetime.timedelta], start_age: datetime.timedelta) -> str:
    """:param short: how long the samples of meters are kept, if that is shorter."""
    shortest = min(short, key=lambda meter: short[meter])
    others = f" (and {pluralize(len(short) - 1, 'other meter', 'other meters')})" if len(short) > 1 else ""
    hours = start_age // datetime.timedelta(hours=1)
    return (
        f"max_collection_start_age = {hours}: samples of meter {shortest}{others} are kept for"
        f" {format_duration(short[shortest])} only; the collection of a new project that is older starts with windows"
        " that cannot be read any more, and fails; set it to less"
    )


def _warnings(report: MeterReport, rules: RatingRules) -> Iterator[str]:
    yield from report.warnings
    if report.presence is MeterPresence.ABSENT:
        yield f"no samples in the last {_METER_CHECK_PERIOD // datetime.timedelta(hours=1)} hours"
    sources = sorted(report.sources)
    if sources and not any(map(rules.is_trusted, sources)):
        others = f" or of {pluralize(len(sources) - 1, 'other')}" if len(sources) > 1 else ""
        yield (
            f"all newest samples are of source {sources[0]!r}{others}, which trust_sources does not match: they are"
            " not billed"
        )


def _describe(sample: Mapping[str, Any], mappings: Iterable[MeterMapping]) -> str:
    """A sample in one line: with the metadata that the mappings read."""
    place = f"of {sample.get('resource_id')} in project {sample.get('project_id')} at {sample.get('timestamp')}"
    metadata = sample.get("metadata")
    keys = dict.fromkeys(key for mapping in mappings for key in mapping.metadata_keys)
    values = [f"{key}={metadata[key]}" for key in keys if key in metadata] if isinstance(metadata, Mapping) else []
    shown = [truncate(value, _MAX_VALUE) for value in values]
    return "; ".join(filter(None, (f"{sample.get('volume')} {sample.get('unit')} {place}", ", ".join(shown))))


def cost(
    factory: CollectorFactory, connection: Connection, selected: Sequence[model.Project], enabled: int
) -> Iterator[Finding]:
    """Check that a driver that reads the samples of all projects is not used for a few of them.

    :param selected: the projects in scope.
    :param enabled: number of projects that Keystone lists.
    """
    try:
        driver = factory.telemetry.driver(connection.session)
    except exceptions.ConfigurationError:
        return
    if driver.reads_all_projects and 0 < len(selected) < enabled * _FEW_PROJECTS:
        few = pluralize(len(selected), "of them is", "of them are")
        problem = (
            f"the driver reads the samples of all {enabled} projects at once, and {few} in scope: their collection"
            " costs the telemetry service as much as that of all"
        )
        yield Finding(f"telemetry of {factory.name}", WARNING, problem)


def origin(
    factory: CollectorFactory, connection: Connection, store: Store, projects: Sequence[model.Project]
) -> Iterator[Finding]:
    """Check that the projects in scope are not collected from another telemetry service, such as another region's."""
    check = f"region of {factory.name}"
    try:
        mine = factory.origin(factory.telemetry.driver(connection.session)).resolve()
        found = store.collected_by_others([project.id for project in projects], mine) if mine else {}
    except exceptions.ConfigurationError:
        return
    except exceptions.DistilError as error:
        yield Finding(check, ERROR, str(error))
        return
    if mine is None:
        return
    others = collections.Counter(by.telemetry for by in found.values() if by.telemetry not in ("", mine.telemetry))
    for theirs, number in sorted(others.items()):
        problem = (
            f"the database has the usage of {pluralize(number, 'project')} from {theirs}, and this collector asks"
            f" {mine.telemetry}: it does not collect them. Use a database for each region; if only the name has"
            " changed, or the driver was replaced after it had collected everything, run distil-manage telemetry rename"
            f" {shlex.join((theirs, mine.telemetry))}"
        )
        yield Finding(check, ERROR, problem)
    if not others:
        yield Finding(check, OK, mine.telemetry)
