# SPDX-License-Identifier: Apache-2.0
"""SIGUSR2: a Guru Meditation Report of what a process is doing and how it is configured, while it goes on."""

import datetime
import importlib.metadata
import os
import pathlib
import signal
import sys
import threading

from oslo_config import cfg
from oslo_log import log

LOG = log.getLogger(__name__)


def install_guru_meditation(conf: cfg.ConfigOpts) -> None:
    """Make a report at each SIGUSR2, in this process and in those that are forked from it."""

    def begin(*_: object) -> None:
        # Not in the handler itself, which may have interrupted whoever is writing to the same stream.
        try:
            threading.Thread(target=_report, args=(conf,), name="report", daemon=True).start()
        except RuntimeError:
            LOG.exception("SIGUSR2: there is no report, because no thread can be started.")

    signal.signal(signal.SIGUSR2, begin)


def _report(conf: cfg.ConfigOpts) -> None:
    failure: Exception | None = None
    try:
        _write(_text(conf), conf.oslo_reports.log_dir)
    except Exception as error:
        # Whatever it is: a thread that dies would take its process along.
        failure = error
    if failure is not None:
        LOG.error("SIGUSR2: there is no report: %s", failure)


def _text(conf: cfg.ConfigOpts) -> str:
    # Nobody else needs them.
    from oslo_reports import report  # noqa: PLC0415
    from oslo_reports.generators.conf import ConfigReportGenerator  # noqa: PLC0415
    from oslo_reports.generators.process import ProcessReportGenerator  # noqa: PLC0415
    from oslo_reports.generators.threading import ThreadReportGenerator  # noqa: PLC0415
    from oslo_reports.models.version import PackageModel  # noqa: PLC0415

    text = report.TextReport("Guru Meditation")
    text.add_section("Package", lambda: PackageModel(None, "distil", importlib.metadata.version("distil")))
    text.add_section("Threads", ThreadReportGenerator())
    text.add_section("Processes", ProcessReportGenerator())
    # With the values of options that are secret masked.
    text.add_section("Configuration", ConfigReportGenerator(conf))
    return text.run()


def _write(text: str, folder: str | None) -> None:
    if not folder:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
        return
    moment = datetime.datetime.now(datetime.UTC)
    path = pathlib.Path(folder, f"distil-collector-{os.getpid()}_gurumeditation_{moment:%Y%m%d%H%M%S}")
    path.write_text(text, encoding="utf-8")
    LOG.info("SIGUSR2: the report is in %s.", path)
