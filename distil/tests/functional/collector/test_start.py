# SPDX-License-Identifier: Apache-2.0
"""What a collector's process does not load before it begins."""

import subprocess
import sys
import unittest

_PROGRAM = """
import sys
from distil.cmd import collector
print(*sorted({"alembic", "rich"} & sys.modules.keys()))
"""


class StartTest(unittest.TestCase):
    def test_what_is_slow_to_load_and_not_needed_for_a_run_is_not_loaded(self) -> None:
        said = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True).stdout
        self.assertEqual("\n", said)
