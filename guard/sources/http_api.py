"""Records behind an HTTP API that answers one customer as one JSON object.

The customer's key is in the request's URL and the record in its answer, so neither may reach a log
or an error: the client's own loggers are kept quiet, errors say what went wrong and never what was
received, and a redirect (to whom?) is a failure.
"""

import asyncio
import logging
from urllib.parse import quote

import httpx2
import msgspec

from guard.errors import SourceError
from guard.rows import RawRecord
from guard.sources.mapping import HttpMapping

LONGEST_KEY = 256

OK, NOT_FOUND, SERVER_ERROR = 200, 404, 500


class HttpSource:
    """One API, by its mapping. `transport` replaces the network in tests."""

    def __init__(
        self,
        mapping: HttpMapping,
        *,
        token: str | None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent before the first read."""
        # At INFO the client logs every URL, and with it every customer's key.
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.name = mapping.name
        self._mapping = mapping
        self._is_closed = False
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        self._client = httpx2.AsyncClient(
            base_url=mapping.base_url,
            headers=headers,
            timeout=mapping.deadline_s,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """See `guard.ports.RecordSource.fetch`."""
        if not _is_usable(key):
            return None
        m = self._mapping
        wanted = {field: m.places[field] for field in paths if field in m.places}
        params = {}
        if m.fields_param:
            names = {*wanted.values(), *([m.key_field] if m.key_field else [])}
            params[m.fields_param] = ",".join(sorted(names))
        status, body = await self._get(m.path.replace("{key}", quote(key, safe="")), params)
        if status == NOT_FOUND:
            return None
        if status != OK:
            raise self._failed(f"answered with status {status}")
        record = self._parsed(body)
        if m.key_field and str(record.get(m.key_field)) != key:
            raise self._failed("answered with another customer's record")
        return RawRecord(
            {
                field: value
                for field, place in wanted.items()
                for value in self._at(record, place.split("."))
            }
        )

    async def check(self) -> None:
        """See `guard.ports.RecordSource.check`: any answer but a server's error will do."""
        status, _ = await self._get(self._mapping.check_path, {})
        if status >= SERVER_ERROR:
            raise self._failed(f"answered with status {status}")

    async def close(self) -> None:
        """See `guard.ports.RecordSource.close`."""
        self._is_closed = True
        await self._client.aclose()

    async def _get(self, path: str, params: dict[str, str]) -> tuple[int, bytes]:
        if self._is_closed:
            raise self._failed("is closed")
        problem = ""
        try:
            async with asyncio.timeout(self._mapping.deadline_s):
                return await self._tried(path, params)
        except TimeoutError:
            problem = f"did not answer within {self._mapping.deadline_s:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            problem = f"could not be read ({type(error).__name__})"
        # Raised out here, so that no exception with an address or a body hangs on to it.
        raise self._failed(problem)

    async def _tried(self, path: str, params: dict[str, str]) -> tuple[int, bytes]:
        try:
            return await self._once(path, params)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            # The first try meets a connection that the other side has just closed more often than
            # a server that is down; reads are safe to repeat.
            return await self._once(path, params)

    async def _once(self, path: str, params: dict[str, str]) -> tuple[int, bytes]:
        body = bytearray()
        async with self._client.stream("GET", path, params=params) as answer:
            if answer.status_code != OK:
                return answer.status_code, b""
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise self._failed("answered with something that is not JSON")
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > self._mapping.max_bytes:
                    raise self._failed(f"answered with more than {self._mapping.max_bytes} bytes")
        return OK, bytes(body)

    def _parsed(self, body: bytes) -> dict[str, object]:
        record: object = None
        try:
            record = msgspec.json.decode(body)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise self._failed("answered with something that is not a JSON object")
        return record

    def _at(self, record: object, steps: list[str]) -> list[object]:
        """The value at a place, as a list of one; none if it is not there."""
        for step in steps:
            if not isinstance(record, dict):
                raise self._failed("answered in an unknown shape")
            if step not in record:
                return []
            record = record[step]
        return [record]

    def _failed(self, what: str) -> SourceError:
        return SourceError(f"source `{self.name}` {what}, check the service and try again")


def _is_usable(key: str) -> bool:
    """Whether a key can be one step of a path.

    A slash would be quoted here, and a proxy on the way may unquote it: `7/../8` leads to another
    customer.
    """
    is_step = key not in (".", "..") and "/" not in key and "\\" not in key
    return is_step and 0 < len(key) <= LONGEST_KEY and key.isprintable()
