# SPDX-License-Identifier: Apache-2.0
"""Reads samples from Gnocchi, which keeps aggregates of measures, and the history of the resources' attributes."""
