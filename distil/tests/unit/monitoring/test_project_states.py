# SPDX-License-Identifier: Apache-2.0
"""The states of projects at the end of a run."""

import datetime
import unittest
from collections.abc import Collection
from collections.abc import Mapping

from distil import model
from distil.monitoring.project_states import LaggingProject
from distil.monitoring.project_states import ProjectState
from distil.monitoring.project_states import ProjectStates

NOW = datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


class ProjectStatesTest(unittest.TestCase):
    def states(
        self, hours: Mapping[str, int | None], failed: Mapping[str, str] | None = None, held: Collection[str] = ()
    ) -> ProjectStates:
        """:param hours: that each project is behind; None where it is unknown."""
        projects = [model.Project(name, f"name of {name}", "d") for name in hours]
        collected = {name: NOW - back * HOUR for name, back in hours.items() if back is not None}
        due = {name: back for name, back in hours.items() if back is not None}
        return ProjectStates.of(projects, collected, due, failed or {}, held)

    def test_each_project_has_one_state(self) -> None:
        states = self.states(
            {"done": 0, "behind": 2, "bad": 1, "other": 3, "odd": None},
            {"bad": "no answer", "odd": "a date"},
            ["other"],
        )
        expected = {ProjectState.UP_TO_DATE: 1, ProjectState.BEHIND: 1, ProjectState.FAILED: 2, ProjectState.SKIPPED: 1}
        self.assertEqual(expected, states.counts)
        self.assertEqual(6, states.windows_due)

    def test_lagging_projects_are_sorted_by_lag(self) -> None:
        states = self.states({"done": 0, "behind": 2, "bad": 1, "other": 3}, {"bad": "no answer"}, ["other"])
        problems = [(each.project_id, each.due, each.problem) for each in states.lagging]
        taken = "another collector has it"
        self.assertEqual([("other", 3, taken), ("behind", 2, None), ("bad", 1, "no answer")], problems)
        self.assertEqual(LaggingProject("bad", "name of bad", NOW - HOUR, 1, "no answer"), states.lagging[-1])

    def test_failed_project_without_time_is_listed(self) -> None:
        states = self.states({"done": 0, "behind": 2, "odd": None}, {"odd": "a date"})
        self.assertEqual(["odd", "behind"], [project.project_id for project in states.lagging])
        self.assertEqual(LaggingProject("odd", "name of odd", None, 0, "a date"), states.lagging[0])

    def test_project_collected_elsewhere_is_current(self) -> None:
        self.assertEqual({ProjectState.UP_TO_DATE: 1}, self.states({"other": 0}, held=["other"]).counts)
