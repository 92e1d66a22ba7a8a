# SPDX-License-Identifier: Apache-2.0
"""The parts of the benchmark; what they measure is tested by ``benchmarks.test_smoke``."""

import re
import subprocess
import unittest

from benchmarks import test_smoke


class BenchmarkPartsTest(unittest.TestCase):
    def test_every_part_is_documented(self) -> None:
        page = (test_smoke.ROOT / "doc" / "source" / "contributor" / "benchmark.rst").read_text()
        described = re.findall(r"^``([a-z-]+)`` +\S", page, re.MULTILINE)
        self.assertEqual(test_smoke.PARTS, described)

    def test_unknown_part_exits_with_2(self) -> None:
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            test_smoke.run("benchmarks", "--smoke", "no-such-part")
        self.assertEqual(2, caught.exception.returncode)
