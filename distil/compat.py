# SPDX-License-Identifier: Apache-2.0
"""Threads are the system's own."""

import sys
import types
from typing import cast


def without_eventlet() -> None:
    """Make eventlet unknown to every import from now on.

    oslo.service installs it, and futurist, which oslo.service and tooz need, imports it where it is installed, warning
    included. Nothing here wants it.
    """
    sys.modules.setdefault("eventlet", cast("types.ModuleType", None))
