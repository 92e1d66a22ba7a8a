# SPDX-License-Identifier: Apache-2.0
"""The part ``telemetry``: the collector with each telemetry driver, over the real services."""
