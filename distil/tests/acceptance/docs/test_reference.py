# SPDX-License-Identifier: Apache-2.0
"""What an operator can set, use and see is in the documentation and in the sample configuration file."""

import ast
import dataclasses
import fnmatch
import importlib.metadata
import importlib.util
import pathlib
import re
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from typing import ClassVar

import yaml
from oslo_config import cfg

from distil.conf import enabled_collectors
from distil.conf import keystone_authtoken
from distil.conf import registry
from distil.exceptions import RejectionReason
from distil.monitoring.definitions import DEFINITIONS
from distil.monitoring.metrics import Metrics
from distil.rating import mapping_parser
from distil.telemetry.driver import Guarantee
from distil.telemetry.gnocchi import meters as gnocchi_meters
from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.prometheus import meters as prometheus_meters
from distil.telemetry.prometheus.meters import PrometheusMeter
from distil.tests.support.processes import script

ROOT = pathlib.Path(__file__).parents[4]
DOC = ROOT / "doc" / "source"
OWN_OF_OSLO_CONFIG = {"config_dir", "config_file", "config_source", "shell_completion"}


def page(name: str) -> str:
    return (DOC / name).read_text()


def titles(name: str) -> set[str]:
    """The words of a page's titles; a title may name several things, with commas between them."""
    found = re.findall(r"^(\S.*)\n([-=~])\2+$", page(name), re.MULTILINE)
    return {word for title, _ in found for word in title.split(", ")}


def texts(*packages: pathlib.Path) -> Iterator[str]:
    """The texts in the modules of packages, in parts where values are inserted."""
    for package in packages:
        for path in package.glob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


class SampleConfigurationTest(unittest.TestCase):
    """In a process of its own, because listing oslo.service's options chooses its backend for the whole process."""

    text: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        generator = script("oslo-config-generator")
        instructions = ROOT / "etc" / "oslo-config-generator" / "distil.conf"
        with tempfile.TemporaryDirectory() as directory:
            sample = pathlib.Path(directory, "distil.conf.sample")
            command = [str(generator), "--config-file", str(instructions), "--output-file", str(sample)]
            subprocess.run(command, check=True, capture_output=True)
            cls.text = sample.read_text()

    def test_every_option_is_listed(self) -> None:
        conf = cfg.ConfigOpts()
        registry.register_opts(conf)
        conf.register_opts(keystone_authtoken.all_opts(), group=keystone_authtoken.GROUP)
        groups = {"collector", "coordination", "database", keystone_authtoken.GROUP, "oslo_reports"}
        options = {group: set(conf[group]) for group in groups} | {"DEFAULT": set(conf) - groups - OWN_OF_OSLO_CONFIG}
        for group, names in options.items():
            (part,) = re.findall(rf"^\[{group}\]$(.*?)(?=^\[|\Z)", self.text, re.MULTILINE | re.DOTALL)
            self.assertLessEqual(names, set(re.findall(r"^#(\w+) =", part, re.MULTILINE)), group)
        self.assertIn("\n#graceful_shutdown_timeout = 60\n", self.text)

    def test_sample_loads_commented_and_uncommented(self) -> None:
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "distil.conf")
        for text in (self.text, re.sub(r"(?m)^#(\w+ = (?!<None>).*)$", r"\1", self.text)):
            path.write_text(text)
            conf = cfg.ConfigOpts()
            registry.register_opts(conf)
            conf(["--config-file", str(path)])
            self.assertEqual(864, conf.collector.max_collection_start_age)
            self.assertEqual([], conf.collector.trust_sources)


