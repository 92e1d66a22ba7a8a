# SPDX-License-Identifier: Apache-2.0
"""Files that cannot be read are all reported by name."""

import contextlib
import io

from oslo_config import cfg

from distil import exceptions
from distil.conf import loader
from distil.tests.support.configuration import ConfigurationTestCase


class ConfigFilesTest(ConfigurationTestCase):
    def problems(self, text: str, *arguments: str) -> list[str]:
        try:
            self.read(text, *arguments)
        except (cfg.Error, exceptions.ConfigurationError) as error:
            return loader.error_lines(error)
        raise AssertionError("the files were read")

    def test_missing_files_are_listed(self) -> None:
        expected = [
            "/nowhere/a cannot be read: no such file",
            "/nowhere/b cannot be read: no such file",
        ]
        self.assertEqual(expected, self.problems("", "--config-file", "/nowhere/a", "--config-file=/nowhere/b"))
        self.assertIn("/nowhere/c", self.problems("", "--config-dir", "/nowhere/c")[0])

    def test_permission_denied_is_reported(self) -> None:
        error = cfg.ConfigFilesPermissionDeniedError(["/etc/distil/distil.conf"])
        self.assertEqual(["/etc/distil/distil.conf cannot be read: permission denied"], loader.error_lines(error))

    def test_non_utf8_file_is_reported(self) -> None:
        other = self.folder / "other.conf"
        other.write_bytes(b"[DEFAULT]\n# caf\xe9\n")
        found = self.problems("[collector]\n", f"--config-file={other}")
        self.assertEqual([f"{other} cannot be read: line 2 is not valid utf-8"], found)
        folder = self.problems("[collector]\n", "--config-dir", str(self.folder))
        self.assertEqual(found, folder)

    def test_invalid_argument_exits_with_2(self) -> None:
        output = io.StringIO()
        with contextlib.redirect_stderr(output), self.assertRaises(SystemExit) as caught:
            self.read("", "--nonsense")
        self.assertEqual(2, caught.exception.code)
        self.assertIn("unrecognized arguments: --nonsense", output.getvalue())

    def test_config_dir_files_are_validated(self) -> None:
        (self.folder / "later.conf").write_text("[DEFAULT]\ndebug = perhaps\n")
        expected = [f"{self.folder}/later.conf: [DEFAULT] debug = perhaps: must be true or false"]
        self.assertEqual(expected, self.problems("[collector]\n", "--config-dir", str(self.folder)))

    def test_file_options_are_found_among_others(self) -> None:
        self.path.write_text("[collector]\nworkers = 2\n")
        arguments = ["--debug", f"--config-file={self.path}", "upgrade", "--config-dir", str(self.folder), "--json"]
        conf = loader.load_files(self.conf, arguments, "distil-collector")
        self.assertEqual(([str(self.path)], [str(self.folder)]), (conf.config_file, conf.config_dir))
        self.assertEqual(2, conf.collector.workers)
