# SPDX-License-Identifier: Apache-2.0
"""The tables' history, as Alembic revisions."""
