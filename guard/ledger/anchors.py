"""RFC 3161 anchors: an outside clock's word that a checkpoint existed by a certain time.

A time-stamping authority signs the hash of a cosigned checkpoint. A token is stored only after it
has been verified against the operator's certificate: what cannot be verified now could not be later
either, and some authorities write tokens that a strict reader refuses. Beside each token lies the
checkpoint that it is for, byte for byte, below the published log:

    anchors/<size>.checkpoint   anchors/<size>.tsr

`rfc3161-client` (the extra `anchors`) reads the tokens; it is loaded only where anchors are used.
"""

import asyncio
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate, load_pem_x509_certificates

from guard.clock import HOUR, SECOND, Micros, wall_micros
from guard.durable import make_folder, replace_file
from guard.errors import ConfigurationError, ProofError, UnavailableError
from guard.ledger.checkpoint import parse_text
from guard.ledger.note import parse_note
from guard.ledger.outage import OutageWindow
from guard.ports import OutsideClient

DEFAULT_INTERVAL: Micros = HOUR
FOLDER = "anchors"
SUFFIX = ".tsr"
NOTE_SUFFIX = ".checkpoint"

# An authority's own deadline; nobody waits for an anchor.
DEADLINE_S = 10.0
# After a failure the next try; far below an outage window.
RETRY: Micros = 60 * SECOND
# A token with a chain of certificates has some KB.
MAX_TOKEN = 64 * 1024

_OK = 200
_QUERY_TYPE = "application/timestamp-query"
_PUBLIC_FILE, _PUBLIC_FOLDER = 0o644, 0o755


class Stamps:
    """Asks for time stamps and judges them, by the certificates of one authority."""

    def __init__(self, pem: bytes) -> None:
        """Trust the root certificates in `pem`.

        Raises:
            ConfigurationError: There is none, or the extra `anchors` is not installed.
        """
        try:
            self._rfc3161: Any = import_module("rfc3161_client")
        except ImportError:
            raise ConfigurationError(
                "time stamps need the extra `anchors`: install recordguard[anchors]"
            ) from None
        try:
            self._roots: list[Certificate] = load_pem_x509_certificates(pem)
        except ValueError:
            raise ConfigurationError(
                "the authority's certificate file holds no PEM certificate, ask the authority"
            ) from None

    def request(self, note: bytes) -> Any:  # noqa: ANN401 - an object of the optional library
        """A query for the SHA-256 of `note`, with a nonce."""
        builder = self._rfc3161.TimestampRequestBuilder(
            data=note, hash_algorithm=self._rfc3161.HashAlgorithm.SHA256
        )
        return builder.build()

    def verify(self, token: bytes, note: bytes, nonce: int | None = None) -> Micros:
        """When the authority saw `note`, in whole seconds or finer as it says.

        Raises:
            ProofError: The token is malformed, another authority's, or of something else.
        """
        try:
            response = self._rfc3161.decode_timestamp_response(token)
            builder = self._rfc3161.VerifierBuilder(roots=list(self._roots), nonce=nonce)
            builder.build().verify_message(response, note)
            at: float = response.tst_info.gen_time.timestamp()
        except (ValueError, TypeError, AssertionError, self._rfc3161.VerificationError):
            # The library's words may hold what a stranger wrote into a certificate.
            raise ProofError("time stamp does not verify, try another authority") from None
        return int(at) * SECOND


class Authority:
    """A time-stamping authority at an address, over HTTP (RFC 3161 section 3.4)."""

    def __init__(self, url: str, stamps: Stamps, client: OutsideClient) -> None:
        """Ask at `url` through `client`, and judge the answers by `stamps`."""
        self._url, self._stamps, self._client = url, stamps, client

    async def stamp(self, note: bytes) -> bytes:
        """A token for `note` that has been verified.

        Raises:
            UnavailableError: The authority did not answer with one.
            ProofError: Its token does not verify.
        """
        query = self._stamps.request(note)
        try:
            async with asyncio.timeout(DEADLINE_S):
                reply = await self._client.post(self._url, query.as_bytes(), _QUERY_TYPE)
        except TimeoutError:
            raise UnavailableError("the time-stamping authority is silent, try later") from None
        if reply.status != _OK or len(reply.body) > MAX_TOKEN:
            raise UnavailableError("the time-stamping authority refuses, ask its operator")
        self._stamps.verify(reply.body, note, query.nonce)
        return reply.body


