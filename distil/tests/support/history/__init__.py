# SPDX-License-Identifier: Apache-2.0
"""A history of a small cloud, its bill, and how each telemetry service shows it."""
