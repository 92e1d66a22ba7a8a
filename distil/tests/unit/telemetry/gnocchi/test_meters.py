# SPDX-License-Identifier: Apache-2.0
"""The meters file of the driver gnocchi."""

import pathlib
import re
import tempfile
import unittest
from collections.abc import Sequence

import yaml

from distil import exceptions
from distil.telemetry.gnocchi import meters
from distil.telemetry.gnocchi.meters import GnocchiMeter
from distil.telemetry.gnocchi.meters import Kind
from distil.telemetry.gnocchi.meters import ResourceID
from distil.telemetry.gnocchi.revisions import COMMON_ATTRIBUTES

FOLDER = pathlib.Path(__file__).parents[5] / "etc" / "distil"
SAMPLE = FOLDER / "gnocchi_meters.yml"
DEFINITIONS = FOLDER.parent / "ceilometer" / "billing_resources.yaml"


def parse(text: str) -> Sequence[GnocchiMeter]:
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(text)
        file.flush()
        return meters.load(file.name)


class LoadTest(unittest.TestCase):
    def assert_refused(self, entry: str, expected: str) -> None:
        with self.assertRaisesRegex(exceptions.ConfigurationError, expected):
            parse(f"- {{meter: m, resource_type: t, metric: x, {entry}}}")

    def test_defaults_are_of_a_gauge(self) -> None:
        (entry,) = parse("- {meter: m, resource_type: t, metric: x}")
        self.assertEqual(("t", "x", Kind.GAUGE), (entry.resource_type, entry.metric, entry.kind))
        self.assertEqual((("last", "max", "mean"), ResourceID.ORIGINAL), (entry.aggregations, entry.resource_id))

    def test_delta_is_a_sum(self) -> None:
        (entry,) = parse("- {meter: m, resource_type: t, metric: x, kind: delta}")
        self.assertEqual(("sum",), entry.aggregations)
        for aggregations in ("[mean]", "[sum, mean]", "['rate:mean']"):
            self.assert_refused(f"kind: delta, aggregations: {aggregations}", "of a delta can be sum, not (rate:)?mean")

    def test_states_are_not_added(self) -> None:
        for aggregation in ("sum", "count", "std", "rate:last"):
            self.assert_refused(f"aggregations: [max, '{aggregation}']", f"of a gauge can be .*, not {aggregation}")

    def test_all_problems_are_told_with_lines(self) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            parse("- {meter: a}\n- {meter: b, resource_type: t, metric: x, kind: counter, resource_id: 5, typo: 1}")
        problems = [problem.partition(".yml:")[2] for problem in caught.exception.problems]
        self.assertEqual(["1", "1", "2", "2", "2"], [problem.partition(":")[0] for problem in problems])

    def test_metric_is_not_billed_twice(self) -> None:
        text = "- {meter: m, resource_type: t, metric: x}\n- {meter: m, resource_type: t, metric: x, volume: 1}"
        self.assertRaisesRegex(exceptions.ConfigurationError, ":2: .* billed twice", parse, text)
        parse("- {meter: m, resource_type: t, metric: x}\n- {meter: n, resource_type: t, metric: x}")


class SampleFileTest(unittest.TestCase):
    def test_every_mapped_meter_is_served_or_explained(self) -> None:
        mapped = {entry["meter"] for entry in yaml.safe_load((FOLDER / "meter_mappings.yml").read_text())}
        self.assertEqual(mapped, {entry.meter for entry in meters.load(str(SAMPLE))})

    def test_keys_are_documented(self) -> None:
        explained = re.findall(r"^#   (\w+)  ", SAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
        common = {"meter", "unit", "volume", "metadata", "unavailable"}
        self.assertEqual(common | set(meters._OWN_KEYS), set(explained))

    def test_entries_in_comments_are_what_ceilometer_is_to_store(self) -> None:
        """Those that begin a list item after their comment sign, up to the next other line."""
        found = re.findall(r"^# - meter: .*\n(?:#   .*\n)+", SAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
        entries = parse(re.sub("^# ", "", "".join(found), flags=re.MULTILINE))
        unavailable = {entry.meter for entry in meters.load(str(SAMPLE)) if entry.unavailable}
        self.assertLess(unavailable, {entry.meter for entry in entries})
        definitions = yaml.safe_load(DEFINITIONS.read_text(encoding="utf-8"))["resources"]
        types = {definition["resource_type"]: definition for definition in definitions}
        for entry in entries:
            with self.subTest(entry.meter):
                definition = types[entry.resource_type]
                self.assertIn(entry.metric, definition["metrics"])
                self.assertLessEqual(entry.fields, {*definition["attributes"], *COMMON_ATTRIBUTES})
