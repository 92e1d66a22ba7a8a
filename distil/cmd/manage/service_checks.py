# SPDX-License-Identifier: Apache-2.0
"""What the services say that a collector depends on."""

import datetime
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.cloud import lookups
from distil.cloud.client import ServiceClient
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cmd.manage.config_checks import ERROR
from distil.cmd.manage.config_checks import OK
from distil.cmd.manage.config_checks import WARNING
from distil.cmd.manage.config_checks import Finding
from distil.cmd.manage.config_checks import errors
from distil.collector.run import clock_skew
from distil.conf.collector import CollectorOptions
from distil.conf.options import TrackedConfigOpts
from distil.db import privileges
from distil.db import revision
from distil.db.store import Store
from distil.factory import collector
from distil.telemetry.driver import MeterPresence

# Of samples. A meter of something that exists has one every few minutes.
METER_CHECK_PERIOD = datetime.timedelta(hours=24)

# No flavor, volume type or project has it, so "not found" is the answer of a service that lets the collector ask.
UNKNOWN_ID = "0" * 32


def database(engine: Callable[[], sa.Engine]) -> Iterator[Finding]:
    """Whether it answers, stands at the newest revision, lets its user do what has to be done, and what time it has."""
    try:
        connected = engine()
        now = Store(connected).now()
    except exceptions.DistilError as error:
        yield Finding("database", ERROR, str(error))
        return
    yield Finding("database", OK, f"{connected.url.set(query={})} is at revision {revision.head()}")
    yield from _rights(connected)
    problem = clock_skew(collector.utc_now(), now)
    if problem:
        yield Finding("clocks", ERROR, problem)
    else:
        yield Finding("clocks", OK, "this host's and the database's agree")


def _rights(engine: sa.Engine) -> Iterator[Finding]:
    try:
        missing = list(privileges.missing_privileges(engine))
    except exceptions.StoreError as error:
        missing = [str(error)]
    yield from errors("rights", missing)
    if not missing:
        yield Finding("rights", OK, "the database lets its user do all that has to be done")


def cloud(conf: TrackedConfigOpts, types: Sequence[CollectorOptions]) -> Iterator[Finding]:
    """Whether Keystone lets the collector in, and has the projects and services that it needs."""
    try:
        connection = collector.connect(conf)
        own = ServiceClient(connection, "identity", exceptions.IdentityError).session_project_id()
        keystone = KeystoneProjects(connection)
        projects = keystone.enabled()
    except exceptions.DistilError as error:
        yield Finding("Keystone", ERROR, str(error))
        return
    scoped = f"a token of project {own}" if own else "a token of no project"
    yield Finding("Keystone", OK, f"gives {scoped}, and tells of {len(projects)} enabled projects")
    yield from _lookups(connection)
    for each in types:
        yield from _scope(collector.CollectorFactory(conf, each), keystone, projects)
        yield from _telemetry(collector.CollectorFactory(conf, each), connection)


def _lookups(connection: Connection) -> Iterator[Finding]:
    """Ask each service one thing that is a collector's to ask."""
    names = lookups.cloud_lookups(connection)
    image = ServiceClient(connection, "image", exceptions.LookupUnavailable)
    questions: dict[str, tuple[str, Callable[[], object]]] = {
        "compute": ("names of flavors", lambda: names.flavors.get(UNKNOWN_ID)),
        "block_storage": ("types of volumes", lambda: names.volume_types.get(UNKNOWN_ID)),
        "image": ("operating systems of instances", lambda: image.get("images", params={"limit": "1"})),
        "object_store": ("storage policies of containers", lambda: names.container_policies.get(f"{UNKNOWN_ID}/none")),
    }
    for name, (what, ask) in questions.items():
        try:
            endpoint = ServiceClient(connection, name, exceptions.LookupUnavailable).endpoint()
        except exceptions.LookupUnavailable as error:
            yield Finding("catalog", WARNING, f"{error}; it is asked for {what}")
            continue
        yield Finding("catalog", OK, f"{name}: {endpoint}")
        try:
            ask()
        except exceptions.LookupUnavailable as error:
            yield Finding("look-ups", ERROR, f"{error}; it is asked for {what}")
        else:
            yield Finding("look-ups", OK, f"{name} tells {what}")


def _scope(
    parts: collector.CollectorFactory, keystone: KeystoneProjects, projects: Sequence[model.Project]
) -> Iterator[Finding]:
    check = f"scope of {parts.name}"
    try:
        scope = parts.scope()
        domain_ids = keystone.domain_ids(scope.domains)
    except exceptions.ConfigurationError:
        # Told already.
        return
    except exceptions.IdentityError as error:
        yield Finding(check, ERROR, str(error))
        return
    yield from errors(check, scope.unknown_domains(domain_ids))
    for problem in scope.unknown_projects(projects):
        yield Finding(check, WARNING, problem)
    selected = len(scope.select(projects, domain_ids))
    yield Finding(check, OK if selected else WARNING, f"{selected} projects")


def _telemetry(parts: collector.CollectorFactory, connection: Connection) -> Iterator[Finding]:
    check = f"telemetry of {parts.name}"
    now = collector.utc_now()
    try:
        meters = sorted(parts.rules(announce=False).meters)
        driver = parts.driver(connection.session)
        presence = {meter: driver.meter_presence(meter, now - METER_CHECK_PERIOD, now) for meter in meters}
    except exceptions.ConfigurationError:
        # Told already.
        return
    except exceptions.TelemetryError as error:
        yield Finding(check, ERROR, str(error))
        return
    if MeterPresence.UNKNOWN in presence.values():
        yield Finding(check, OK, "its driver cannot tell which meters there are")
        return
    hours = METER_CHECK_PERIOD // datetime.timedelta(hours=1)
    absent = [meter for meter in meters if presence[meter] is MeterPresence.ABSENT]
    for meter in absent:
        yield Finding(check, WARNING, f"meter {meter} has no samples of the last {hours} hours")
    yield Finding(check, OK, f"{len(meters) - len(absent)} of {len(meters)} meters have samples")
