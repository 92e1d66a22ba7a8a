# SPDX-License-Identifier: Apache-2.0
"""A suite that injects faults into HTTP responses."""

import re
from typing import Any

from faults.actions import Action
from faults.actions import Fault
from faults.instrumentation import Channel
from faults.instrumentation import Phase
from faults.testbed import Testbed
from faults.trials import NOT_REACHED
from faults.trials import Trial
from faults.trials import TrialSuite

_FAULTS: dict[str, dict[str, Any]] = {
    "401": {"kind": "status", "status": 401},
    "404": {"kind": "status", "status": 404},
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503},
    "html": {"kind": "html"},
    "empty": {"kind": "empty"},
    "truncated": {"kind": "truncated"},
    "cut": {"kind": "cut"},
    "reset": {"kind": "reset"},
    "timeout": {"kind": "timeout"},
    "object": {"kind": "not_a_list"},
    "null": {"kind": "not_a_list", "body": "null"},
    "proxy": {"kind": "proxy", "status": 404},
}
_ONCE = "once"
_ALWAYS = "always"

# One window only, so that what is retried in the next run, such as an operating system, has one: the recovery.
_WINDOWS = 1
_LOOK_UP_PATH = re.compile(r"/(compute/.+|image/v2/.+|object-store/.+|volume/.+/volumes/.+)")


class ResponseSuite(TrialSuite):
    """Every response is faulty in every way: only this one (``once``), or also later ones to its path (``always``)."""

    name = "responses"

    def trials(self, testbed: Testbed) -> list[Trial]:
        requests = [
            point
            for point in testbed.golden_runs[_WINDOWS].points
            if point.channel == Channel.HTTP and point.phase == Phase.BEFORE
        ]
        kinds = [f"{fault}-{times}" for fault in _FAULTS for times in (_ONCE, _ALWAYS)]
        return [trial for trial in self.trials_at(testbed, requests, kinds) if not _is_valid_response(trial)]

    def inject(self, testbed: Testbed, trial: Trial) -> list[str]:
        name, _, times = trial.kind.partition("-")
        detail = {**_FAULTS[name], "times": 1 if times == _ONCE else None}
        collector = testbed.start(_WINDOWS, Fault(trial.point, Action.FAULTY_RESPONSE, detail))
        collector.wait()
        problems = collector.problems(0, 1)
        if not testbed.cloud.faults.describe():
            problems.append(NOT_REACHED)
        if times == _ONCE and "/identity" not in trial.description:
            problems += _check_isolation(testbed)
        return problems


def _is_valid_response(trial: Trial) -> bool:
    """Whether the fault is a valid answer, "not found" to a look-up by ID, after which usage may differ."""
    _, _, path = trial.description.rpartition(" ")
    return trial.kind.startswith("404") and _LOOK_UP_PATH.fullmatch(path) is not None


def _check_isolation(testbed: Testbed) -> list[str]:
    """A single faulty response may delay one project; all others must be collected."""
    expected = testbed.golden_runs[_WINDOWS].rows.last_collected().items()
    lagging = expected - testbed.stored_rows().last_collected().items()
    return [f"one faulty response delayed {len(lagging)} projects"] if len(lagging) > 1 else []
