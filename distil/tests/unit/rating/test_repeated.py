# SPDX-License-Identifier: Apache-2.0
"""Entries of a meter mappings file that bill the same usage twice."""

import unittest

from distil.rating import mapping_parser
from distil.tests.support import builders
from distil.tests.support.builders import Entry
from distil.tests.support.builders import entry

STATES = {"tracked_states": ["active", "shutoff"]}


class RepeatedRuleTest(unittest.TestCase):
    def problems(self, *entries: Entry) -> list[str]:
        parsed = mapping_parser.parse_meter_mappings(list(entries), builders.plugins(), {"uptime": STATES})
        return list(map(str, parsed.problems))

    def assert_repeated(self, first: Entry, second: Entry) -> None:
        expected = ["entry 2 (m1): would bill a second time what is billed by entry 1"]
        self.assertEqual(expected, self.problems(first, second))
        self.assertEqual(expected, self.problems(second, first))

    def assert_distinct(self, *entries: Entry) -> None:
        self.assertEqual([], self.problems(*entries))

    def test_equal_entries_are_rejected(self) -> None:
        self.assert_repeated(entry(), entry())
        self.assertEqual(2, len(self.problems(entry(), entry(), entry(meter="m2"), entry())))

    def test_spelling_makes_no_difference(self) -> None:
        self.assert_repeated(entry(filters=["a.b == 'x'"]), entry(filters=[" a.b=='x' "]))
        self.assert_repeated(entry(filters=["a", "b"]), entry(filters=["b", "a", "a"]))
        self.assert_repeated(entry(filters=["a.b == 'x'"]), entry(filters=["""(a."b" == `"x"`)"""]))
        self.assert_repeated(entry(filters=[]), entry(filters=None))
        self.assert_repeated(entry(volume=1), entry(volume="1.0"))
        self.assert_repeated(entry(volume={"source": "a||b"}), entry(volume={"sources": ["a || b"]}))
        self.assert_repeated(entry(service="m1"), builders.without(entry(), "service"))

    def test_template_without_text_changes_nothing(self) -> None:
        self.assert_repeated(entry(), entry(res_id_template="%s"))

    def test_descriptions_make_no_difference(self) -> None:
        self.assert_repeated(entry(type="A"), entry(metadata={"name": {"sources": ["name"]}}))

    def test_options_count_wherever_they_are(self) -> None:
        self.assert_repeated(entry("uptime"), entry("uptime", transformer_config=STATES))
        reordered = {"tracked_states": ["shutoff", "ACTIVE"], "prefix": ""}
        self.assert_repeated(entry("uptime"), entry("uptime", transformer_config=reordered))
        self.assert_distinct(entry("uptime"), entry("uptime", transformer_config={"prefix": "gpu."}))

    def test_unused_service_makes_no_difference(self) -> None:
        self.assert_repeated(entry("uptime", service="a"), entry("uptime", service="b"))
        self.assert_repeated(entry("databasevolumemax", service="a"), entry("databasevolumemax", service="b"))
        self.assert_distinct(entry(service="a"), entry(service="b"))

    def test_service_option_overrides_service(self) -> None:
        disk: dict[str, object] = {"md_keys": ["image"], "none_values": ["None"], "size_keys": ["gb"]}
        one, two = (entry("fromimage", service=service, transformer_config=disk) for service in ("a", "b"))
        self.assert_distinct(one, two)
        disk["service"] = "c"
        self.assert_repeated(one, two)

    def test_different_usage_is_accepted(self) -> None:
        others: list[Entry] = [
            {"meter": "m2"},
            {"service": "s2"},
            {"unit": "day"},
            {"transformer": "sum"},
            {"filters": ["a"]},
            {"filters": ["'a b'"]},
            {"filters": ["'ab'"]},
            {"volume": 1},
            {"volume": {"sources": ["a", "b"]}},
            {"volume": {"sources": ["b", "a"]}},
            {"res_id_template": "%s-a"},
            {"type": "Object Storage Container"},
        ]
        self.assert_distinct(entry(), *(entry(**other) for other in others))
