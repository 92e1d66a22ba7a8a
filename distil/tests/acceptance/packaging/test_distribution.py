# SPDX-License-Identifier: Apache-2.0
"""The source distribution, the wheels that are built from it and from the repository, and an installation."""

import pathlib
import tarfile
import tempfile
import unittest
from typing import ClassVar

from packaging.requirements import Requirement

from distil.tests.acceptance.packaging import distributions
from distil.tests.acceptance.packaging.distributions import ROOT
from distil.tests.support import clone

VERSION = "1.2.3"
COMMANDS = ("distil-collector", "distil-db-manage", "distil-manage", "distil-status")
# In a source distribution, and in no repository.
GENERATED = ("PKG-INFO", "setup.cfg", "distil.egg-info/")

# Alembic alone can import its environment.
IMPORT_EVERYTHING = """
import importlib, pkgutil, distil
for module in pkgutil.walk_packages(distil.__path__, "distil."):
    if module.name != "distil.db.migrations.env":
        importlib.import_module(module.name)
print(distil.__file__)
"""

LOAD_PLUGINS = """
import importlib.metadata
for group, name in (("distil.transformer", "average"), ("distil.telemetry", "archive")):
    (plugin,) = importlib.metadata.entry_points(group=group, name=name)
    plugin.load()
"""


class DistributionTest(unittest.TestCase):
    tracked: ClassVar[set[str]]
    sdist: ClassVar[pathlib.Path]
    sdist_files: ClassVar[set[str]]
    tree_wheel: ClassVar[pathlib.Path]
    wheel: ClassVar[pathlib.Path]
    environment: ClassVar[distributions.Environment]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.tracked = clone.files()
        tree = folder / "tree"
        clone.copy(tree)
        # Before the wheel: setuptools would add the files that an earlier build listed.
        archive = distributions.build("sdist", tree, folder / "archive", PBR_VERSION=VERSION)
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        cls.sdist = folder / f"distil-{VERSION}"
        cls.sdist_files = {str(path.relative_to(cls.sdist)) for path in cls.sdist.rglob("*") if path.is_file()}
        cls.tree_wheel = distributions.build("wheel", tree, folder / "of-tree", PBR_VERSION=VERSION)
        cls.wheel = distributions.build("wheel", cls.sdist, folder / "of-sdist")
        cls.environment = distributions.Environment(folder / "environment", cls.wheel)

    def test_sdist_contains_tracked_files(self) -> None:
        files = {name for name in self.sdist_files if not name.startswith(GENERATED)}
        self.assertEqual(set(), files - self.tracked)
        missing = self.tracked - files
        self.assertEqual(set(), {name for name in missing if not name.startswith(".")})

    def test_sdist_and_tree_give_one_wheel(self) -> None:
        self.assertEqual(distributions.wheel_requires(self.tree_wheel), distributions.wheel_requires(self.wheel))
        self.assertEqual(distributions.wheel_files(self.tree_wheel), distributions.wheel_files(self.wheel))

    def test_wheel_requires_what_requirements_txt_lists(self) -> None:
        lines = (ROOT / "requirements.txt").read_text().splitlines()
        wanted = {str(Requirement(line)) for line in lines if not line.startswith("#")}
        self.assertTrue(wanted)
        self.assertEqual(wanted, {str(Requirement(each)) for each in distributions.wheel_requires(self.wheel)})

    def test_wheel_holds_no_tests(self) -> None:
        self.assertEqual([], [name for name in distributions.wheel_files(self.wheel) if "tests/" in name])

    def test_commands_print_version(self) -> None:
        for command in COMMANDS:
            self.assertEqual(VERSION, distributions.run(self.environment.bin / command, "--version").split()[-1])
        self.assertIn("--projects", distributions.run(self.environment.bin / "distil-sandbox", "demo", "--help"))

    def test_every_installed_module_can_be_imported(self) -> None:
        where = self.environment.python(IMPORT_EVERYTHING).splitlines()[-1]
        self.assertEqual(str(self.environment.site_packages / "distil" / "__init__.py"), where)

    def test_example_plugins_can_be_installed(self) -> None:
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        acme = self.sdist / "doc" / "source" / "examples" / "acme"
        self.environment.install(distributions.build("wheel", acme, folder))
        self.environment.python(LOAD_PLUGINS)
