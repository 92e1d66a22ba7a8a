# SPDX-License-Identifier: Apache-2.0
"""Several meter mappings for one meter, or for the same service and resource."""

import unittest
from decimal import Decimal

import hypothesis

from distil.tests.support import builders
from distil.tests.support import strategies
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry


class MultipleMappingsTest(unittest.TestCase):
    def test_shared_meter_is_listed_once(self) -> None:
        entries = [entry(meter="a"), entry(meter="b"), entry("sum", meter="a")]
        self.assertEqual(["a", "b"], list(builders.rules(entries).meters))

    def test_service_defaults_to_meter(self) -> None:
        without_service = builders.without(entry(), "service")
        self.assertEqual([("m1", RESOURCE)], list(builders.volumes(builders.rated(without_service, [document()]))))

    def test_mapping_uses_only_own_meter(self) -> None:
        entries = [entry("sum", meter="a", service="sa"), entry("sum", meter="b", service="sb")]
        result = builders.rated(entries, [document(meter="a", volume=1), document(meter="b", volume=2)])
        self.assertEqual({("sa", RESOURCE): Decimal(1), ("sb", RESOURCE): Decimal(2)}, builders.volumes(result))

    def test_volumes_of_same_resource_are_summed(self) -> None:
        entries = [entry("max"), entry("sum"), entry("sum", meter="m2")]
        result = builders.rated(entries, [document(volume=3), document(meter="m2", volume=4)])
        self.assertEqual({(SERVICE, RESOURCE): Decimal(10)}, builders.volumes(result))
        self.assertEqual(1, len(result.usage))

    def test_flavor_and_service_usage_are_summed(self) -> None:
        config = {"tracked_states": ["active"]}
        entries = [entry("uptime", transformer_config=config), entry("sum", service="c1")]
        sample = document(volume=1, metadata={"status": "active", "instance_type": "c1"})
        self.assertEqual({("c1", RESOURCE): Decimal(3601)}, builders.volumes(builders.rated(entries, [sample])))

    def test_matching_templated_ids_are_summed(self) -> None:
        entries = [entry("sum"), entry("sum", meter="m2", res_id_template="%s-disk")]
        documents = [document(resource_id="r-disk", volume=1), document(meter="m2", resource_id="r", volume=2)]
        self.assertEqual({(SERVICE, "r-disk"): Decimal(3)}, builders.volumes(builders.rated(entries, documents)))

    def test_conflicting_unit_rejected_first_kept(self) -> None:
        entries = [entry("max", unit="byte"), entry("sum", unit="hour"), entry("sum", unit="byte")]
        result = builders.rated(entries, [document(volume=3)])
        self.assertEqual([("byte", Decimal(6))], [(usage.unit, usage.volume) for usage in result.usage])
        self.assertEqual(1, len(result.rejected))
        for word in (SERVICE, "byte", "hour"):
            self.assertIn(word, builders.reasons(result)[0])

    def test_partial_conflict_rejects_whole_mapping(self) -> None:
        config = {"tracked_states": ["active"]}
        entries = [entry("sum", service="c2", unit="byte"), entry("uptime", unit="second", transformer_config=config)]
        documents = [document(n, metadata={"status": "active", "instance_type": f"c{n}"}) for n in (1, 2, 3)]
        result = builders.rated(entries, documents)
        self.assertEqual({("c2", RESOURCE): Decimal(3)}, builders.volumes(result))
        self.assertEqual(3, len(result.rejected))

    @hypothesis.given(strategies.volumes(), strategies.volumes())
    def test_sum_is_exact(self, first: Decimal, second: Decimal) -> None:
        entries = [entry("sum"), entry("max", meter="m2")]
        result = builders.rated(entries, [document(volume=str(first)), document(meter="m2", volume=str(second))])
        exact = Decimal(int(first.scaleb(10)) + int(second.scaleb(10))).scaleb(-10)
        self.assertEqual({(SERVICE, RESOURCE): exact}, builders.volumes(result))
