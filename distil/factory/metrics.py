# SPDX-License-Identifier: Apache-2.0
"""Builds the metrics of a collector process."""

import datetime
import importlib.metadata

from distil.collector.plan import Plan
from distil.conf import log
from distil.monitoring.metrics import Metrics
from distil.monitoring.reload_state import ReloadState

# Libraries that the results may depend on; a metric has their versions.
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
    "tooz",
)


def build_metrics(plan: Plan, interval: datetime.timedelta, reload_state: ReloadState) -> Metrics:
    """The metrics, of which those of the configuration are set.

    :param interval: from the start of a run to the start of the next.
    :param reload_state: what became of the last reload.
    """
    window = datetime.timedelta(hours=plan.collect_window)
    delay = datetime.timedelta(seconds=plan.collection_delay)
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    metrics = Metrics(versions, window + 2 * interval + delay, lambda: log.log_errors().number)
    metrics.run_interval.set(interval.total_seconds())
    metrics.config_last_reload_successful.set_function(lambda: not reload_state.problems())
    return metrics
