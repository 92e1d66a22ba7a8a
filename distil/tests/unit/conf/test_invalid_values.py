# SPDX-License-Identifier: Apache-2.0
"""Every invalid value is reported, with its file and its constraint."""

import os

from oslo_config import cfg

from distil import exceptions
from distil.conf import validate
from distil.tests.support.configuration import ConfigurationTestCase

KEYSTONE = "[keystone_authtoken]\nauth_type = password\n"


class InvalidValuesTest(ConfigurationTestCase):
    def problems(self, text: str, *arguments: str) -> list[str]:
        """Without the prefix of each, the path of the file."""
        found = validate.invalid_values(self.read(text, *arguments))
        self.assertEqual([], [problem for problem in found if not problem.startswith(f"{self.path}: ")])
        return [problem.removeprefix(f"{self.path}: ") for problem in found]

    def test_valid_values_are_accepted(self) -> None:
        self.assertEqual([], self.problems(f"[collector]\nworkers = 2\nproject_order = random\n{KEYSTONE}"))

    def test_invalid_values_report_their_constraint(self) -> None:
        text = (
            "[DEFAULT]\ngraceful_shutdown_timeout = soon\nuse_stderr = perhaps\n"
            "[collector]\ncollect_window = 0\nworkers = 1.5\nproject_order = sideways\nexporter_port = 65536\n"
            "exporter_host = a b\nrecheck_after = 6, 0\n"
            "[database]\nmax_retries = often\n"
            "[keystone_authtoken]\ntimeout = 0\ninterface = private\ninsecure = no way\n"
        )
        expected = {
            "[DEFAULT] graceful_shutdown_timeout = soon: must be a whole number",
            "[DEFAULT] use_stderr = perhaps: must be true or false",
            "[collector] collect_window = 0: must be a whole number, at least 1, at most 744",
            "[collector] workers = 1.5: must be a whole number, at least 1",
            "[collector] project_order = sideways: must be one of ascending, descending, random",
            "[collector] exporter_port = 65536: must be a whole number, at least 0, at most 65535",
            "[collector] recheck_after = 6, 0: each must be a whole number, at least 1, at most 744",
            "[collector] exporter_host = a b: a b is not a valid host address",
            "[database] max_retries = often: must be a whole number",
            "[keystone_authtoken] timeout = 0: must be a number, at least 1.0",
            "[keystone_authtoken] interface = private: must be one of public, internal, admin",
            "[keystone_authtoken] insecure = no way: must be true or false",
        }
        self.assertEqual(expected, set(self.problems(text)))

    def test_named_collector_rejects_invalid_accepts_empty(self) -> None:
        text = "[DEFAULT]\nenabled_collectors = one, two\n[collector:one]\nworkers =\n[collector:two]\nworkers = x\n"
        self.assertEqual(["[collector:two] workers = x: must be a whole number, at least 1"], self.problems(text))

    def test_empty_number_is_reported(self) -> None:
        self.assertEqual(
            ["[collector] workers = : must be a whole number, at least 1"], self.problems("[collector]\nworkers =\n")
        )

    def test_invalid_cli_options_raise_all_problems(self) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.read("[DEFAULT]\ndebug = perhaps\nuse_json = x\n[collector]\nworkers = 0\n")
        expected = (
            f"{self.path}: [DEFAULT] debug = perhaps: must be true or false",
            f"{self.path}: [DEFAULT] use_json = x: must be true or false",
            f"{self.path}: [collector] workers = 0: must be a whole number, at least 1",
        )
        self.assertEqual(expected, caught.exception.problems)

    def test_unresolved_substitution_is_reported_without_value(self) -> None:
        text = f"[database]\nconnection = mysql://a$s3cr3t\n{KEYSTONE}password = $s3cr3t\n"
        problem = "contains a $ that no option name follows; write $$ for a literal $"
        found = self.problems(text)
        self.assertEqual(
            [f"[database] connection: {problem}", f"[keystone_authtoken] password: {problem}"], sorted(found)
        )

    def test_self_referencing_option_is_reported(self) -> None:
        (found,) = self.problems("[collector]\ntransformer_file = $transformer_file\n")
        self.assertIn("[collector] transformer_file: contains a $", found)

    def test_unresolved_collector_and_plugin_names_reported(self) -> None:
        found = self.problems("[DEFAULT]\nenabled_collectors = $x\n[keystone_authtoken]\nauth_type = $x\n")
        self.assertIn("[DEFAULT] enabled_collectors: contains a $", found[0])
        self.assertIn("[keystone_authtoken] auth_type: contains a $", found[1])

    def test_secret_value_is_masked(self) -> None:
        self.conf.register_opt(cfg.IntOpt("pin", secret=True), group="collector")
        self.assertEqual(
            ["[collector] pin = ***: must be a whole number"], self.problems("[collector]\npin = s3cr3t\n")
        )

    def test_problem_names_effective_file(self) -> None:
        later = self.folder / "later.conf"
        later.write_text("[collector]\nworkers = 0\nconcurrency = 2\n")
        text = "[collector]\nworkers = 1\nconcurrency = 0\nperiodic_interval = 0\n"
        found = validate.invalid_values(self.read(text, "--config-file", str(later)))
        expected = [
            f"{self.path}: [collector] periodic_interval = 0: must be a whole number, at least 1, at most 2678400",
            f"{later}: [collector] workers = 0: must be a whole number, at least 1",
        ]
        self.assertEqual(expected, found)

    def test_problem_names_environment_variable(self) -> None:
        os.environ["OS_COLLECTOR__WORKERS"] = "many"
        found = validate.invalid_values(self.read("[collector]\nworkers = 1\n"))
        expected = "environment variable OS_COLLECTOR__WORKERS: [collector] workers = many: must be a whole number"
        self.assertEqual([f"{expected}, at least 1"], found)
