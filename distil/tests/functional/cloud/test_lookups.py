# SPDX-License-Identifier: Apache-2.0
"""Look-ups in Nova, Cinder and Swift."""

import concurrent.futures
import unittest
from collections.abc import Mapping

from distil import exceptions
from distil.cloud.lookups import cloud_lookups
from distil.tests.support.cloud_server import ENDPOINTS
from distil.tests.support.cloud_server import OWN_PROJECT
from distil.tests.support.cloud_server import TOKENS
from distil.tests.support.cloud_server import CloudServer
from distil.tests.support.http_server import Response
from distil.transformers.lookups import Lookups

FLAVOR = "/compute/v2.1/flavors/1"
TYPES = f"/volume/v3/{OWN_PROJECT}/types"
VOLUME = f"/volume/v3/{OWN_PROJECT}/volumes/v1"
SMALL = Response({"flavor": {"id": "1", "name": "c1.c1r1"}})
TWO_TYPES = Response({"volume_types": [{"id": "t1", "name": "standard"}, {"id": "t2", "name": "fast"}]})

COUNT = "X-Container-Object-Count"


class CloudLookupsTest(unittest.TestCase):
    def cloud(
        self, responses: Mapping[str, Response], endpoints: Mapping[str, str] = ENDPOINTS
    ) -> tuple[CloudServer, Lookups]:
        cloud = self.enterContext(CloudServer(responses, endpoints))
        self.seconds = 0.0
        return cloud, cloud_lookups(cloud.connection(), lifetime=3600, clock=lambda: self.seconds)

    def test_finds_flavor_by_id(self) -> None:
        _, lookups = self.cloud({FLAVOR: SMALL})
        self.assertEqual("c1.c1r1", lookups.flavors.get("1"))

    def test_first_lookup_sends_two_requests(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL})
        lookups.flavors.get("1")
        self.assertEqual([f"POST {TOKENS}", f"GET {FLAVOR}"], cloud.request_lines)

    def test_unversioned_endpoint_is_discovered_once(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL}, {**ENDPOINTS, "compute": "/compute"})
        lookups.flavors.get("1")
        lookups.flavors.get("2")
        expected = [f"POST {TOKENS}", "GET /compute", f"GET {FLAVOR}", "GET /compute/v2.1/flavors/2"]
        self.assertEqual(expected, cloud.request_lines)

    def test_answer_is_cached_for_its_lifetime(self) -> None:
        cloud, lookups = self.cloud({FLAVOR: SMALL})
        for self.seconds in (0, 1, 3599, 3600):
            lookups.flavors.get("1")
        self.assertEqual([f"GET {FLAVOR}"] * 2, cloud.service_request_lines)

    def test_storage_policy_cached_longer_than_absence(self) -> None:
        container = "/swift/v1/AUTH_p/c"
        cloud, lookups = self.cloud({container: Response(status=204, headers={COUNT: "1", "X-Storage-Policy": "gold"})})
        for self.seconds in (0, 5 * 3600, 12 * 3600):
            self.assertEqual("gold", lookups.container_policies.get("p/c"))
        self.assertEqual([f"HEAD {container}"] * 2, cloud.service_request_lines)
        for self.seconds in (0, 3599, 3600):
            self.assertIsNone(lookups.container_policies.get("p/gone"))
        self.assertEqual([f"HEAD {container}"] * 2 + ["HEAD /swift/v1/AUTH_p/gone"] * 2, cloud.service_request_lines)

    def test_not_found_is_cached(self) -> None:
        cloud, lookups = self.cloud({})
        tables = {"flavors": "1", "types_of_volumes": "v1", "container_policies": "p/c"}
        for table, key in tables.items():
            self.assertEqual([None, None], [getattr(lookups, table).get(key) for _ in range(2)])
        expected = [f"GET {FLAVOR}", f"GET {VOLUME}", "HEAD /swift/v1/AUTH_p/c"]
        self.assertEqual(expected, cloud.service_request_lines)

    def test_id_is_quoted(self) -> None:
        cloud, lookups = self.cloud({})
        lookups.flavors.get("m1.a b_c-d")
        self.assertEqual(["GET /compute/v2.1/flavors/m1.a%20b_c-d"], cloud.service_request_lines)

    def test_invalid_id_sends_no_request(self) -> None:
        cloud, lookups = self.cloud({})
        for invalid in ("", ".", "..", "a\0b", "a/b", "\ud800", "x" * 257):
            self.assertIsNone(lookups.flavors.get(invalid))
            self.assertIsNone(lookups.types_of_volumes.get(invalid))
            self.assertIsNone(lookups.container_policies.get(f"p/{invalid}"))
        for invalid in (" a", "a ", "a\n", "é", "😀", "a?b", "a%", "x" * 256):
            self.assertIsNone(lookups.flavors.get(invalid))
            self.assertIsNone(lookups.types_of_volumes.get(invalid))
        self.assertIsNone(lookups.container_policies.get("no-slash"))
        self.assertEqual([], cloud.request_lines)

    def test_volume_type_matches_id_and_name(self) -> None:
        cloud, lookups = self.cloud({TYPES: TWO_TYPES})
        self.assertEqual(
            ["standard", "standard", "fast"], [lookups.volume_types.get(key) for key in ("t1", "standard", "t2")]
        )
        requests = [f"GET {TYPES}?is_public=None", f"GET {TYPES}?is_public=None&marker=t2"]
        self.assertEqual(requests, cloud.service_request_lines)

    def test_volume_type_id_wins_over_name(self) -> None:
        types = [{"id": "a", "name": "b"}, {"id": "b", "name": "c"}]
        _, lookups = self.cloud({TYPES: Response({"volume_types": types})})
        self.assertEqual("c", lookups.volume_types.get("b"))

    def test_newly_added_volume_type_is_found(self) -> None:
        cloud, lookups = self.cloud({TYPES: Response({"volume_types": []})})
        self.assertIsNone(lookups.volume_types.get("old"))
        cloud.responses[TYPES] = TWO_TYPES
        self.assertEqual("fast", lookups.volume_types.get("t2"))

    def test_unknown_volume_type_is_cached(self) -> None:
        cloud, lookups = self.cloud({TYPES: TWO_TYPES})
        lookups.volume_types.get("unknown")
        asked = cloud.service_request_lines
        lookups.volume_types.get("unknown")
        self.assertEqual(asked, cloud.service_request_lines)

    def test_reads_all_volume_type_pages(self) -> None:
        link = {"rel": "next", "href": "http://elsewhere/v3/types?is_public=None&marker=t1"}
        first = Response({"volume_types": [{"id": "t1", "name": "standard"}], "volume_type_links": [link]})
        second = Response({"volume_types": [{"id": "t2", "name": "fast"}]})
        _, lookups = self.cloud({TYPES: first, f"{TYPES}?is_public=None&marker=t1": second})
        self.assertEqual("fast", lookups.volume_types.get("t2"))

    def test_volume_returns_its_type_name(self) -> None:
        _, lookups = self.cloud({VOLUME: Response({"volume": {"id": "v1", "volume_type": "fast"}})})
        self.assertEqual("fast", lookups.types_of_volumes.get("v1"))

    def test_untyped_volume_returns_none(self) -> None:
        _, lookups = self.cloud({VOLUME: Response({"volume": {"id": "v1", "volume_type": None}})})
        self.assertIsNone(lookups.types_of_volumes.get("v1"))

    def test_other_project_container_name_is_quoted(self) -> None:
        quoted = "/swift/v1/AUTH_p1/a%3Fb%23c%20d%25%C3%A9%F0%9F%98%80%0A%26"
        _, lookups = self.cloud(
            {quoted: Response(status=204, headers={COUNT: "3", "X-Storage-Policy": "nz--o1--sr-r3"})}
        )
        self.assertEqual("nz--o1--sr-r3", lookups.container_policies.get("p1/a?b#c d%é😀\n&"))

    def test_container_without_policy_returns_none(self) -> None:
        _, lookups = self.cloud({"/swift/v1/AUTH_p1/c": Response(status=204, headers={COUNT: "3"})})
        self.assertIsNone(lookups.container_policies.get("p1/c"))

    def test_non_swift_answer_raises(self) -> None:
        _, lookups = self.cloud({"/swift/v1/AUTH_p1/c": Response(status=204)})
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "not from Swift"):
            lookups.container_policies.get("p1/c")

    def test_endpoint_without_account_raises(self) -> None:
        _, lookups = self.cloud({}, {**ENDPOINTS, "object-store": "/swift/v1"})
        with self.assertRaisesRegex(exceptions.LookupUnavailable, "/swift/v1 does not end in the id"):
            lookups.container_policies.get("p1/c")

    def test_concurrent_lookups_return_own_answers(self) -> None:
        names = {f"/compute/v2.1/flavors/{i}": Response({"flavor": {"name": f"f{i}"}}) for i in range(30)}
        _, lookups = self.cloud(names)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lookups.flavors.get, map(str, range(30))))
        self.assertEqual([f"f{i}" for i in range(30)], found)
