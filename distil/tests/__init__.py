# SPDX-License-Identifier: Apache-2.0
"""The tests, all of whose property tests run by this profile of hypothesis.

It adds to hypothesis's own, which in CI (the environment variable) is the one that draws the same examples every time.
"""

import hypothesis

hypothesis.settings.register_profile(
    "distil",
    max_examples=50,
    # Machines that run tests are slow at times.
    deadline=None,
    # A class for each database runs the property tests of their common base.
    suppress_health_check=[hypothesis.HealthCheck.differing_executors, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("distil")
