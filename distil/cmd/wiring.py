# SPDX-License-Identifier: Apache-2.0
"""From the configuration to the parts of a collector."""

import datetime
import importlib.metadata

import stevedore
from oslo_config import cfg

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.lookups import cloud_lookups
from distil.cloud.os_distro import OsDistros
from distil.cloud.projects import Projects
from distil.collector.plan import Plan
from distil.collector.run import Collector
from distil.collector.scope import Scope
from distil.collector.stop import Stop
from distil.collector.window import WindowCollector
from distil.conf import database
from distil.conf import identity
from distil.conf import rules
from distil.db.store import Store
from distil.exporter.metrics import Metrics
from distil.exporter.server import Exporter
from distil.rating.rate import Rules
from distil.telemetry.base import TelemetryDriver

# What a collector's results may depend on.
_LIBRARIES = (
    "distil",
    "alembic",
    "jmespath",
    "keystoneauth1",
    "openstacksdk",
    "oslo.config",
    "oslo.db",
    "oslo.log",
    "oslo.service",
    "prometheus-client",
    "python-ceilometerclient",
    "SQLAlchemy",
    "stevedore",
)


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def collector(conf: cfg.ConfigOpts, metrics: Metrics, stop: Stop) -> Collector:
    """A collector as it is configured. Only the database is connected to.

    :raises ConfigurationError: the configuration cannot be used.
    :raises StoreError: there is no connecting to the database.
    """
    group = conf.collector
    session = identity.load_session(conf)
    where = conf.keystone_authtoken.region_name, conf.keystone_authtoken.interface
    cloud = Connection(session, *where)
    store = Store(database.create_engine(conf))
    windows = WindowCollector(
        telemetry=_driver(conf)(session, *where),
        rules=_rules(conf, announce=False),
        lookups=cloud_lookups(cloud),
        os_distro=OsDistros(cloud).os_distro,
        store=store,
        metrics=metrics,
        stop=stop,
    )
    return Collector(
        name=group.partitioning_suffix or "default",
        keystone=Projects(cloud),
        scope=_scope(conf),
        plan=_plan(conf),
        store=store,
        windows=windows,
        metrics=metrics,
        project_order=group.project_order,
        clock=utc_now,
    )


def exporter(conf: cfg.ConfigOpts, metrics: Metrics) -> Exporter | None:
    """The exporter, bound to its port and not started yet; None where there is to be none.

    :raises ConfigurationError: the address cannot be listened on.
    """
    if not conf.collector.enable_exporter:
        return None
    return Exporter(metrics.registry, conf.collector.exporter_host, conf.collector.exporter_port)


def new_metrics() -> Metrics:
    return Metrics({name: importlib.metadata.version(name) for name in _LIBRARIES})


def check(conf: cfg.ConfigOpts) -> None:
    """Fail at start where a collector would fail later: look at all that can be looked at from here.

    :raises ConfigurationError: the configuration cannot be used.
    """
    problems: list[str] = []
    for part in (_scope, _plan, _rules, _driver, database.check, identity.load_session):
        try:
            part(conf)
        except exceptions.ConfigurationError as error:
            problems += error.problems
    if problems:
        raise exceptions.ConfigurationError(problems)
    bound = exporter(conf, new_metrics())
    if bound is not None:
        bound.close()


def _scope(conf: cfg.ConfigOpts) -> Scope:
    group = conf.collector
    return Scope(
        include_domains=frozenset(group.include_domains),
        ignore_domains=frozenset(group.ignore_domains),
        include_projects=frozenset(group.include_projects),
        ignore_projects=frozenset(group.ignore_projects),
    )


def _plan(conf: cfg.ConfigOpts) -> Plan:
    group = conf.collector
    return Plan(group.collect_window, group.max_windows_per_cycle, group.max_collection_start_age)


def _rules(conf: cfg.ConfigOpts, announce: bool = True) -> Rules:
    group = conf.collector
    return rules.load(group.meter_mappings_file, group.transformer_file, group.trust_sources, announce)


def _driver(conf: cfg.ConfigOpts) -> type[TelemetryDriver]:
    name = conf.collector.collector_backend
    try:
        manager = stevedore.DriverManager[TelemetryDriver]("distil.telemetry", name)
        return manager.extensions[0].plugin
    except stevedore.exception.NoMatches as error:
        raise exceptions.ConfigurationError(
            [f"[collector] collector_backend: there is no telemetry driver {name!r}"]
        ) from error
