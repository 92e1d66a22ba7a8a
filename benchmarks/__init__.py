# SPDX-License-Identifier: Apache-2.0
"""Measures the collector's speed against targets and against a minimal implementation, the baseline."""
