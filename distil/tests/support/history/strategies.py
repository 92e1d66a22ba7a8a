# SPDX-License-Identifier: Apache-2.0
"""Strategies of histories."""

import datetime
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from distil import model
from distil.tests.support.history.model import DATABASE_VOLUMES
from distil.tests.support.history.model import FLAVORS
from distil.tests.support.history.model import HOUR
from distil.tests.support.history.model import START
from distil.tests.support.history.model import VOLUME_TYPES
from distil.tests.support.history.model import History
from distil.tests.support.history.model import Kind
from distil.tests.support.history.model import Resource
from distil.tests.support.history.model import Schedule
from distil.tests.support.history.model import State

_PROJECTS = tuple(letter * 32 for letter in "abc")
_WINDOWS = 3
_BEGIN, _END = START - HOUR, START + _WINDOWS * HOUR
_MAX_RESOURCES = 12
_MAX_CHANGES = 3
_MAX_FAILED_POLLS = 4
_MAX_RESTARTS = 2

_MILLISECOND = datetime.timedelta(milliseconds=1)
_MINUTE = datetime.timedelta(minutes=1)
_EDGES_MILLISECONDS = 5 * _MINUTE // _MILLISECOND
_POLL_INTERVALS = (5 * _MINUTE, 1.5 * _MINUTE, 10 * _MINUTE, 7 * _MINUTE)
_SHORTEST_STATE = 2 * _MINUTE
_LAST_MINUTES = 5 * _MINUTE

_NAMES = ("web", "", "with blanks", "日本 🚀", "a \"quoted\" \\ 'name'", "two\nlines", "None of these", "%s", "[x]*")
_IMAGES = (None, "83833f4f-5d09-44cd-9e23-b0786fc580fd")
_INSTANCE_STATUSES = ("active", "error", "stopped", "paused", "building", "suspended", "rescued", "shutoff")
_DATABASE_STATUSES = ("ACTIVE", "BUILD", "SHUTDOWN", "ERROR", "BACKUP")
_CLUSTER_STATUSES = ("CREATE_COMPLETE", "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_COMPLETE")
_FLOATING_IP_STATUSES = ("ACTIVE", "DOWN", "ERROR")
_STATUS_CODES = (1, 2, 3, 7)

_Fields = Mapping[str, st.SearchStrategy[Any]]

_NAME: _Fields = {"name": st.sampled_from(_NAMES)}
_CODE: _Fields = {"code": st.sampled_from(_STATUS_CODES)}
_CONSTANT_FIELDS: Mapping[Kind, _Fields] = {
    Kind.INSTANCE: {"image": st.sampled_from(_IMAGES)},
    Kind.FLOATING_IP: {"address": st.just("203.0.113.7")},
    Kind.VPN: {"subnet_id": st.just("subnet")},
    Kind.DATABASE: {"volume_id": st.sampled_from(sorted(DATABASE_VOLUMES)), "datastore": st.just("mysql")},
}
_CHANGING_FIELDS: Mapping[Kind, _Fields] = {
    Kind.INSTANCE: {"status": st.sampled_from(_INSTANCE_STATUSES), "flavor": st.sampled_from(FLAVORS), **_NAME},
    Kind.VOLUME: {"type": st.sampled_from(sorted(VOLUME_TYPES.values())), **_NAME},
    Kind.FLOATING_IP: {"status": st.sampled_from(_FLOATING_IP_STATUSES)},
    Kind.VPN: {**_CODE, **_NAME},
    Kind.LOAD_BALANCER: {**_CODE, **_NAME},
    Kind.DATABASE: {
        "status": st.sampled_from(_DATABASE_STATUSES),
        "flavor": st.sampled_from(FLAVORS),
        "volume_size": st.integers(1, 3),
        **_NAME,
    },
    Kind.CLUSTER: {"status": st.sampled_from(_CLUSTER_STATUSES), "node_count": st.integers(1, 3), **_NAME},
    Kind.CONTAINER: {},
}
_SIZES = {
    Kind.VOLUME: st.integers(1, 3),
    Kind.IMAGE: st.sampled_from((1, 2**30 + 1)),
    Kind.CONTAINER: st.sampled_from((0, 1, 2**52)),
}
_AMOUNTS = st.lists(st.sampled_from((0, 1, 1000, 2**40 + 1)), min_size=1, max_size=4)


