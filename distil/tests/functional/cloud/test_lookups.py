# SPDX-License-Identifier: Apache-2.0
"""What the look-ups make of Nova's, Cinder's and Swift's answers."""

import concurrent.futures
import unittest
from collections.abc import Mapping

from distil import exceptions
from distil.cloud.lookups import cloud_lookups
from distil.tests.functional.cloud.server import ENDPOINTS
from distil.tests.functional.cloud.server import OWN_PROJECT
from distil.tests.functional.cloud.server import TOKENS
from distil.tests.functional.cloud.server import Answer
from distil.tests.functional.cloud.server import Cloud
from distil.transformers.lookups import Lookups

FLAVOR = "/compute/v2.1/flavors/1"
TYPES = f"/volume/v3/{OWN_PROJECT}/types"
VOLUME = f"/volume/v3/{OWN_PROJECT}/volumes/v1"
SMALL = Answer({"flavor": {"id": "1", "name": "c1.c1r1"}})
TWO_TYPES = Answer({"volume_types": [{"id": "t1", "name": "standard"}, {"id": "t2", "name": "fast"}]})


COUNT = "X-Container-Object-Count"


class TestLookups(unittest.TestCase):
    def cloud(self, answers: Mapping[str, Answer], endpoints: Mapping[str, str] = ENDPOINTS) -> tuple[Cloud, Lookups]:
        cloud = self.enterContext(Cloud(answers, endpoints))
        self.seconds = 0.0
        return cloud, cloud_lookups(cloud.connection(), lifetime=3600, clock=lambda: self.seconds)

    def test_a_flavor_is_found_by_its_id(self) -> None:
        _, lookups = self.cloud({FLAVOR: SMALL})
        self.assertEqual("c1.c1r1", lookups.flavors.get("1"))

    def test_the_first_answer_costs_a_token_and_a_question(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL})
        lookups.flavors.get("1")
        self.assertEqual([f"POST {TOKENS}", f"GET {FLAVOR}"], cloud.requests)

    def test_an_endpoint_without_a_version_is_discovered_once(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL}, {**ENDPOINTS, "compute": "/compute"})
        lookups.flavors.get("1")
        lookups.flavors.get("2")
        expected = [f"POST {TOKENS}", "GET /compute", f"GET {FLAVOR}", "GET /compute/v2.1/flavors/2"]
        self.assertEqual(expected, cloud.requests)

    def test_an_answer_is_asked_for_once_in_its_lifetime(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL})
        for self.seconds in (0, 1, 3599, 3600):
            lookups.flavors.get("1")
        self.assertEqual([f"GET {FLAVOR}"] * 2, cloud.asked())

    def test_the_policy_of_a_container_is_remembered_for_hours_and_that_there_is_none_for_one(self) -> None:
        container = "/swift/v1/AUTH_p/c"
        cloud, lookups = self.cloud({container: Answer(status=204, headers={COUNT: "1", "X-Storage-Policy": "gold"})})
        for self.seconds in (0, 5 * 3600, 12 * 3600):
            self.assertEqual("gold", lookups.container_policies.get("p/c"))
        self.assertEqual([f"HEAD {container}"] * 2, cloud.asked())
        for self.seconds in (0, 3599, 3600):
            self.assertIsNone(lookups.container_policies.get("p/gone"))
        self.assertEqual([f"HEAD {container}"] * 2 + ["HEAD /swift/v1/AUTH_p/gone"] * 2, cloud.asked())

    def test_not_found_is_an_answer_and_remembered(self) -> None:
        cloud, lookups = self.cloud({})
        tables = {"flavors": "1", "types_of_volumes": "v1", "container_policies": "p/c"}
        for table, key in tables.items():
            self.assertEqual([None, None], [getattr(lookups, table).get(key) for _ in range(2)])
        expected = [f"GET {FLAVOR}", f"GET {VOLUME}", "HEAD /swift/v1/AUTH_p/c"]
        self.assertEqual(expected, cloud.asked())

    def test_an_id_is_quoted(self) -> None:
        cloud, lookups = self.cloud({})
        lookups.flavors.get("a/b?c#d é%")
        self.assertEqual(["GET /compute/v2.1/flavors/a%2Fb%3Fc%23d%20%C3%A9%25"], cloud.asked())

    def test_what_no_service_can_know_is_not_asked_for(self) -> None:
        cloud, lookups = self.cloud({})
        for odd in ("", ".", "..", "a\0b", "\ud800", "x" * 257):
            self.assertIsNone(lookups.flavors.get(odd))
            self.assertIsNone(lookups.container_policies.get(f"p/{odd}"))
        self.assertIsNone(lookups.container_policies.get("no-slash"))
        self.assertEqual([], cloud.requests)

    def test_a_volume_type_is_found_by_id_and_by_name_out_of_one_list(self) -> None:
        cloud, lookups = self.cloud({TYPES: TWO_TYPES})
        self.assertEqual(
            ["standard", "standard", "fast"], [lookups.volume_types.get(key) for key in ("t1", "standard", "t2")]
        )
        self.assertEqual([f"GET {TYPES}?is_public=None"], cloud.asked())

    def test_the_id_of_one_volume_type_wins_over_the_name_of_another(self) -> None:
        types = [{"id": "a", "name": "b"}, {"id": "b", "name": "c"}]
        _, lookups = self.cloud({TYPES: Answer({"volume_types": types})})
        self.assertEqual("c", lookups.volume_types.get("b"))

    def test_a_volume_type_younger_than_the_list_is_found(self) -> None:
        cloud, lookups = self.cloud({TYPES: Answer({"volume_types": []})})
        self.assertIsNone(lookups.volume_types.get("old"))
        cloud.answers[TYPES] = TWO_TYPES
        self.assertEqual("fast", lookups.volume_types.get("t2"))

    def test_an_unknown_volume_type_is_remembered_as_such(self) -> None:
        cloud, lookups = self.cloud({TYPES: TWO_TYPES})
        lookups.volume_types.get("unknown")
        asked = cloud.asked()
        lookups.volume_types.get("unknown")
        self.assertEqual(asked, cloud.asked())

    def test_a_list_of_volume_types_is_read_to_its_last_page(self) -> None:
        link = {"rel": "next", "href": "http://elsewhere/v3/types?is_public=None&marker=t1"}
        first = Answer({"volume_types": [{"id": "t1", "name": "standard"}], "volume_type_links": [link]})
        second = Answer({"volume_types": [{"id": "t2", "name": "fast"}]})
        _, lookups = self.cloud({TYPES: first, f"{TYPES}?is_public=None&marker=t1": second})
        self.assertEqual("fast", lookups.volume_types.get("t2"))

    def test_the_type_of_a_volume_is_a_name(self) -> None:
        _, lookups = self.cloud({VOLUME: Answer({"volume": {"id": "v1", "volume_type": "fast"}})})
        self.assertEqual("fast", lookups.types_of_volumes.get("v1"))

    def test_a_volume_without_a_type_has_none(self) -> None:
        _, lookups = self.cloud({VOLUME: Answer({"volume": {"id": "v1", "volume_type": None}})})
        self.assertIsNone(lookups.types_of_volumes.get("v1"))

    def test_the_policy_of_another_projects_container_is_found_whatever_its_name(self) -> None:
        quoted = "/swift/v1/AUTH_p1/a%3Fb%23c%20d%25%C3%A9%F0%9F%98%80%0A%26"
        _, lookups = self.cloud({quoted: Answer(status=204, headers={COUNT: "3", "X-Storage-Policy": "nz--o1--sr-r3"})})
        self.assertEqual("nz--o1--sr-r3", lookups.container_policies.get("p1/a?b#c d%é😀\n&"))

    def test_a_container_without_a_policy_has_none(self) -> None:
        _, lookups = self.cloud({"/swift/v1/AUTH_p1/c": Answer(status=204, headers={COUNT: "3"})})
        self.assertIsNone(lookups.container_policies.get("p1/c"))

    def test_an_answer_that_is_not_swift_s_is_a_failure(self) -> None:
        _, lookups = self.cloud({"/swift/v1/AUTH_p1/c": Answer(status=204)})
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "not Swift's"):
            lookups.container_policies.get("p1/c")

    def test_an_endpoint_that_names_no_account_is_a_failure(self) -> None:
        _, lookups = self.cloud({}, {**ENDPOINTS, "object-store": "/swift/v1"})
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "/swift/v1 does not end in the id"):
            lookups.container_policies.get("p1/c")

    def test_many_threads_get_their_own_answers(self) -> None:
        names = {f"/compute/v2.1/flavors/{i}": Answer({"flavor": {"name": f"f{i}"}}) for i in range(30)}
        _, lookups = self.cloud(names)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lookups.flavors.get, map(str, range(30))))
        self.assertEqual([f"f{i}" for i in range(30)], found)
