# SPDX-License-Identifier: Apache-2.0
"""The digest of the configuration in force."""

import pathlib
import tempfile
import unittest

from oslo_config import cfg

from distil import conf as configuration
from distil import exceptions
from distil.conf.collector import CLI_OPTS
from distil.conf.collector import collector_types
from distil.conf.fingerprint import digest


class DigestTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.mappings, self.transformers = self.folder / "mappings.yml", self.folder / "transformer.yml"
        self.mappings.write_text("[]")
        self.transformers.write_text("{}")

    def digest(self, collector: str = "", more: str = "") -> str:
        path = self.folder / "distil.conf"
        files = f"meter_mappings_file = {self.mappings}\ntransformer_file = {self.transformers}\n"
        path.write_text(f"[collector]\n{files}{collector}\n{more}")
        conf = cfg.ConfigOpts()
        configuration.register_opts(conf)
        conf.register_cli_opts(CLI_OPTS)
        conf(["--config-file", str(path)])
        return digest(collector_types(conf)[0])

    def test_it_is_twelve_hexadecimal_digits_and_the_same_for_the_same(self) -> None:
        self.assertRegex(self.digest(), "^[0-9a-f]{12}$")
        self.assertEqual(self.digest(), self.digest("collect_window = 1"))

    def test_it_differs_where_an_option_or_a_file_does(self) -> None:
        digests = {self.digest(), self.digest("collect_window = 2")}
        digests.add(self.digest(more="[DEFAULT]\nenabled_collectors = a\n[collector:a]\ncollect_window = 3\n"))
        self.mappings.write_text("[] # other")
        digests.add(self.digest())
        self.transformers.write_text("{} # other")
        digests.add(self.digest())
        self.assertEqual(5, len(digests))

    def test_what_a_host_has_for_itself_does_not_change_it(self) -> None:
        before = self.digest()
        self.assertEqual(before, self.digest("workers = 2\nexporter_host = 192.0.2.1\nconcurrency = 3"))
        moved = self.folder / "moved.yml"
        self.mappings.rename(moved)
        self.mappings = moved
        self.assertEqual(before, self.digest())

    def test_a_password_does_not_change_it(self) -> None:
        database = "[database]\nconnection = mysql+pymysql://distil:{}@db/distil\n"
        self.assertEqual(self.digest(more=database.format("one")), self.digest(more=database.format("two")))

    def test_a_file_that_cannot_be_read_is_named(self) -> None:
        self.mappings.unlink()
        with self.assertRaisesRegex(exceptions.ConfigurationError, "mappings.yml cannot be read"):
            self.digest()
