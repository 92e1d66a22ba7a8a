# SPDX-License-Identifier: Apache-2.0
"""The project's performance targets, all of them upper limits."""

# Of a project-window.
CPU_MS = 20.0
WALL_TIME_MS = 25.0
REQUESTS_CATCHING_UP = 1.0
REQUESTS_STEADY = 2.0

# CPU time of the collector in multiples of the baseline's.
CPU_RATIO_TO_BASELINE = 1.5

# That the receipt adds to a window.
RECEIPT_CPU_MS = 1.5

PEAK_MEMORY_MIB = 250.0

# Wall time of an hour of the large cloud.
LARGE_CLOUD_HOUR_SECONDS = 600.0

# From the start of the process.
FIRST_REQUEST_SECONDS = 2.0

# Of one scrape; and how much longer a run takes while it is scraped.
SCRAPE_CPU_SECONDS = 1.0
SCRAPE_SLOWDOWN_PERCENT = 5.0
