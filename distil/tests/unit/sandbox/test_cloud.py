# SPDX-License-Identifier: Apache-2.0
"""Tests of what the sandbox cloud needs."""

import subprocess
import sys
import unittest

_PROGRAM = """
import sys
before = set(sys.modules)
import distil.sandbox.cloud
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))
"""


class CloudTest(unittest.TestCase):
    def test_import_needs_only_standard_library(self) -> None:
        process = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, stdout=subprocess.PIPE, text=True)
        self.assertEqual(["distil"], process.stdout.split())
