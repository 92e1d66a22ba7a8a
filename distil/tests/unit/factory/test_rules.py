# SPDX-License-Identifier: Apache-2.0
"""Loading the rules files."""

import pathlib
import tempfile
import unittest

from distil import exceptions
from distil.factory import rules
from distil.factory.rules import LoadedRules
from distil.rating.rate import RatingRules

MAPPING = "- {meter: m1, unit: hour, transformer: max}\n"


class RulesCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.mappings = pathlib.Path(folder.name) / "mappings.yml"
        self.transformers = pathlib.Path(folder.name) / "transformers.yml"

    def load(self, mappings: str = MAPPING, transformers: str = "", *trusted: str) -> RatingRules:
        return self.load_files(mappings, transformers, *trusted).rules

    def load_files(self, mappings: str = MAPPING, transformers: str = "", *trusted: str) -> LoadedRules:
        self.mappings.write_bytes(mappings.encode(errors="surrogateescape"))
        self.transformers.write_text(transformers, encoding="utf-8")
        return rules.load_rules(str(self.mappings), str(self.transformers), trusted)

    def problems(self, mappings: str = MAPPING, transformers: str = "", *trusted: str) -> tuple[str, ...]:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.load(mappings, transformers, *trusted)
        return caught.exception.problems

    def problem(self, mappings: str = MAPPING, transformers: str = "", *trusted: str) -> str:
        (problem,) = self.problems(mappings, transformers, *trusted)
        return problem


class RatingRulesTest(RulesCase):
    def test_valid_files_are_loaded(self) -> None:
        loaded = self.load(MAPPING, "uptime: {tracked_states: [active]}", "openstack")
        self.assertEqual(["m1"], list(loaded.meters))
        self.assertTrue(loaded.is_trusted("openstack"))
        self.assertFalse(loaded.is_trusted("anyone"))

    def test_all_problems_are_reported_with_lines(self) -> None:
        line = MAPPING.count("\n") + 1
        mappings = MAPPING + "- {meter: m2, unit: 5, transformer: maxx}\n"
        problems = self.problems(mappings, "uptine: {}\nuptime: {prefix: 5}", "openstack", "(", "*")
        self.assertEqual(6, len(problems), problems)
        for prefix, text in (
            (f"{self.mappings}:{line}: entry 2 (m2): ", "unit must be text, not 5"),
            (f"{self.mappings}:{line}: entry 2 (m2): ", "'maxx'; did you mean max?"),
            (f"{self.transformers}:1: section 'uptine'", "did you mean uptime?"),
            (f"{self.transformers}:2: section 'uptime'", "prefix must be text, not 5"),
            ("[collector] trust_sources: '('", "regular expression"),
            ("[collector] trust_sources: '*'", "regular expression"),
        ):
            self.assertEqual(
                1, sum(problem.startswith(prefix) and text in problem for problem in problems), (prefix, problems)
            )

    def test_repeated_rule_names_both_lines(self) -> None:
        found = self.problem("# rules\n" + MAPPING + MAPPING.replace("m1", "m2") + "\n" + MAPPING)
        expected = f"{self.mappings}:5: entry 3 (m1): would bill a second time what is billed by entry 1 (line 2)"
        self.assertEqual(expected, found)

    def test_error_text_lists_all_problems(self) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.load("- {meter: m1}\n")
        self.assertEqual(list(caught.exception.problems), str(caught.exception).splitlines())

    def test_unreadable_file_is_named_in_error(self) -> None:
        folder = str(self.mappings.parent)
        for path, reason in (("/no/such/file", "No such file"), (folder, "directory")):
            self.load()
            with self.assertRaises(exceptions.ConfigurationError) as caught:
                rules.load_rules(path, str(self.transformers), ())
            (problem,) = caught.exception.problems
            self.assertIn(path, problem)
            self.assertIn(reason, problem)

    def test_empty_mappings_file_is_rejected(self) -> None:
        for content in ("", "---\n", "# nothing\n"):
            self.assertIn(f"{self.mappings}: must hold a list of meter mappings, and is empty", self.problem(content))
        self.assertIn(f"{self.mappings}: must hold a list of meter mappings, not []", self.problem("[]\n"))

    def test_empty_transformer_file_is_accepted(self) -> None:
        for content in ("", "---\n", "# nothing\n", "uptime:\n"):
            self.assertEqual(1, len(self.load(MAPPING, content).mappings))

    def test_transformer_options_reach_transformers(self) -> None:
        self.load("- {meter: m1, unit: second, transformer: uptime}\n", "uptime: {tracked_states: [active]}")
        found = self.problem("- {meter: m1, unit: second, transformer: uptime}\n")
        self.assertIn("tracked_states is missing", found)

    def test_shared_invalid_section_is_reported_once(self) -> None:
        mappings = "".join(f"- {{meter: m{n}, unit: second, transformer: uptime}}\n" for n in (1, 2, 3))
        self.assertIn(str(self.transformers), self.problem(mappings, "uptime: {tracked_states: 5}"))

    def test_unreadable_transformer_file_is_reported_once(self) -> None:
        self.mappings.write_text("- {meter: m1, unit: second, transformer: uptime}\n", encoding="utf-8")
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            rules.load_rules(str(self.mappings), "/no/such/file", ())
        self.assertEqual(("/no/such/file cannot be read: No such file or directory",), caught.exception.problems)

    def test_empty_trust_expression_is_rejected(self) -> None:
        self.assertIn("trust_sources", self.problem(MAPPING, "", "openstack", ""))


class ObsoleteKeysTest(RulesCase):
    def test_unused_key_is_told_once(self) -> None:
        old = "- {meter: m%d, unit: hour, transformer: max, transform_info: true}\n"
        loaded = self.load_files(old % 2 + old % 3 + MAPPING)
        self.assertEqual(3, len(loaded.rules.mappings))
        self.assertEqual([f"{self.mappings}: transform_info has no effect and can be removed"], loaded.unused_keys())
