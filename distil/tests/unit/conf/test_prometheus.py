# SPDX-License-Identifier: Apache-2.0
"""Which options of the driver prometheus fit together."""

import unittest
from typing import Any

from distil.conf.prometheus import OPTS
from distil.conf.prometheus import PrometheusOptions


def problems(**values: Any) -> list[str]:
    options = PrometheusOptions(**{option.dest: option.default for option in OPTS} | values)
    found = options.problems()
    assert all(problem.startswith("[prometheus] ") for problem in found), found
    return [problem.removeprefix("[prometheus] ") for problem in found]


class PrometheusOptionsTest(unittest.TestCase):
    def test_defaults_fit(self) -> None:
        self.assertEqual([], problems())

    def test_usual_urls_are_accepted(self) -> None:
        for url in ("http://prometheus", "https://[::1]:9090", "http://thanos:10902/prefix/"):
            self.assertEqual([], problems(url=url), url)

    def test_other_urls_are_refused(self) -> None:
        form = ["url must be http:// or https://, a host and, if needed, a port and a path"]
        for url in ("prometheus:9090", "ftp://host", "http://", "http://host?x=1", "http://host#x", "http://host:0"):
            self.assertEqual(form, problems(url=url), url)
        for url in ("http://[::1", "http://host:x", "http://host:99999"):
            self.assertEqual(["url is not a valid URL"], problems(url=url), url)

    def test_url_with_password_is_refused(self) -> None:
        found = problems(url="http://user:secret@host")
        self.assertEqual(1, len(found))
        self.assertNotIn("secret", found[0])

    def test_authentication_is_of_one_kind(self) -> None:
        url = "http://host"
        self.assertEqual([], problems(url=url, bearer_token_file="/token"))
        self.assertEqual([], problems(url=url, username="u", password="p"))
        self.assertEqual(["password is not set, which basic authentication needs"], problems(url=url, username="u"))
        self.assertEqual(["username is not set, which basic authentication needs"], problems(url=url, password="p"))
        both = problems(url=url, bearer_token_file="/token", username="u", password="p")
        self.assertEqual(["bearer_token_file and username are two kinds of authentication; set one of them"], both)

    def test_options_of_connection_need_url(self) -> None:
        for name in ("bearer_token_file", "cafile", "certfile", "keyfile", "insecure"):
            found = problems(**{name: "/file"})
            self.assertEqual([f"{name} has no effect without url: Aetos is reached by [keystone_authtoken]"], found)
        self.assertEqual(["parameters needs url: Aetos refuses further parameters"], problems(parameters={"a": "b"}))
        self.assertEqual([], problems(headers={"a": "b"}))

    def test_insecure_verifies_nothing(self) -> None:
        self.assertEqual(
            ["cafile has no effect with insecure"], problems(url="https://host", insecure=True, cafile="/file")
        )

    def test_query_is_that_of_driver(self) -> None:
        found = problems(url="https://host", parameters={"time": "1", "query": "up", "dedup": "true"})
        self.assertEqual(["parameters must not have query and time, which the driver sets"], found)

    def test_source_is_required(self) -> None:
        self.assertEqual(["source is empty"], problems(source=""))
