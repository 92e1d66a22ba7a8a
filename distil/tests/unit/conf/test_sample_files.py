# SPDX-License-Identifier: Apache-2.0
"""The files under etc/ that a new operator starts from."""

import pathlib
import re
import unittest

from distil.factory import rules
from distil.rating import mapping
from distil.rating import mapping_parser
from distil.tests.unit import builders

FOLDER = pathlib.Path(__file__).parents[4] / "etc" / "distil"
MAPPINGS = FOLDER / "meter_mappings.yml"
TRANSFORMERS = FOLDER / "transformer.yml"


class TestSampleFiles(unittest.TestCase):
    def load(self) -> tuple[mapping.MeterMapping, ...]:
        with self.assertNoLogs():
            return rules.load(str(MAPPINGS), str(TRANSFORMERS), ()).mappings

    def test_they_load_without_any_notice(self) -> None:
        self.assertEqual(22, len(self.load()))

    def test_every_mapping_stores_a_type_and_a_name_or_an_address(self) -> None:
        for each in self.load():
            self.assertTrue(each.type, each.meter)
            self.assertTrue({field.name for field in each.metadata} & {"name", "ip address"}, each.meter)

    def test_no_two_mappings_of_a_meter_bill_one_resource(self) -> None:
        identities = [(each.meter, each.res_id_template) for each in self.load()]
        self.assertEqual(len(identities), len(set(identities)))

    def test_a_service_has_one_unit_for_one_kind_of_resource(self) -> None:
        units = {(each.service, each.type, each.unit) for each in self.load()}
        self.assertEqual(len(units), len({(service, kind) for service, kind, _ in units}))

    def test_every_key_and_every_transformer_is_explained(self) -> None:
        explained = re.findall(r"^#   (\w+)  ", MAPPINGS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(mapping_parser.KEYS), sorted(explained))
        explained = re.findall(r"^#   (\w+)  ", TRANSFORMERS.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sorted(builders.plugins()), sorted(explained))
