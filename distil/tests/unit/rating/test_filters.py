# SPDX-License-Identifier: Apache-2.0
"""Filters: expressions on a sample, all of which must match."""

import unittest
from decimal import Decimal
from typing import Any

import hypothesis
import jmespath
from hypothesis import strategies as st

from distil import model
from distil import text
from distil.rating import sample_parser
from distil.rating.expression import Expression
from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


class FiltersTest(unittest.TestCase):
    def filtered(self, filters: list[str], *documents: builders.Document) -> tuple[Decimal, list[str]]:
        result = builders.rated(entry("sum", filters=filters), documents)
        return sum(builders.volumes(result).values(), Decimal(0)), builders.reasons(result)

    def test_without_filters_every_sample_counts(self) -> None:
        self.assertEqual((Decimal(1), []), self.filtered([], document(1)))

    def test_all_filters_must_match(self) -> None:
        documents = [
            document(1, volume=1, metadata={"a": "x", "b": "x"}),
            document(2, volume=2, metadata={"a": "x"}),
            document(3, volume=4, metadata={"b": "x"}),
        ]
        self.assertEqual((Decimal(1), []), self.filtered(["metadata.a", "metadata.b"], *documents))
        self.assertEqual((Decimal(3), []), self.filtered(["metadata.a"], *documents))

    def test_filters_see_every_field(self) -> None:
        sample = document(1, volume=5, unit="GB", metadata={"status": "up", "tags": ["a"], "a.b": "c"})
        for expression in (
            "volume == `5`",
            "volume > `4`",
            "unit == 'GB'",
            "source == 'test'",
            "resource_id == 'r1'",
            "metadata.status == 'up'",
            "metadata.\"a.b\" == 'c'",
            "contains(metadata.tags, 'a')",
            "starts_with(timestamp, '2026-03-01T10')",
            "!contains(['down', 'gone'], metadata.status)",
        ):
            with self.subTest(expression=expression):
                self.assertEqual((Decimal(5), []), self.filtered([expression], sample))

    def test_filters_see_none_text_as_sent(self) -> None:
        sample = document(1, metadata={"image": "None"})
        self.assertEqual((Decimal(1), []), self.filtered(["metadata.image == 'None'"], sample))
        self.assertEqual((Decimal(0), []), self.filtered(["metadata.image == `null`"], sample))

    def test_falsy_result_does_not_match(self) -> None:
        value: object
        for value in (None, False, "", [], {}):
            with self.subTest(value=value):
                self.assertEqual((Decimal(0), []), self.filtered(["metadata.a"], document(1, metadata={"a": value})))
        self.assertEqual((Decimal(0), []), self.filtered(["metadata.a"], document(1)))

    def test_rejection_names_failing_filter(self) -> None:
        documents = [document(1, metadata={"tags": 5}), document(2, metadata={"tags": ["a"]})]
        volume, reasons = self.filtered(["contains(metadata.tags, 'a')"], *documents)
        self.assertEqual(Decimal(1), volume)
        self.assertEqual(1, len(reasons))
        self.assertIn("contains(metadata.tags, 'a')", reasons[0])

    def test_any_evaluation_error_rejects_sample(self) -> None:
        for expression in (
            "sum(metadata.a)",
            "length(metadata.b)",
            "sort(metadata.a)",
            "ceil(metadata.inf)",
            "join(`1`, @)",
        ):
            with self.subTest(expression=expression):
                metadata = {"a": ["x", 1], "b": 5, "inf": float("inf")}
                volume, reasons = self.filtered([expression], document(1, metadata=metadata))
                self.assertEqual((Decimal(0), 1), (volume, len(reasons)))

    def test_filtered_sample_volume_is_not_checked(self) -> None:
        self.assertEqual((Decimal(0), []), self.filtered(["metadata.a"], document(1, volume="bad")))

    def test_filters_apply_to_own_mapping(self) -> None:
        entries = [entry("sum", filters=["metadata.a"]), entry("sum", res_id_template="%s-all")]
        result = builders.rated(entries, [document(1)])
        self.assertEqual([("s1", "r1-all")], list(builders.volumes(result)))

    def test_failure_reason_is_storable(self) -> None:
        _, reasons = self.filtered(["sum(metadata.a)"], document(1, metadata={"a": "a\0b\ud800c"}))
        self.assertEqual([True], [text.is_storable(reason) for reason in reasons])

    @hypothesis.given(
        path=st.sampled_from(["a", "a.b", "a.b.c", "a[0]", "a || b"]),
        comparator=st.sampled_from(["==", "!="]),
        literal=st.sampled_from(["'x'", "''", "`1`", '`"x"`', "b"]),
        found=strategies.json_values() | st.just("x"),
    )
    def test_comparison_matches_jmespath(self, path: str, comparator: str, literal: str, found: Any) -> None:
        expression = f"{path} {comparator} {literal}"
        for answered in (found, {"b": found}, {"b": {"c": found}}):
            sample = sample_parser.parse_sample(document() | {"a": answered}, builders.PROJECT, builders.METER)
            assert isinstance(sample, model.Sample)
            self.assertEqual(jmespath.search(expression, sample.document), Expression.compile(expression)(sample))


class DeepExpressionTest(unittest.TestCase):
    def problem(self, source: str) -> str:
        with self.assertRaises(ValueError) as caught:
            Expression.compile(source)
        return str(caught.exception)

    def test_too_many_levels_are_rejected(self) -> None:
        for source in (
            " || ".join(["metadata.a"] * 5000),
            " && ".join(["abs(a)"] * 5000),
            " | ".join("a" * 5000),
            "!" * 5000 + "a",
            "(" * 5000 + "a" + ")" * 5000,
            "a[?" * 5000 + "b" + "]" * 5000,
            f"`{'[' * 5000}{']' * 5000}`",
        ):
            with self.subTest(source[:10]):
                self.assertIn("it has more than 300 levels", self.problem(source))

    def test_long_message_is_truncated(self) -> None:
        self.assertLess(len(self.problem("a || " * 5000)), 400)

    def test_deepest_expression_is_evaluated(self) -> None:
        expression = Expression.compile(" || ".join(["metadata.a"] * 298 + ["volume"]))
        wide = Expression.compile(f"contains([{', '.join(['metadata.a'] * 5000)}], 'x')")
        sample = sample_parser.parse_sample(document(volume=7), builders.PROJECT, builders.METER)
        assert isinstance(sample, model.Sample)
        self.assertEqual((7, False), (expression(sample), wide(sample)))
