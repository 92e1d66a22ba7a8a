# SPDX-License-Identifier: Apache-2.0
"""``distil-collector``, which in the end prints its peak memory as JSON."""

import json
import sys

from benchmarks.process import peak_memory
from distil.cmd import collector


def main() -> int:
    """:returns: the collector's status."""
    status = collector.main()
    print(json.dumps({"memory": peak_memory()}))
    return status


if __name__ == "__main__":
    sys.exit(main())
