# SPDX-License-Identifier: Apache-2.0
"""What responses show about the cap of a service."""

import unittest

from distil.telemetry.capacity import Capacity


class CapacityTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 1_000.0
        self.capacity = Capacity(lifetime=300, clock=lambda: self.now)

    def test_only_fewer_rows_are_proven(self) -> None:
        self.capacity.record(10)
        self.capacity.record(3)
        self.assertEqual([True, False], [self.capacity.exceeds(count) for count in (9, 10)])

    def test_new_one_proves_nothing(self) -> None:
        self.assertFalse(self.capacity.exceeds(0))

    def test_proof_expires(self) -> None:
        self.capacity.record(10)
        self.now += 299
        self.capacity.record(7)
        self.assertTrue(self.capacity.exceeds(9))
        self.now += 1
        self.assertEqual([True, False], [self.capacity.exceeds(count) for count in (6, 7)])

    def test_usual_caps_are_not_believed(self) -> None:
        self.capacity.record(10_000)
        doubted = [count for count in range(300) if not self.capacity.exceeds(count)]
        self.assertEqual([50, 64, 100, 128, 150, 200, 250, 256], doubted)

    def test_failure_ends_proof(self) -> None:
        self.capacity.record(10)
        self.capacity.forget()
        self.assertFalse(self.capacity.exceeds(9))

    def test_limit_is_news_once(self) -> None:
        self.assertEqual([True, False, True], [self.capacity.limit(count) for count in (10, 10, 5)])
        self.assertEqual([True, False], [self.capacity.may_exceed(count) for count in (4, 5)])

    def test_larger_response_refutes_limit(self) -> None:
        self.capacity.limit(10)
        self.capacity.record(11)
        self.assertTrue(self.capacity.may_exceed(10))

    def test_limit_expires(self) -> None:
        self.capacity.limit(10)
        self.now += 300
        self.assertTrue(self.capacity.may_exceed(10))
