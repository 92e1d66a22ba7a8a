# SPDX-License-Identifier: Apache-2.0
"""Who runs a command, for what is kept of changes."""

import getpass
import os
import socket


def operator_name() -> str:
    """The user, that of ``sudo`` if there is one, and the host, as ``alice@controller``."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (ImportError, KeyError, OSError):
        # A user ID without a name, as in a container.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
