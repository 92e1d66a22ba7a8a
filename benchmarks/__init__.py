# SPDX-License-Identifier: Apache-2.0
"""How fast the collector is, measured against the least that the job takes in this language."""
