# SPDX-License-Identifier: Apache-2.0
"""Checks of the services that a collector depends on."""

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from distil import exceptions
from distil import model
from distil.cloud import lookups
from distil.cloud.client import ServiceClient
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cmd.manage import telemetry_checks
from distil.cmd.manage.config_checks import ERROR
from distil.cmd.manage.config_checks import OK
from distil.cmd.manage.config_checks import WARNING
from distil.cmd.manage.config_checks import Finding
from distil.cmd.manage.config_checks import errors
from distil.collector.run import clock_skew
from distil.conf.collector import CollectorOptions
from distil.conf.registry import TrackedConfigOpts
from distil.db import privileges
from distil.db import revision
from distil.db import schema
from distil.db.store import Store
from distil.factory import coordination
from distil.factory.collector import CollectorFactory
from distil.factory.collector import utc_now
from distil.factory.session import connect
from distil.redaction import redact

# No flavor, volume type or project has this ID, so a service that lets the collector ask answers "not found".
_UNKNOWN_ID = "0" * 32


class _Lookup(NamedTuple):
    """A request that a collector sends to a service, and what it asks for."""

    service: str
    subject: str
    request: Callable[[], object]


def database(engine: Callable[[], sa.Engine]) -> Generator[Finding, None, Store | None]:
    """Check the database's connection, revision, the privileges of its user, and its clock.

    :returns: the database; None if it cannot be used.
    """
    try:
        connected = engine()
        schema.require_usable(connected)
        store = Store(connected)
        now = store.now()
    except exceptions.DistilError as error:
        yield Finding("database", ERROR, str(error))
        return None
    yield Finding("database", OK, f"{connected.url.set(query={})} is at revision {revision.head()}")
    yield from _privileges(connected)
    problem = clock_skew(utc_now(), now)
    yield Finding("clocks", ERROR, problem) if problem else Finding("clocks", OK, "host and database agree")
    return store


def _privileges(engine: sa.Engine) -> Iterator[Finding]:
    try:
        missing = list(privileges.missing_privileges(engine))
    except exceptions.StoreError as error:
        missing = [str(error)]
    yield from errors("rights", missing)
    if not missing:
        yield Finding("rights", OK, "the database user has all required privileges")


def coordination_backend(conf: TrackedConfigOpts) -> Iterator[Finding]:
    """Check that the coordination backend accepts a connection, if there is one."""
    check = "coordination"
    try:
        if coordination.require_backend(conf):
            yield Finding(check, OK, "the backend accepts connections")
    except exceptions.CoordinationError as error:
        yield Finding(check, ERROR, f"{error}; until it responds, each run divides the projects by leases")


def cloud(conf: TrackedConfigOpts, collectors: Sequence[CollectorOptions], store: Store | None) -> Iterator[Finding]:
    """Check authentication, the look-up services, and the scope and telemetry of each collector.

    :param store: the database, if it can be used.
    """
    try:
        connection = connect(conf)
        own_project = ServiceClient(connection, "identity", exceptions.IdentityError).session_project_id()
        keystone = KeystoneProjects(connection)
        projects = keystone.enabled()
    except exceptions.DistilError as error:
        yield Finding("Keystone", ERROR, str(error))
        return
    token = f"token scoped to project {own_project}" if own_project else "token not scoped to a project"
    yield Finding("Keystone", OK, f"{token}; {len(projects)} enabled projects")
    yield from _lookups(connection)
    for options in collectors:
        factory = CollectorFactory(conf, options)
        selected = yield from _scope(factory, keystone, projects)
        yield from telemetry_checks.cost(factory, connection, selected, len(projects))
        yield from telemetry_checks.meters(factory, connection)
        if store:
            yield from telemetry_checks.origin(factory, connection, store, selected)


def _lookups(connection: Connection) -> Iterator[Finding]:
    """Send each service one request that collectors send."""
    for service, subject, request in _lookup_requests(connection):
        try:
            endpoint = ServiceClient(connection, service, exceptions.LookupUnavailable).endpoint()
        except exceptions.LookupUnavailable as error:
            yield Finding("catalog", WARNING, f"{error}; needed for {subject}")
            continue
        yield Finding("catalog", OK, redact(f"{service}: {endpoint}"))
        try:
            request()
        except exceptions.LookupUnavailable as error:
            yield Finding("look-ups", ERROR, f"{error}; needed for {subject}")
        else:
            yield Finding("look-ups", OK, f"{service} answers for {subject}")


def _lookup_requests(connection: Connection) -> Sequence[_Lookup]:
    names = lookups.cloud_lookups(connection)
    image = ServiceClient(connection, "image", exceptions.LookupUnavailable)
    container = f"{_UNKNOWN_ID}/none"
    return (
        _Lookup("compute", "flavor names", lambda: names.flavors.get(_UNKNOWN_ID)),
        _Lookup("block_storage", "volume type names", lambda: names.volume_types.get(_UNKNOWN_ID)),
        _Lookup("image", "operating systems of instances", lambda: image.get("images", params={"limit": "1"})),
        _Lookup("object_store", "storage policies of containers", lambda: names.container_policies.get(container)),
    )


def _scope(
    factory: CollectorFactory, keystone: KeystoneProjects, projects: Sequence[model.Project]
) -> Generator[Finding, None, Sequence[model.Project]]:
    """:returns: the projects in scope."""
    check = f"scope of {factory.name}"
    try:
        scope = factory.scope()
        domain_ids = keystone.domain_ids(scope.domains)
    except exceptions.ConfigurationError:
        # The checks of the configuration report it.
        return ()
    except exceptions.IdentityError as error:
        yield Finding(check, ERROR, str(error))
        return ()
    for entry in scope.unmatched(projects, domain_ids):
        yield Finding(check, ERROR if entry.option.endswith("domains") else WARNING, str(entry))
    for problem in scope.ids_as_names(projects):
        yield Finding(check, WARNING, problem)
    selected = scope.select(projects, domain_ids)
    yield (
        Finding(check, OK, f"{len(selected)} projects")
        if selected
        else Finding(check, ERROR, "no project is in scope; nothing would be collected")
    )
    return selected
