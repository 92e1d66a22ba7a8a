# SPDX-License-Identifier: Apache-2.0
"""The options of the groups other than [collector] as typed values."""

import typing
from typing import Any

from distil import exceptions
from distil.conf import coordination
from distil.conf import database
from distil.conf import enabled_collectors
from distil.conf import keystone_authtoken
from distil.conf import log
from distil.conf import oslo_reports
from distil.conf.enabled_collectors import CLI_OPTS
from distil.tests.support.configuration import ConfigurationTestCase
from distil.tests.unit.conf.test_collector import matches

CONNECTION = "[database]\nconnection = sqlite://\n"
READERS: tuple[Any, ...] = (coordination, database, keystone_authtoken, log, oslo_reports, enabled_collectors)


class TypedOptionsTest(ConfigurationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.conf.register_cli_opts(CLI_OPTS)

    def test_values_have_declared_types(self) -> None:
        conf = self.read(CONNECTION)
        for module in READERS:
            options = module.read(conf)
            for name, hint in typing.get_type_hints(type(options)).items():
                self.assertTrue(matches(getattr(options, name), hint), (module.__name__, name))

    def test_database_requires_connection(self) -> None:
        with self.assertRaisesRegex(exceptions.ConfigurationError, "connection is not set"):
            database.read(self.read(""))

    def test_secret_with_dollar_is_not_quoted(self) -> None:
        for reader, text in (
            (database, "[database]\nconnection = mysql://u:a$sekret@db/d\n"),
            (coordination, "[coordination]\nbackend_url = redis://:a$sekret@r\n"),
        ):
            with self.assertRaises(exceptions.ConfigurationError) as caught:
                reader.read(self.read(text))
            self.assertIn("contains a $", str(caught.exception))
            self.assertNotIn("sekret", str(caught.exception))

    def test_without_retries_keeps_other_values(self) -> None:
        options = database.read(self.read(f"{CONNECTION}max_retries = 7\npool_timeout = 9\n")).without_retries()
        self.assertEqual((1, 0, 9), (options.max_retries, options.retry_interval, options.pool_timeout))

    def test_auth_section_names_plugin_group(self) -> None:
        self.assertEqual("keystone_authtoken", keystone_authtoken.read(self.read("")).section)
        text = "[keystone_authtoken]\nauth_section = cloud\n"
        self.assertEqual("cloud", keystone_authtoken.read(self.read(text)).section)

    def test_database_fields_match_oslo_db(self) -> None:
        self.read(CONNECTION)
        self.assertLessEqual(set(typing.get_type_hints(database.DatabaseOptions)), set(self.conf.known["database"]))
