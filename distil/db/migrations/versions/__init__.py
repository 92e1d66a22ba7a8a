# SPDX-License-Identifier: Apache-2.0
"""One revision a file, one purpose a revision."""
