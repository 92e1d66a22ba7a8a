# SPDX-License-Identifier: Apache-2.0
"""From the options of a collector to what collects its windows again."""

import sqlalchemy as sa
from oslo_config import cfg

from distil import exceptions
from distil.cloud.os_distro import OsDistros
from distil.collector.recollect import RecollectOptions
from distil.collector.recollect import Recollector
from distil.collector.recollection_rules import RecollectionRules
from distil.collector.recollection_rules import RulesChoice
from distil.conf.collector import CollectorOptions
from distil.db.documents import Documents
from distil.factory.collector import CollectorFactory
from distil.factory.replay import build_replayer
from distil.factory.session import connect


def build_recollector(
    conf: cfg.ConfigOpts, collector: CollectorOptions, engine: sa.Engine, choice: RulesChoice, options: RecollectOptions
) -> Recollector:
    """What collects windows again, with samples of the collector's telemetry service.

    :raises ConfigurationError: the configuration cannot be used.
    :raises TelemetryError: the region of the service is not known.
    """
    factory = CollectorFactory(conf, collector)
    cloud = connect(conf)
    telemetry = factory.telemetry.driver(cloud.session)
    collected_by = factory.origin(telemetry).resolve()
    if collected_by is None:
        raise exceptions.TelemetryError("the region of the telemetry service is not known")
    loaded = factory.load_rules()
    replayer = build_replayer(cloud, telemetry, engine)
    return Recollector(
        engine=engine,
        telemetry=telemetry,
        replayer=replayer,
        rules=RecollectionRules(
            documents=Documents(engine),
            recorded=replayer.recorded,
            current=loaded.rules,
            current_document=loaded.document,
            choice=choice,
        ),
        os_distros=OsDistros(cloud),
        collected_by=collected_by,
        options=options,
    )
