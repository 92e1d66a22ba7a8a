# SPDX-License-Identifier: Apache-2.0
"""Rules files that must stop a collector at once, and that ``config check`` reports."""

import unittest

from distil.tests.support import manage
from distil.tests.support.site import Site

RULE = "- {meter: m1, unit: hour, transformer: max}\n"


class RulesFilesTest(unittest.TestCase):
    def test_bad_files_are_refused_with_line(self) -> None:
        site = self.enterContext(Site())
        mappings, transformers = site.folder / "mappings.yml", site.folder / "transformers.yml"
        filters = " || ".join(["metadata.a"] * 5000)
        mappings.write_text(RULE + RULE + f'- {{meter: m2, unit: hour, transformer: max, filters: ["{filters}"]}}\n')
        transformers.write_text("uptime:\n  prefix: 10:30\n")
        site.configure(meter_mappings_file=mappings, transformer_file=transformers)
        checked = manage.run(site.config, "config", "check")
        self.assertEqual(1, checked.returncode)
        for output in (site.refused(), " ".join(checked.stdout.replace("|", " ").split())):
            for part in (
                "entry 2 (m1): would bill a second time what is billed by entry 1 (line 1)",
                "entry 3 (m2): filters[1] ",
                "is not a valid JMESPath expression: it has more than 300 levels",
                "line 2, column 11, section 'uptime': '10:30' is a number in base 60",
            ):
                with self.subTest(part):
                    self.assertIn(part.replace("|", " "), output)