def histories() -> st.SearchStrategy[History]:
    """Draw what happened to a few resources in three windows of an hour, and in the hour before."""
    windows = [model.Window(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(_WINDOWS)]
    resources = st.lists(
        st.sampled_from(Kind).flatmap(_resources),
        min_size=1,
        max_size=_MAX_RESOURCES,
        unique_by=lambda resource: resource.id,
    )
    return resources.map(lambda drawn: History(drawn, windows))


@st.composite
def _resources(draw: st.DrawFn, kind: Kind) -> Resource:
    created = draw(st.just(_BEGIN) | _times(_BEGIN, _END))
    end = draw(st.none() | st.none() | _times(created, _END))
    resource_id, projects = str(draw(st.uuids(version=4))), st.sampled_from(_PROJECTS)
    if kind is Kind.CONTAINER:
        project_id, name = draw(projects), draw(st.sampled_from(_NAMES).filter(bool))
        resource_id, projects = f"{project_id}/{name}", st.just(project_id)
    elif draw(st.integers(0, 2)) == 0:
        projects = st.just(draw(projects))
    constants = draw(st.fixed_dictionaries(_CONSTANT_FIELDS.get(kind, {})))
    fields = st.fixed_dictionaries(_CHANGING_FIELDS.get(kind, _NAME)).map(lambda drawn: constants | drawn)
    changes = draw(_changes(created))
    size = _SIZES.get(kind, st.just(1))
    states = [State(since, draw(projects), draw(fields), draw(size)) for since in sorted({created, *changes})]
    if kind.counters:
        states = _without_returns(states)
    return Resource(kind, resource_id, states, draw(_schedules(kind, created, end or _END)), end)


def _without_returns(states: Sequence[State]) -> list[State]:
    """Leave out transfers to a former project: of few polls it cannot be seen whether two projects count at a time."""
    projects = sorted(state.project_id for state in states)
    return [state._replace(project_id=project_id) for state, project_id in zip(states, projects, strict=True)]


def _changes(created: datetime.datetime) -> st.SearchStrategy[list[datetime.datetime]]:
    """Draw times of changes; some follow each other quickly, also just before the end of a window."""
    times = _times(created, _END)
    ends = st.integers(1, _WINDOWS).map(lambda number: max(created, START + number * HOUR - _LAST_MINUTES))
    quick = (times | ends).map(lambda time: [time + number * _SHORTEST_STATE for number in range(_MAX_CHANGES)])
    return quick | st.lists(times, max_size=_MAX_CHANGES) | quick


@st.composite
def _schedules(draw: st.DrawFn, kind: Kind, begin: datetime.datetime, end: datetime.datetime) -> Schedule:
    """Draw polls in [begin, end) at a fixed interval, some of which fail."""
    interval = draw(st.sampled_from(_POLL_INTERVALS))
    phase = draw(st.just(0) | st.integers(0, interval // _MILLISECOND - 1)) * _MILLISECOND
    first = begin + (_BEGIN + phase - begin) % interval
    count = max(0, -((first - end) // interval))
    failed = draw(st.sets(st.integers(0, max(0, count - 1)), max_size=_MAX_FAILED_POLLS))
    schedule = Schedule(first, interval, count, failed)
    if not kind.counters:
        return schedule
    restarts = draw(st.sets(st.integers(0, count), max_size=_MAX_RESTARTS))
    return _without_hidden_restarts(schedule._replace(amounts=draw(_AMOUNTS), restarts=restarts))


def _without_hidden_restarts(schedule: Schedule) -> Schedule:
    """Leave out restarts of counters that then count as much as before, or more: they cannot be seen."""
    visible: set[int] = set()
    total = 0
    for number, poll in enumerate(schedule.polls()):
        if poll.is_restart and poll.amount < total:
            visible.add(number)
            total = 0
        total += poll.amount
    return schedule._replace(restarts=visible)


def _times(begin: datetime.datetime, end: datetime.datetime) -> st.SearchStrategy[datetime.datetime]:
    """Draw times in [begin, end], to the millisecond; many of them near the edges of buckets and windows."""
    last = (end - begin) // _MILLISECOND
    offset = (_BEGIN - begin) // _MILLISECOND
    edges = st.tuples(st.integers(0, (_END - _BEGIN) // _MILLISECOND // _EDGES_MILLISECONDS), st.integers(-1, 1))
    near = edges.map(lambda edge: min(max(offset + edge[0] * _EDGES_MILLISECONDS + edge[1], 0), last))
    return (st.integers(0, last) | near).map(lambda milliseconds: begin + milliseconds * _MILLISECOND)
