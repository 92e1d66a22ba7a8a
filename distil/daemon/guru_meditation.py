# SPDX-License-Identifier: Apache-2.0
"""SIGUSR2: writes a Guru Meditation Report of the process's threads and configuration while it goes on."""

import datetime
import importlib.metadata
import os
import pathlib
import signal
import sys
import threading

from oslo_config import cfg
from oslo_log import log

from distil.conf import oslo_reports

LOG = log.getLogger(__name__)


def install_guru_meditation(conf: cfg.ConfigOpts) -> None:
    """Write a report at each SIGUSR2, in this process and in those that it forks."""

    def start_report(*_: object) -> None:
        # Not in the handler itself, which may have interrupted a write to the same stream.
        try:
            threading.Thread(target=_report, args=(conf,), name="report", daemon=True).start()
        except RuntimeError:
            LOG.exception("SIGUSR2: no report, because no thread could be started.")

    signal.signal(signal.SIGUSR2, start_report)


def _report(conf: cfg.ConfigOpts) -> None:
    try:
        _write(_render(conf), oslo_reports.read(conf).log_dir)
    except Exception as error:
        # An exception that ends a thread would end the process.
        LOG.error("SIGUSR2: the report could not be written: %s", error)


def _render(conf: cfg.ConfigOpts) -> str:
    # Needed only for a report.
    from oslo_reports import report  # noqa: PLC0415
    from oslo_reports.generators.conf import ConfigReportGenerator  # noqa: PLC0415
    from oslo_reports.generators.process import ProcessReportGenerator  # noqa: PLC0415
    from oslo_reports.generators.threading import ThreadReportGenerator  # noqa: PLC0415
    from oslo_reports.models.version import PackageModel  # noqa: PLC0415

    text = report.TextReport("Guru Meditation")
    text.add_section("Package", lambda: PackageModel(None, "distil", importlib.metadata.version("distil")))
    text.add_section("Threads", ThreadReportGenerator())
    text.add_section("Processes", ProcessReportGenerator())
    # It masks the values of secret options.
    text.add_section("Configuration", ConfigReportGenerator(conf))
    return text.run()


def _write(text: str, directory: str | None) -> None:
    if not directory:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        return
    now = datetime.datetime.now(datetime.UTC)
    path = pathlib.Path(directory, f"distil-collector-{os.getpid()}_gurumeditation_{now:%Y%m%d%H%M%S}")
    path.write_text(text, encoding="utf-8")
    LOG.info("SIGUSR2: report written to %s.", path)
