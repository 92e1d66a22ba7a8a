# SPDX-License-Identifier: Apache-2.0
"""Which collector collects which project."""

from collections.abc import Iterable
from collections.abc import Iterator
from typing import NamedTuple

from distil import model
from distil.cloud.keystone import KeystoneProjects
from distil.collector.plan import Plan
from distil.conf.collector import collector_types
from distil.conf.options import TrackedConfigOpts
from distil.db.projects import ProjectStatus
from distil.factory import collector


class ScopedProject(NamedTuple):
    """A project, with a collector type that has it in its scope.

    :param collector: None where there is none, or nobody asked.
    :param plan: by which it is collected; None where that is not known.
    """

    project_id: str
    name: str | None = None
    domain_id: str | None = None
    collector: str | None = None
    plan: Plan | None = None


def in_scope(conf: TrackedConfigOpts) -> list[ScopedProject]:
    """The projects in scope, as Keystone knows them now: by collector type, and by id. One may be in several scopes.

    :raises IdentityError: Keystone gave no usable answer.
    """
    keystone = KeystoneProjects(collector.connect(conf))
    projects = sorted(keystone.enabled(), key=lambda project: project.id)
    return [
        place
        for each in collector_types(conf)
        for place in _of(collector.CollectorFactory(conf, each), keystone, projects)
    ]


def stored(standings: Iterable[ProjectStatus], plan: Plan | None = None) -> Iterator[ScopedProject]:
    """The projects as they are stored."""
    return (ScopedProject(each.project_id, each.name, plan=plan) for each in standings)


def common_plan(conf: TrackedConfigOpts) -> Plan | None:
    """The plan of all collector types, where they have the same."""
    plans = {collector.CollectorFactory(conf, each).plan() for each in collector_types(conf)}
    return plans.pop() if len(plans) == 1 else None


def _of(
    parts: collector.CollectorFactory, keystone: KeystoneProjects, projects: Iterable[model.Project]
) -> Iterator[ScopedProject]:
    scope, plan = parts.scope(), parts.plan()
    for project in scope.select(projects, keystone.domain_ids(scope.domains)):
        yield ScopedProject(project.id, project.name, project.domain_id, parts.name, plan)
