# SPDX-License-Identifier: Apache-2.0
"""The modules that a collector process loads at start."""

import subprocess
import sys
import unittest

_LOADED = """
import sys
from distil.cmd import collector
print(*sorted({"alembic", "rich"} & sys.modules.keys()))
"""
_FROZEN = """
import gc
from distil.cmd import collector
try:
    collector.main(["--version"])
except SystemExit:
    print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def last_line(program: str) -> str:
    """The last line of a Python program's output."""
    process = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    return process.stdout.splitlines()[-1]


class CollectorStartTest(unittest.TestCase):
    def test_alembic_and_rich_are_not_imported(self) -> None:
        self.assertEqual("", last_line(_LOADED))

    def test_garbage_collector_freezes_loaded_objects(self) -> None:
        self.assertEqual("True True", last_line(_FROZEN))
