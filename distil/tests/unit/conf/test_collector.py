# SPDX-License-Identifier: Apache-2.0
"""The options of [collector] that need more than oslo.config's own types."""

import pathlib
import tempfile
import unittest

from oslo_config import cfg

from distil.conf import collector


class TrustSourcesTest(unittest.TestCase):
    def read(self, text: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "distil.conf")
            path.write_text(f"[collector]\ntrust_sources ={text}\n")
            conf = cfg.ConfigOpts()
            collector.register_opts(conf)
            conf(["--config-file", str(path)])
            found: list[str] = conf.collector.trust_sources
            return found

    def test_expressions_are_separated_by_commas(self) -> None:
        self.assertEqual(["openstack", ".{32}:TrafficAccounting"], self.read(" openstack, .{32}:TrafficAccounting"))

    def test_commas_in_brackets_do_not_separate(self) -> None:
        self.assertEqual(["a{1,3}", "[a,b]c", "d"], self.read(" a{1,3},[a,b]c , d"))

    def test_empty_value_yields_no_expressions(self) -> None:
        self.assertEqual([], self.read(""))
