# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an entry of a meters file."""

import unittest

from distil.telemetry.entry_parser import EntryParser
from distil.tests.support.meters_file import MetersFileCase


class SourceProblemsTest(MetersFileCase):
    def test_source_must_be_one(self) -> None:
        for text in ("{}", "{label: a, metric: b}", "{constant: 1, value: true}"):
            self.assertIn(
                "metadata.a must have exactly one of label, value, constant, metric, not ", self.problem(text)
            )
        self.assertIn("metadata.a must name its source, not None", self.problem("null"))
        unknown = "unknown key 'attribute'; known keys: codes, constant, default, label, metric, template, value"
        self.assertEqual(f"metadata.a: {unknown}", self.problem("{label: b, attribute: b}"))

    def test_values_are_text_or_numbers(self) -> None:
        for text, place in (
            ("{constant: [1]}", "constant"),
            ("{constant: 2026-01-01}", "constant"),
            ('{constant: "\\0"}', "constant"),
            ("{label: b, codes: {1: [2]}}", "codes.1"),
            ("{label: b, codes: {1: 2}, default: {}}", "default"),
        ):
            self.assertIn(f"metadata.a.{place} must be text, a number or null, not ", self.problem(text))

    def test_words_that_are_booleans_need_quotes(self) -> None:
        for text, place, value in (
            ("{constant: on}", "constant", "true"),
            ("{label: b, codes: {off: active}}", "codes", "false"),
            ("{label: b, codes: {1: yes}}", "codes.1", "true"),
            ("{label: b, codes: {1: 2}, default: no}", "default", "false"),
        ):
            expected = f"metadata.a.{place}: put the words that YAML reads as {value} in quotes"
            self.assertEqual(expected, self.problem(text))
        self.assertEqual({"on": "yes"}, self.metadata('{label: b, codes: {"on": "yes"}}').codes)

    def test_codes_that_do_nothing_are_told(self) -> None:
        for text, problem in (
            ("{constant: 1, codes: {1: 2}}", "codes has no effect on a constant"),
            ("{constant: 1, default: 2}", "default has no effect on a constant"),
            ('{constant: 1, template: "%s"}', "template has no effect on a constant"),
            ("{label: b, default: 2}", "default has no effect without codes"),
            ("{label: b, codes: {null: 2}}", "codes cannot replace null, which stays null"),
            ('{label: b, codes: {1: 2, "1": 3}}', "codes has 1 twice"),
            ("{label: b, codes: {1: 2, 1.5: 3, '1.5': 4}}", "codes has 1.5 twice"),
            ("{label: b, codes: {}}", "codes must map the values of the source, not {}"),
            ("{value: 1}", "value must be true, not 1"),
        ):
            self.assertEqual(f"metadata.a.{problem}", self.problem(text))

    def test_template_holds_one_value(self) -> None:
        form = "must be text with one %s for the value of the source (and %% for each %)"
        for template in ("x", "%d", "%s%s", "%s %"):
            problem = self.problem(f'{{label: b, template: "{template}"}}')
            self.assertEqual(f"metadata.a.template {form}, not {template!r}", problem)
        self.assertEqual(f"metadata.a.template {form}, not 5", self.problem("{label: b, template: 5}"))
        self.assertEqual("id-%s", self.metadata("{label: b, template: id-%s}").template)

    def test_volume_is_number(self) -> None:
        for text, problem in (
            (".nan", "volume nan is not finite"),
            ("{constant: many}", "volume 'many' is not a number"),
            ("{label: b, codes: {up: high}}", "volume 'high' is not a number"),
            ("{label: b, codes: {up: 1}, default: none}", "volume 'none' is not a number"),
            ("true", "volume must name its source, not True"),
            ("null", "volume must name its source, not None"),
        ):
            self.assertEqual(problem, self.problem(text, "volume"))

    def test_key_of_metadata_is_text(self) -> None:
        for key in ("5", '""', "null", f'"{"x" * 256}"', '"a\\0"'):
            (problem,) = self.problems(f"- {{meter: m, metadata: {{? {key} : name}}}}")
            self.assertIn("entry 1 (m): a key of metadata must be text of at most 255 characters, not ", problem)


class EntryParserTest(unittest.TestCase):
    def test_texts_are_list_of_texts(self) -> None:
        for value, expected in ((None, ("d",)), (["a", "b"], ("a", "b"))):
            parser = EntryParser({"k": value}, "label")
            self.assertEqual((expected, []), (tuple(parser.texts("k", ("d",))), parser.problems))
        wrong_values: tuple[object, ...] = ("a", [], {}, 5, [5], [""])
        for wrong in wrong_values:
            parser = EntryParser({"k": wrong}, "label")
            parser.texts("k", ("d",))
            self.assertEqual(1, len(parser.problems), wrong)

    def test_first_choice_is_default(self) -> None:
        cases: tuple[tuple[dict[str, object], str, list[str]], ...] = (
            ({}, "a", []),
            ({"k": "b"}, "b", []),
            ({"k": None}, "a", ["k must be one of a, b, not None"]),
            ({"k": []}, "a", ["k must be one of a, b, not []"]),
        )
        for values, expected, problems in cases:
            parser = EntryParser(values, "label")
            self.assertEqual((expected, problems), (parser.choice("k", ("a", "b")), parser.problems))
