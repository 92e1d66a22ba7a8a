# SPDX-License-Identifier: Apache-2.0
"""Checks of the telemetry of a collector: its meters, and whether its projects are collected from it."""

import collections
import datetime
import shlex
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil import model
from distil.cloud.connection import Connection
from distil.cmd.manage.config_checks import ERROR
from distil.cmd.manage.config_checks import OK
from distil.cmd.manage.config_checks import WARNING
from distil.cmd.manage.config_checks import Finding
from distil.db.store import Store
from distil.factory.collector import CollectorFactory
from distil.factory.collector import utc_now
from distil.rating.rate import RatingRules
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport
from distil.text import pluralize

# A meter of an existing resource has a sample every few minutes.
_METER_CHECK_PERIOD = datetime.timedelta(hours=24)


def meters(factory: CollectorFactory, connection: Connection) -> Iterator[Finding]:
    """Check that the service shows what it has, that each meter has samples, and that the sources are trusted."""
    check = f"telemetry of {factory.name}"
    now = utc_now()
    try:
        rules = factory.rules()
        names = sorted(rules.meters)
        driver = factory.telemetry.driver(connection.session)
        hidden = list(driver.problems())
        reports = {meter: driver.report(meter, now - _METER_CHECK_PERIOD, now) for meter in names}
    except exceptions.ConfigurationError:
        # The checks of the configuration report it.
        return
    except exceptions.TelemetryError as error:
        yield Finding(check, ERROR, str(error))
        return
    yield from (Finding(check, ERROR, problem) for problem in hidden)
    for meter, report in reports.items():
        yield from (Finding(check, WARNING, f"meter {meter}: {problem}") for problem in _problems(report, rules))
    if any(report.presence is MeterPresence.UNKNOWN for report in reports.values()):
        yield Finding(check, OK, "the driver cannot tell which meters have samples")
        return
    present = sum(report.presence is MeterPresence.PRESENT for report in reports.values())
    yield Finding(check, OK, f"{present} of {len(names)} meters have samples")


def _problems(report: MeterReport, rules: RatingRules) -> Iterator[str]:
    yield from report.problems
    if report.presence is MeterPresence.ABSENT:
        yield f"no samples in the last {_METER_CHECK_PERIOD // datetime.timedelta(hours=1)} hours"
    sources = sorted(report.sources)
    if sources and not any(map(rules.is_trusted, sources)):
        others = f" or of {pluralize(len(sources) - 1, 'other')}" if len(sources) > 1 else ""
        yield (
            f"all newest samples are of source {sources[0]!r}{others}, which trust_sources does not match: they are"
            " not billed"
        )


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
            f" changed, run distil-manage telemetry rename {shlex.join((theirs, mine.telemetry))}"
        )
        yield Finding(check, ERROR, problem)
    if not others:
        yield Finding(check, OK, mine.telemetry)
