# SPDX-License-Identifier: Apache-2.0
"""``period close``, ``period list`` and ``period verify``."""

import argparse
import logging
from collections.abc import Iterator
from collections.abc import Sequence

from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import named_period
from distil.cmd.manage import period_findings
from distil.cmd.manage.operator_name import operator_name
from distil.cmd.manage.period_findings import PeriodFinding
from distil.cmd.manage.progress_line import ProgressLine
from distil.db import periods
from distil.db import privileges
from distil.db import projects
from distil.db.closing import PeriodClosing
from distil.db.manifest import Manifest
from distil.db.period_verification import Result
from distil.db.period_verification import UsageVerification
from distil.db.period_verification import Verified
from distil.db.period_verification import verify_chain
from distil.db.periods import StoredPeriod
from distil.text import pluralize

LOG = logging.getLogger(__name__)

_MAX_NAMED = 20


class PeriodClose(base.ShowCommand):
    """Close a period for good: its usage is never changed again.

    NAME is a month, such as 2026-10, or any name with --start and --end. Periods are closed in order, each begins where
    the one before ends, and none can be opened again.

    The period must be proven complete, as by period check, except for projects that --except accepts.

    A digest is made of the usage of each project, and one of all of them together with that of the period before; the
    command shows it. Keep it outside of the database: period verify proves from it that nothing was changed.

    A collector that stores a window of the period afterwards, of a project that was excepted, marks it as committed
    after the close; period verify lists it. If the command is interrupted, repeat it. The database user needs the
    privileges INSERT and UPDATE on periods, which collectors do not need.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        named_period.add_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[object]]:
        engine = self.app.engine
        name = parsed_args.name
        window = named_period.read_window(parsed_args, self.refuse)
        named_period.require_over(engine, name, window)
        accepted = named_period.read_exceptions(engine, parsed_args, self.refuse)
        closing = PeriodClosing(engine, name, window, operator_name(), accepted)
        privileges.require_close(engine)
        if closing.require_possible():
            # Of one that is being closed, nothing can be mended any more.
            _require_proven(name, period_findings.findings(engine, window, accepted))
        with ProgressLine("projects", len(closing.project_ids)) as progress:
            period = closing.run(progress.advance)
        fields = dict(zip(_COLUMNS, _row(period), strict=True))
        return tuple(fields), tuple(fields.values())


class PeriodList(base.ListCommand):
    """List the periods that are closed, or being closed, in order."""

    SUBJECT = "closed periods"

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        return _COLUMNS, [_row(period) for period in periods.list_periods(self.app.engine)]


class PeriodVerify(base.ListCommand):
    """Verify that the usage of a closed period is what it was closed with.

    The digests of all usage of the period are computed again from the usage entries, and compared with those of its
    manifest; the manifests of all earlier periods are verified as well. A project whose entries were changed, added or
    deleted by hand is named, and the exit status is 1.

    Windows that were committed after the close are listed: they are not part of the closed period. Compare the digest
    with the one that period close has shown: whoever can change everything in the database can change the digests, too.
    """

    SUBJECT = "findings"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("name", metavar="NAME", help="name of the period, as in period list")
        base.add_project(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        engine = self.app.engine
        stored = periods.list_periods(engine)
        names = [period.name for period in stored]
        if parsed_args.name not in names:
            raise exceptions.NotFound(f"no period {parsed_args.name!r} is closed; period list shows those that are")
        chain = stored[: names.index(parsed_args.name) + 1]
        ids = projects.find_ids(engine, parsed_args.project, with_prefixes=False)
        columns = ("period", "project_id", "project", "result", "detail")
        return columns, self._rows(chain, ids)

    def _rows(self, chain: Sequence[StoredPeriod], project_ids: Sequence[str]) -> Iterator[Sequence[object]]:
        period = chain[-1]
        broken = False
        for found in verify_chain(chain):
            broken = broken or found.period == period.name
            yield self._row(found)
        if broken:
            LOG.error("Period %s: its usage cannot be verified without its manifest", period.name)
            return
        verification = UsageVerification(self.app.engine, period, project_ids)
        number = len(verification.projects())
        with ProgressLine("projects", number) as progress:
            for found in verification.run(progress.advance):
                yield self._row(found)
        if not self.failures.exit_status:
            verified = pluralize(number, "project")
            LOG.info("Period %s: usage of %s verified; digest %s", period.name, verified, period.digest)

    def _row(self, found: Verified) -> Sequence[object]:
        self.failures.add(found.result is Result.CHANGED)
        return found.period, found.project_id, found.project, str(found.result), found.detail


def _require_proven(name: str, findings: Sequence[PeriodFinding]) -> None:
    """:raises Refused: there are findings that are not accepted."""
    open_findings = [finding for finding in findings if finding.exception is None]
    for finding in open_findings[:_MAX_NAMED]:
        times = f"{base.format_time(finding.window.start)} to {base.format_time(finding.window.end)}"
        subject = f"{finding.subject} ({finding.name})" if finding.name else finding.subject
        LOG.error("%s: %s: %s: %s", subject, times, finding.state, finding.reason)
    if open_findings:
        raise exceptions.Refused(
            f"period {name} is not proven complete and was not closed: {pluralize(len(open_findings), 'finding')};"
            f" period check {name} lists them, and --except accepts those of a project"
        )


_COLUMNS = ("name", "start", "end", "state", "closed", "closed_by", "projects", "entries", "exceptions", "digest")


def _row(period: StoredPeriod) -> Sequence[object]:
    try:
        manifest = Manifest.parse(period.manifest) if period.manifest else None
    except ValueError:
        LOG.error("Period %s: its manifest cannot be read; period verify %s tells more", period.name, period.name)
        manifest = None
    state = "being closed" if period.closed is None else "pruned" if period.pruned else "closed"
    return (
        period.name,
        base.format_time(period.window.start),
        base.format_time(period.window.end),
        state,
        base.format_time(period.closed),
        period.closed_by,
        manifest and len(manifest.projects),
        manifest and sum(project.entries for project in manifest.projects),
        manifest and len(manifest.exceptions),
        period.digest,
    )
