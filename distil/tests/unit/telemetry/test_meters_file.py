# SPDX-License-Identifier: Apache-2.0
"""The meters files of drivers."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import hypothesis
import yaml
from hypothesis import strategies as st

from distil import exceptions
from distil.telemetry import meters_file
from distil.telemetry.gnocchi import meters as gnocchi
from distil.telemetry.meter_entry import MeterEntry
from distil.telemetry.meter_entry import ValueSource
from distil.telemetry.meter_entry import served
from distil.telemetry.prometheus import meters as prometheus
from distil.tests.support import strategies
from distil.tests.support.meters_file import MetersFileCase
from distil.tests.support.meters_file import entry

LOADS: Sequence[Callable[[str], Sequence[MeterEntry]]] = (
    lambda path: meters_file.load(path, entry, "label"),
    gnocchi.load,
    prometheus.load,
)
KEYS = (
    "meter", "unit", "volume", "metadata", "unavailable", "colour", "resource_type", "metric", "aggregations", "kind",
    "resource_id", "selector", "labels", "up", "first_sample",
)  # fmt: skip

SOURCE_KEYS = ("attribute", "label", "metric", "value", "constant", "codes", "default", "template", "project")


def source(**fields: Any) -> ValueSource:
    return ValueSource(**fields)


class MetersFileTest(MetersFileCase):
    def test_entries_are_read_in_order(self) -> None:
        text = """\
- meter: m1
  unit: GB
  colour: red
  volume: {value: true, codes: {1: 1, 2.0: 0}, default: -1}
  metadata:
    name: display_name
    status: {label: state, codes: {ACTIVE: active}}
    size: {metric: disk.root.size}
    flavor.id: {constant: 5}
- {meter: m1, volume: 1}
- {meter: m2, unavailable: nothing measures it}
"""
        expected = (
            MeterEntry(
                meter="m1",
                unit="GB",
                volume=source(codes={"1": 1, "2": 0}, default=-1),
                metadata={
                    "name": source(field="display_name"),
                    "status": source(field="state", codes={"ACTIVE": "active"}),
                    "size": source(metric="disk.root.size"),
                    "flavor.id": source(is_constant=True, constant=5),
                },
            ),
            MeterEntry(meter="m1", volume=source(is_constant=True, constant=1)),
            MeterEntry(meter="m2", unavailable="nothing measures it"),
        )
        self.assertEqual(expected, self.load(text))

    def test_all_problems_are_told_with_lines(self) -> None:
        text = """\
- meter: m1
  units: GB
  metadata: {name: 5, size: {metric: ""}}
- unit: 7
- just text
- {meter: m4}
- {meter: 9, unavailable: x, unit: GB}
"""
        expected = [
            ":1: entry 1 (m1): unknown key 'units'; did you mean unit?",
            ":1: entry 1 (m1): metadata.name must name its source, not 5",
            ":1: entry 1 (m1): metadata.size.metric must be text of at most 255 characters, not ''",
            ":4: entry 2 (no meter): meter is missing",
            ":4: entry 2 (no meter): unit must be text of at most 255 characters, not 7",
            ":5: entry 3 (no meter): must be a mapping, not 'just text'",
            ":7: entry 5 (9): meter must be text of at most 255 characters, not 9",
            ":7: entry 5 (9): unit has no effect beside unavailable",
        ]
        self.assertEqual(expected, self.problems(text))

    def test_file_that_is_no_list_is_told(self) -> None:
        for text, content in (("", "nothing"), ("{}", "{}"), ("[]", "[]"), ("meter: m", "{'meter': 'm'}")):
            self.assertEqual([f": must hold a list of meters, not {content}"], self.problems(text))
        self.assertIn(" is not valid YAML: line 1", self.problems("- {meter: m")[0])
        with self.assertRaisesRegex(exceptions.ConfigurationError, "^/nowhere cannot be read: No such file"):
            meters_file.load("/nowhere", entry, "label")

    def test_repeated_entry_names_first(self) -> None:
        problems = self.problems("- {meter: m, volume: 1}\n- {meter: m, volume: 2}\n\n- {volume: 1, meter: m}\n")
        self.assertEqual([":4: entry 3 (m): repeats entry 1 (line 1)"], problems)

    def test_meter_cannot_be_unavailable_and_not(self) -> None:
        for one, other in ((", volume: 1", ", unavailable: x"), (", unavailable: x", "")):
            problems = self.problems(f"- {{meter: m{one}}}\n- {{meter: n}}\n- {{meter: m{other}}}\n")
            self.assertEqual([":3: entry 3 (m): contradicts entry 1: one of them has no samples (line 1)"], problems)

    @hypothesis.given(st.text() | st.binary().map(repr))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8", errors="surrogatepass")
        self.read_by_all()

    values: st.SearchStrategy[Any] = st.deferred(
        lambda: (
            strategies.json_values()
            | st.sampled_from([True, 1, "m", "kind", "gauge", "counter", "delta", "sum"])
            | st.dictionaries(
                st.sampled_from(SOURCE_KEYS)
                | st.none()
                | st.booleans()
                | st.integers(-2, 2)
                | st.floats()
                | st.text(max_size=2),
                MetersFileTest.values,
                max_size=4,
            )
        )
    )

    @hypothesis.given(st.lists(st.dictionaries(st.sampled_from(KEYS) | st.text(), values, max_size=8), max_size=3))
    def test_any_entries_are_read_or_refused(self, entries: list[dict[str, Any]]) -> None:
        self.path.write_text(yaml.safe_dump(entries), encoding="utf-8", errors="surrogatepass")
        self.read_by_all()

    def read_by_all(self) -> None:
        for load in LOADS:
            try:
                found = load(str(self.path))
            except exceptions.ConfigurationError as error:
                self.assertTrue(error.problems)
                for problem in error.problems:
                    self.assertTrue(problem.startswith(str(self.path)), problem)
            else:
                for each in found:
                    values = each.document_metadata({"a": 1}, 1.0, {})
                    self.assertTrue(all(isinstance(value, str) for value in values.values()))
                    served([each], adds_up=True)
