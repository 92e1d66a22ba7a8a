# SPDX-License-Identifier: Apache-2.0
"""A telemetry driver whose service is a file: it answers for all projects at once, as Gnocchi and Prometheus do.

Processes find it as they find any driver: by the entry point of a distribution on their path.
"""

import datetime
import json
import os
import pathlib
import time
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Self

from oslo_config import cfg

from distil import exceptions
from distil import model
from distil.rating.sample_parser import parse_sample
from distil.telemetry import meter_entry
from distil.telemetry import meters_file
from distil.telemetry.driver import DriverContext
from distil.telemetry.driver import Guarantee
from distil.telemetry.driver import MeterPresence
from distil.telemetry.driver import MeterReport
from distil.telemetry.driver import ServedMeter
from distil.telemetry.driver import TelemetryDriver
from distil.telemetry.entry_parser import EntryParser
from distil.telemetry.meter_entry import MeterEntry
from distil.telemetry.snapshot import Snapshot
from distil.telemetry.snapshot import Snapshots

NAME = "file"


def install(
    folder: pathlib.Path, point: str = f"{NAME} = {__name__}:FileDriver", group: str = "distil.telemetry"
) -> dict[str, str]:
    """Install a plugin in a folder; return the environment of a process that finds it there.

    :param point: the entry point of the plugin, by default of this module's driver.
    """
    information = folder / "file_driver-1.dist-info"
    information.mkdir(parents=True)
    information.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: file-driver\nVersion: 1\n")
    information.joinpath("entry_points.txt").write_text(f"[{group}]\n{point}\n")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    # stevedore keeps the entry points of a path in a cache.
    return {"PYTHONPATH": path, "XDG_CACHE_HOME": str(folder / "cache")}


class FileDriver(TelemetryDriver):
    """Reads a JSON file, and appends a line to the file ``reads`` beside it for each period that it reads.

    The file has ``samples``, which are documents, and may have

    * ``incomplete``: the starts of the periods that are not over for the service;
    * ``failing_reads``: the number of reads that fail;
    * ``read_seconds``: how long each read takes;
    * ``malformed``: the projects whose samples cannot be used;
    * ``problems`` and ``warnings``: of the service;
    * ``meters``: for each the problems and warnings of its report;
    * ``silent``: whether there are no reports.
    """

    service_type = "file"
    guarantees = frozenset({Guarantee.EXACT_SAMPLES, Guarantee.WHOLENESS})
    reads_all_projects = True
    options = (
        cfg.StrOpt("samples_file"),
        cfg.StrOpt("meters_file"),
        cfg.IntOpt("lag", default=0, min=0),
        cfg.BoolOpt("adds_up", default=True),
        cfg.StrOpt("source"),
    )

    def __init__(self, context: DriverContext) -> None:
        super().__init__(context.session, context.region_name, context.interface)
        self.lag = datetime.timedelta(seconds=context.options["lag"])
        self.source = context.options["source"]
        self._adds_up = context.options["adds_up"]
        self._samples_file = pathlib.Path(context.options["samples_file"])
        self._entries = meters_file.load(context.options["meters_file"], _entry, "label")
        self._snapshots = Snapshots(self._read)

    @classmethod
    def create(cls, context: DriverContext) -> Self:
        return cls(context)

    def samples(
        self, projects: Collection[str], meters: Collection[str], start: datetime.datetime, end: datetime.datetime
    ) -> Iterator[model.Sample | model.RejectedSample]:
        snapshot = self._snapshots.get(model.Window(start, end))
        for project_id in projects:
            for document in snapshot.rows(project_id):
                if document["meter"] in meters:
                    yield parse_sample(document, project_id, document["meter"])

    def served(self, meter: str) -> ServedMeter | None:
        entries = [entry for entry in self._entries if entry.meter == meter]
        return meter_entry.served(entries, self._adds_up) if entries else None

    def problems(self) -> Iterator[str]:
        yield from self._content().get("problems", ())

    def warnings(self) -> Iterator[str]:
        yield from self._content().get("warnings", ())

    def report(self, meter: str, start: datetime.datetime, end: datetime.datetime) -> MeterReport:
        content = self._content()
        if content.get("silent"):
            return super().report(meter, start, end)
        documents = [document for document in content["samples"] if document["meter"] == meter]
        found = content.get("meters", {}).get(meter, {})
        if not documents:
            return MeterReport(MeterPresence.ABSENT, **found)
        return MeterReport(MeterPresence.PRESENT, example=documents[-1], **found)

    def _read(self, period: model.Window, snapshot: Snapshot) -> None:
        log = self._samples_file.with_name("reads")
        with log.open("a") as file:
            file.write(f"{period.start.isoformat()}\n")
        content = self._content()
        time.sleep(content.get("read_seconds", 0))
        if len(log.read_text().splitlines()) <= content.get("failing_reads", 0):
            raise exceptions.TelemetryError("HTTP 503", request="file")
        if period.start.isoformat() in content.get("incomplete", ()):
            raise exceptions.PeriodIncomplete("not all is there", request=f"file, {period}")
        for project_id in content.get("malformed", ()):
            snapshot.fail(project_id, "file: its samples are malformed")
        for document in content["samples"]:
            if model.parse_time(document["timestamp"]) in period:
                snapshot.add(document["project_id"], document)

    def _content(self) -> Mapping[str, Any]:
        try:
            content: Mapping[str, Any] = json.loads(self._samples_file.read_text())
        except (OSError, ValueError) as error:
            raise exceptions.TelemetryError(f"{self._samples_file}: {error}") from error
        return content


def _entry(parser: EntryParser) -> MeterEntry | None:
    return MeterEntry(**parser.common(()))
