# SPDX-License-Identifier: Apache-2.0
"""Receipts of a real collector, and windows that are rated again from them."""

import unittest

import sqlalchemy as sa

from distil import digest
from distil import exceptions
from distil import model
from distil.collector.replay import Replayer
from distil.conf import collector as collector_conf
from distil.conf import registry
from distil.conf.registry import TrackedConfigOpts
from distil.db import models
from distil.db import receipts
from distil.db.receipts import ReceiptFilter
from distil.factory.collector import CollectorFactory
from distil.factory.replay import build_replayer
from distil.factory.session import connect
from distil.tests.support import databases
from distil.tests.support.site import Site


class ReceiptTest(unittest.TestCase):
    def setUp(self) -> None:
        self.site = self.enterContext(Site(databases.MYSQL, projects=2, resources=1))
        self.site.collect()
        self.receipts = list(receipts.iterate(self.site.engine, ReceiptFilter()))

    def test_every_window_has_receipt_of_its_usage(self) -> None:
        self.assertEqual(9, len(self.receipts))
        for receipt in self.receipts:
            entries = self.site.usage(tenant_id=receipt.project_id, start=receipt.window.start)
            usage = [model.Usage(entry.service, entry.resource_id, entry.unit, entry.volume) for entry in entries]
            self.assertEqual(
                (len(usage), digest.usage_digest(usage)), (receipt.contents.entries, receipt.contents.usage_digest)
            )
            self.assertEqual((0, None, "default"), (receipt.revision, receipt.closed_period, receipt.collector))

    def test_replay_gives_the_receipt(self) -> None:
        replayer = self.replayer()
        for receipt in self.receipts:
            rules = replayer.recorded.rules(receipt).rules
            samples = replayer.samples(receipt.project_id, receipt.window, rules)
            replayed = replayer.rate(receipt.window, samples, rules, replayer.recorded.names(receipt))
            self.assertEqual(receipt.contents, replayed.receipt)

    def test_equal_rules_are_one_document(self) -> None:
        self.assertEqual(1, len({receipt.rules for receipt in self.receipts}))
        kinds = self.site.rows(sa.select(models.documents.c.kind, sa.func.count()).group_by(models.documents.c.kind))
        self.assertEqual({("rules", 1), ("names", 3)}, set(map(tuple, kinds)))

    def test_missing_document_raises(self) -> None:
        with self.site.engine.begin() as connection:
            connection.execute(sa.delete(models.documents))
        replayer = self.replayer()
        with self.assertRaisesRegex(exceptions.NotFound, "is not in the database any more"):
            replayer.recorded.rules(self.receipts[0])

    def replayer(self) -> Replayer:
        conf = TrackedConfigOpts()
        registry.register_opts(conf)
        conf([], project="distil", default_config_files=[str(self.site.config)])
        cloud = connect(conf)
        telemetry = CollectorFactory(conf, collector_conf.read(conf, "collector")).telemetry
        return build_replayer(cloud, telemetry.driver(cloud.session), self.site.engine)
