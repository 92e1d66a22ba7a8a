# SPDX-License-Identifier: Apache-2.0
"""The digest of a collector's options and rules."""

import pathlib
import tempfile
import unittest

from oslo_config import cfg

from distil import exceptions
from distil.conf import enabled_collectors
from distil.conf import registry
from distil.conf.fingerprint import fingerprint
from distil.conf.fingerprint import rules_fingerprint


class FingerprintTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.mappings, self.transformers = self.folder / "mappings.yml", self.folder / "transformer.yml"
        self.mappings.write_text("[]")
        self.transformers.write_text("{}")

    def digest(self, collector: str = "", sections: str = "") -> str:
        path = self.folder / "distil.conf"
        files = f"meter_mappings_file = {self.mappings}\ntransformer_file = {self.transformers}\n"
        path.write_text(f"[collector]\n{files}{collector}\n{sections}")
        conf = cfg.ConfigOpts()
        registry.register_opts(conf)
        conf.register_cli_opts(enabled_collectors.CLI_OPTS)
        conf(["--config-file", str(path)])
        (options, *_) = enabled_collectors.read_collectors(conf)
        self.rules = rules_fingerprint(options, {})
        return fingerprint(options, {})

    def test_fingerprint_is_stable_hexadecimal(self) -> None:
        self.assertRegex(self.digest(), "^[0-9a-f]{12}$")
        self.assertEqual(self.digest(), self.digest("collect_window = 1"))

    def test_options_and_files_change_fingerprint(self) -> None:
        digests = {self.digest(), self.digest("collect_window = 2")}
        digests.add(self.digest(sections="[DEFAULT]\nenabled_collectors = a\n[collector:a]\ncollect_window = 3\n"))
        self.mappings.write_text("[] # other")
        digests.add(self.digest())
        self.transformers.write_text("{} # other")
        digests.add(self.digest())
        self.assertEqual(5, len(digests))

    def test_only_rules_change_rules_fingerprint(self) -> None:
        self.digest()
        first = self.rules
        self.digest("collect_window = 2\ninclude_domains = d")
        self.assertEqual(first, self.rules)
        self.digest("trust_sources = openstack")
        self.assertNotEqual(first, self.rules)
        self.mappings.write_text("[] # other")
        self.digest()
        self.assertNotEqual(first, self.rules)

    def test_host_specific_settings_are_excluded(self) -> None:
        before = self.digest()
        self.assertEqual(before, self.digest("workers = 2\nexporter_host = 192.0.2.1\nconcurrency = 3"))
        moved = self.folder / "moved.yml"
        self.mappings.rename(moved)
        self.mappings = moved
        self.assertEqual(before, self.digest())

    def test_password_is_excluded(self) -> None:
        database = "[database]\nconnection = mysql+pymysql://distil:{}@db/distil\n"
        self.assertEqual(self.digest(sections=database.format("one")), self.digest(sections=database.format("two")))

    def test_unreadable_file_is_named_in_error(self) -> None:
        self.mappings.unlink()
        with self.assertRaisesRegex(exceptions.ConfigurationError, "mappings.yml cannot be read"):
            self.digest()
