"""A certificate authority of the tests: certificates for servers on loopback, made in a moment."""

import ssl
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

# TLS asks the real clock, which no test sets.
_SINCE, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)


@cache
def _authority() -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    key, name = new_key(SECP256R1()), _name("the tests' authority")
    builder = _builder(name, name, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    return builder.sign(key, SHA256()), key


def server_context(folder: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    """What a server presents that is called `host`; `folder` holds its key for the while."""
    authority, authority_key = _authority()
    key = new_key(SECP256R1())
    alt = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    builder = _builder(authority.subject, _name(host), key).add_extension(alt, critical=False)
    certificate = builder.sign(authority_key, SHA256())
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def trusting_context() -> ssl.SSLContext:
    """What a client goes by that trusts the authority of the tests and nobody else."""
    certificate, _ = _authority()
    return ssl.create_default_context(cadata=certificate.public_bytes(Encoding.DER))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    issuer: x509.Name, subject: x509.Name, key: EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=_SINCE,
        not_valid_after=_UNTIL,
    )
