# SPDX-License-Identifier: Apache-2.0
"""From the options to what rates collected windows by other rules."""

import dataclasses

import sqlalchemy as sa
from oslo_config import cfg

from distil.cloud.lookups import cloud_lookups
from distil.collector.rules_comparison import RulesComparer
from distil.collector.shutdown import Shutdown
from distil.conf.collector import CollectorOptions
from distil.db.documents import Documents
from distil.factory.collector import CollectorFactory
from distil.factory.samples import build_fetcher
from distil.factory.session import connect
from distil.factory.validation import ValidationResult
from distil.factory.validation import validate_rules


class RulesComparisonFactory:
    """Builds what compares a collector's rules with those of other files.

    :param meter_mappings_file: the new meter mappings.
    :param transformer_file: the new options of the transformers; None: those that are in force.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, options: CollectorOptions, meter_mappings_file: str, transformer_file: str | None
    ) -> None:
        self._conf = conf
        self._options = options
        self._new_options = dataclasses.replace(
            options,
            meter_mappings_file=meter_mappings_file,
            transformer_file=transformer_file or options.transformer_file,
        )

    def validate(self) -> ValidationResult:
        """Validate the new files, and compare them with what the telemetry driver serves."""
        return validate_rules(self._conf, self._new_options)

    def comparer(self, engine: sa.Engine) -> RulesComparer:
        """What rates windows by both sets of rules.

        :raises ConfigurationError: the configuration, or a rules file, cannot be used.
        """
        factory = CollectorFactory(self._conf, self._options)
        before, after = factory.rules(), CollectorFactory(self._conf, self._new_options).rules()
        cloud = connect(self._conf)
        telemetry = factory.telemetry.driver(cloud.session)
        meters = tuple(dict.fromkeys([*before.meters, *after.meters]))
        return RulesComparer(
            fetcher=build_fetcher(telemetry, meters, Shutdown()),
            documents=Documents(engine),
            lookups=cloud_lookups(cloud),
            before=before,
            after=after,
        )
