"""From a contacts file and secrets to channels that deliver.

A file has one `[[channel]]` for each way to reach a customer; `name` is the way, as the field
catalogue calls it (`mail`, `call`, `message`), `kind` who carries it (`smtp`, `webhook`). What
cannot be is refused at start with file and line. The format is in `docs/contacts.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from guard.contacts.signed_post import PostTarget, SignedPost
from guard.contacts.signing import parse_secret
from guard.contacts.smtp import MailServer, Security, SmtpChannel, is_mail_address
from guard.contacts.webhook import WebhookChannel
from guard.ports import ContactChannel
from guard.sources.toml_table import Table, read_toml
from policies.catalogue import CONTACTS

DEFAULT_DEADLINE_MS = 10_000
LONGEST_MS = 60_000
DEFAULT_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_PLACE = "{reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """All channels by name, and where merges are told (None: nowhere)."""

    channels: Mapping[str, ContactChannel]
    merges: SignedPost | None = None
    _opened: tuple[SmtpChannel | WebhookChannel, ...] = ()

    async def close(self) -> None:
        """Give back connections."""
        for channel in self._opened:
            await channel.close()
        if self.merges is not None:
            await self.merges.close()


def open_contacts(document: bytes, file: str, *, secrets: Mapping[str, str]) -> Contacts:
    """Open what a contacts file describes; nothing is sent or connected.

    Raises:
        ConfigurationError: The file or a secret is not as it must be; names the line.
    """
    root = read_toml(document, file)
    tables = root.tables("channel")
    merges = _merges(root, secrets)
    root.done()
    channels: dict[str, SmtpChannel | WebhookChannel] = {}
    for table in tables:
        channel = _channel(table, secrets)
        if channel.name in channels:
            table.fail(f"channel `{channel.name}` is there twice, keep one of them", "name")
        channels[channel.name] = channel
    return Contacts(channels=channels, merges=merges, _opened=tuple(channels.values()))


def _channel(table: Table, secrets: Mapping[str, str]) -> SmtpChannel | WebhookChannel:
    name = table.text("name")
    if name not in CONTACTS:
        table.fail(f"`name` must be one of {', '.join(CONTACTS)}", "name")
    kind = table.text("kind")
    if kind == "smtp":
        return _smtp(table, name, secrets)
    if kind == "webhook":
        return _webhook(table, name, secrets)
    return table.fail("`kind` must be `smtp` or `webhook`", "kind")


def _smtp(table: Table, name: str, secrets: Mapping[str, str]) -> SmtpChannel:
    security = _security(table)
    user = table.text("user", "")
    password = table.text("password_secret") if user else ""
    sender, reply_to = table.text("from"), table.text("reply_to", "")
    if not is_mail_address(sender):
        table.fail("`from` must be one plain address, `support@example.com`", "from")
    if reply_to and (
        reply_to.count(_PLACE) != 1 or not is_mail_address(reply_to.replace(_PLACE, "r" * 22))
    ):
        table.fail(f"`reply_to` must be an address with `{_PLACE}` in it once", "reply_to")
    server = MailServer(
        name=name,
        host=table.text("host"),
        port=table.number("port", DEFAULT_PORTS[security], 1, 65_535),
        security=security,
        user=user,
        password=_secret(table, "password_secret", password, secrets) if user else "",
        sender=sender,
        sender_name=table.text("from_name", ""),
        reply_to=reply_to,
        deadline_s=_deadline(table),
    )
    table.done()
    if not server.sender_name.isprintable():
        table.fail("`from_name` must be one line", "from_name")
    return SmtpChannel(server)


def _security(table: Table) -> Security:
    security = table.text("security", Security.STARTTLS.value)
    if security not in set(Security):
        table.fail(f"`security` must be one of {', '.join(Security)}", "security")
    if security == Security.NONE.value and not _is_loopback(table.text("host")):
        table.fail("without TLS mail goes to this machine only, use `starttls`", "security")
    return Security(security)


def _webhook(table: Table, name: str, secrets: Mapping[str, str]) -> WebhookChannel:
    url, secret = table.text("url"), table.text("secret")
    target = PostTarget(
        name=name,
        url=_checked(table, "url", url),
        key=_key(table, "secret", secret, secrets),
        deadline_s=_deadline(table),
    )
    table.done()
    return WebhookChannel(name, SignedPost(target))


def _merges(root: Table, secrets: Mapping[str, str]) -> SignedPost | None:
    url = root.text("merge_url", "")
    if not url:
        return None
    secret = root.text("merge_secret")
    target = PostTarget(
        name="merge_url",
        url=_checked(root, "merge_url", url),
        key=_key(root, "merge_secret", secret, secrets),
        deadline_s=DEFAULT_DEADLINE_MS / 1000,
    )
    return SignedPost(target)


def _checked(table: Table, name: str, url: str) -> str:
    """An address that leads where it says: nothing a value could be smuggled into."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        table.fail(f"`{name}` is no address", name)
    if parts.username or parts.password or parts.query or parts.fragment or not has_port:
        table.fail(f"`{name}` must be scheme, host and path only", name)
    is_home = parts.scheme == "http" and _is_loopback(parts.hostname or "")
    if not is_home and (parts.scheme != "https" or not parts.hostname):
        table.fail(f"`{name}` must begin with `https://` (`http://` on this machine)", name)
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _deadline(table: Table) -> float:
    return table.number("deadline_ms", DEFAULT_DEADLINE_MS, 1, LONGEST_MS) / 1000


def _key(table: Table, name: str, named: str, secrets: Mapping[str, str]) -> bytes:
    key = parse_secret(_secret(table, name, named, secrets))
    if key is None:
        table.fail(f"secret `{named}` must be `whsec_` and 24 to 64 bytes in base64", name)
    return key


def _secret(table: Table, name: str, named: str, secrets: Mapping[str, str]) -> str:
    value = secrets.get(named)
    if not value:
        table.fail(f"secret `{named}` is not set, put it into the secrets folder", name)
    return value
