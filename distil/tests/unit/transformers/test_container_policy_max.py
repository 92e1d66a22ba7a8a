# SPDX-License-Identifier: Apache-2.0
"""``objectstoragemax``: max, billed as the container's storage policy."""

import unittest
from decimal import Decimal

from distil import exceptions
from distil.tests.support import builders
from distil.tests.support.builders import SERVICE
from distil.tests.support.builders import document
from distil.tests.support.builders import entry
from distil.transformers.lookups import Lookups

ENTRY = entry("objectstoragemax", unit="byte")


class ContainerPolicyMaxTest(unittest.TestCase):
    def test_storage_policy_is_billed_as_service(self) -> None:
        documents = [document(1, resource_id="p1/c", volume=5), document(2, resource_id="p1/c", volume=3)]
        lookups = Lookups(container_policies={"p1/c": "o1.multi"})
        result = builders.rated(ENTRY, documents, lookups=lookups, window=builders.window(120))
        self.assertEqual({("o1.multi", "p1/c"): Decimal(10)}, builders.volumes(result))

    def test_unknown_policy_uses_mapping_service(self) -> None:
        result = builders.rated(ENTRY, [document(1, resource_id="p1/c")])
        self.assertEqual({(SERVICE, "p1/c"): Decimal(1)}, builders.volumes(result))

    def test_policy_applies_to_its_container_only(self) -> None:
        documents = [document(1, resource_id="p1/a"), document(2, resource_id="p1/b")]
        result = builders.rated(ENTRY, documents, lookups=Lookups(container_policies={"p1/a": "o1.multi"}))
        self.assertEqual({("o1.multi", "p1/a"), (SERVICE, "p1/b")}, set(builders.volumes(result)))

    def test_container_names_accept_any_character(self) -> None:
        for name in ("a?b", "a#b", "a b", "a/b/c", "ünï", "🐌", "a%2Fb", ".", "?", " "):
            with self.subTest(name=name):
                policies = builders.Names({f"p1/{name}": "o1.multi"})
                result = builders.rated(
                    ENTRY, [document(1, resource_id=f"p1/{name}")], lookups=Lookups(container_policies=policies)
                )
                self.assertEqual([("o1.multi", f"p1/{name}")], list(builders.volumes(result)))
                self.assertEqual({f"p1/{name}"}, set(policies.asked))

    def test_id_without_slash_is_rejected(self) -> None:
        documents = [document(1, resource_id="none"), document(2, resource_id="p1/c")]
        result = builders.rated(ENTRY, documents)
        self.assertEqual([(SERVICE, "p1/c")], list(builders.volumes(result)))
        self.assertEqual(["none"], [rejected.resource_id for rejected in result.rejected])
        self.assertIn("<project>/<container>", builders.reasons(result)[0])

    def test_unavailable_policy_lookup_raises(self) -> None:
        with self.assertRaises(exceptions.LookupUnavailable):
            builders.rated(
                ENTRY, [document(1, resource_id="p1/c")], lookups=Lookups(container_policies=builders.Down())
            )
