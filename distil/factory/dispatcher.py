# SPDX-License-Identifier: Apache-2.0
"""Builds the dispatcher, and what it dispatches windows to."""

import sqlalchemy as sa

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.lookups import cloud_lookups
from distil.cloud.os_distro import OsDistros
from distil.cloud.outage import OutageDetector
from distil.collector.dispatcher import Dispatcher
from distil.collector.guard import MeterGuard
from distil.collector.origin import Origin
from distil.collector.plan import Plan
from distil.collector.project_batch import BatchCollector
from distil.collector.retrying import RetryPolicy
from distil.collector.shutdown import Shutdown
from distil.collector.window import WindowCollector
from distil.conf.collector import CollectorOptions
from distil.coordination.leases import Partitioner
from distil.db.documents import Documents
from distil.db.previous_meters import PreviousMeters
from distil.db.store import Store
from distil.factory.rules import LoadedRules
from distil.factory.samples import build_fetcher
from distil.monitoring.run import RunMonitor
from distil.telemetry.driver import TelemetryDriver


def build_dispatcher(
    options: CollectorOptions,
    *,
    cloud: Connection,
    engine: sa.Engine,
    telemetry: TelemetryDriver,
    rules: LoadedRules,
    plan: Plan,
    origin: Origin,
    partitioner: Partitioner,
    monitor: RunMonitor,
    retry_policy: RetryPolicy,
    shutdown: Shutdown,
    patience: float,
) -> Dispatcher:
    """The dispatcher of a collector.

    :param patience: seconds to wait for a service that does not answer.
    """
    fetcher = build_fetcher(telemetry, rules.rules.meters, shutdown, patience)
    guard = MeterGuard(PreviousMeters(engine), projects=options.guard_projects, patience=options.guard_patience)
    windows = WindowCollector(
        fetcher=fetcher,
        rules=rules.rules,
        rules_document=rules.document,
        documents=Documents(engine),
        lookups=cloud_lookups(cloud, stop=shutdown.event, patience=patience),
        os_distros=OsDistros(cloud),
        partitioner=partitioner,
        monitor=monitor,
        retry_policy=retry_policy,
        shutdown=shutdown,
        plan=plan,
        guard=guard,
    )
    batches = BatchCollector(
        fetcher=fetcher,
        windows=windows,
        store=Store(engine),
        partitioner=partitioner,
        monitor=monitor,
        retry_policy=retry_policy,
        origin=origin,
        outages=OutageDetector("the database", exceptions.StoreError, shutdown.event, patience),
        guard=guard,
    )
    return Dispatcher(batches=batches, fetcher=fetcher, concurrency=options.concurrency, shutdown=shutdown, guard=guard)
