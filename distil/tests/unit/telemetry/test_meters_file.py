# SPDX-License-Identifier: Apache-2.0
"""The grammar that the meters files of all drivers have in common."""

import pathlib
import tempfile
import unittest
from typing import Any

import yaml

from distil import exceptions
from distil.telemetry import meters_file
from distil.telemetry.driver import ServedMeter
from distil.telemetry.meters_file import MEASURED
from distil.telemetry.meters_file import EntryParser
from distil.telemetry.meters_file import MeterEntry
from distil.telemetry.meters_file import ValueSource


def parse(parser: EntryParser) -> MeterEntry:
    return MeterEntry(**parser.common(()))


class MetersFileTest(unittest.TestCase):
    def load(self, *entries: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            self.path = pathlib.Path(folder, "meters.yml")
            self.path.write_text(yaml.safe_dump(list(entries), sort_keys=False), encoding="utf-8")
            return meters_file.load(str(self.path), parse, "label")

    def metadata(self, source: Any) -> ValueSource:
        (entry,) = self.load({"meter": "m", "metadata": {"key": source}})
        found: ValueSource = entry.metadata["key"]
        return found

    def problems(self, *entries: Any) -> list[str]:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            self.load(*entries)
        return [problem.removeprefix(f"{self.path}:") for problem in caught.exception.problems]

    def assert_wrong_source(self, source: Any, *expected: str) -> None:
        prefix = "1: entry 1 (m): metadata.key"
        found = self.problems({"meter": "m", "metadata": {"key": source}})
        self.assertEqual([prefix + problem for problem in expected], found)

    def test_sources_have_short_and_long_form(self) -> None:
        self.assertEqual(ValueSource(field="name"), self.metadata("name"))
        self.assertEqual(ValueSource(field="name"), self.metadata({"label": "name"}))
        self.assertEqual(MEASURED, self.metadata({"value": True}))
        self.assertEqual(ValueSource(metric="size"), self.metadata({"metric": "size"}))
        self.assertEqual(ValueSource(is_constant=True), self.metadata({"constant": None}))
        expected = ValueSource(field="status", codes={"1": "active"}, default="other", template="a %s")
        source = {"label": "status", "codes": {1: "active"}, "default": "other", "template": "a %s"}
        self.assertEqual(expected, self.metadata(source))

    def test_wrong_sources_are_problems(self) -> None:
        self.assert_wrong_source(5, " must name its source, not 5")
        self.assert_wrong_source({}, " must have exactly one of label, value, constant, metric, not {}")
        self.assert_wrong_source({"value": 1}, ".value must be true, not 1")
        self.assert_wrong_source({"label": "a", "code": {}}, ": unknown key 'code'; did you mean codes?")
        self.assert_wrong_source({"label": "a", "default": 1}, ".default has no effect without codes")
        codes = ".codes must map the values of the source, not "
        self.assert_wrong_source({"label": "a", "codes": {}}, f"{codes}{{}}")
        self.assert_wrong_source({"constant": "a", "codes": {1: 2}}, f"{codes}{{1: 2}}")

    def test_wrong_templates_are_problems(self) -> None:
        form = ".template must be text with one %s for the value of the source (and %% for each %), not "
        for template in ("x", "%d", "%s%s", "%s %", 5):
            self.assert_wrong_source({"label": "a", "template": template}, f"{form}{template!r}")
        self.assert_wrong_source({"constant": "a", "template": "%s"}, f"{form}'%s'")

    def test_volume_may_be_number(self) -> None:
        (entry,) = self.load({"meter": "m", "volume": 1})
        self.assertEqual(ValueSource(is_constant=True, constant=1), entry.volume)
        self.assertEqual(
            ["1: entry 1 (m): volume must name its source, not True"], self.problems({"meter": "m", "volume": True})
        )

    def test_unavailable_entry_has_nothing_else(self) -> None:
        found = self.problems({"meter": "m", "unavailable": "why", "volume": 1})
        self.assertEqual(["1: entry 1 (m): volume has no effect beside unavailable"], found)

    def test_entries_that_contradict_are_problems(self) -> None:
        served, unavailable = {"meter": "m"}, {"meter": "m", "unavailable": "why"}
        for entries in ([served, served], [served, unavailable], [unavailable, served]):
            (problem,) = self.problems(*entries)
            self.assertRegex(problem, r"^[23]: entry 2 \(m\): repeats, or contradicts, entry 1 \(line 1\)$")

    def test_all_problems_are_told_at_once(self) -> None:
        found = self.problems({"unit": 5}, 7, {"meter": "m", "metadatas": {}})
        expected = [
            "1: entry 1 (no meter): meter is missing",
            "1: entry 1 (no meter): unit must be text of at most 255 characters, not 5",
            "2: entry 2 (no meter): must be a mapping, not 7",
            "3: entry 3 (m): unknown key 'metadatas'; did you mean metadata?",
        ]
        self.assertEqual(expected, found)

    def test_file_must_hold_list(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            for content in ("", "[]", "a: b", "5"):
                pathlib.Path(file.name).write_text(content, encoding="utf-8")
                with self.subTest(content), self.assertRaisesRegex(exceptions.ConfigurationError, "list of meters"):
                    meters_file.load(file.name, parse, "label")


class ValueSourceTest(unittest.TestCase):
    def resolve(self, source: ValueSource, measured: Any = 1.0) -> Any:
        return source.resolve({"status": "ACTIVE", "empty": None}, measured, {"size": 20})

    def test_value_comes_from_its_source(self) -> None:
        self.assertEqual(1.0, self.resolve(MEASURED))
        self.assertEqual("ACTIVE", self.resolve(ValueSource(field="status")))
        self.assertEqual(20, self.resolve(ValueSource(metric="size")))
        self.assertEqual("x", self.resolve(ValueSource(is_constant=True, constant="x")))
        for missing in (ValueSource(field="none"), ValueSource(field="empty"), ValueSource(metric="none")):
            self.assertIsNone(self.resolve(missing))

    def test_codes_are_compared_as_text(self) -> None:
        source = ValueSource(codes={"1": "active", "1.5": "half"}, default="unknown")
        found = [self.resolve(source, measured) for measured in (1, 1.0, "1", 1.5, 2, None)]
        self.assertEqual(["active", "active", "active", "half", "unknown", None], found)
        self.assertIsNone(self.resolve(ValueSource(codes={"2": "x"})))

    def test_template_holds_value_but_null(self) -> None:
        self.assertEqual("is ACTIVE", self.resolve(ValueSource(field="status", template="is %s")))
        self.assertEqual("1 %", self.resolve(ValueSource(template="%s %%")))
        self.assertIsNone(self.resolve(ValueSource(field="none", template="is %s")))
        self.assertIsNone(self.resolve(ValueSource(codes={"2": "x"}, template="is %s")))


class MeterEntryTest(unittest.TestCase):
    def test_metadata_is_text(self) -> None:
        sources = {"a": MEASURED, "b": ValueSource(field="none"), "c": ValueSource(is_constant=True, constant=False)}
        entry = MeterEntry(meter="m", metadata=sources)
        self.assertEqual({"a": "3", "b": "None", "c": "False"}, entry.document_metadata({}, 3.0, {}))

    def test_served_has_what_all_entries_have(self) -> None:
        constant, other = (ValueSource(is_constant=True, constant=value) for value in "xy")
        first = MeterEntry(meter="m", metadata={"a": constant, "b": constant, "c": MEASURED})
        second = MeterEntry(meter="m", metadata={"a": other, "b": MEASURED})
        expected = ServedMeter(metadata=frozenset("ab"), constants={"a": "x"}, adds_up=True)
        self.assertEqual(expected, meters_file.served([first, second], adds_up=True))
        unavailable = MeterEntry(meter="m", unavailable="why")
        self.assertEqual(ServedMeter(unavailable="why"), meters_file.served([unavailable], adds_up=True))
