# SPDX-License-Identifier: Apache-2.0
"""Keeps eventlet out, apart because it must run before the libraries that would import it."""

import sys
import types
from typing import cast


def without_eventlet() -> None:
    """Make every later import of eventlet fail.

    oslo.service installs eventlet, and futurist, which oslo.service and tooz need, imports it if it is installed and
    warns that it is deprecated.
    """
    sys.modules.setdefault("eventlet", cast("types.ModuleType", None))
