# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities, and the files of certificates that they issue."""

import datetime
import pathlib

import trustme


class Authority:
    """A certificate authority.

    :param folder: directory of the files.
    """

    def __init__(self, folder: pathlib.Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self._authority = trustme.CA()
        self.file = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, host: str = "127.0.0.1", days: int = 30) -> tuple[pathlib.Path, pathlib.Path]:
        """Return the files of a new certificate and its key.

        :param days: until it expires; negative: since it has expired.
        """
        now = datetime.datetime.now(datetime.UTC)
        begin, end = now - datetime.timedelta(days=60), now + datetime.timedelta(days=days)
        issued = self._authority.issue_cert(host, not_before=begin, not_after=end)
        certificate, key = (self._folder / f"{self._name}-{host}-{days}.{kind}" for kind in ("crt", "key"))
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key
