# SPDX-License-Identifier: Apache-2.0
"""Builds what rates collected windows and rejected samples again, for commands."""

import sqlalchemy as sa
from oslo_config import cfg

from distil.cloud.connection import Connection
from distil.cloud.lookups import cloud_lookups
from distil.cloud.os_distro import OsDistros
from distil.collector.replay import RecordedRules
from distil.collector.replay import Replayer
from distil.collector.reprocess import Reprocessor
from distil.conf.collector import CollectorOptions
from distil.db.documents import Documents
from distil.factory import rules
from distil.factory.collector import CollectorFactory
from distil.factory.session import connect
from distil.telemetry.driver import TelemetryDriver


def build_replayer(cloud: Connection, telemetry: TelemetryDriver, engine: sa.Engine) -> Replayer:
    """What rates collected windows again, with samples of a telemetry service.

    :raises ConfigurationError: a transformer cannot be loaded.
    """
    recorded = RecordedRules(Documents(engine), rules.transformer_plugins())
    return Replayer(telemetry=telemetry, lookups=cloud_lookups(cloud), rules=recorded)


def build_reprocessor(
    conf: cfg.ConfigOpts,
    collector: CollectorOptions,
    engine: sa.Engine,
    *,
    changed_by: str,
    dry_run: bool,
    force: bool,
) -> Reprocessor:
    """What tries rejected samples again, by a collector's rules.

    :param changed_by: user and host.
    :raises ConfigurationError: the configuration cannot be used.
    """
    cloud = connect(conf)
    return Reprocessor(
        rules=CollectorFactory(conf, collector).rules(),
        lookups=cloud_lookups(cloud),
        os_distros=OsDistros(cloud),
        engine=engine,
        changed_by=changed_by,
        dry_run=dry_run,
        force=force,
    )
