# SPDX-License-Identifier: Apache-2.0
"""From the options to what compares stored usage with another telemetry driver's samples."""

import functools
from collections.abc import Mapping
from collections.abc import Sequence

import sqlalchemy as sa
from oslo_config import cfg

from distil.cloud.lookups import cloud_lookups
from distil.collector.driver_parity import DriverParity
from distil.collector.shutdown import Shutdown
from distil.db.billed_windows import BilledWindows
from distil.db.documents import Documents
from distil.db.usage_source import UsageSource
from distil.factory import rules as rules_factory
from distil.factory.samples import build_fetcher
from distil.factory.session import connect
from distil.factory.telemetry import TelemetryFactory
from distil.rating import rules_document
from distil.rating.parity import Precision
from distil.rating.rate import RatingRules


class DriverParityFactory:
    """Builds the comparison.

    :param backend: name of the driver, whose options are in its group.
    """

    def __init__(self, conf: cfg.ConfigOpts, engine: sa.Engine, windows: BilledWindows, backend: str) -> None:
        self._conf = conf
        self._documents = Documents(engine)
        self._windows = windows
        self._telemetry = TelemetryFactory(conf, backend)

    @functools.cached_property
    def rules(self) -> Mapping[int, RatingRules]:
        """The rules by which the windows were rated, by id of their document.

        :raises NotFound: a document is missing.
        :raises ConfigurationError: the installed versions cannot use them.
        :raises StoreError: the database failed.
        """
        plugins = rules_factory.transformer_plugins()
        documents = self._documents.load(self._windows.rules())
        return {number: rules_document.parse(found.body, plugins).rules for number, found in documents.items()}

    def shortcomings(self) -> Sequence[str]:
        """A sentence for each thing that the driver lacks for the rules.

        :raises ConfigurationError: the driver is unknown, or its options cannot be used.
        """
        sentences = [
            f"meter {rules.mappings[found.entry - 1].meter}: {found.text}"
            for rules in self.rules.values()
            for found in self._telemetry.shortcomings(rules.mappings)
        ]
        return list(dict.fromkeys(sentences))

    def parity(self, stored: UsageSource, precision: Precision) -> DriverParity:
        """What compares windows.

        :raises ConfigurationError: the driver is unknown, or its options cannot be used.
        """
        cloud = connect(self._conf)
        telemetry = self._telemetry.driver(cloud.session)
        meters = tuple(dict.fromkeys(meter for rules in self.rules.values() for meter in rules.meters))
        return DriverParity(
            telemetry=telemetry,
            fetcher=build_fetcher(telemetry, meters, Shutdown()),
            rules=self.rules,
            documents=self._documents,
            lookups=cloud_lookups(cloud),
            stored=stored,
            precision=precision,
        )