class ReferenceDocumentationTest(unittest.TestCase):
    def test_every_transformer_has_section(self) -> None:
        transformers = {entry.name for entry in importlib.metadata.entry_points(group="distil.transformer")}
        self.assertLessEqual(transformers, titles("configuration/transformers.rst"))

    def test_every_telemetry_driver_is_named(self) -> None:
        for entry in importlib.metadata.entry_points(group="distil.telemetry"):
            self.assertIn(f"``{entry.name}``", page("admin/telemetry.rst"))

    def test_table_has_each_sample_meter(self) -> None:
        """By its name, or by that of a family with an asterisk."""
        (table,) = re.findall(r"^   \* - Meter$.*?^\.\. ", page("admin/telemetry.rst"), re.MULTILINE | re.DOTALL)
        rows = re.findall(r"``([^`]+)``", "".join(re.findall(r"^   \* - .*$", table, re.MULTILINE)))
        for entry in yaml.safe_load((ROOT / "etc" / "distil" / "meter_mappings.yml").read_text()):
            self.assertTrue(any(fnmatch.fnmatch(entry["meter"], row) for row in rows), entry["meter"])

    def test_guarantees_are_those_of_drivers(self) -> None:
        """In the table that the directive makes from the classes, of which the page has nothing of its own."""
        self.assertIn("\n.. distil-guarantees::\n", page("admin/telemetry.rst"))

    def test_every_guarantee_is_explained(self) -> None:
        for guarantee in Guarantee:
            self.assertIn(f"\n{guarantee}\n    Without it, ", page("admin/telemetry.rst"))

    def test_meters_files_of_page_are_valid(self) -> None:
        text = page("configuration/meters-files.rst")
        _, of_gnocchi, of_prometheus = re.split(r"^.. _\w+-meters:$", text, flags=re.MULTILINE)
        for part, load in ((of_gnocchi, gnocchi_meters.load), (of_prometheus, prometheus_meters.load)):
            (example,) = re.findall(r"^   - meter: .*\n(?:     .*\n)+", part, re.MULTILINE)
            with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
                pathlib.Path(file.name).write_text(example, encoding="utf-8")
                (entry,) = load(file.name)
            self.assertEqual({"name", "volume_id", "volume_type"}, entry.metadata.keys())

    def test_messages_of_drivers_are_those_of_code(self) -> None:
        """Between the dots that stand for values."""
        for driver in ("gnocchi", "prometheus"):
            code = "\n".join(texts(ROOT / "distil" / "telemetry", ROOT / "distil" / "telemetry" / driver))
            table = page(f"admin/telemetry-{driver}.rst").partition("\nMessages\n")[2]
            messages = re.findall(r"``([^`]+)``", "".join(re.findall(r"^   \* - (.*)$", table, re.MULTILINE)))
            self.assertGreater(len(messages), 10)
            for part in (part.strip(" ,:") for message in messages for part in message.split("...")):
                self.assertIn(part, code)

    def test_every_key_of_meters_files_has_section(self) -> None:
        fields = (*dataclasses.fields(GnocchiMeter), *dataclasses.fields(PrometheusMeter))
        keys = {"labels" if field.name.endswith("_label") else field.name for field in fields}
        self.assertLessEqual(keys, titles("configuration/meters-files.rst"))

    def test_every_mapping_key_has_section(self) -> None:
        self.assertLessEqual(
            {*mapping_parser.KEYS, *mapping_parser.UNUSED_KEYS}, titles("configuration/meter-mappings.rst")
        )

    def test_every_metric_is_described(self) -> None:
        """Those of the table by the directive that makes the page of it."""
        text = page("admin/metrics.rst")
        self.assertIn("\n.. distil-metrics::\n", text)
        described = {row.full_name for row in DEFINITIONS} | set(re.findall(r"``(process_\w+)``", text))
        families = Metrics({"distil": "1"}).registry.collect()
        names = {each.name + ("_total" if each.type == "counter" else "") for each in families}
        self.assertEqual(names, described)

    def test_every_rejection_reason_is_described(self) -> None:
        for flaw in RejectionReason:
            self.assertIn(f"``{flaw}``", page("admin/metrics.rst"))

    def test_every_cli_option_is_described(self) -> None:
        for option in enabled_collectors.CLI_OPTS:
            self.assertIn(f"--{option.name}", page("cli/distil-collector.rst"))

    def test_every_command_has_manual_page(self) -> None:
        for command in importlib.metadata.distribution("distil").entry_points.select(group="console_scripts"):
            self.assertIn(command.name, titles(f"cli/{command.name}.rst"))
            self.assertIn(f'"{command.name}"', page("conf.py"))

    def test_architecture_lists_every_package(self) -> None:
        house = re.findall(r"^\.\. distil-modules:: (\S+)$", page("contributor/architecture.rst"), re.MULTILINE)
        packages = {str(path.parent.relative_to(ROOT / "distil")) for path in (ROOT / "distil").rglob("__init__.py")}
        known_by_others = {name for name in packages if name.startswith(("tests", "db/migrations"))}
        self.assertEqual(packages - known_by_others, set(house))

    def test_architecture_names_existing_modules(self) -> None:
        named = re.findall(r"``([a-z_/]+/[a-z_]+\.py)``", page("contributor/architecture.rst"))
        self.assertGreater(len(named), 5)
        self.assertEqual([], [name for name in named if not (ROOT / "distil" / name).exists()])
