# SPDX-License-Identifier: Apache-2.0
"""``distil-collector``, which on exit prints its peak memory as JSON. Small because it runs as a process of its own."""

import importlib.metadata
import json
import sys

from benchmarks.process import peak_memory


def main() -> int:
    """Run the collector, and return its exit status."""
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="distil-collector")
    status: int = script.load()()
    print(json.dumps({"memory": peak_memory()}))
    return status


if __name__ == "__main__":
    sys.exit(main())
