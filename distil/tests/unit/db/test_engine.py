# SPDX-License-Identifier: Apache-2.0
"""Engines made from connection URLs."""

import unittest
from typing import Any

import sqlalchemy as sa

from distil import exceptions
from distil.db import engine
from distil.db import urls


def effective_url(url: str, **options: Any) -> str:
    return engine.create_engine(url, max_retries=0, **options).url.render_as_string(hide_password=False)


class CreateEngineTest(unittest.TestCase):
    def test_url_without_driver_gets_default(self) -> None:
        self.assertEqual("postgresql+psycopg://u:p@h/d", effective_url("postgresql://u:p@h/d"))
        self.assertEqual("mysql+pymysql://u:p@h/d?charset=utf8mb4", effective_url("mysql://u:p@h/d"))
        self.assertEqual("mysql+pymysql://u:p@h/d?charset=utf8mb4", effective_url("mariadb://u:p@h/d"))

    def test_mysql_utf8_becomes_utf8mb4(self) -> None:
        url = "mysql+pymysql://u:p@h/d?charset=utf8mb4"
        for charset in ("utf8", "utf8mb3"):
            self.assertEqual(url, effective_url(f"mysql+pymysql://u:p@h/d?charset={charset}"))
            self.assertEqual(url, effective_url("mysql://u:p@h/d", connection_parameters=f"charset={charset}"))

    def test_other_charset_is_kept(self) -> None:
        url = "mysql+pymysql://u:p@h/d?charset=binary"
        self.assertEqual(url, effective_url(url))

    def test_sqlite_enforces_foreign_keys(self) -> None:
        with engine.create_engine("sqlite://").connect() as connection:
            self.assertEqual(1, connection.scalar(sa.text("PRAGMA foreign_keys")))

    def test_invalid_url_raises_without_password(self) -> None:
        for url in (
            "sekret",
            "mysql://u:sekret@h:x/d",
            "mysql://u:pa@sekret:h/d",
            "mysql://u:pa@sekret@h/d",
            "nosql://u:sekret@h/d",
        ):
            with self.subTest(url=url), self.assertRaises(exceptions.ConfigurationError) as caught:
                engine.create_engine(url, max_retries=0)
            self.assertIn("[database] connection", str(caught.exception))
            self.assertNotIn("sekret", str(caught.exception))

    def assert_refused(self, problem: str, url: str) -> None:
        with self.subTest(url=url), self.assertRaises(exceptions.ConfigurationError) as caught:
            engine.require_usable(url)
        self.assertEqual(f"[database] connection{problem}", str(caught.exception))

    def test_mysql_needs_a_database(self) -> None:
        for url in ("mysql://u:sekret@h", "mariadb://u:sekret@h/", "mysql+pymysql://u:sekret@h/?charset=utf8"):
            self.assert_refused(" names no database, as mysql+pymysql://u:***@h/distil does", url)
        for url in ("mysql://u@h?database=d", "postgresql://u@h"):
            engine.require_usable(url)

    def test_missing_driver_names_the_usable(self) -> None:
        for url, problem in {
            "postgres://u:sekret@h/d": "postgres; write postgresql://",
            "mysql+nosuch://u:sekret@h/d": "mysql.nosuch; write mysql+pymysql://",
            "nosql+x://u:sekret@h/d": "nosql.x",
        }.items():
            scheme = url.partition(":")[0]
            self.assert_refused(f": {scheme}://: Can't load plugin: sqlalchemy.dialects:{problem}", url)

    def test_invalid_port_is_named(self) -> None:
        for host in ("h", "[::1]"):
            problem = " is not a valid database URL: the port '33o6' is not a number"
            self.assert_refused(problem, f"mysql://u:secret@{host}:33o6/d?charset=utf8")

    def test_no_part_of_passwords_is_shown(self) -> None:
        for password in ("x@y:sekret/", "p?x@y:sekret", "p/x:sekret", "x:1/@y:sekret"):
            with self.assertRaises(exceptions.ConfigurationError) as caught:
                engine.require_usable(f"mysql://u:{password}@h:z/d?a=b@c:sekret/")
            self.assertNotIn("sekret", str(caught.exception))

    def test_parameters_are_those_written(self) -> None:
        start = ": pymysql cannot use its parameters"
        self.assert_refused(
            f"{start} (conect_timeout=5): unknown parameter conect_timeout", "mysql://u@h/d?conect_timeout=5"
        )
        self.assert_refused(
            f"{start} (ssl_ca=/none, ssl_cert=/): cannot read the file of ssl_ca: No such file or directory",
            "mysql://u@h/d?ssl_cert=/&ssl_ca=/none",
        )

    def test_unreachable_server_raises_without_password(self) -> None:
        for scheme in ("mysql", "postgresql"):
            with self.subTest(scheme=scheme), self.assertRaises(exceptions.StoreError) as caught:
                engine.create_engine(f"{scheme}://u:sekret@127.0.0.1:1/d", max_retries=1, retry_interval=0)
            self.assertIn("127.0.0.1", str(caught.exception))
            self.assertNotIn("sekret", str(caught.exception))

    def test_prepared_statements_need_a_threshold(self) -> None:
        for query, threshold in {"": None, "?prepare_threshold=none": None, "?prepare_threshold=5": 5}.items():
            self.assertEqual(threshold, urls.prepare_threshold(urls.parse(f"postgresql://u:p@h/d{query}")))
        with self.assertRaises(exceptions.ConfigurationError):
            engine.require_usable("postgresql://u:p@h/d?prepare_threshold=-1")
