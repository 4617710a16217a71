"""Whether connections are encrypted, and for how long the certificates still hold."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from pipeline.cli.checking.check import Check, Verdict

SOON_DAYS = 30
_TIMEOUT_S = 10.0


class Peer(NamedTuple):
    """What a handshake told: the protocol, and when the server's certificate and its authority's end; None: not known,
    as of an authority that is not in the file of authorities."""

    protocol: str
    ends: datetime
    authority_ends: datetime | None


def stays_here(host: str | None) -> bool:
    """Whether what is sent to that host never leaves this machine; None and paths are local sockets."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def not_encrypted(service: str, host: str | None, remedy: str) -> Check:
    """Nothing is encrypted on the way to that host."""
    if stays_here(host):
        return Check(f"TLS to {service}", Verdict.OK, "not encrypted, and stays on this machine")
    told = f"nothing is encrypted on the way to {host}, where others can read and change it: {remedy}"
    return Check(f"TLS to {service}", Verdict.WARNING, told)


def encrypted(service: str, peer: Peer, now: datetime) -> Check:
    """The connection is encrypted by this."""
    what = f"TLS to {service}"
    left = {"its certificate": _days(peer.ends, now)}
    if peer.authority_ends is not None:
        left["its authority"] = _days(peer.authority_ends, now)
    told = ", ".join(f"{name} holds for {days} more days" for name, days in left.items())
    short = [name for name, days in left.items() if days < SOON_DAYS]
    if short:
        return Check(what, Verdict.WARNING, f"{peer.protocol}, {told}: have {' and '.join(short)} renewed")
    return Check(what, Verdict.OK, f"{peer.protocol}, {told}")


def own_certificate(setting: str, file: Path, now: datetime) -> Check:
    """A certificate that we show others."""
    what = f"certificate {file}"
    try:
        days = _days(_earliest(x509.load_pem_x509_certificates(file.read_bytes())), now)
    except (OSError, ValueError) as error:
        return Check(what, Verdict.WRONG, f"it cannot be used ({error}): correct {setting}")
    if days < 0:
        return Check(what, Verdict.WRONG, f"it ended {-days} days ago: have the one of {setting} renewed")
    if days < SOON_DAYS:
        return Check(what, Verdict.WARNING, f"it holds for {days} more days: have the one of {setting} renewed")
    return Check(what, Verdict.OK, f"it holds for {days} more days")


def handshake(
    address: tuple[str, int],
    name: str,
    context: ssl.SSLContext,
    ca_file: Path | None,
    before: Callable[[socket.socket], None] = lambda _: None,
) -> Peer:
    """What a server shows that speaks TLS there, asked on a connection of our own; ``before``: what its protocol wants
    first. Raises OSError."""
    with socket.create_connection(address, timeout=_TIMEOUT_S) as connection:
        before(connection)
        with context.wrap_socket(connection, server_hostname=name) as inside:
            shown = inside.getpeercert(binary_form=True)
            protocol = inside.version()
    if shown is None or protocol is None:
        raise ConnectionError("it shows no certificate")
    certificate = x509.load_der_x509_certificate(shown)
    authorities = [] if ca_file is None else x509.load_pem_x509_certificates(ca_file.read_bytes())
    return Peer(protocol, certificate.not_valid_after_utc, authority_end(certificate, authorities))


def authority_end(certificate: x509.Certificate, known: Sequence[x509.Certificate]) -> datetime | None:
    """When the last of the authorities ends that may have signed it. One that is not known has signed another one."""
    own = [each for each in known if each.subject == certificate.issuer]
    return max((each.not_valid_after_utc for each in own), default=None)


def _earliest(certificates: Sequence[x509.Certificate]) -> datetime:
    return min(each.not_valid_after_utc for each in certificates)


def _days(until: datetime, now: datetime) -> int:
    return (until - now.astimezone(UTC)).days
