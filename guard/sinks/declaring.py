"""From the operator's `sinks.toml` and secrets to sinks that can be pushed.

What cannot be is refused at start with file and line. The format is in `docs/exports.md`.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from guard.contacts.signing import parse_secret
from guard.entries import EntryKind
from guard.sinks.ndjson_file import NdjsonFileSink
from guard.sinks.rendering import FORMATS, SinkKind
from guard.sinks.sink import Sink
from guard.sinks.syslog_tls import SyslogTlsSink
from guard.sinks.webhook import WebhookSink
from guard.sources.toml_table import Table, read_toml

DEFAULT_DEADLINE_MS = 10_000
# A lease of `guard.sinks.pushing`, of which half is left, outlives a delivery that takes so long.
LONGEST_MS = 20_000
SYSLOG_TLS_PORT = 6514
_NAMES = {kind.name.lower(): kind for kind in EntryKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSink:
    """A sink with what it is to get.

    `kinds` empty: every kind. `vendor` empty: all. `region` empty: all; else entries of that region
    and of none. Without `customers` nobody is named. `digest` is
    of the declaration. `from_start`: a new sink gets the whole log first, and not only what comes.
    """

    name: str
    tenant: str
    kind: SinkKind
    format: str
    sink: Sink
    digest: str
    kinds: tuple[EntryKind, ...] = ()
    vendor: str = ""
    region: str = ""
    customers: bool = False
    from_start: bool = False


def declared_sinks(
    document: bytes, file: str, *, secrets: Mapping[str, str]
) -> tuple[DeclaredSink, ...]:
    """Read what a sinks file declares; nothing is sent or connected.

    Raises:
        ConfigurationError: The file or a secret is not as it must be; names the line.
    """
    root = read_toml(document, file)
    tables = root.tables("sink")
    root.done()
    found: dict[str, DeclaredSink] = {}
    for table in tables:
        declared = _declared(table, secrets)
        if declared.name in found:
            table.fail(f"sink `{declared.name}` is there twice, keep one of them", "name")
        found[declared.name] = declared
    return tuple(found.values())


def _declared(table: Table, secrets: Mapping[str, str]) -> DeclaredSink:
    name, tenant, word = table.text("name"), table.text("tenant"), table.text("kind")
    if word not in set(SinkKind):
        table.fail(f"`kind` must be one of {', '.join(SinkKind)}", "kind")
    kind = SinkKind(word)
    fmt = table.text("format", FORMATS[kind][0])
    if fmt not in FORMATS[kind]:
        table.fail(f"`format` of {kind} must be one of {', '.join(FORMATS[kind])}", "format")
    kinds = tuple(word for word in table.text("kinds", "").replace(",", " ").split() if word)
    if unknown := [word for word in kinds if word not in _NAMES]:
        table.fail(f"no such kind of entry: {', '.join(unknown)}", "kinds")
    vendor, customers = table.text("vendor", ""), table.flag("customers", default=False)
    region = table.text("region", "")
    from_start = table.flag("from_start", default=False)
    sink, where = _sink(table, name, kind, secrets)
    table.done()
    told = (tenant, kind, fmt, where, ",".join(kinds), vendor, region, str(customers))
    return DeclaredSink(
        name=name,
        tenant=tenant,
        kind=kind,
        format=fmt,
        sink=sink,
        digest=sha256("\n".join(told).encode()).hexdigest(),
        kinds=tuple(_NAMES[word] for word in kinds),
        vendor=vendor,
        region=region,
        customers=customers,
        from_start=from_start,
    )


def _sink(table: Table, name: str, kind: SinkKind, secrets: Mapping[str, str]) -> tuple[Sink, str]:
    """The sink, and where it leads."""
    if kind is SinkKind.NDJSON_FILE:
        path = Path(table.text("path"))
        if not path.parent.is_dir():
            table.fail("the folder of `path` is not there, make it", "path")
        return NdjsonFileSink(name, path), str(path)
    deadline_s = table.number("deadline_ms", DEFAULT_DEADLINE_MS, 1, LONGEST_MS) / 1000
    trusted = _trusted(table)
    if kind is SinkKind.SYSLOG_TLS:
        host, port = table.text("host"), table.number("port", SYSLOG_TLS_PORT, 1, 65_535)
        bare_close = table.flag("bare_close", default=False)
        sink = SyslogTlsSink(
            name, host, port, trusted=trusted, deadline_s=deadline_s, bare_close=bare_close
        )
        return sink, f"{host}:{port}{' bare_close' if bare_close else ''}"
    url, secret = _checked(table), table.text("secret")
    key = parse_secret(secrets.get(secret, ""))
    if key is None:
        table.fail(f"secret `{secret}` must be set to `whsec_` and 24 to 64 bytes", "secret")
    return WebhookSink(name, url, key=key, deadline_s=deadline_s, trusted=trusted), url


def _trusted(table: Table) -> ssl.SSLContext:
    """Who is believed: the system's authorities, or those of a file and nobody else."""
    file = table.text("ca_file", "")
    if not file:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError):
        table.fail("`ca_file` cannot be read, or holds no certificate", "ca_file")


def _checked(table: Table) -> str:
    """An address that leads where it says."""
    url = table.text("url")
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        table.fail("`url` is no address", "url")
    if parts.username or parts.password or parts.query or parts.fragment or not has_port:
        table.fail("`url` must be scheme, host and path only", "url")
    is_home = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    if not is_home and (parts.scheme != "https" or not parts.hostname):
        table.fail("`url` must begin with `https://` (`http://` on this machine)", "url")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
