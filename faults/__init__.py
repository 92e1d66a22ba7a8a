# SPDX-License-Identifier: Apache-2.0
"""Proof by breaking: collectors are killed, paused and cut off, and must leave the rows of an undisturbed run."""
