# SPDX-License-Identifier: Apache-2.0
"""The telemetry drivers and the groups of their options."""

from typing import ClassVar

from oslo_config import cfg

from distil import exceptions
from distil.conf import telemetry_drivers
from distil.conf import validate
from distil.telemetry.ceilometer import CeilometerDriver
from distil.telemetry.gnocchi.driver import GnocchiDriver
from distil.tests.support.configuration import ConfigurationTestCase

GNOCCHI = "[collector]\ncollector_backend = gnocchi\n"


class TelemetryDriversTest(ConfigurationTestCase):
    WRONG: ClassVar[str] = "[gnocchi]\ngranularity = many\nlag = -1\ngranularty = 60\nlog = x\n"

    def test_driver_is_loaded_by_name(self) -> None:
        self.assertIs(CeilometerDriver, telemetry_drivers.load("ceilometer"))
        self.assertIs(GnocchiDriver, telemetry_drivers.load("gnocchi"))

    def test_unknown_driver_is_error_with_known_ones(self) -> None:
        for name in ("nocchi", ""):
            with self.assertRaises(exceptions.ConfigurationError) as caught:
                telemetry_drivers.load(name)
            expected = (
                f"collector_backend: unknown telemetry driver {name!r}; installed: ceilometer, gnocchi, prometheus"
            )
            self.assertEqual((expected,), caught.exception.problems)

    def test_values_of_options_are_read_by_name(self) -> None:
        conf = self.read(f"{GNOCCHI}[gnocchi]\ngranularity = 60\n")
        options = telemetry_drivers.read(conf, "gnocchi")
        self.assertEqual({option.dest for option in GnocchiDriver.options}, options.keys())
        self.assertEqual((60, "/etc/distil/gnocchi_meters.yml"), (options["granularity"], options["meters_file"]))
        self.assertEqual({}, telemetry_drivers.read(conf, "ceilometer"))

    def test_invalid_options_of_used_driver_are_told(self) -> None:
        conf = self.read(GNOCCHI + self.WRONG)
        expected = [
            f"{self.path}: [gnocchi] granularity = many: must be a whole number, at least 1, at most 3600",
            f"{self.path}: [gnocchi] lag = -1: must be a whole number, at least 0, at most 86400",
        ]
        self.assertEqual(expected, validate.invalid_values(conf))

    def test_unknown_options_of_used_driver_are_told(self) -> None:
        conf = self.read(GNOCCHI + self.WRONG)
        expected = [
            f"{self.path}: [gnocchi] unknown key 'granularty'; did you mean granularity?",
            f"{self.path}: [gnocchi] unknown key 'log'; did you mean lag?",
        ]
        self.assertEqual(expected, validate.unknown_options(conf))

    def test_driver_of_named_collector_is_used(self) -> None:
        conf = self.read(
            "[DEFAULT]\nenabled_collectors = one\n[collector:one]\ncollector_backend = gnocchi\n" + self.WRONG
        )
        self.assertEqual((2, 2), (len(validate.invalid_values(conf)), len(validate.unknown_options(conf))))

    def test_group_of_unused_driver_is_left_alone(self) -> None:
        conf = self.read(self.WRONG)
        self.assertEqual(([], []), (validate.invalid_values(conf), validate.unknown_options(conf)))

    def test_unknown_driver_has_no_group(self) -> None:
        conf = self.read("[collector]\ncollector_backend = none\n[none]\na = b\n")
        self.assertEqual(([], []), (validate.invalid_values(conf), validate.unknown_options(conf)))
        self.assertRaises(cfg.NoSuchOptError, lambda: conf.none)
