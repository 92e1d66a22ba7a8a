# SPDX-License-Identifier: Apache-2.0
"""Fault injection: collectors are killed, paused and disconnected, and must store the same rows as a fault-free run."""
