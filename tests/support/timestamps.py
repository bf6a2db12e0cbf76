"""A time-stamping authority of the tests' own: keys by `cryptography`, tokens by `openssl ts`."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from guard.ports import OutsideReply

START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
CONFIG = """
[tsa]
dir = {folder}
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
{extra}
"""


def _certificate(
    name: str,
    key: EllipticCurvePrivateKey,
    issuer: tuple[str, EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    by_name, by_key = issuer or (name, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False
        )
    )
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
    else:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
        )
    return builder.sign(by_key, SHA256())


class TestAuthority:
    """Answers queries as an `OutsideClient`; `broken` replaces its next answers."""

    __test__ = False  # it is no test, whatever its name says to a collector

    def __init__(self, folder: Path, *, chain: bool = False) -> None:
        folder.mkdir()
        self._folder = folder
        root_key, tsa_key = new_key(SECP256R1()), new_key(SECP256R1())
        root = _certificate("Root of tests", root_key, None)
        tsa = _certificate("Clock of tests", tsa_key, ("Root of tests", root_key))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.pem").write_bytes(tsa.public_bytes(Encoding.PEM))
        self.roots = root.public_bytes(Encoding.PEM)
        self.chain = [one.public_bytes(Encoding.DER) for one in (root, tsa)]
        (folder / "root.pem").write_bytes(self.roots)
        (folder / "tsa.key").write_bytes(
            tsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        extra = f"certs = {folder}/root.pem" if chain else ""
        (folder / "tsa.conf").write_text(CONFIG.format(folder=folder, extra=extra))
        self.broken: list[OutsideReply | Exception] = []
        self.asked = 0

    def answer(self, query: bytes) -> bytes:
        (self._folder / "query").write_bytes(query)
        command = [OPENSSL or "", "ts", "-reply", "-section", "tsa"]
        command += ["-queryfile", str(self._folder / "query")]
        command += ["-config", str(self._folder / "tsa.conf")]
        done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words
        return done.stdout

    async def post(self, url: str, content: bytes, content_type: str) -> OutsideReply:
        assert (url, content_type) == ("http://tsa", "application/timestamp-query")
        self.asked += 1
        if self.broken:
            answer = self.broken.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return OutsideReply(200, self.answer(content))

    async def get(self, url: str) -> OutsideReply:
        raise NotImplementedError(url)

    async def close(self) -> None:
        """Nothing to give back."""


OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="no openssl on this machine")
