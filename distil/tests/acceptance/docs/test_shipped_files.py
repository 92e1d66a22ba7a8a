# SPDX-License-Identifier: Apache-2.0
"""The files for operators, from the repository into the package and from there to their places."""

import pathlib
import tomllib
import unittest

ROOT = pathlib.Path(__file__).parents[4]
INSTALLED = ("distil", "logrotate.d", "systemd", "sysusers.d")


class ShippedFilesTest(unittest.TestCase):
    def setUp(self) -> None:
        configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
        self.shipped: dict[str, list[str]] = configuration["tool"]["setuptools"]["data-files"]

    def test_every_file_is_packaged(self) -> None:
        found = {path for folder in INSTALLED for path in (ROOT / "etc" / folder).iterdir()}
        generated = ROOT / "etc" / "distil" / "distil.conf.sample"
        shipped = {ROOT / path for paths in self.shipped.values() for path in paths}
        self.assertLessEqual(found - {generated}, shipped)
        self.assertEqual([], [path for path in shipped if not path.exists()])

    def test_installation_guide_names_file_locations(self) -> None:
        guide = (ROOT / "doc" / "source" / "install.rst").read_text()
        for folder, paths in self.shipped.items():
            if paths[0].split("/")[1] in INSTALLED:
                self.assertIn(f"``{folder}/{pathlib.Path(paths[0]).name}``", guide)
                self.assertIn(f"/opt/distil/{folder}/", guide)