class Anchors:
    """Anchors the published checkpoint now and then."""

    def __init__(
        self,
        log_dir: Path,
        authority: Authority,
        outage: OutageWindow,
        *,
        interval: Micros = DEFAULT_INTERVAL,
        wall: Callable[[], Micros] = wall_micros,
    ) -> None:
        """Anchor what is published below `log_dir` with `authority`."""
        self._checkpoint, self._folder = log_dir / "checkpoint", log_dir / FOLDER
        self._authority = authority
        self.outage = outage
        self._interval, self._wall = interval, wall
        self._due_at = self._last() + interval

    def _last(self) -> Micros:
        """When the last anchor was stored."""
        times = [path.stat().st_mtime_ns // 1000 for path in self._folder.glob("*" + SUFFIX)]
        return max(times, default=-self._interval)

    async def turn(self) -> int | None:
        """Anchor the published checkpoint if that is due; its size, or None if nothing was done.

        Raises:
            UnavailableError: The authority did not answer; it is asked again in a minute.
            ProofError: Its token does not verify, and was thrown away.
        """
        now = self._wall()
        if now < self._due_at:
            return None
        try:
            note = await asyncio.to_thread(self._checkpoint.read_bytes)
        except FileNotFoundError:
            return None
        size = parse_text(parse_note(note).text).size
        if (self._folder / f"{size}{SUFFIX}").exists():
            return None  # the log rests: it is anchored again with its next entry
        self._due_at = now + RETRY
        try:
            token = await self._authority.stamp(note)
        except (UnavailableError, ProofError):
            self.outage.missed(now)
            raise
        await asyncio.to_thread(self._store, size, note, token)
        self._due_at = now + self._interval
        self.outage.met()
        return size

    def _store(self, size: int, note: bytes, token: bytes) -> None:
        make_folder(self._folder, _PUBLIC_FOLDER)
        # The token last: where it is, its checkpoint is.
        replace_file(self._folder / f"{size}{NOTE_SUFFIX}", note, _PUBLIC_FILE)
        replace_file(self._folder / f"{size}{SUFFIX}", token, _PUBLIC_FILE)


def anchor_of(log_dir: Path, end: int, size: int) -> tuple[bytes, bytes] | None:
    """Checkpoint and token of the first anchor that the entries before `end` are in.

    Without one, of the newest; None if there is none of at most `size` entries.
    """
    tokens = (log_dir / FOLDER).glob("*" + SUFFIX)
    sizes = sorted(int(path.stem) for path in tokens if path.stem.isdecimal())
    known = [one for one in sizes if one <= size]
    if not known:
        return None
    chosen = log_dir / FOLDER / f"{next((one for one in known if one >= end), known[-1])}{SUFFIX}"
    return chosen.with_suffix(NOTE_SUFFIX).read_bytes(), chosen.read_bytes()


def anchored(log_dir: Path) -> Iterator[tuple[bytes, bytes]]:
    """Checkpoint and token of every anchor below `log_dir`, from the smallest size on.

    Raises:
        ProofError: A token has no checkpoint beside it, or is too large.
    """
    tokens = (log_dir / FOLDER).glob("*" + SUFFIX)
    for path in sorted(tokens, key=lambda one: (len(one.name), one.name)):
        try:
            with path.open("rb") as file:
                token = file.read(MAX_TOKEN + 1)
            note = path.with_suffix(NOTE_SUFFIX).read_bytes()
        except OSError as error:
            raise ProofError(
                f"anchor `{path.name}` cannot be read ({error.strerror}), fetch it anew"
            ) from None
        if len(token) > MAX_TOKEN:
            raise ProofError(f"anchor `{path.name}` is too large, fetch it anew")
        yield note, token
