# SPDX-License-Identifier: Apache-2.0
"""Which collectors run, by [DEFAULT] and the command line."""

from oslo_config import cfg

from distil import exceptions
from distil.conf import enabled_collectors
from distil.conf.enabled_collectors import CLI_OPTS
from distil.tests.support.configuration import ConfigurationTestCase


class ReadCollectorsTest(ConfigurationTestCase):
    def problems(self, text: str, *arguments: str) -> tuple[str, ...]:
        self.conf.register_cli_opts(CLI_OPTS)
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            enabled_collectors.read_collectors(self.read(text, *arguments))
        return caught.exception.problems

    def test_reads_one_per_enabled_name(self) -> None:
        self.conf.register_cli_opts(CLI_OPTS)
        groups = "[DEFAULT]\nenabled_collectors = a, b\n[collector:a]\nworkers = 2\n[collector:b]\n"
        found = [(options.name, options.workers) for options in enabled_collectors.read_collectors(self.read(groups))]
        self.assertEqual([("a", 2), ("b", 1)], found)
        chosen = enabled_collectors.read_collectors(self.read(groups, "--collector", "b"))
        self.assertEqual(["b"], [options.name for options in chosen])

    def test_unusable_names_are_reported(self) -> None:
        prefix = "[DEFAULT] enabled_collectors"
        expected = (
            f"{prefix}: no group [collector:b] in the configuration files",
            f"{prefix}: duplicate name a",
            f"--collector c is not in {prefix} (a, a, b)",
        )
        text = "[DEFAULT]\nenabled_collectors = a, a, b\n[collector:a]\n"
        self.assertEqual(expected, self.problems(text, "--collector", "c"))

    def test_collector_option_needs_enabled_collectors(self) -> None:
        expected = "--collector c is not in [DEFAULT] enabled_collectors (empty)"
        self.assertEqual((expected,), self.problems("", "--collector", "c"))

    def test_conflicting_ports_are_reported(self) -> None:
        exporter = "enable_exporter = true\nexporter_port = 65535\n"
        text = f"[DEFAULT]\nenabled_collectors = a, b\n[collector:a]\n{exporter}[collector:b]\nworkers = 2\n{exporter}"
        expected = (
            "exporter_port: 65535 is used by more than one collector or worker",
            "exporter_port: worker port 65536 exceeds 65535",
        )
        self.assertEqual(expected, self.problems(text))

    def test_invalid_value_raises_config_error(self) -> None:
        self.conf.register_cli_opts(CLI_OPTS)
        with self.assertRaises(cfg.ConfigSourceValueError):
            enabled_collectors.read_collectors(self.read("[collector]\nworkers = many\n"))
