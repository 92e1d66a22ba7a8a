# SPDX-License-Identifier: Apache-2.0
"""The exporter over TLS, with and without client certificates."""

import http.client
import pathlib
import ssl
import tempfile
import unittest

from cryptography.hazmat.primitives import serialization

from distil import exceptions
from distil.exporter.pages import MetricsPage
from distil.exporter.server import Exporter
from distil.monitoring.metrics import Metrics
from distil.tests.support.certificates import Authority
from distil.tests.support.site import Site
from distil.tls import server_context


class ExporterTlsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.authority = Authority(self.folder)
        self.certificate, self.key = self.authority.issue()

    def serve(self, client_cafile: pathlib.Path | None = None) -> Exporter:
        context = server_context(str(self.certificate), str(self.key), str(client_cafile) if client_cafile else None)
        metrics = Metrics({"distil": "1"})
        page = MetricsPage(metrics.registry, metrics.usage_series)
        exporter = Exporter({"/metrics": page}, "127.0.0.1", 0, context)
        exporter.start()
        self.addCleanup(exporter.stop)
        return exporter

    def status(self, exporter: Exporter, certificate: tuple[pathlib.Path, pathlib.Path] | None = None) -> int:
        context = ssl.create_default_context(cafile=self.authority.file)
        if certificate:
            context.load_cert_chain(*certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", exporter.port, context=context, timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", "/metrics")
        with connection.getresponse() as response:
            self.assertIn(b"distil_collector_build_info", response.read())
            return response.status

    def test_metrics_are_served_over_tls(self) -> None:
        self.assertEqual(200, self.status(self.serve()))

    def test_plain_http_is_rejected(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.serve().port, timeout=20)
        self.addCleanup(connection.close)
        with self.assertRaises((OSError, http.client.HTTPException)):
            connection.request("GET", "/metrics")
            connection.getresponse()

    def test_only_trusted_client_certificates_are_accepted(self) -> None:
        clients, others = Authority(self.folder, "clients"), Authority(self.folder, "others")
        exporter = self.serve(clients.file)
        self.assertEqual(200, self.status(exporter, clients.issue("prometheus")))
        for certificate in (None, others.issue("prometheus"), clients.issue("prometheus", days=-1)):
            with self.subTest(certificate), self.assertRaises(OSError):
                self.status(exporter, certificate)
        self.assertEqual(200, self.status(exporter, clients.issue("prometheus")))


class TlsFilesTest(unittest.TestCase):
    """Errors in the files are reported at start, with option and file."""

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        authority = Authority(self.folder)
        self.certificate, self.key = map(str, authority.issue())
        _, self.other_key = map(str, authority.issue("other"))
        self.junk = str(self.folder / "junk.pem")
        pathlib.Path(self.junk).write_text("-----BEGIN NOTHING-----\n")
        self.missing = str(self.folder / "missing.pem")

    def assert_refused(self, certfile: str | None, keyfile: str | None, cafile: str | None, *expected: str) -> None:
        with self.assertRaises(exceptions.ConfigurationError) as caught:
            server_context(certfile, keyfile, cafile)
        for text in expected:
            self.assertIn(text, str(caught.exception))

    def test_missing_file_raises(self) -> None:
        self.assert_refused(self.missing, self.key, None, f"exporter_certfile: {self.missing}", "No such file")
        self.assert_refused(self.certificate, self.missing, None, f"exporter_keyfile: {self.missing}", "No such file")
        self.assert_refused(
            self.certificate, self.key, self.missing, f"exporter_client_cafile: {self.missing}", "No such file"
        )

    def test_file_with_wrong_content_raises(self) -> None:
        self.assert_refused(self.junk, self.key, None, f"exporter_certfile: {self.junk}", "no PEM certificate")
        self.assert_refused(self.key, self.key, None, f"exporter_certfile: {self.key}", "no PEM certificate")
        self.assert_refused(self.certificate, self.junk, None, f"exporter_keyfile: {self.junk}", "no key")
        self.assert_refused(self.certificate, self.key, self.junk, f"exporter_client_cafile: {self.junk}")

    def test_mismatched_key_raises(self) -> None:
        self.assert_refused(self.certificate, self.other_key, None, f"exporter_keyfile: {self.other_key}", "no key")

    def test_certificate_without_key_raises(self) -> None:
        self.assert_refused(self.certificate, None, None, f"exporter_certfile: {self.certificate}", "no key")

    def test_encrypted_key_raises_without_prompting(self) -> None:
        key = serialization.load_pem_private_key(pathlib.Path(self.key).read_bytes(), None)
        encryption = serialization.BestAvailableEncryption(b"secret")
        encrypted = self.folder / "encrypted.key"
        pem = serialization.Encoding.PEM
        encrypted.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, encryption))
        self.assert_refused(
            self.certificate, str(encrypted), None, "exporter_keyfile: ", f"the key in {encrypted} is encrypted"
        )

    def test_missing_certfile_option_raises(self) -> None:
        self.assert_refused(None, self.key, None, "exporter_keyfile", "exporter_certfile is not")
        self.assert_refused(None, None, self.certificate, "exporter_client_cafile", "exporter_certfile is not")

    def test_combined_certificate_and_key_is_accepted(self) -> None:
        both = self.folder / "both.pem"
        both.write_bytes(pathlib.Path(self.key).read_bytes() + pathlib.Path(self.certificate).read_bytes())
        self.assertIsNotNone(server_context(str(both), None, None))

    def test_tls_is_disabled_without_options(self) -> None:
        self.assertIsNone(server_context(None, None, None))

    def test_invalid_certfile_exits_with_1(self) -> None:
        site = self.enterContext(Site())
        site.configure(enable_exporter=True, exporter_port=0, exporter_certfile=self.junk)
        self.assertIn(f"[collector] exporter_certfile: {self.junk} contains no PEM certificate", site.refused())
