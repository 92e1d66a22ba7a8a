# SPDX-License-Identifier: Apache-2.0
"""Rerating of rejected samples, and what of it may be billed."""

import unittest
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from distil import model
from distil.rating import rate
from distil.rating import rerate
from distil.rating import resource
from distil.rating import sample_parser
from distil.tests.support import builders
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

DATABASE = entry("databasemanagementuptime", unit="hour", transformer_config={"tracked_states": ["active"]})
SIZE = entry("max", service="size", volume={"source": "metadata.size"})
ALL_FLAVORS = {"1": "c1", "2": "c2"}
HOUR = Decimal(3600)


def database(minute: int, flavor: str, size: object = 1) -> builders.Document:
    metadata = {"status": "ACTIVE", "flavor.id": flavor, "size": size}
    return document(minute, id=str(minute), metadata=metadata)


def samples(documents: Sequence[builders.Document]) -> list[model.Sample | model.RejectedSample]:
    return [sample_parser.parse_sample(document, builders.PROJECT, document["meter"]) for document in documents]


def billed(
    before: rate.RatingRules,
    after: rate.RatingRules,
    documents: Sequence[builders.Document],
    flavors: Mapping[str, str] = ALL_FLAVORS,
    *,
    force: bool = False,
) -> tuple[Sequence[model.Usage], Sequence[model.Usage]]:
    """The usage that is billed at first, with some flavors known, and the usage that a retry adds, with all known."""
    first = rate.rate(before, samples(documents), builders.HOUR, Lookups(flavors))
    rejected = dict(enumerate(samples([dict(sample.document) for sample in first.rejected])))
    second = rerate.rerate(after, rejected, builders.HOUR, Lookups(ALL_FLAVORS))
    stored = [item for item in first.usage if resource.may_belong_to(item.resource_id, builders.RESOURCE)]
    return first.usage, rerate.unbilled(second.rated.usage, stored, force=force)


def volumes(usage: Sequence[model.Usage]) -> dict[str, Decimal]:
    return {item.service: item.volume for item in usage}


