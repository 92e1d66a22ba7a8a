# SPDX-License-Identifier: Apache-2.0
"""Options and look-ups of one mapping or resource do not affect another."""

import unittest
from decimal import Decimal

from distil.rating import rate
from distil.rating import sample_parser
from distil.tests.support import builders
from distil.tests.support.builders import METER
from distil.tests.support.builders import PROJECT
from distil.tests.support.builders import RESOURCE
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

SECTIONS = {"uptime": {"tracked_states": ["active"], "prefix": "a."}}
INSTANCE = document(1, metadata={"status": "active", "instance_type": "c1"})


class RatingIsolationTest(unittest.TestCase):
    def test_transformer_config_applies_to_its_mapping(self) -> None:
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

    def test_unset_options_keep_file_values(self) -> None:
        entries = [entry("uptime", transformer_config={"tracked_states": ["paused"]})]
        paused = document(2, metadata={"status": "paused", "instance_type": "c2"})
        result = builders.rated(entries, [INSTANCE, paused], SECTIONS)
        self.assertEqual({("a.c2", RESOURCE): Decimal(3600)}, builders.volumes(result))

    def test_volume_types_stay_within_their_window(self) -> None:
        rules = builders.rules([entry("blockstoragemax")])
        lookups = Lookups(volume_types={"t1": "fast"})
        for volume_type, service in (("t1", "fast"), ("gone", SERVICE), ("t1", "fast")):
            sample = sample_parser.parse_sample(document(1, metadata={"volume_type": volume_type}), PROJECT, METER)
            result = rate.rate(rules, [sample], builders.HOUR, lookups)
            self.assertEqual({(service, RESOURCE): Decimal(1)}, builders.volumes(result))
