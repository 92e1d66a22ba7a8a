# SPDX-License-Identifier: Apache-2.0
"""Proof by breaking: real collectors are killed, paused and cut off, and the rows must be those of an undisturbed run."""
