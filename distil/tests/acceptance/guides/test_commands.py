# SPDX-License-Identifier: Apache-2.0
"""Every command of the documentation is run, or it is known why it cannot be."""

import unittest

from distil.tests.acceptance.guides import pages


class DocumentedCommandsTest(unittest.TestCase):
    def test_every_command_is_run_or_listed(self) -> None:
        listed = {(page, name) for page, names in pages.ELSEWHERE.items() for name in names}
        shown = {
            (page, command.name)
            for page in (str(path.relative_to(pages.ROOT)) for path in pages.paths())
            for command in pages.commands(page)
        }
        self.assertEqual(set(), listed - shown)
        self.assertEqual(set(), {(page, name) for page, name in shown - listed if page not in pages.FOLLOWED})

    def test_referenced_tests_exist(self) -> None:
        reasons = {reason for names in pages.ELSEWHERE.values() for reason in names.values()}
        for name in (reason for reason in reasons if reason.startswith(("distil.tests.", "benchmarks."))):
            loader = unittest.TestLoader()
            self.assertTrue(loader.loadTestsFromName(name).countTestCases(), name)
            self.assertEqual([], loader.errors)

    def test_no_block_hides_commands(self) -> None:
        """So that no command hides in one."""
        for path in pages.paths():
            for line in path.read_text().splitlines():
                self.assertNotRegex(line, r"^(?!\s*\.\. ).*::$|code-block:: ?(bash|sh|shell|shell-session|)$", path)
