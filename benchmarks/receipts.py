# SPDX-License-Identifier: Apache-2.0
"""Part ``receipts``: what the receipt adds to the CPU time of a window."""

import datetime
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from oslo_config import cfg

from benchmarks import targets
from benchmarks.cloud import CloudSize
from benchmarks.cloud import running_cloud
from benchmarks.deployment import Deployment
from benchmarks.deployment import deployed
from benchmarks.results import BenchmarkResult
from benchmarks.results import Figure
from benchmarks.scale import Scale
from distil import model
from distil.conf import database
from distil.conf import enabled_collectors
from distil.conf import registry
from distil.db import models
from distil.db.documents import DocumentKind
from distil.db.documents import Documents
from distil.db.receipts import NewReceipt
from distil.db.store import Store
from distil.factory.collector import CollectorFactory
from distil.factory.engine import build_engine
from distil.factory.replay import build_replayer
from distil.factory.session import connect
from distil.rating.rate import RatingRules
from distil.rating.rate import rate
from distil.rating.receipt import make_receipt
from distil.tests.support.site import HOUR
from distil.transformers.lookups import Lookups
from distil.transformers.lookups import RecordingLookups

Samples = Sequence[model.Sample | model.RejectedSample]


def measure_receipts(scale: Scale) -> BenchmarkResult:
    """Commit equal windows with and without receipts in turn, in one process."""
    with running_cloud(CloudSize(1, scale.resources, 1)) as cloud, deployed(cloud) as deployment:
        deployment.run_collectors(1)  # for the project's row and the resources
        rounds = [_measure(deployment, scale.receipt_windows) for _ in range(scale.rounds)]
    added = [figures["with"] - figures["without"] for figures in rounds]
    return BenchmarkResult(
        [
            Figure("CPU that a receipt adds to a window", "ms", added, targets.RECEIPT_CPU_MS),
            Figure("CPU of rating and committing with a receipt", "ms", [figures["with"] for figures in rounds]),
            Figure("samples of the window", "", [figures["samples"] for figures in rounds]),
        ],
        rounds,
    )


def _measure(deployment: Deployment, windows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.receipts", str(deployment.config), str(windows)]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return figures


class _Committer:
    """Commits one window after the other, each with the samples of the first, as a collector does."""

    def __init__(self, factory: CollectorFactory, engine: sa.Engine, samples: Samples, lookups: Lookups) -> None:
        loaded = factory.load_rules()
        self._rules: RatingRules = loaded.rules
        self._rules_document = loaded.document
        self._samples = samples
        self._lookups = lookups
        self._documents = Documents(engine)

    def without_receipt(self, store: Store, project_id: str, window: model.Window) -> None:
        rated = rate(self._rules, self._samples, window, self._lookups)
        store.project(project_id).commit(window, rated.usage, rated.resources, rated.rejected)

    def with_receipt(self, store: Store, project_id: str, window: model.Window) -> None:
        names = RecordingLookups(self._lookups)
        rated = rate(self._rules, self._samples, window, names.lookups)
        rules = self._documents.store(DocumentKind.RULES, self._rules_document)
        recorded = self._documents.store(DocumentKind.NAMES, names.document)
        receipt = NewReceipt(make_receipt(self._samples, rated), rules, recorded)
        store.project(project_id).commit(window, rated.usage, rated.resources, rated.rejected, receipt=receipt)


def _windows(first: model.Window) -> Iterator[model.Window]:
    window = first
    while True:
        yield window
        window = model.Window(window.end, window.end + HOUR)


class _Collected(NamedTuple):
    project_id: str
    window: model.Window
    last_collected: datetime.datetime


def _collected(engine: sa.Engine) -> _Collected:
    """A window with usage, and how far its project is: each round goes on where the one before has stopped."""
    usage = models.usage_entry.c
    query = sa.select(usage.tenant_id, usage.start, usage.end, models.tenants.c.last_collected)
    query = query.join_from(models.usage_entry, models.tenants, usage.tenant_id == models.tenants.c.id)
    with engine.connect() as connection:
        project_id, start, end, last_collected = connection.execute(query.order_by(usage.start).limit(1)).one()
    return _Collected(project_id, model.Window(start, end), last_collected)


def main() -> None:
    """Print the median CPU time of a window with and without a receipt, in ms, and its number of samples."""
    path, number = sys.argv[1:]
    conf = cfg.ConfigOpts()
    registry.register_opts(conf)
    conf.register_cli_opts(enabled_collectors.CLI_OPTS)
    conf(["--config-file", path], project="distil")
    factory = CollectorFactory(conf, enabled_collectors.read_collectors(conf)[0])
    engine = build_engine(database.read(conf))
    project_id, window, last_collected = _collected(engine)
    cloud = connect(conf)
    replayer = build_replayer(cloud, factory.telemetry.driver(cloud.session), engine)
    rules = factory.rules()
    samples = replayer.samples(project_id, window, rules)
    names = replayer.rate(window, samples, rules, None).names
    committer, store = _Committer(factory, engine, samples, names), Store(engine)
    cpu: dict[str, list[float]] = {"with": [], "without": []}
    following = _windows(model.Window(last_collected, last_collected + HOUR))
    for _ in range(int(number)):
        for kind, commit in (("without", committer.without_receipt), ("with", committer.with_receipt)):
            started = time.process_time()
            commit(store, project_id, next(following))
            cpu[kind].append((time.process_time() - started) * 1000)
    medians = {kind: statistics.median(values) for kind, values in cpu.items()}
    print(json.dumps(medians | {"samples": len(samples)}))


if __name__ == "__main__":
    main()
