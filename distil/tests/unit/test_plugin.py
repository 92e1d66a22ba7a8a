# SPDX-License-Identifier: Apache-2.0
"""The names for authors of plugins."""

import subprocess
import sys
import unittest

from distil import plugin

# Top-level packages that a plugin's unit tests should not need.
_HEAVY = {"ceilometerclient", "oslo_config", "oslo_db", "oslo_log", "openstack", "prometheus_client", "sqlalchemy"}


class PluginTest(unittest.TestCase):
    def test_every_name_is_exported(self) -> None:
        names = {name for name in vars(plugin) if not name.startswith("_")}
        self.assertEqual(names, set(plugin.__all__))

    def test_import_is_light(self) -> None:
        program = "import sys, distil.plugin; print(*{name.partition('.')[0] for name in sys.modules})"
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(set(), _HEAVY & set(ran.stdout.split()))
