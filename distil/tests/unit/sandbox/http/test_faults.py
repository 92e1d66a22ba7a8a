# SPDX-License-Identifier: Apache-2.0
"""Tests of which fault befalls which request."""

import unittest

from distil.sandbox.http.faults import FaultInjector
from distil.sandbox.http.faults import ResponseFault


def _take(board: FaultInjector, service: str = "metering", path: str = "/v2/samples", *projects: str) -> str | None:
    active = board.next_fault(service, path, lambda: frozenset(projects))
    return None if active is None else active.fault.kind


class FaultBoardTest(unittest.TestCase):
    def test_fault_matches_service_path_and_project(self) -> None:
        board = FaultInjector({})
        board.add(ResponseFault("metering", "html", path="samples$", project_id="a"))
        self.assertEqual("html", _take(board, "metering", "/v2/samples", "a", "b"))
        self.assertIsNone(_take(board, "compute", "/v2/samples", "a"))
        self.assertIsNone(_take(board, "metering", "/v2/meters", "a"))
        self.assertIsNone(_take(board, "metering", "/v2/samples", "b"))

    def test_exhausted_fault_yields_to_next(self) -> None:
        board = FaultInjector({})
        board.add(ResponseFault("metering", "html", times=2))
        board.add(ResponseFault("metering", "empty", times=1))
        self.assertEqual(["html", "html", "empty", None], [_take(board) for _ in range(4)])

    def test_faults_can_be_cleared(self) -> None:
        board = FaultInjector({})
        number = board.add(ResponseFault("metering", "html"))
        board.add(ResponseFault("metering", "empty"))
        board.clear(number)
        self.assertEqual("empty", _take(board))
        board.clear()
        self.assertIsNone(_take(board))

    def test_invalid_fault_raises(self) -> None:
        for service, kind, path in (("telemetry", "html", None), ("metering", "fire", None), ("metering", "html", "(")):
            with self.assertRaises(ValueError):
                ResponseFault(service, kind, path=path)
        with self.assertRaises(ValueError):
            ResponseFault("metering", "slow")
