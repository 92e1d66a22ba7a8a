# SPDX-License-Identifier: Apache-2.0
"""No option and no answer reaches another mapping or another resource."""

import unittest
from decimal import Decimal

from distil.rating import rate
from distil.rating import sample_parser
from distil.tests.unit import builders
from distil.tests.unit.builders import METER
from distil.tests.unit.builders import PROJECT
from distil.tests.unit.builders import RESOURCE
from distil.tests.unit.builders import SERVICE
from distil.tests.unit.builders import document
from distil.tests.unit.builders import entry
from distil.transformers.lookups import Lookups

SECTIONS = {"uptime": {"tracked_states": ["active"], "prefix": "a."}}
INSTANCE = document(1, metadata={"status": "active", "instance_type": "c1"})


class TestIsolation(unittest.TestCase):
    def test_transformer_config_overrides_the_transformer_file_for_its_mapping_alone(self) -> None:
        entries = [
            entry("uptime", res_id_template="%s-1"),
            entry("uptime", res_id_template="%s-2", transformer_config={"prefix": "b."}),
            entry("uptime", res_id_template="%s-3"),
        ]
        result = builders.rated(entries, [INSTANCE], SECTIONS)
        self.assertEqual(
            {("a.c1", f"{RESOURCE}-1"), ("b.c1", f"{RESOURCE}-2"), ("a.c1", f"{RESOURCE}-3")},
            set(builders.volumes(result)),
        )

    def test_options_that_are_not_overridden_stay(self) -> None:
        entries = [entry("uptime", transformer_config={"tracked_states": ["paused"]})]
        paused = document(2, metadata={"status": "paused", "instance_type": "c2"})
        result = builders.rated(entries, [INSTANCE, paused], SECTIONS)
        self.assertEqual({("a.c2", RESOURCE): Decimal(3600)}, builders.volumes(result))

    def test_one_windows_answers_do_not_reach_the_next(self) -> None:
        rules = builders.rules([entry("blockstoragemax")])
        lookups = Lookups(volume_types={"t1": "fast"})
        for volume_type, service in (("t1", "fast"), ("gone", SERVICE), ("t1", "fast")):
            sample = sample_parser.read_sample(document(1, metadata={"volume_type": volume_type}), PROJECT, METER)
            result = rate.rate(rules, [sample], builders.HOUR, lookups)
            self.assertEqual({(service, RESOURCE): Decimal(1)}, builders.volumes(result))
