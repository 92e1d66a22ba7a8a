# SPDX-License-Identifier: Apache-2.0
"""The report of ``usage explain`` as text."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from distil import text
from distil.cmd.manage.explain_report import Report
from distil.cmd.manage.rules_text import yaml_lines

_INDENT = "  "
_MAX_CELL = 60
_SAMPLE_COLUMNS = ("time", "volume", "used", "source", "id", "outcome")
_NOTHING = "nothing"


def report_lines(report: Report) -> Iterator[str]:
    """The lines of a report."""
    window = report["window"]
    yield f"Project {report['project_id']}, window from {window['start']} to {window['end']}"
    yield from _receipt(report)
    for entry in report["entries"]:
        yield ""
        yield f"{entry['service']} of {entry['resource_id']}"
        for derivation in entry["derivations"]:
            yield from _indented(_derivation(derivation))
        computed, stored = (_volume(entry[name], entry["unit"]) for name in ("computed", "stored"))
        yield f"{_INDENT}Computed: {computed}; stored: {stored}"
    for derivation in report["not_billed"]:
        yield ""
        yield f"Not billed: {derivation['mapping']['meter']} of {derivation['resource_id']}"
        yield from _indented(_derivation(derivation))
    yield ""
    yield report["verdict"]


def _receipt(report: Report) -> Iterator[str]:
    receipt, rules = report["receipt"], report["rules"]
    if receipt is None:
        yield "Receipt: none, the window was collected before the database had receipts"
    else:
        origin = f"by collector {receipt['collector']} from {receipt['telemetry']}"
        yield f"Receipt: committed {receipt['committed']} {origin}, revision {receipt['revision']}"
        counts = f"{receipt['used']} used, {receipt['untrusted']} not trusted, {receipt['duplicates']} delivered again"
        entries = text.pluralize(receipt["entries"], "usage entry", "usage entries")
        samples = text.pluralize(receipt["samples"], "sample")
        yield f"{_INDENT}{samples}: {counts}, {receipt['rejected']} rejected; {entries}"
        if receipt["suspect"]:
            yield f"{_INDENT}suspect: {receipt['suspect']}"
        if receipt["closed_period"]:
            yield f"{_INDENT}committed after period {receipt['closed_period']} was closed"
    for revision in report["revisions"]:
        yield f"{_INDENT}revision {revision['revision']}, {revision['made']} by {revision['by']}: {revision['reason']}"
    if rules["replaces"]:
        yield f"Rules: the current ones, {rules['digest']}, because {rules['replaces']}"
    else:
        yield f"Rules: {rules['digest']}, in force for this project since the window of {rules['since']}"
    if rules["trust_sources"]:
        yield f"{_INDENT}trusted sources: {', '.join(rules['trust_sources'])}"


def _derivation(derivation: Report) -> Iterator[str]:
    yield f"Rule (entry {derivation['entry']} of the meter mappings):"
    yield from _indented(yaml_lines(derivation["mapping"]))
    if derivation["transformer_options"]:
        yield "Options of the transformer:"
        yield from _indented(yaml_lines(derivation["transformer_options"]))
    yield f"{text.pluralize(len(derivation['samples']), 'sample')} of resource {derivation['resource_id']}:"
    yield from _indented(_table(_SAMPLE_COLUMNS, map(_sample, derivation["samples"])))
    if derivation["names"]:
        yield "Names that were looked up:"
        yield from _indented(f"{key}: {name or 'unknown'}" for key, name in derivation["names"].items())
    if derivation["steps"]:
        yield "Arithmetic:"
        yield from _indented(derivation["steps"])
    usage = [f"{_volume(found['volume'], found['unit'])} of {found['service']}" for found in derivation["usage"]]
    refusal = f"; rejected: {derivation['rejected']}" if derivation["rejected"] else ""
    yield f"Result of {derivation['mapping']['transformer']}: {', '.join(usage) or 'no usage'}{refusal}"


def _sample(sample: Report) -> Sequence[str]:
    kept = sample["counts_instead"]
    has_column = sample["reason"] == sample["source"]
    outcome = [
        sample["outcome"],
        f": {sample['reason']}" if sample["reason"] and not has_column else "",
        f"; the one of {kept} counts" if kept else "",
        f"; late, recorded {sample['recorded']}" if sample["recorded"] else "",
    ]
    values = (sample[name] for name in ("time", "volume", "used_volume", "source", "id"))
    return (*map(_cell, values), "".join(outcome))


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return text.truncate(value if isinstance(value, str) else text.canonical_json(value), _MAX_CELL)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    table = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _volume(volume: str | None, unit: str) -> str:
    return _NOTHING if volume is None else f"{volume} {unit}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (_INDENT + line for line in lines)
