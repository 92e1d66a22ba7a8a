# SPDX-License-Identifier: Apache-2.0
"""Records in each run which projects are in scope, and which have changed their state since."""

import datetime
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import sqlalchemy as sa
from oslo_log import log

from distil import exceptions
from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.collector.listing import Listing
from distil.completeness import ProjectState
from distil.completeness import StateChange
from distil.db import project_states
from distil.db import rosters
from distil.db.project_states import NewState

LOG = log.getLogger(__name__)


class StateRecorder:
    """Stores the states and the roster.

    :param collector: its name.
    """

    def __init__(self, collector: str, keystone: KeystoneProjects, engine: sa.Engine) -> None:
        self._collector = collector
        self._keystone = keystone
        self._engine = engine

    def record(self, listing: Listing, departed: Sequence[model.Project], now: datetime.datetime) -> None:
        """Store what has changed, and the roster. A failure is logged: nothing that is billed depends on it.

        :param departed: the projects that have departed with certainty.
        """
        try:
            known = project_states.latest(self._engine)
            changes = list(listed_changes(listing, known, self._collector))
            changes += self._departures(departed, known)
            project_states.insert(self._engine, changes, self._collector, now)
            rosters.insert(self._engine, self._collector, now, [project.id for project in listing.in_scope])
        except (exceptions.StoreError, exceptions.IdentityError) as error:
            LOG.warning("Could not store the states of projects; period check may not find all: %s", error)

    def _departures(self, departed: Sequence[model.Project], known: Mapping[str, StateChange]) -> list[NewState]:
        """The states of those whose departure is not stored yet. Only then, Keystone is asked."""
        new = [project for project in departed if _state(known, project) in (None, ProjectState.ENABLED)]
        if not new:
            return []
        disabled: Collection[str] = self._keystone.disabled_ids()
        return [
            NewState(project, ProjectState.DISABLED if project.id in disabled else ProjectState.GONE) for project in new
        ]


def listed_changes(listing: Listing, known: Mapping[str, StateChange], collector: str) -> Iterator[NewState]:
    """What has changed of the projects that Keystone lists.

    A collector that has a project in scope overrules the others, so that the state does not flip between them.
    """
    for project in listing.in_scope:
        if _state(known, project) != ProjectState.ENABLED:
            yield NewState(project, ProjectState.ENABLED)
    # Projects may seem out of scope because an entry of it matches nothing.
    for project in () if listing.doubtful else listing.outside:
        stored = known.get(project.id)
        if stored is None or (stored.collector == collector and stored.state != ProjectState.OUT_OF_SCOPE):
            yield NewState(project, ProjectState.OUT_OF_SCOPE)


def _state(known: Mapping[str, StateChange], project: model.Project) -> str | None:
    stored = known.get(project.id)
    return stored and stored.state
