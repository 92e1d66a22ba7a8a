# SPDX-License-Identifier: Apache-2.0
"""YAML features and mistakes in rules files."""

from distil.tests.unit.factory.test_rules import MAPPING
from distil.tests.unit.factory.test_rules import RulesCase


class YamlTest(RulesCase):
    def test_invalid_yaml_reports_line(self) -> None:
        for content in (
            "- {meter: m1",
            "- meter: m1\n unit: x\n",
            "- \tmeter: x",
            "%",
            "- 'a",
            "- *nothing",
            "--- a\n--- b",
        ):
            with self.subTest(content=content):
                found = self.problem(content)
                self.assertIn(f"{self.mappings} is not valid YAML", found)
                self.assertRegex(found, r"line \d")
        self.assertIn(f"{self.transformers} is not valid YAML", self.problems(MAPPING, "uptime: {")[0])

    def test_binary_content_is_rejected(self) -> None:
        for content in ("- \udcff\udcfe", "- a\0b"):
            self.assertIn(f"{self.mappings} is not valid YAML", self.problem(content))

    def test_duplicate_key_reports_line(self) -> None:
        found = self.problem("- meter: m1\n  unit: hour\n  transformer: max\n  unit: byte\n")
        self.assertIn("duplicate key 'unit'", found)
        self.assertIn("line 4", found)

    def test_duplicate_key_is_rejected_everywhere(self) -> None:
        twice = "metadata: {name: {sources: [a]}, name: {sources: [b]}}"
        self.assertIn("duplicate key 'name'", self.problem(f"- {{meter: m1, unit: hour, transformer: max, {twice}}}\n"))
        found = self.problems(MAPPING, "uptime: {prefix: a}\nuptime: {prefix: b}\n")
        self.assertIn("duplicate key 'uptime'", found[0])

    def test_entries_may_repeat_keys(self) -> None:
        self.assertEqual(2, len(self.load(MAPPING * 2).mappings))

    def test_python_object_tag_is_rejected(self) -> None:
        self.assertIn("is not valid YAML", self.problem("- !!python/object/apply:os.getcwd []\n"))

    def test_non_text_unit_is_rejected(self) -> None:
        for value in ("5", "1.5", "true", "no", "2026-01-01"):
            found = self.problem(f"- {{meter: m1, unit: {value}, transformer: max}}\n")
            self.assertIn("unit must be text", found)

    def test_anchors_can_be_used(self) -> None:
        first = "- {meter: m1, unit: hour, transformer: max, filters: &up [metadata.up]}\n"
        loaded = self.load(first + "- {meter: m2, unit: hour, transformer: max, filters: *up}\n")
        self.assertEqual(loaded.mappings[0].filters[0].source, loaded.mappings[1].filters[0].source)

    def test_unicode_can_be_used(self) -> None:
        loaded = self.load("- {meter: m1, unit: hour, transformer: max, service: größe 🐌}\n")
        self.assertEqual("größe 🐌", loaded.mappings[0].service)

    def test_merge_keys_can_be_used(self) -> None:
        first = "- &first {meter: m1, unit: hour, transformer: max}\n"
        loaded = self.load(first + "- {<<: *first, meter: m2}\n")
        self.assertEqual(["m1", "m2"], list(loaded.meters))

    def test_non_text_key_is_rejected(self) -> None:
        for content in ("- {meter: {{ meter }}, unit: hour}\n", "- ? [a, b]\n  : c\n"):
            with self.subTest(content=content):
                self.assertIn(f"{self.mappings} is not valid YAML", self.problem(content))

    def test_unparsable_scalar_is_rejected(self) -> None:
        for value in ("2026-13-45", "!!int five", "1" * 5000):
            with self.subTest(value=value[:20]):
                found = self.problem(f"- {{meter: m1, unit: hour, transformer: max, service: {value}}}\n")
                self.assertIn(f"{self.mappings} is not valid YAML", found)