class RerateTest(unittest.TestCase):
    def test_wholly_rejected_resource_is_billed(self) -> None:
        rules = builders.rules([DATABASE])
        first, added = billed(rules, rules, [database(0, "1"), database(30, "2")], flavors={})
        self.assertEqual(({}, {"c1": HOUR / 2, "c2": HOUR / 2}), (volumes(first), volumes(added)))

    def test_billed_resource_is_unchanged(self) -> None:
        rules = builders.rules([entry("sum")])
        first, added = billed(rules, rules, [document(0, volume=5), document(10, volume="much")])
        self.assertEqual(({"s1": 5}, []), (volumes(first), added))

    def test_billed_hour_gets_no_second_flavor(self) -> None:
        rules = builders.rules([DATABASE])
        first, added = billed(rules, rules, [database(0, "1"), database(30, "2")], flavors={"1": "c1"})
        self.assertEqual(({"c1": HOUR}, []), (volumes(first), added))

    def test_other_rejection_adds_no_second_flavor(self) -> None:
        rules = builders.rules([DATABASE, SIZE])
        first, added = billed(rules, rules, [database(0, "1", size="?"), database(30, "2", "?")], flavors={"1": "c1"})
        self.assertEqual(({"c1": HOUR}, []), (volumes(first), added))

    def test_usage_of_repaired_mapping_is_added(self) -> None:
        broken = builders.rules([DATABASE, entry("max", service="size", volume={"source": "metadata.status"})])
        first, added = billed(broken, builders.rules([DATABASE, SIZE]), [database(0, "1"), database(30, "2", 3)])
        self.assertEqual({"c1": HOUR / 2, "c2": HOUR / 2}, volumes(first))
        self.assertEqual({"size": 3}, volumes(added))

    def test_ambiguous_usage_requires_force(self) -> None:
        other = entry("sum", meter="m2", service="other")
        documents = [document(0, meter="m2"), document(0)]
        broken = builders.rules([entry("sum", volume={"source": "metadata"}), other])
        repaired = builders.rules([entry("sum"), other])
        for force, wanted in ((False, {}), (True, {"s1": 1})):
            first, added = billed(broken, repaired, documents, force=force)
            self.assertEqual(({"other": 1}, wanted), (volumes(first), volumes(added)))

    def test_force_keeps_stored_entry(self) -> None:
        broken = builders.rules([entry("sum", volume={"source": "metadata.a"})])
        documents = [document(0, metadata={"a": 2}), document(1)]
        first, added = billed(broken, builders.rules([entry("sum")]), documents, force=True)
        self.assertEqual(({"s1": 2}, []), (volumes(first), added))

    def test_sample_with_two_reasons_counts_once(self) -> None:
        broken = [
            entry("sum", volume={"source": "metadata.a"}),
            entry("sum", service="s2", volume={"source": "metadata.b"}),
        ]
        repaired = builders.rules([entry("sum"), entry("sum", service="s2")])
        first, added = billed(builders.rules(broken), repaired, [document(0, volume=5)])
        self.assertEqual(([], {"s1": 5, "s2": 5}), (list(first), volumes(added)))

    def test_duplicate_counts_once(self) -> None:
        first = document(0, id="a", volume=5, recorded_at="2026-03-01T10:00:05")
        again = {**first, "recorded_at": "2026-03-01T10:00:06"}
        rejected = dict(enumerate(samples([first, again, {**again, "volume": 3, "recorded_at": "2026-03-01T10:01"}])))
        result = rerate.rerate(builders.rules([entry("sum")]), rejected, builders.HOUR, Lookups())
        self.assertEqual(({"s1": 3}, {}), (volumes(result.rated.usage), result.reasons))

    def test_duplicate_stays_with_its_sample(self) -> None:
        first = document(0, id="a", volume=5, recorded_at="2026-03-01T10:00:05")
        newest = {**first, "recorded_at": "2026-03-01T10:00:06", "volume": "much"}
        rejected = dict(zip((7, 8), samples([newest, first]), strict=True))
        result = rerate.rerate(builders.rules([entry("sum")]), rejected, builders.HOUR, Lookups())
        self.assertEqual(dict.fromkeys((7, 8), "volume 'much' is not a number"), result.reasons)

    def test_unreadable_delivery_keeps_its_reason(self) -> None:
        readable = document(0, id="a", volume=5)
        rejected = dict(zip((7, 8), samples([readable, {**readable, "source": None}]), strict=True))
        result = rerate.rerate(builders.rules([entry("sum")]), rejected, builders.HOUR, Lookups())
        self.assertEqual(({"s1": 5}, {8: "source is missing"}), (volumes(result.rated.usage), result.reasons))

    def test_only_billed_samples_are_used(self) -> None:
        entries = [entry("sum", filters=["volume > `1`"]), entry("sum", meter="m3")]
        delivered = document(0, id="a", volume=5)
        documents = [delivered, delivered, document(1, volume=1), document(2, meter="m2"), document(3, volume="much")]
        rejected = dict(enumerate(samples(documents)))
        result = rerate.rerate(builders.rules(entries), rejected, builders.HOUR, Lookups())
        self.assertEqual({0, 1}, result.used)

    def test_unusable_sample_returns_its_reason(self) -> None:
        rejected = dict(zip((7, 8), samples([document(0, volume="much"), document(1)]), strict=True))
        result = rerate.rerate(builders.rules([entry("sum")]), rejected, builders.HOUR, Lookups())
        self.assertEqual({7: "volume 'much' is not a number"}, result.reasons)
        self.assertEqual({"s1": 1}, volumes(result.rated.usage))


