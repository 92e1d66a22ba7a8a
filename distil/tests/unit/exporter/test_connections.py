# SPDX-License-Identifier: Apache-2.0
"""Which connections the exporter shuts down."""

import socket
import unittest

from distil.exporter.connections import Connections


class ConnectionsTest(unittest.TestCase):
    def connect(self) -> tuple[socket.socket, socket.socket]:
        """Returns the exporter's end and the client's end of a connection."""
        server, client = socket.socketpair()
        self.addCleanup(server.close)
        self.addCleanup(client.close)
        client.settimeout(0.05)
        return server, client

    def is_open(self, client: socket.socket) -> bool:
        try:
            return client.recv(1) != b""
        except TimeoutError:
            return True

    def test_excess_connection_closes_oldest_idle(self) -> None:
        connections = Connections(3, 100, 100)
        pairs = [self.connect() for _ in range(5)]
        for server, _ in pairs[:3]:
            connections.add(server)
        connections.on_request(pairs[0][0])
        connections.add(pairs[3][0])
        connections.add(pairs[4][0])
        self.assertEqual([True, False, False, True, True], [self.is_open(client) for _, client in pairs])
        self.assertEqual(3, len(connections))

    def test_oldest_closed_when_none_idle(self) -> None:
        connections = Connections(2, 100, 100)
        pairs = [self.connect() for _ in range(3)]
        for server, _ in pairs:
            connections.add(server)
            connections.on_request(server)
        self.assertEqual([False, True, True], [self.is_open(client) for _, client in pairs])

    def test_discarded_connection_frees_slot(self) -> None:
        connections = Connections(1, 100, 100)
        (first, _), (second, client) = self.connect(), self.connect()
        connections.add(first)
        connections.discard(first)
        connections.add(second)
        self.assertTrue(self.is_open(client))

    def test_idle_connection_times_out(self) -> None:
        connections = Connections(9, -1, 100)
        pairs = [self.connect() for _ in range(2)]
        for server, _ in pairs:
            connections.add(server)
        connections.on_request(pairs[1][0])
        connections.expire()
        self.assertEqual([False, True], [self.is_open(client) for _, client in pairs])
        self.assertEqual(1, len(connections))

    def test_connection_lifetime_is_limited(self) -> None:
        connections = Connections(9, 100, -1)
        server, client = self.connect()
        connections.add(server)
        connections.on_request(server)
        connections.expire()
        self.assertFalse(self.is_open(client))

    def test_closed_socket_is_tolerated(self) -> None:
        connections = Connections(1, -1, -1)
        server, _ = self.connect()
        connections.add(server)
        server.close()
        connections.expire()
        connections.discard(server)
        self.assertEqual(0, len(connections))
