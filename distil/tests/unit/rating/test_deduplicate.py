# SPDX-License-Identifier: Apache-2.0
"""Samples that were delivered more than once: those with the same message id."""

import itertools
import unittest
from decimal import Decimal
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil.model import DuplicateContent
from distil.tests.support import builders
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry

IDENTICAL, CHANGED = DuplicateContent.IDENTICAL, DuplicateContent.CHANGED
FIRST, SECOND = "2026-03-01T10:00:05", "2026-03-01T10:00:06.5"


def sample(volume: object = 1, minute: float = 0, recorded_at: object = FIRST, **fields: Any) -> builders.Document:
    return {**document(minute, id="m", volume=volume, **fields), "recorded_at": recorded_at}


class DuplicateTest(unittest.TestCase):
    def assert_sum(
        self, expected: int, duplicates: dict[DuplicateContent, int], *documents: builders.Document, **rules: Any
    ) -> None:
        """Assert it for each order in which the samples may arrive."""
        for arrived in itertools.permutations(documents):
            result = builders.rated(entry("sum"), arrived, **rules)
            self.assertEqual({(SERVICE, RESOURCE): Decimal(expected)}, builders.volumes(result))
            self.assertEqual((len(documents), duplicates), (result.samples, dict(result.duplicates)))
            self.assertEqual((), result.rejected)

    def test_repeated_sample_counts_once(self) -> None:
        self.assert_sum(5, {IDENTICAL: 1}, sample(5), sample(5))
        self.assert_sum(5, {IDENTICAL: 2}, sample(5), sample(5), sample(5))

    def test_recorded_later_is_still_identical(self) -> None:
        self.assert_sum(5, {IDENTICAL: 1}, sample(5), sample(5, recorded_at=SECOND))
        self.assert_sum(5, {IDENTICAL: 1}, sample(5), builders.without(sample(5), "recorded_at"))

    def test_newest_recorded_wins(self) -> None:
        self.assert_sum(3, {CHANGED: 1}, sample(5), sample(3, recorded_at=SECOND))
        self.assert_sum(3, {CHANGED: 1}, sample(5, minute=9), sample(3, recorded_at=SECOND))
        self.assert_sum(3, {CHANGED: 1, IDENTICAL: 1}, sample(5), sample(3), sample(3, recorded_at=SECOND))

    def test_unreadable_recording_time_is_oldest(self) -> None:
        for recorded_at in ("", "soon", None, 17, ["2026"], "9999-99-99T00:00:00"):
            self.assert_sum(3, {CHANGED: 1}, sample(5, recorded_at=recorded_at), sample(3))

    def test_order_of_arrival_never_decides(self) -> None:
        self.assert_sum(3, {CHANGED: 1}, sample(5), sample(3, minute=1))
        self.assert_sum(5, {CHANGED: 2}, sample(5), sample(3), sample(4))

    def test_other_meter_or_resource_is_no_duplicate(self) -> None:
        entries = [entry("sum"), entry("sum", meter="m2")]
        result = builders.rated(entries, [sample(), sample(meter="m2"), sample(resource_id="r2")])
        self.assertEqual((Decimal(3), {}), (sum(builders.volumes(result).values()), dict(result.duplicates)))

    def test_samples_without_id_all_count(self) -> None:
        missing = builders.without(sample(), "id")
        self.assert_sum(2, {}, missing, missing)
        no_id: object
        for no_id in (None, "", "None", ["m"], {}):
            with self.subTest(no_id=no_id):
                self.assert_sum(3, {}, {**sample(), "id": no_id}, {**sample(2), "id": no_id})

    def test_untrusted_sample_replaces_none(self) -> None:
        other = sample(9, recorded_at=SECOND, source="other")
        self.assert_sum(5, {}, sample(5), other, trusted=["test"])

    def test_duplicate_is_not_used(self) -> None:
        self.assertEqual(1, len(builders.rated(entry("sum"), [sample(5), sample(5)]).used))

    def test_replaced_sample_describes_no_resource(self) -> None:
        fields = {"name": {"sources": ["name"]}}
        old = sample(minute=9, metadata={"name": "old"})
        result = builders.rated(
            entry("sum", metadata=fields), [old, sample(recorded_at=SECOND, metadata={"name": "new"})]
        )
        self.assertEqual({RESOURCE: {"name": "new"}}, builders.infos(result))

    @hypothesis.given(st.lists(st.builds(sample, st.integers(1, 5), st.integers(0, 59)), min_size=1), st.randoms())
    def test_result_ignores_order(self, documents: list[builders.Document], random: Any) -> None:
        shuffled = list(documents)
        random.shuffle(shuffled)
        one, other = (builders.rated(entry("sum"), arrived) for arrived in (documents, shuffled))
        self.assertEqual((one.usage, one.duplicates), (other.usage, other.duplicates))
        self.assertEqual(len(documents) - 1, sum(one.duplicates.values()))


class RejectedDuplicateTest(unittest.TestCase):
    def assert_kept(self, *documents: builders.Document, kept: builders.Document) -> None:
        for arrived in itertools.permutations(documents):
            result = builders.rated(entry("sum"), arrived)
            self.assertEqual([kept], [rejected.document for rejected in result.rejected])
            self.assertEqual(len(documents) - 1, sum(result.duplicates.values()))

    def test_unusable_duplicates_are_kept_once(self) -> None:
        self.assert_kept(sample("much"), sample("much"), kept=sample("much"))
        newest = sample("more", recorded_at=SECOND)
        self.assert_kept(sample("much"), newest, kept=newest)
        self.assert_kept(sample(5), newest, kept=newest)

    def test_unreadable_duplicates_are_kept_once(self) -> None:
        for unreadable in ({"timestamp": "soon"}, {"source": None}, {"metadata": None}, {"resource_id": None}):
            with self.subTest(**unreadable):
                once = {**sample(), **unreadable}
                newest = {**once, "recorded_at": SECOND}
                self.assert_kept(once, newest, once, kept=newest)

    def test_unreadable_sample_replaces_no_other(self) -> None:
        unreadable = {**sample(9, recorded_at=SECOND), "source": None}
        result = builders.rated(entry("sum"), [sample(5), unreadable])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(5)}, builders.volumes(result))
        self.assertEqual([unreadable], [rejected.document for rejected in result.rejected])

    def test_rejected_samples_without_id_are_kept(self) -> None:
        once = builders.without({**sample(), "source": None}, "id")
        self.assertEqual(2, len(builders.rated(entry("sum"), [once, dict(once)]).rejected))
