# SPDX-License-Identifier: Apache-2.0
"""A deployment whose telemetry is a file."""

import datetime
import json
import os
import subprocess
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import Self

from distil.tests.support import file_driver
from distil.tests.support.processes import script
from distil.tests.support.site import Site

_TIMEOUT_SECONDS = 120

METERS = [{"meter": "m1"}]
MAPPINGS = "- {meter: m1, service: s1, type: Thing, unit: hour, transformer: max}\n"


class FileSite(Site):
    """Collects with the file driver: by default meter m1, by one mapping."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.environment |= file_driver.install(self.folder / "driver")
        self.samples_file = self.folder / "samples.json"
        self.meters_file = self.folder / "meters.yml"
        self.mappings_file = self.folder / "mappings.yml"
        self.use()
        self.use_driver()
        return self

    def use(self, samples: Iterable[Mapping[str, Any]] = (), **content: Any) -> None:
        """Have the telemetry service hold this; see the driver."""
        # Replaced as a whole: a collector may be reading it.
        new = self.samples_file.with_suffix(".new")
        new.write_text(json.dumps({"samples": list(samples), **content}))
        new.replace(self.samples_file)

    def use_driver(
        self,
        meters: Iterable[Mapping[str, Any]] = METERS,
        mappings: str = MAPPINGS,
        driver: Mapping[str, object] | None = None,
        **collector: object,
    ) -> None:
        """Write the meters file, the mappings and the configuration.

        :param driver: the driver's options.
        :param collector: options of [collector].
        """
        self.meters_file.write_text("".join(f"- {json.dumps(entry)}\n" for entry in meters))
        self.mappings_file.write_text(mappings)
        files = {"meters_file": self.meters_file, "samples_file": self.samples_file}
        options: dict[str, object] = {
            "collector_backend": file_driver.NAME,
            "meter_mappings_file": self.mappings_file,
            "trust_sources": "",
            **collector,
        }
        self.configure(
            {"region_name": "RegionOne"},
            {file_driver.NAME: {**files, **(driver or {})}},
            **options,
        )

    def reads(self) -> list[datetime.datetime]:
        """Return the starts of the periods that were read of the file, in order."""
        path = self.samples_file.with_name("reads")
        lines = path.read_text().splitlines() if path.exists() else ()
        return [datetime.datetime.fromisoformat(line) for line in lines]

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the project's commands to its end, in a process that finds the driver."""
        return subprocess.run(
            [script(command), "--config-file", str(self.config), *arguments],
            check=False,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )

    def collect(self, end: datetime.datetime | None = None, status: int = 0) -> str:
        done = self.run("distil-collector", "--collect-end-time", (end or self.end).isoformat())
        output = done.stdout + done.stderr
        if done.returncode != status or "Traceback" in output:
            raise AssertionError(f"the status was {done.returncode}, not {status}, or there was a defect:\n{output}")
        return output
