# SPDX-License-Identifier: Apache-2.0
"""Where the values in the samples of a meter come from."""

import unittest
from collections.abc import Mapping
from typing import Any

import hypothesis
from hypothesis import strategies as st

from distil.telemetry.driver import ServedMeter
from distil.telemetry.meter_entry import MEASURED
from distil.telemetry.meter_entry import MeterEntry
from distil.telemetry.meter_entry import ValueSource
from distil.telemetry.meter_entry import code_text
from distil.telemetry.meter_entry import metadata_text
from distil.telemetry.meter_entry import served


class ValueSourceTest(unittest.TestCase):
    FIELDS: Mapping[str, Any] = {"state": "ACTIVE", "code": 1.0, "none": None, "flag": True}

    def resolve(self, **fields: Any) -> Any:
        return ValueSource(**fields).resolve(self.FIELDS, 7.5, {"size": 20.0})

    def test_value_comes_from_its_source(self) -> None:
        self.assertEqual(7.5, MEASURED.resolve(self.FIELDS, 7.5, {}))
        self.assertEqual("ACTIVE", self.resolve(field="state"))
        self.assertEqual(20.0, self.resolve(metric="size"))
        self.assertEqual("x", self.resolve(is_constant=True, constant="x"))
        self.assertIsNone(self.resolve(is_constant=True, constant=None))

    def test_missing_value_is_null(self) -> None:
        for fields in ({"field": "nothing"}, {"field": "none"}, {"metric": "nothing"}):
            self.assertIsNone(self.resolve(**fields))
            self.assertIsNone(self.resolve(**fields, codes={"None": 1}, default=2))

    def test_codes_replace_values(self) -> None:
        codes = {"ACTIVE": "active", "1": "up", "7.5": "odd", "True": "on"}
        for fields, expected in (
            ({"field": "state"}, "active"),
            ({"field": "code"}, "up"),
            ({}, "odd"),
            ({"field": "flag"}, "on"),
            ({"metric": "size"}, None),
            ({"metric": "size", "default": 0}, 0),
        ):
            self.assertEqual(expected, self.resolve(**fields, codes=codes))

    def test_template_holds_value_but_null(self) -> None:
        self.assertEqual("is ACTIVE", self.resolve(field="state", template="is %s"))
        self.assertEqual("1 %", self.resolve(field="code", template="%s %%"))
        self.assertEqual("is up", self.resolve(field="code", codes={"1": "up"}, template="is %s"))
        self.assertIsNone(self.resolve(field="none", template="is %s"))
        self.assertIsNone(self.resolve(field="code", codes={"2": "x"}, template="is %s"))

    @hypothesis.given(st.integers(-(10**15), 10**15))
    def test_equal_numbers_are_one_code(self, number: int) -> None:
        self.assertEqual({str(number)}, {code_text(number), code_text(float(number)), code_text(str(number))})

    @hypothesis.given(st.floats())
    def test_any_float_has_text(self, number: float) -> None:
        self.assertEqual(repr(number), repr(float(code_text(number))) if number else repr(number))

    def test_null_is_text_of_ceilometer(self) -> None:
        texts = {"None": None, "20": 20.0, "1.5": 1.5, "True": True, "x": "x"}
        self.assertEqual(list(texts), [metadata_text(value) for value in texts.values()])


class ServedTest(unittest.TestCase):
    CONSTANT = ValueSource(is_constant=True, constant="active")

    def entry(self, **metadata: ValueSource) -> MeterEntry:
        return MeterEntry(meter="m", metadata=metadata)

    def test_keys_that_each_entry_has_are_served(self) -> None:
        entries = [self.entry(a=MEASURED, b=MEASURED), self.entry(b=MEASURED, c=MEASURED)]
        self.assertEqual(ServedMeter(metadata=frozenset("b"), adds_up=False), served(entries, adds_up=False))

    def test_constant_of_any_entry_is_told(self) -> None:
        entries = [self.entry(status=MEASURED), self.entry(status=self.CONSTANT, other=self.CONSTANT)]
        self.assertEqual({"status": "active"}, served(entries, adds_up=True).constants)

    def test_unavailable_meter_says_why(self) -> None:
        entry_ = MeterEntry(meter="m", unavailable="nothing measures it")
        self.assertEqual(ServedMeter(unavailable="nothing measures it"), served([entry_], adds_up=True))
