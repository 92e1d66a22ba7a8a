# SPDX-License-Identifier: Apache-2.0
"""Configuration files on disk, read as a command reads them."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from distil.conf import loader
from distil.conf import registry
from distil.conf.registry import TrackedConfigOpts


class ConfigurationTestCase(unittest.TestCase):
    """Writes a configuration file for each test."""

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "distil.conf"
        self.enterContext(mock.patch.dict(os.environ))
        self.conf = TrackedConfigOpts()
        registry.register_opts(self.conf)

    def read(self, text: str, *arguments: str) -> TrackedConfigOpts:
        """Return the options of a configuration file with this text."""
        self.path.write_text(text)
        loader.load(self.conf, ["--config-file", str(self.path), *arguments], "distil-collector")
        return self.conf
