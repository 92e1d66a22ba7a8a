# SPDX-License-Identifier: Apache-2.0
"""``mapping list`` and ``mapping show``."""

import argparse
import difflib
import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence

from distil import digest
from distil import exceptions
from distil.cmd.manage import base
from distil.cmd.manage import collectors
from distil.cmd.manage.rules_text import rules_lines
from distil.cmd.manage.rules_text import short_digest
from distil.db import rules_usage
from distil.db.documents import Document
from distil.db.documents import DocumentKind
from distil.db.documents import Documents
from distil.db.rules_usage import RulesUsage

_CURRENT = "current"


class MappingList(base.ListCommand):
    """List the rules by which windows were rated: each set of meter mappings, transformer options and trusted sources.

    A set is listed with the first and the last window that was rated by it, and the number of windows. Windows without
    a receipt are not counted.
    """

    SUBJECT = "rules"

    def take_action(self, _parsed_args: argparse.Namespace) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
        names = ("digest", "first_window", "last_window", "windows", "collectors", "mappings", "versions")
        documents = list(Documents(self.app.engine).iterate(DocumentKind.RULES))
        usage: dict[int, list[RulesUsage]] = defaultdict(list)
        for total in rules_usage.totals(self.app.engine):
            usage[total.rules].append(total)
        return names, (_row(document, usage[document.id]) for document in documents)


class MappingShow(base.TextCommand):
    """Print a set of rules as YAML: meter mappings, transformer options, trusted sources and versions of programs."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        which = f"the first digits of its digest, as mapping list shows it, or {_CURRENT}: the rules in the files"
        parser.add_argument("rules", metavar="RULES", help=which)
        parser.add_argument("--diff", metavar="RULES", help="print how these rules differ from it")
        parser.add_argument("--collector", metavar="NAME", help=f"{_CURRENT}: those of this one of the collectors")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        chosen = functools.partial(self._load, collector=parsed_args.collector)
        title, text = chosen(parsed_args.rules)
        if parsed_args.diff is None:
            self.print_lines((f"# {title}", *text))
        else:
            other, other_text = chosen(parsed_args.diff)
            self.print_lines(difflib.unified_diff(text, other_text, title, other, lineterm=""))
        return 0

    def _load(self, rules: str, collector: str | None) -> tuple[str, Sequence[str]]:
        """A title of the rules, and their lines."""
        if rules == _CURRENT:
            body = self._current(collector)
            return f"current rules, {short_digest(digest.document_digest(body))}", rules_lines(body)
        documents = Documents(self.app.engine).iterate(DocumentKind.RULES)
        found = [document for document in documents if _has_prefix(document.digest, rules)]
        if not found:
            raise exceptions.NotFound(f"no rules in the database have a digest that begins with {rules!r}")
        if len(found) > 1:
            digests = ", ".join(short_digest(document.digest) for document in found)
            raise exceptions.NotFound(f"the digests of several rules begin with {rules!r}: {digests}")
        (document,) = found
        return f"rules {short_digest(document.digest)}", rules_lines(document.body)

    def _current(self, collector: str | None) -> str:
        # Slow to import, as everything that speaks to the cloud.
        from distil.factory.collector import CollectorFactory  # noqa: PLC0415

        options = collectors.choose_one(self.app.conf, collector)
        return CollectorFactory(self.app.conf, options).load_rules().document


def _row(document: Document, usage: Sequence[RulesUsage]) -> Sequence[object]:
    content = json.loads(document.body)
    return (
        short_digest(document.digest),
        base.format_time(min((total.first for total in usage), default=None)),
        base.format_time(max((total.last for total in usage), default=None)),
        sum(total.windows for total in usage),
        ", ".join(sorted({total.collector for total in usage if total.collector})),
        len(content["mappings"]),
        ", ".join(f"{name} {version}" for name, version in sorted(content["versions"].items())),
    )


def _has_prefix(value: str, prefix: str) -> bool:
    return bool(prefix) and (value.startswith(prefix) or value.partition(":")[2].startswith(prefix))
