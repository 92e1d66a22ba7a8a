# SPDX-License-Identifier: Apache-2.0
"""Loads the TLS files that options name, so that problems are reported at start, by option and file."""

import os
import ssl

from distil import exceptions


def server_context(certfile: str | None, keyfile: str | None, client_cafile: str | None) -> ssl.SSLContext | None:
    """The exporter's TLS context; None for plain HTTP.

    :param certfile: PEM file with the certificate and any intermediate certificates.
    :param keyfile: PEM file with the certificate's key; None: it is in the certificate's file.
    :param client_cafile: PEM file with CA certificates. If given, clients must present a certificate of one of these
        CAs.
    :raises ConfigurationError: a file cannot be used, or is missing.
    """
    if not certfile:
        for option, path in (("exporter_keyfile", keyfile), ("exporter_client_cafile", client_cafile)):
            if path:
                raise _problem(f"{option} is set, but exporter_certfile is not")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _load_certificate(context, "exporter_", certfile, keyfile)
    if client_cafile:
        _load_authorities(context, "exporter_client_cafile", client_cafile)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_problems(group: str, cafile: str | None, certfile: str | None, keyfile: str | None) -> list[str]:
    """The problems with a client's CA certificates, certificate and key.

    :param group: of the options, for the messages.
    :param cafile: a file, or a directory in OpenSSL's layout.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    problems: list[str] = []
    try:
        if cafile:
            _load_authorities(context, f"[{group}] cafile", cafile)
    except exceptions.ConfigurationError as error:
        problems += error.problems
    try:
        if certfile:
            _load_certificate(context, f"[{group}] ", certfile, keyfile)
        elif keyfile:
            raise _problem(f"[{group}] keyfile is set, but certfile is not")
    except exceptions.ConfigurationError as error:
        problems += error.problems
    return problems


def _load_authorities(context: ssl.SSLContext, option: str, path: str) -> None:
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise _problem(f"{option}: {path} contains no PEM certificate: {error.reason}") from error
    except OSError as error:
        raise _problem(f"{option}: {path} cannot be read: {error.strerror}") from error


def _load_certificate(context: ssl.SSLContext, prefix: str, certfile: str, keyfile: str | None) -> None:
    # The certificate alone first: load_cert_chain does not say which of the files it rejects.
    _load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), f"{prefix}certfile", certfile)
    key_option, key_path = (f"{prefix}keyfile", keyfile) if keyfile else (f"{prefix}certfile", certfile)

    def reject_encrypted_key() -> str:
        # OpenSSL would ask for the passphrase at the terminal.
        raise _problem(f"{key_option}: the key in {key_path} is encrypted; passphrases are not supported")

    try:
        context.load_cert_chain(certfile, keyfile, reject_encrypted_key)
    except ssl.SSLError as error:
        problem = f"{key_option}: {key_path} contains no key for the certificate in {certfile}: {error.reason}"
        raise _problem(problem) from error
    except OSError as error:
        raise _problem(f"{key_option}: {key_path} cannot be read: {error.strerror}") from error


def _problem(text: str) -> exceptions.ConfigurationError:
    return exceptions.ConfigurationError([text])
