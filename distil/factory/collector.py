# SPDX-License-Identifier: Apache-2.0
"""From the options to the objects that a collector process is made of."""

import dataclasses
import datetime
import functools
import importlib.metadata
import math

import sqlalchemy as sa
from oslo_config import cfg
from oslo_log import log

from distil import exceptions
from distil.cloud.connection import Connection
from distil.cloud.keystone import KeystoneProjects
from distil.cloud.outage import PATIENCE_SECONDS
from distil.collector.origin import Origin
from distil.collector.origin import OriginCheck
from distil.collector.plan import Plan
from distil.collector.projects import ScopedProjects
from distil.collector.retrying import RetryPolicy
from distil.collector.run import Collector
from distil.collector.scheduled_rechecks import ScheduledRechecks
from distil.collector.scope import Scope
from distil.collector.shutdown import Shutdown
from distil.collector.state_recorder import StateRecorder
from distil.conf import collector as collector_conf
from distil.conf import database
from distil.conf import log as log_conf
from distil.conf import oslo_service
from distil.conf.collector import CollectorOptions
from distil.conf.fingerprint import fingerprint
from distil.conf.fingerprint import rules_fingerprint
from distil.coordination.leases import Partitioner
from distil.db import schema
from distil.db.store import Store
from distil.db.tracked_projects import TrackedProjects
from distil.exporter.server import Exporter
from distil.factory import coordination
from distil.factory import rules
from distil.factory.dispatcher import build_dispatcher
from distil.factory.engine import build_engine
from distil.factory.exporter import build_exporter
from distil.factory.metrics import build_metrics
from distil.factory.recheck import RecheckerFactory
from distil.factory.rules import LoadedRules
from distil.factory.session import CollectorRequestObserver
from distil.factory.session import connect
from distil.factory.telemetry import TelemetryFactory
from distil.monitoring.history import History
from distil.monitoring.metrics import Metrics
from distil.monitoring.reload_state import ReloadState
from distil.monitoring.run import RunMonitor
from distil.rating.rate import RatingRules
from distil.telemetry.driver import TelemetryDriver

