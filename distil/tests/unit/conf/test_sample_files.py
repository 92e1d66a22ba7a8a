# SPDX-License-Identifier: Apache-2.0
"""The sample rules and meters files under etc/."""

import pathlib
import re
import tempfile
import unittest
from importlib import metadata

import yaml

from distil.conf import registry
from distil.conf import telemetry_drivers
from distil.conf.registry import TrackedConfigOpts
from distil.factory import rules
from distil.factory.telemetry import TelemetryFactory
from distil.rating import mapping
from distil.rating import mapping_parser
from distil.telemetry.prometheus import meters as prometheus_meters
from distil.tests.support import builders

FOLDER = pathlib.Path(__file__).parents[4] / "etc" / "distil"
MAPPINGS = FOLDER / "meter_mappings.yml"
TRANSFORMERS = FOLDER / "transformer.yml"
PROMETHEUS_METERS = FOLDER / "prometheus_meters.yml"


def shortcomings(backend: str) -> list[str]:
    """Return the errors of the sample mappings with a driver's sample meters file."""
    conf = TrackedConfigOpts()
    registry.register_opts(conf)
    telemetry_drivers.register_opts(conf, backend)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override("meters_file", str(FOLDER / f"{backend}_meters.yml"), backend)
    mappings = rules.load_rules(str(MAPPINGS), str(TRANSFORMERS), ()).rules.mappings
    return [
        shortcoming.text
        for shortcoming in TelemetryFactory(conf, backend).shortcomings(mappings)
        if shortcoming.is_error
    ]


class SampleFilesTest(unittest.TestCase):
    def load(self) -> tuple[mapping.MeterMapping, ...]:
        loaded = rules.load_rules(str(MAPPINGS), str(TRANSFORMERS), ())
        self.assertEqual([], loaded.unused_keys())
        return loaded.rules.mappings

    def test_mappings_have_only_used_keys(self) -> None:
        self.assertEqual(22, len(self.load()))

    def test_every_driver_serves_mappings(self) -> None:
        for driver in metadata.entry_points(group="distil.telemetry"):
            if any(option.dest == "meters_file" for option in driver.load().options):
                self.assertEqual([], shortcomings(driver.name), driver.name)

    def test_mappings_store_type_and_identifying_metadata(self) -> None:
        for entry in self.load():
            self.assertTrue(entry.type, entry.meter)
            self.assertTrue({field.name for field in entry.metadata} & {"name", "ip address"}, entry.meter)

    def test_mappings_of_meter_bill_distinct_resources(self) -> None:
        identities = [(entry.meter, entry.res_id_template) for entry in self.load()]
        self.assertEqual(len(identities), len(set(identities)))

    def test_service_and_type_have_one_unit(self) -> None:
        units = {(entry.service, entry.type, entry.unit) for entry in self.load()}
        self.assertEqual(len(units), len({(service, kind) for service, kind, _ in units}))

    def test_keys_and_transformers_are_documented(self) -> None:
        explained = re.findall(r"^#   (\w+)  ", MAPPINGS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(mapping_parser.KEYS), sorted(explained))
        explained = re.findall(r"^#   (\w+)  ", TRANSFORMERS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(builders.plugins()), sorted(explained))


class PrometheusMetersTest(unittest.TestCase):
    def test_entries_cover_mapped_meters(self) -> None:
        mapped = {entry["meter"] for entry in yaml.safe_load(MAPPINGS.read_text(encoding="utf-8"))}
        self.assertEqual(mapped, {entry.meter for entry in prometheus_meters.load(str(PROMETHEUS_METERS))})

    def test_alternatives_in_comments_are_valid(self) -> None:
        text = PROMETHEUS_METERS.read_text(encoding="utf-8")
        alternatives = re.findall(r"^# - meter: .*\n(?:#   .*\n)+", text, re.MULTILINE)
        self.assertEqual(8, len(alternatives))
        for alternative in alternatives:
            with self.subTest(alternative), tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
                file.write(re.sub("^# ", "", alternative, flags=re.MULTILINE))
                file.flush()
                (entry,) = prometheus_meters.load(file.name)
                self.assertIn(f"- meter: {entry.meter}\n", re.sub("^# .*\n", "", text, flags=re.MULTILINE))

    def test_keys_are_documented(self) -> None:
        explained = re.findall(r"^#   ([a-z_]+)  ", PROMETHEUS_METERS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(
            ["meter", "selector", "kind", "first_sample", "labels", "unit", "volume", "metadata", "up", "unavailable"],
            explained,
        )
