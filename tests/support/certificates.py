"""An authority with certificates for a server and its clients, made for a test."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

PASSWORD = b"secret"
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Its certificate is in ``certificate``; what it signs lies in ``folder``."""

    def __init__(self, folder: Path, name: str = "Test Authority", days: int = 1) -> None:
        """All that it signs ends after so many days, as it does itself."""
        self._folder = folder
        self._life = datetime.timedelta(days=days)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _signed(name, self._key.public_key(), name, self._key, self._life, is_authority=True)
        self.certificate = folder / f"{name.replace(' ', '-').lower()}.pem"
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def pair(self, name: str, *hosts: str, is_over: bool = False) -> Pair:
        """For a client, or for a server with these host names or addresses; ``is_over``: it has expired."""
        key, certificate = self._issue(name, hosts, is_over)
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        pair.key.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
        return pair

    def key_store(self, name: str, *hosts: str) -> Path:
        """A server's key with its certificate, as Java wants them: PKCS12 under PASSWORD."""
        key, certificate = self._issue(name, hosts)
        store = self._folder / f"{name}.p12"
        sealed = serialization.BestAvailableEncryption(PASSWORD)
        store.write_bytes(
            pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, [self._certificate], sealed)
        )
        return store

    def trust_store(self) -> Path:
        """The authority's own certificate, as Java wants it: PKCS12 under PASSWORD."""
        store = self._folder / "authorities.p12"
        known = [pkcs12.PKCS12Certificate(self._certificate, b"authority")]
        store.write_bytes(pkcs12.serialize_java_truststore(known, serialization.BestAvailableEncryption(PASSWORD)))
        return store

    def _issue(
        self, name: str, hosts: tuple[str, ...], is_over: bool = False
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        return key, _signed(name, key.public_key(), str(issuer), self._key, self._life, hosts=hosts, is_over=is_over)


def _signed(
    subject: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    life: datetime.timedelta,
    *,
    hosts: tuple[str, ...] = (),
    is_authority: bool = False,
    is_over: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _DAY)
        .not_valid_after(now - _DAY if is_over else now + life)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
