# SPDX-License-Identifier: Apache-2.0
"""How a run leaves the projects in scope."""

import datetime
import unittest
from collections.abc import Collection
from collections.abc import Mapping

from distil import model
from distil.monitoring.history import LaggingProject
from distil.monitoring.history import ProjectState
from distil.monitoring.standing import Standing
from distil.monitoring.standing import standing

NOW = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class ProjectStatesTest(unittest.TestCase):
    def left(
        self, hours: Mapping[str, int | None], failed: Mapping[str, str] | None = None, left: Collection[str] = ()
    ) -> Standing:
        """:param hours: that each project is behind; None where nobody can tell."""
        projects = [model.Project(name, f"name of {name}", "d") for name in hours]
        collected = {name: NOW - back * HOUR for name, back in hours.items() if back is not None}
        return standing(projects, collected, lambda stands: (NOW - stands) // HOUR, failed or {}, left)

    def test_each_project_has_one_state(self) -> None:
        left = self.left({"done": 0, "behind": 2, "bad": 1, "other": 3, "odd": None}, {"bad": "no answer"}, ["other"])
        states = {ProjectState.UP_TO_DATE: 1, ProjectState.BEHIND: 1, ProjectState.FAILED: 1, ProjectState.SKIPPED: 2}
        self.assertEqual(states, left.states)
        self.assertEqual(6, left.due)

    def test_lagging_projects_are_sorted_by_lag(self) -> None:
        left = self.left({"done": 0, "behind": 2, "bad": 1, "other": 3}, {"bad": "no answer"}, ["other"])
        problems = [(each.project_id, each.due, each.problem) for each in left.behind]
        taken = "another collector has it"
        self.assertEqual([("other", 3, taken), ("behind", 2, None), ("bad", 1, "no answer")], problems)
        self.assertEqual(LaggingProject("bad", "name of bad", NOW - HOUR, 1, "no answer"), left.behind[-1])

    def test_project_collected_elsewhere_is_current(self) -> None:
        self.assertEqual({ProjectState.UP_TO_DATE: 1}, self.left({"other": 0}, left=["other"]).states)
