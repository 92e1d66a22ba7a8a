# SPDX-License-Identifier: Apache-2.0
"""Every HTTP answer of a run is broken in every way, one at a time."""

import re
from typing import Any

from faults import actions
from faults import instrumentation
from faults.actions import Fault
from faults.stored_rows import Rows
from faults.testbed import World
from faults.trials import NOT_REACHED
from faults.trials import Suite
from faults.trials import Trial

WAYS: dict[str, dict[str, Any]] = {
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
}
ONCE = "once"
ALWAYS = "always"

# The collectors that are disturbed collect one window: what waits for the next one, as an operating system does, gets
# its chance when the fresh collector goes on.
_WINDOWS = 1
_LOOKED_UP = re.compile(r"/(compute/.+|image/v2/.+|object-store/.+|volume/.+/volumes/.+)")


class Answers(Suite):
    """``once``: only that answer is broken; ``always``: every further answer to the same path is, too."""

    name = "answers"

    def trials(self, world: World) -> list[Trial]:
        requests = [
            point
            for point in world.passages[_WINDOWS].points
            if point.kind == instrumentation.HTTP and point.phase == instrumentation.BEFORE
        ]
        kinds = [f"{way}-{times}" for way in WAYS for times in (ONCE, ALWAYS)]
        return [trial for trial in self.at(world, requests, kinds) if not _is_an_answer(trial)]

    def play(self, world: World, trial: Trial) -> list[str]:
        way, _, times = trial.kind.partition("-")
        detail = {**WAYS[way], "times": 1 if times == ONCE else None}
        victim = world.start(_WINDOWS, Fault(trial.point, actions.ANSWER, detail))
        victim.wait()
        problems = victim.problems(0, 1)
        if not world.cloud.faults.describe():
            problems.append(NOT_REACHED)
        if times == ONCE and "/identity" not in trial.what:
            problems += _others_suffer(world)
        return problems


def _is_an_answer(trial: Trial) -> bool:
    """ "Not found" is one where something is looked up by its id: what is billed may then differ."""
    _, _, path = trial.what.rpartition(" ")
    return trial.kind.startswith("404") and _LOOKED_UP.fullmatch(path) is not None


def _others_suffer(world: World) -> list[str]:
    """One broken answer may cost one project its window; that the others have to have."""
    behind = _up_to_date(world.passages[_WINDOWS].rows) - _up_to_date(world.rows())
    return [f"one broken answer, and {len(behind)} projects are behind"] if len(behind) > 1 else []


def _up_to_date(rows: Rows) -> set[tuple[Any, ...]]:
    return {(row[0], row[-1]) for row in rows.tables["tenants"]}