class ChangedMappingsTest(unittest.TestCase):
    """One of two samples was billed and the other rejected; then the mappings changed."""

    def assert_nothing_is_added(
        self, before: builders.Entry, *after: builders.Entry, resource_id: str = builders.RESOURCE
    ) -> None:
        valid, invalid = (document(minute, resource_id=resource_id) for minute in (0, 10))
        first = rate.rate(builders.rules([before]), samples([valid]), builders.HOUR, Lookups()).usage
        rejected = dict(enumerate(samples([invalid])))
        second = rerate.rerate(builders.rules(after), rejected, builders.HOUR, Lookups()).rated.usage
        self.assertEqual((1, 1), (len(first), len(second)))
        self.assertTrue(resource.may_belong_to(first[0].resource_id, resource_id))
        self.assertEqual([], rerate.unbilled(second, first))

    def test_renamed_service_and_unit_add_nothing(self) -> None:
        self.assert_nothing_is_added(entry("sum"), entry("sum", service="s2", unit="load balancer hour"))

    def test_new_unit_and_flavor_add_nothing(self) -> None:
        documents = [database(0, "1"), database(30, "2")]
        after = builders.rules([{**DATABASE, "unit": "second"}])
        first, added = billed(builders.rules([DATABASE]), after, documents, flavors={"1": "c1"})
        self.assertEqual(({"c1": HOUR}, []), (volumes(first), added))

    def test_changed_resource_id_adds_nothing(self) -> None:
        self.assert_nothing_is_added(entry(res_id_template="%s-root"), entry(res_id_template="%s-root_disk"))

    def test_service_of_other_meter_adds_nothing(self) -> None:
        self.assert_nothing_is_added(entry(), entry(service="s2"), entry(meter="m2"))

    def test_changed_container_type_adds_nothing(self) -> None:
        container = entry(type="Object Storage Container")
        self.assert_nothing_is_added(entry(), container, resource_id="p1/c")
        self.assert_nothing_is_added(container, entry(), resource_id="p1/c")


ENTRIES = [
    DATABASE,
    SIZE,
    entry("sum", service="sum"),
    entry("max", service="max", res_id_template="%s-volume"),
    entry("sum", meter="m2", service="other", volume={"source": "metadata.size"}),
]
DOCUMENTS = st.builds(
    lambda minute, meter, flavor, size, volume: {**database(minute, flavor, size), "meter": meter, "volume": volume},
    st.integers(0, 59),
    st.sampled_from(["m1", "m2"]),
    st.sampled_from(["1", "2", "gone"]),
    st.sampled_from([1, 2, "?"]),
    st.sampled_from([1, 2, "much", None]),
)
CHANGES = st.sampled_from([{}, {"service": "old"}, {"unit": "second"}, {"res_id_template": "old-%s"}])


class RerateInvariantsTest(unittest.TestCase):
    @given(
        st.lists(DOCUMENTS, max_size=6, unique_by=lambda document: document["id"]),
        st.sets(st.sampled_from(["1", "2"])),
        st.sets(st.integers(0, len(ENTRIES) - 1)),
    )
    def test_total_never_exceeds_full_rating(
        self, documents: list[builders.Document], known: set[str], broken: set[int]
    ) -> None:
        broken_volume = {"volume": {"source": "type(@)"}}
        entries = [{**mapping, **(broken_volume if n in broken else {})} for n, mapping in enumerate(ENTRIES)]
        flavors = {key: ALL_FLAVORS[key] for key in known}
        rules = builders.rules(ENTRIES)
        first, added = billed(builders.rules(entries), rules, documents, flavors)
        full = rate.rate(rules, samples(documents), builders.HOUR, Lookups(ALL_FLAVORS)).usage
        self.assertEqual(len(first) + len(added), len(keys([*first, *added])))
        allowed = totals(full)
        for resource_id, total in totals([*first, *added]).items():
            self.assertLessEqual(total, allowed[resource_id])

    @given(
        st.lists(DOCUMENTS, max_size=6, unique_by=lambda document: document["id"]),
        st.sets(st.sampled_from(["1", "2"])),
        st.lists(CHANGES, min_size=len(ENTRIES), max_size=len(ENTRIES)),
    )
    def test_changed_mapping_bills_nothing_twice(
        self, documents: list[builders.Document], known: set[str], changes: list[builders.Entry]
    ) -> None:
        before = [{**mapping, **change} for mapping, change in zip(ENTRIES, changes, strict=True)]
        flavors = {key: ALL_FLAVORS[key] for key in known}
        _, added = billed(builders.rules(before), builders.rules(ENTRIES), documents, flavors)
        for old, new in zip(before, ENTRIES, strict=True):
            if rate.rate(builders.rules([old]), samples(documents), builders.HOUR, Lookups(flavors)).usage:
                full = rate.rate(builders.rules([new]), samples(documents), builders.HOUR, Lookups(ALL_FLAVORS)).usage
                self.assertFalse(keys(added) & keys(full))


def keys(usage: Sequence[model.Usage]) -> set[tuple[str, str]]:
    return {(item.service, item.resource_id) for item in usage}


def totals(usage: Sequence[model.Usage]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for item in usage:
        found[item.resource_id] += item.volume
    return found
