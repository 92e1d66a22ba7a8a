# SPDX-License-Identifier: Apache-2.0
"""Column types, in SQLite in memory."""

import datetime
import unittest
import warnings
from decimal import Decimal

import sqlalchemy as sa

from distil.db import types

UTC = datetime.UTC


class ColumnTypesTest(unittest.TestCase):
    def setUp(self) -> None:
        metadata = sa.MetaData()
        self.table = sa.Table(
            "things", metadata, sa.Column("moment", types.UTCDateTime), sa.Column("volume", types.Volume)
        )
        engine = sa.create_engine("sqlite://")
        self.addCleanup(engine.dispose)
        self.connection = engine.connect()
        self.addCleanup(self.connection.close)
        metadata.create_all(self.connection)

    def test_datetime_round_trips_in_utc(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=13))
        self.connection.execute(sa.insert(self.table), {"moment": datetime.datetime(2026, 1, 2, 3, tzinfo=zone)})
        self.assertEqual(
            datetime.datetime(2026, 1, 1, 14, tzinfo=UTC), self.connection.scalar(sa.select(self.table.c.moment))
        )
        stored = self.connection.scalar(sa.text("SELECT moment FROM things"))
        self.assertEqual("2026-01-01 14:00:00.000000", stored)

    def test_naive_datetime_raises(self) -> None:
        with self.assertRaises(sa.exc.StatementError):
            self.connection.execute(sa.insert(self.table), {"moment": datetime.datetime(2026, 1, 2)})

    def test_null_stays_null(self) -> None:
        self.connection.execute(sa.insert(self.table), {"moment": None, "volume": None})
        self.assertEqual((None, None), tuple(self.connection.execute(sa.select(self.table)).one()))

    def test_volume_keeps_ten_decimal_places(self) -> None:
        volumes = [Decimal(text) for text in ("0.0040000000", "514.2857142857", "0.0000000001", "99999.9999999999")]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.connection.execute(sa.insert(self.table), [{"volume": volume} for volume in volumes])
            found = list(self.connection.scalars(sa.select(self.table.c.volume)))
        self.assertEqual(volumes, found)
        self.assertEqual([str(volume) for volume in volumes], [str(volume) for volume in found])

    def test_whole_and_large_volumes_are_exact(self) -> None:
        volumes = [Decimal(text) for text in ("3600", "999999.994", "123456789012.345", "0")]
        self.connection.execute(sa.insert(self.table), [{"volume": volume} for volume in volumes])
        found = list(self.connection.scalars(sa.select(self.table.c.volume)))
        self.assertEqual(volumes, found)
        self.assertEqual({Decimal}, {type(volume) for volume in found})
