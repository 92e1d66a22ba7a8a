# SPDX-License-Identifier: Apache-2.0
"""Addresses of hosts and ports."""

# Whatever the hosts file says, clients try both.
_LOOPBACK = ("127.0.0.1", "::1")


def listen_hosts(host: str) -> tuple[str, ...]:
    """The addresses to listen on for a host: for ``localhost`` those of IPv4 and IPv6."""
    return _LOOPBACK if host.lower() == "localhost" else (host,)


def format_address(host: str, port: int) -> str:
    """``host:port`` as in a URL: an IPv6 address is in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