LOG = log.getLogger(__name__)


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class CollectorFactory:
    """Builds the objects that one collector process is made of.

    Metrics, history and monitor are made on first use, which must be in the collector's process and not in its parent.

    :param options: of the collector, as read from ``conf``.
    :param worker: number of the process among those of the collector.
    :param reload_state: what became of the last reload; None: there is none.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, options: CollectorOptions, worker: int = 0, reload_state: ReloadState | None = None
    ) -> None:
        self._conf = conf
        self._options = options
        self._worker = worker
        self._reload_state = reload_state or ReloadState()
        self.name = options.name
        self.telemetry = TelemetryFactory(conf, options.collector_backend)

    def reread(self) -> "CollectorFactory":
        """A factory with the options as they are now, after a reload."""
        options = collector_conf.read(self._conf, self._options.group)
        return type(self)(self._conf, options, self._worker, self._reload_state)

    @functools.cached_property
    def metrics(self) -> Metrics:
        return build_metrics(self.plan(), self.interval(), self._reload_state)

    @functools.cached_property
    def history(self) -> History:
        version = importlib.metadata.version("distil")
        return History(self._options.name, version, self.interval(), utc_now(), self._problems)

    @functools.cached_property
    def monitor(self) -> RunMonitor:
        return RunMonitor(self.metrics, self.history, utc_now)

    def reload_logging(self) -> None:
        """Configure the process's logging. If that fails, log why and keep the previous configuration."""
        try:
            log_conf.reload_logging(self._conf)
        except exceptions.ConfigurationError as error:
            LOG.error("Logging could not be reconfigured; the previous configuration stays in force: %s", error)

    def interval(self) -> datetime.timedelta:
        """From the start of a run to the start of the next."""
        return datetime.timedelta(seconds=self._options.periodic_interval)

    def graceful_shutdown_timeout(self) -> float:
        """Seconds for a shutdown; 0: no limit."""
        return oslo_service.read_graceful_shutdown_timeout(self._conf)

    def exporter(self) -> Exporter | None:
        """The exporter, bound to its port and not started yet; None if it is disabled.

        :raises ConfigurationError: the address cannot be bound, or a TLS file cannot be used.
        """
        return build_exporter(self._options, self._worker, self.history, self.metrics, utc_now)

    def _problems(self) -> list[str]:
        """What is wrong with the process, for the health check and the status page."""
        return [*self._reload_state.problems(), *log_conf.problems()]

    def collector(self, shutdown: Shutdown, patience: float = PATIENCE_SECONDS) -> Collector:
        """The collector. Only the database is connected to.

        :param patience: seconds to wait for a service that does not answer.
        :raises ConfigurationError: the configuration cannot be used.
        :raises SchemaError: usage cannot be stored in the database.
        :raises StoreError: the connection to the database failed.
        """
        observer = CollectorRequestObserver(shutdown, self.metrics)
        cloud = connect(self._conf, observer)
        engine = build_engine(database.read(self._conf))
        schema.require_usable(engine)
        loaded = self.load_rules()
        self._set_config_info()
        store = Store(engine)
        partitioner = self._partitioner(engine, shutdown)
        telemetry = self.telemetry.driver(cloud.session, observer)
        origin = self.origin(telemetry)
        retry_policy = RetryPolicy(shutdown, self.monitor)
        return Collector(
            name=self.name,
            projects=self._projects(cloud, engine, OriginCheck(origin, store)),
            plan=self.plan(),
            partitioner=partitioner,
            dispatcher=build_dispatcher(
                self._options,
                cloud=cloud,
                engine=engine,
                telemetry=telemetry,
                rules=loaded,
                plan=self.plan(),
                origin=origin,
                partitioner=partitioner,
                monitor=self.monitor,
                retry_policy=retry_policy,
                shutdown=shutdown,
                patience=patience,
            ),
            store=store,
            monitor=self.monitor,
            retry_policy=retry_policy,
            rechecks=self._rechecks(engine, cloud, telemetry, shutdown, partitioner),
            clock=utc_now,
        )

    def _set_config_info(self) -> None:
        self.metrics.config_info.clear()
        self.metrics.config_info.labels(self.name, fingerprint(self._options, self.telemetry.options())).set(1)

    def _partitioner(self, engine: sa.Engine, shutdown: Shutdown) -> Partitioner:
        partitioner = coordination.create_partitioner(self._conf, engine, self.name, self.scope(), self.metrics)
        shutdown.on_request(partitioner.stop)
        return partitioner

    def _projects(self, cloud: Connection, engine: sa.Engine, origin_check: OriginCheck) -> ScopedProjects:
        keystone = KeystoneProjects(cloud)
        return ScopedProjects(
            self.name,
            keystone,
            self.scope(),
            self.plan(),
            Store(engine),
            TrackedProjects(engine),
            self._options.project_order,
            origin_check,
            StateRecorder(self.name, keystone, engine),
        )

    def _rechecks(
        self,
        engine: sa.Engine,
        cloud: Connection,
        telemetry: TelemetryDriver,
        shutdown: Shutdown,
        partitioner: Partitioner,
    ) -> ScheduledRechecks | None:
        recheckers = self.recheckers(engine, cloud, telemetry, shutdown)
        return recheckers.scheduled(self._options, partitioner, self.monitor)

    def recheckers(
        self, engine: sa.Engine, cloud: Connection, telemetry: TelemetryDriver, shutdown: Shutdown
    ) -> RecheckerFactory:
        """What builds rechecks of windows that were collected from this collector's telemetry service.

        :raises ConfigurationError: the rules cannot be used.
        """
        return RecheckerFactory(
            engine=engine,
            telemetry=telemetry,
            origin=self.origin(telemetry),
            meters=self.rules().meters,
            keystone=KeystoneProjects(cloud),
            scope=self.scope(),
            shutdown=shutdown,
            clock=utc_now,
        )

    def scope(self) -> Scope:
        """:raises ConfigurationError: an entry is both included and ignored."""
        names = [field.name for field in dataclasses.fields(Scope)]
        return Scope(**{name: frozenset(getattr(self._options, name)) for name in names})

    def plan(self) -> Plan:
        """Its fields are named like the options, as are those of the scope. No window is due within the driver's lag.

        :raises ConfigurationError: the driver is unknown, or its options cannot be used.
        """
        plan = Plan(**{field.name: getattr(self._options, field.name) for field in dataclasses.fields(Plan)})
        lag = math.ceil(self.telemetry.offline_driver.lag.total_seconds())
        return dataclasses.replace(plan, collection_delay=max(plan.collection_delay, lag))

    def rules(self) -> RatingRules:
        """:raises ConfigurationError: see :meth:`load_rules`."""
        return self.load_rules().rules

    def load_rules(self) -> LoadedRules:
        """Load the rules files and the trusted sources.

        :raises ConfigurationError: with every problem of the files and of the expressions.
        """
        options = self._options
        return rules.load_rules(
            options.meter_mappings_file, options.transformer_file, options.trust_sources, options.group
        )

    def origin(self, telemetry: TelemetryDriver) -> Origin:
        """What the collector collects from and by."""
        return Origin(telemetry, self._options.collector_backend, self.name, self.rules_fingerprint())

    def rules_fingerprint(self) -> str:
        """:raises ConfigurationError: a rules file cannot be read, or the driver is unknown."""
        return rules_fingerprint(self._options, self.telemetry.options())
