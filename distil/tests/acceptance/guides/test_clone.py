# SPDX-License-Identifier: Apache-2.0
"""Trials in a clone leave its tests alone."""

import pathlib
import subprocess
import tempfile
import unittest

from distil.tests.support import clone
from distil.tests.support import requirements


class CopyTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.root, self.target = folder / "root", folder / "target"
        subprocess.run([requirements.program("git"), "init", "--quiet", str(self.root)], check=True)
        (self.root / "distil").mkdir()

    def write(self, *names: str) -> None:
        for name in names:
            (self.root / name).write_text("a = 1\n")

    def copied(self) -> set[str]:
        clone.copy(self.target, self.root)
        return {str(path.relative_to(self.target)) for path in self.target.rglob("*") if path.is_file()}

    def test_tracked_and_new_modules_are_copied(self) -> None:
        self.write("README.rst", "distil/old.py")
        subprocess.run(["git", "add", "."], cwd=self.root, check=True)
        self.write("distil/new.py")
        self.assertEqual({"README.rst", "distil/old.py", "distil/new.py"}, self.copied())

    def test_leftovers_of_trials_are_not(self) -> None:
        self.write("distil/new.py", "cloud.conf", "distil.conf")
        self.assertEqual({"distil/new.py"}, self.copied())
