# SPDX-License-Identifier: Apache-2.0
"""Every driver yields the same bill of the same history, as far as its telemetry service keeps what is billed."""

import datetime
import pathlib
import tempfile
import unittest
from collections.abc import Collection
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import hypothesis
from hypothesis import strategies as st

from distil.tests.support.history import gnocchi
from distil.tests.support.history import prometheus
from distil.tests.support.history import strategies
from distil.tests.support.history.bill import Line
from distil.tests.support.history.bill import bill
from distil.tests.support.history.cloud import HistoryCloud
from distil.tests.support.history.cloud import write_meters_file
from distil.tests.support.history.model import History
from distil.tests.support.history.model import Kind
from distil.tests.support.history.rating import rated_bill
from distil.tests.support.site import ETC

_DELAYS = [datetime.timedelta(milliseconds=delay) for delay in (0, 250)]
_MAX_GAP = datetime.timedelta(minutes=10)
# Longer than any history.
_NO_GAP = datetime.timedelta(hours=5)
# What neither Ceilometer's exporter nor openstack-exporter measures.
_UNEXPORTED = (Kind.DATABASE, Kind.CONTAINER, Kind.TRAFFIC)

_given_history = hypothesis.given(history=strategies.histories())
_settings = hypothesis.settings(max_examples=40, deadline=None)


class BillCase(unittest.TestCase):
    """Shows histories."""

    cloud: ClassVar[HistoryCloud]
    folder: ClassVar[pathlib.Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.cloud = cls.enterClassContext(HistoryCloud())
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def assert_same(self, expected: Mapping[Line, Decimal], actual: Mapping[Line, Decimal]) -> None:
        differences = [
            f"{line}: {actual.get(line)}, not {expected.get(line)}"
            for line in sorted({**expected, **actual})
            if actual.get(line) != expected.get(line)
        ]
        if differences:
            self.fail("\n".join(differences))


class CeilometerBillTest(BillCase):
    @_given_history
    @_settings
    def test_bills_all_that_was_measured(self, history: History) -> None:
        self.cloud.show(history)
        measured = bill(history.measurements(), history.windows)
        self.assert_same(measured, rated_bill(self.cloud.ceilometer_driver(), history))


class GnocchiBillTest(BillCase):
    @hypothesis.given(history=strategies.histories(), delay=st.sampled_from(_DELAYS))
    @_settings
    def test_bills_buckets_of_all_states(self, history: History, delay: datetime.timedelta) -> None:
        """With what an operator can add to Ceilometer's configuration. Only changes within buckets are blurred."""
        meters_file = self.folder / "meters.yml"
        write_meters_file("gnocchi_meters.yml", gnocchi.SITE_ENTRIES, meters_file)
        self.cloud.show(history, delay)
        actual = rated_bill(self.cloud.gnocchi_driver(meters_file), history)
        self.assert_same(bill(gnocchi.bucketed(history, delay), history.windows), actual)
        blurred = list(gnocchi.blurred(history, delay))
        measured = bill(history.measurements(), history.windows)
        self.assert_same(_without(blurred, measured), _without(blurred, actual))


class PrometheusBillTest(BillCase):
    @_given_history
    @_settings
    def test_bills_all_that_was_measured(self, history: History) -> None:
        """With an exporter for what openstack-exporter lacks, and counters that begin at zero."""
        self.cloud.show(history)
        driver = self.cloud.prometheus_driver(self._file("from_zero"), max_gap=int(_NO_GAP.total_seconds()))
        self.assert_same(bill(history.measurements(), history.windows), rated_bill(driver, history))

    @_given_history
    @_settings
    def test_counters_count_from_first_sample(self, history: History) -> None:
        self.cloud.show(history)
        driver = self.cloud.prometheus_driver(self._file("baseline"), max_gap=int(_MAX_GAP.total_seconds()))
        measured = prometheus.measured_from_baseline(history, _MAX_GAP)
        self.assert_same(bill(measured, history.windows), rated_bill(driver, history))

    @_given_history
    @_settings
    def test_bills_all_that_is_exported(self, history: History) -> None:
        """Without an exporter of the operator's own: no root disks, among others."""
        self.cloud.show(history)
        driver = self.cloud.prometheus_driver(ETC / "prometheus_meters.yml")
        exported = [each for each in history.measurements() if each.resource.kind not in _UNEXPORTED]
        lines = bill(exported, history.windows)
        expected = {line: volume for line, volume in lines.items() if not line.resource_id.endswith("-root_disk")}
        self.assert_same(expected, rated_bill(driver, history))

    def _file(self, first_sample: str) -> pathlib.Path:
        path = self.folder / f"{first_sample}.yml"
        write_meters_file("prometheus_meters.yml", prometheus.site_entries(first_sample), path)
        return path


def _without(blurred: Collection[tuple[str, datetime.datetime]], lines: Mapping[Line, Decimal]) -> dict[Line, Decimal]:
    """The lines of other resources than those whose buckets in the window do not show each measurement."""
    return {
        line: volume
        for line, volume in lines.items()
        if not any(_is_of(line, resource_id) and start in line.window for resource_id, start in blurred)
    }


def _is_of(line: Line, resource_id: str) -> bool:
    """Whether a line is of a resource, or of a part of it, such as its root disk."""
    return line.resource_id.startswith(resource_id)
