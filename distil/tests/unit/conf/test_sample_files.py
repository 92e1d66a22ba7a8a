# SPDX-License-Identifier: Apache-2.0
"""The sample rules files under etc/."""

import pathlib
import re
import unittest

from distil.factory import rules
from distil.rating import mapping
from distil.rating import mapping_parser
from distil.tests.support import builders

FOLDER = pathlib.Path(__file__).parents[4] / "etc" / "distil"
MAPPINGS = FOLDER / "meter_mappings.yml"
TRANSFORMERS = FOLDER / "transformer.yml"


class SampleFilesTest(unittest.TestCase):
    def load(self) -> tuple[mapping.MeterMapping, ...]:
        loaded = rules.load_rules(str(MAPPINGS), str(TRANSFORMERS), ())
        self.assertEqual([], loaded.unused_keys())
        return loaded.rules.mappings

    def test_mappings_have_only_used_keys(self) -> None:
        self.assertEqual(22, len(self.load()))

    def test_mappings_store_type_and_identifying_metadata(self) -> None:
        for entry in self.load():
            self.assertTrue(entry.type, entry.meter)
            self.assertTrue({field.name for field in entry.metadata} & {"name", "ip address"}, entry.meter)

    def test_mappings_of_meter_bill_distinct_resources(self) -> None:
        identities = [(entry.meter, entry.res_id_template) for entry in self.load()]
        self.assertEqual(len(identities), len(set(identities)))

    def test_service_and_type_have_one_unit(self) -> None:
        units = {(entry.service, entry.type, entry.unit) for entry in self.load()}
        self.assertEqual(len(units), len({(service, kind) for service, kind, _ in units}))

    def test_keys_and_transformers_are_documented(self) -> None:
        explained = re.findall(r"^#   (\w+)  ", MAPPINGS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(mapping_parser.KEYS), sorted(explained))
        explained = re.findall(r"^#   (\w+)  ", TRANSFORMERS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(builders.plugins()), sorted(explained))
