# SPDX-License-Identifier: Apache-2.0
"""What meter mappings lack of a telemetry driver."""

import datetime
import unittest
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any

from keystoneauth1 import session as ks_session

from distil import model
from distil.rating.expression import Expression
from distil.telemetry import coverage
from distil.telemetry.driver import ServedMeter
from distil.telemetry.driver import TelemetryDriver
from distil.tests.support import builders
from distil.tests.support.builders import METER
from distil.tests.support.builders import entry

METERS_FILE = "/etc/meters.yml ([fake] meters_file)"
REMEDY = f"; change the meter's entry in {METERS_FILE}, or remove the mapping"
SECTIONS = {
    "uptime": {"tracked_states": ["active"]},
    "fromimage": {"md_keys": ["image_ref", "image"], "none_values": ["None"], "size_keys": ["root_gb"]},
}
CLUSTER = "metadata.status != 'CREATE_FAILED'"


class Driver(TelemetryDriver):
    """Serves some meters."""

    def __init__(self, **served: ServedMeter) -> None:
        super().__init__(ks_session.Session(), None, "public")
        self._served = served

    def samples(
        self, projects: Collection[str], meters: Collection[str], start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[model.Sample | model.RejectedSample]:
        raise NotImplementedError

    def served(self, meter: str) -> ServedMeter | None:
        return self._served.get(meter)


def samples_with(*keys: str, **fields: Any) -> ServedMeter:
    return ServedMeter(metadata=frozenset(keys), **fields)


class CoverageCase(unittest.TestCase):
    def compare(self, mapping: builders.Entry, served: ServedMeter | None) -> tuple[list[str], list[str]]:
        """Return the errors and the warnings of a mapping."""
        driver = Driver() if served is None else Driver(**{METER: served})
        found = list(coverage.find_shortcomings(builders.rules([mapping], SECTIONS).mappings, driver, METERS_FILE))
        self.assertLessEqual({shortcoming.entry for shortcoming in found}, {1})
        errors, warnings = (
            [shortcoming.text for shortcoming in found if shortcoming.is_error is kind] for kind in (True, False)
        )
        return errors, warnings


class MeterCoverageTest(CoverageCase):
    def test_unserved_meter_is_error(self) -> None:
        errors, warnings = self.compare(entry(), None)
        text = "the driver serves no such meter, so nothing would be billed; remove the mapping"
        self.assertEqual(([f"{text}, or add an entry for the meter to {METERS_FILE}"], []), (errors, warnings))
        (shortcoming,) = coverage.find_shortcomings(builders.rules([entry()]).mappings, Driver(), None)
        self.assertEqual(text, shortcoming.text)

    def test_unavailable_meter_is_warning_alone(self) -> None:
        errors, warnings = self.compare(entry("sum"), ServedMeter(unavailable="needs a new agent", adds_up=False))
        self.assertEqual(([], ["nothing is billed by it: needs a new agent"]), (errors, warnings))

    def test_sum_needs_volumes_that_add_up(self) -> None:
        problem = f"it adds volumes, and those of these samples repeat or average what was measured{REMEDY}"
        self.assertEqual(([problem], []), self.compare(entry("sum"), ServedMeter(adds_up=False)))
        self.assertEqual(([], []), self.compare(entry("sum"), ServedMeter(adds_up=True)))
        self.assertEqual(([], []), self.compare(entry("max"), ServedMeter(adds_up=False)))

    def test_gaps_name_their_entries(self) -> None:
        mappings = builders.rules([entry(), entry("sum"), entry(meter="m2"), entry(meter="m3")]).mappings
        driver = Driver(m1=ServedMeter(adds_up=False), m2=ServedMeter())
        self.assertEqual(
            [2, 4], [shortcoming.entry for shortcoming in coverage.find_shortcomings(mappings, driver, None)]
        )


class MetadataCoverageTest(CoverageCase):
    def test_published_metadata_has_no_gaps(self) -> None:
        mapping = entry("uptime", filters=[CLUSTER], metadata={"name": {"sources": ["name"]}})
        self.assertEqual(([], []), self.compare(mapping, ServedMeter()))

    def test_one_key_of_each_value_suffices(self) -> None:
        for status in ("status", "state"):
            self.assertEqual(([], []), self.compare(entry("uptime"), samples_with(status, "instance_type")))

    def test_every_missing_value_is_error(self) -> None:
        expected = [
            f"it needs metadata.status or metadata.state, which these samples do not have{REMEDY}",
            f"it needs metadata.instance_type, which these samples do not have{REMEDY}",
        ]
        self.assertEqual((expected, []), self.compare(entry("uptime"), samples_with("name")))

    def test_options_name_needed_keys(self) -> None:
        self.assertEqual(([], []), self.compare(entry("fromimage"), samples_with("image", "root_gb")))
        errors, _ = self.compare(entry("fromimage"), samples_with("root_gb"))
        self.assertEqual(
            [f"it needs metadata.image_ref or metadata.image, which these samples do not have{REMEDY}"], errors
        )
        own = entry("fromimage", transformer_config={"size_keys": ["size"]})
        errors, _ = self.compare(own, samples_with("image", "root_gb"))
        self.assertEqual([f"it needs metadata.size, which these samples do not have{REMEDY}"], errors)

    def test_needed_constant_is_warning(self) -> None:
        served = samples_with("status", "instance_type", "name", constants={"status": "active", "name": "x"})
        problem = (
            "metadata.status is 'active' in all samples, as configured and not as measured: no other value is seen"
        )
        self.assertEqual(([], [problem]), self.compare(entry("uptime"), served))

    def test_constant_null_is_told_as_null(self) -> None:
        served = samples_with("image", "root_gb", constants={"root_gb": None})
        _, warnings = self.compare(entry("fromimage"), served)
        self.assertEqual(["metadata.root_gb is null"], [text.partition(" in all samples")[0] for text in warnings])

    def test_constant_that_filter_reads_is_warning(self) -> None:
        served = samples_with("status", constants={"status": "active"})
        _, warnings = self.compare(entry(filters=[CLUSTER]), served)
        self.assertEqual(["metadata.status is 'active'"], [text.partition(" in all samples")[0] for text in warnings])

    def test_filter_of_missing_key_is_error(self) -> None:
        errors, warnings = self.compare(entry(filters=["volume > `1`", CLUSTER]), samples_with())
        problem = f"filters[2] reads metadata.status, which these samples do not have{REMEDY}"
        self.assertEqual(([problem], []), (errors, warnings))

    def test_filter_with_some_missing_keys_is_warning(self) -> None:
        filters = ["metadata.status == 'a' || metadata.state == 'a' || metadata.phase == 'a'"]
        errors, warnings = self.compare(entry(filters=filters), samples_with("status"))
        problem = "filters[1] reads metadata.phase and metadata.state, which these samples do not have"
        self.assertEqual(([], [problem]), (errors, warnings))

    def test_volume_needs_one_of_its_sources(self) -> None:
        sources = {"sources": ["metadata.nodes", "to_number(metadata.node_count)"]}
        errors, _ = self.compare(entry(volume=sources), samples_with("name"))
        problem = f"its volume is in metadata.nodes or metadata.node_count, which these samples do not have{REMEDY}"
        self.assertEqual([problem], errors)
        for keys, other in ((("node_count",), "volume"), ((), "volume"), (("nodes",), "metadata.x")):
            found = self.compare(entry(volume={"sources": [*sources["sources"], other]}), samples_with(*keys))
            self.assertEqual(([], []), found)
        self.assertEqual(([], []), self.compare(entry(volume=2), samples_with()))

    def test_missing_fields_are_one_warning(self) -> None:
        fields = {
            "name": {"sources": ["name", "display_name"]},
            "host": {"sources": ["host"]},
            "zone": {"sources": ["host", "OS-EXT-AZ:availability_zone"]},
        }
        keys = "metadata.host or metadata.OS-EXT-AZ:availability_zone or metadata.OS-EXT-AZ.availability_zone"
        problem = f"resources are stored without host, zone: these samples do not have {keys}"
        self.assertEqual(([], [problem]), self.compare(entry(metadata=fields), samples_with("display_name")))

    def test_container_has_name_of_its_id(self) -> None:
        mapping = entry(type="Object Storage Container", metadata={"name": {"sources": ["name"]}})
        self.assertEqual(([], []), self.compare(mapping, samples_with()))


class ExpressionMetadataTest(unittest.TestCase):
    def test_keys_under_metadata_are_found(self) -> None:
        for source, keys in (
            ("metadata.status", {"status"}),
            ("metadata.a.b", {"a"}),
            ("metadata.\"flavor.id\" == 'x' && !(metadata.b)", {"flavor.id", "b"}),
            ("contains(['x', 'y'], metadata.status) || to_number(metadata.n) > `1`", {"status", "n"}),
            ("volume == `1` && other.metadata.a", set()),
            ("source == 'metadata.a'", set()),
        ):
            self.assertEqual(keys, Expression.compile(source).metadata_keys, source)
