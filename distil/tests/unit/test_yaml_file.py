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
        self.assertEqual(2, len(self.load(MAPPING + MAPPING.replace("m1", "m2")).mappings))

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
        for content in (
            "- {meter: {{ meter }}, unit: hour}\n",
            "- ? [a, b]\n  : c\n",
            "- {!!set a: b}\n",
            "- {!!pairs a: b}\n",
        ):
            with self.subTest(content=content):
                self.assertIn(f"{self.mappings} is not valid YAML", self.problem(content))

    def test_unparsable_scalar_is_rejected(self) -> None:
        for value in ("2026-13-45", "!!int five", "1" * 5000, "!!bool maybe", "!!timestamp x", "!!float x", "!!set x"):
            with self.subTest(value=value[:20]):
                found = self.problem(f"- {{meter: m1, unit: hour, transformer: max, service: {value}}}\n")
                self.assertIn(f"{self.mappings} is not valid YAML: line 1, column ", found)

    def test_error_names_line_and_entry(self) -> None:
        for second in ("- {meter: m2, unit: 10:30}\n", "- {meter: m2, meter: m3}\n", "- {meter: m2\n- x\n"):
            self.assertRegex(self.problem(MAPPING + second), r": line [234], column \d+, entry 2: ")
        found = self.problem(MAPPING, "max:\numin: {}\nuptime:\n  prefix: 1:30\n")
        self.assertIn(f"{self.transformers} is not valid YAML: line 4, column 11, section 'uptime': ", found)


class YamlKeysTest(RulesCase):
    def test_keys_of_equal_value_are_duplicate(self) -> None:
        for keys in (("1", "0x1"), ("1", "1.0"), ("yes", "true"), ("~", "null"), ("a", '"a"')):
            fields = ", ".join(f"{key}: {{sources: [a]}}" for key in keys)
            found = self.problem(f"- {{meter: m1, unit: hour, transformer: max, metadata: {{{fields}}}}}\n")
            self.assertIn("entry 1: duplicate key", found)

    def test_names_of_equal_text_are_rejected(self) -> None:
        fields = '1: {sources: [a]}, "1": {sources: [b]}'
        found = self.problem(f"- {{meter: m1, unit: hour, transformer: max, metadata: {{{fields}}}}}\n")
        self.assertIn(":1: entry 1 (m1): metadata.1 is there twice", found)

    def test_merge_may_be_overridden_anywhere(self) -> None:
        fields = "metadata: {a: &field {<<: &base {sources: [a]}, sources: [b]}}"
        first = f"- &first {{meter: m1, unit: hour, transformer: max, {fields}}}\n"
        loaded = self.load(first + "- {<<: *first, meter: m2, metadata: {b: {<<: *field}}}\n")
        self.assertEqual([("b",), ("b",)], [mapping.metadata[0].sources for mapping in loaded.mappings])


class YamlNumbersTest(RulesCase):
    def volume_problem(self, volume: str) -> str:
        return self.problem(f"- {{meter: m1, unit: hour, transformer: max, volume: {volume}}}\n")

    def test_number_in_base_60_is_rejected(self) -> None:
        for volume in ("1:30", "-1:30", "190:20:30", "1:30.5", '!!int "1:30"'):
            self.assertIn("is a number in base 60", self.volume_problem(volume))

    def test_octal_number_is_rejected(self) -> None:
        for volume in ("010", "-010", "0_7"):
            self.assertIn("is an octal number", self.volume_problem(volume))

    def test_monstrous_number_is_rejected(self) -> None:
        for volume in ("0x" + "F" * 500_000, "0" + "7" * 99_000, "0b" + "1" * 99_000, "1" + ":10" * 9_000, "1" * 4000):
            found = self.volume_problem(volume)
            self.assertIn("line 1, column 53, entry 1: the number ", found)
            self.assertLess(len(found), 300)

    def test_other_notations_are_accepted(self) -> None:
        for volume, expected in (("0x10", 16), ("1_000", 1000), ("0", 0), ("08", 8), ("1.5e+2", 150), ('"010"', 10)):
            loaded = self.load(f"- {{meter: m1, unit: hour, transformer: max, volume: {volume}}}\n")
            self.assertEqual(expected, loaded.mappings[0].volume)

    def test_quoted_text_is_accepted(self) -> None:
        loaded = self.load('- {meter: m1, unit: hour, transformer: max, service: "10:30"}\n')
        self.assertEqual("10:30", loaded.mappings[0].service)


class YamlBoundsTest(RulesCase):
    def test_deep_nesting_is_rejected(self) -> None:
        for content in ("- " + "[" * 99_000, "- " + "[" * 3000 + "]" * 3000, "- " + "- " * 3000):
            self.assertRegex(self.problem(content), r"line 1, column \d+, entry 1: nested more than 50 levels deep")
        self.assertIn("must be a mapping", self.problem("- " + "[" * 40 + "]" * 40))

    def test_multiplying_aliases_are_rejected(self) -> None:
        lists = "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
        self.assertRegex(self.problem("- &a0 [x]\n" + lists), "line 7, column 3, entry 7: .* larger than 200000 values")
        merges = "".join(f"- &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
        self.assertIn("larger than 200000 values", self.problem("- &a0 {meter: m1}\n" + merges))

    def test_chained_aliases_are_rejected(self) -> None:
        chain = "- &a0 x\n" + "".join(f"- &a{n} [*a{n - 1}]\n" for n in range(1, 3000))
        self.assertIn("larger than 200000 values or 50 levels", self.problem(chain))

    def test_recursive_alias_is_rejected(self) -> None:
        for content in ("- &a [*a]\n", "- &a {meter: *a}\n", "- &a {<<: *a}\n", "&a [*a]", "&a {max: *a}"):
            self.assertIn("an alias refers to what contains it", self.problem(content))

    def test_huge_file_is_rejected(self) -> None:
        found = self.problem(MAPPING + "#" * 1024 * 1024)
        self.assertEqual(f"{self.mappings} is not a file of rules: it has more than 1048576 bytes", found)

    def test_long_values_give_short_messages(self) -> None:
        found = self.problems(f"- {{meter: {'x' * 9000}, unit: hour, transformer: {'y' * 200}, {'z' * 100}: 1}}\n")
        options = f"uptime: {{tracked_states: [[{'a, ' * 9000}]], prefix: {{a: {'b' * 9000}}}, {'c' * 100}: 1}}\n"
        for problem in (*found, *self.problems(MAPPING, options)):
            self.assertLess(len(problem), 400)
