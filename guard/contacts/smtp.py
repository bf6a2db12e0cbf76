"""Mail through the company's own mail server.

The sender is fixed by configuration; the customer's address stands in the envelope and the one `To`
and nowhere else. An answer comes back to `Reply-To`, which holds the opaque reference of this
contact, so that the desk can file it without an address. Header injection is impossible twice over:
an address or subject with a control character is refused before anything is sent, and the
library's policy refuses a line break in a header.

`smtplib` blocks and its errors quote addresses, so it runs in threads of its own, by the codes of
each step, and its errors never leave.
"""

import asyncio
import re
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from secrets import token_urlsafe

from guard.clock import SECOND, Micros, wall_micros
from guard.errors import DeliveryUnknownError, NotDeliveredError, SourceError
from guard.ports import Message

# A mail server handles a few connections of one client well; more would wait there instead of here.
THREADS = 4
MAX_SUBJECT = 200
MAX_TEXT = 65_536

_ADDRESS = re.compile(
    r"(?=.{3,254}\Z)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62})\.)+[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62})"
)
_REFERENCE = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_PLACE = "{reference}"
_TAKEN = 250
_TAKEN_TO_FORWARD = 251


class Security(StrEnum):
    """How the wire to the mail server is protected; `none` is for this machine only."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server and what is sent through it. `reply_to` holds `{reference}`; "": no answer."""

    name: str
    host: str
    port: int
    security: Security
    user: str
    password: str
    sender: str
    sender_name: str
    reply_to: str
    deadline_s: float

    @property
    def domain(self) -> str:
        """The company's own name in mail."""
        return self.sender.rpartition("@")[2]

    def __repr__(self) -> str:
        """Show where, never the password."""
        return f"MailServer({self.name!r}, {self.host!r})"


class SmtpChannel:
    """Implements `ports.ContactChannel` over SMTP."""

    def __init__(
        self,
        server: MailServer,
        *,
        wall: Callable[[], Micros] = wall_micros,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare to send through `server`; `context` is whom to trust (None: the system's)."""
        self.name = server.name
        self._server, self._wall = server, wall
        self._context = context or ssl.create_default_context()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"mail-{server.name}")

    async def deliver(self, address: str, message: Message) -> str:
        """See `ports.ContactChannel.deliver`."""
        message_id, content = self._written(address, message)
        sent = self._pool.submit(self._send, address, content)
        try:
            async with asyncio.timeout(self._server.deadline_s):
                failure = await asyncio.wrap_future(sent)
        except TimeoutError:
            # What has not begun is cancelled; what has, nobody can call back.
            failure = self._not_sent("is busy") if sent.cancel() else self._unknown()
        if failure is not None:
            raise failure
        return message_id

    async def close(self) -> None:
        """Take no more; what is being sent ends by its own deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _written(self, address: str, message: Message) -> tuple[str, bytes]:
        """The mail as bytes, and its id.

        Raises:
            NotDeliveredError: An address, subject or text cannot stand in a mail.
        """
        _check(address, message)
        server = self._server
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(server.sender_name, addr_spec=server.sender)
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = message.subject
        mail["Date"] = datetime.fromtimestamp(self._wall() / SECOND, UTC)
        message_id = f"{token_urlsafe(16)}@{server.domain}"
        mail["Message-ID"] = f"<{message_id}>"
        if server.reply_to:
            mail["Reply-To"] = server.reply_to.replace(_PLACE, message.reference)
        # Seven bits pass every server on the way unchanged.
        mail.set_content(message.text, cte="quoted-printable")
        return message_id, mail.as_bytes()

    def _send(self, address: str, content: bytes) -> SourceError | None:
        """Send; None: taken. Blocks; the failure is handed back without the library's own."""
        try:
            with self._connected() as smtp:
                failure = self._offered(smtp, address)
                return self._handed_over(smtp, content) if failure is None else failure
        except (OSError, smtplib.SMTPException):
            return self._not_sent("cannot be reached or refused to talk")

    def _connected(self) -> "_Session":
        server = self._server
        # By its own account the library would look this machine's name up, and tell it.
        name, timeout = server.domain, server.deadline_s
        if server.security is Security.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, name, timeout=timeout, context=self._context
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, name, timeout=timeout)
        return _Session(smtp, server, self._context)

    def _offered(self, smtp: smtplib.SMTP, address: str) -> SourceError | None:
        """Give the envelope; nothing of the mail has left yet."""
        smtp.ehlo_or_helo_if_needed()
        code, _ = smtp.mail(self._server.sender)
        if code != _TAKEN:
            return self._not_sent(f"refused the sender ({code})")
        code, _ = smtp.rcpt(address)
        if code not in (_TAKEN, _TAKEN_TO_FORWARD):
            return self._not_sent(f"refused the recipient ({code})")
        return None

    def _handed_over(self, smtp: smtplib.SMTP, content: bytes) -> SourceError | None:
        """Send the mail itself; without an answer nobody knows."""
        try:
            code, _ = smtp.data(content)
        except smtplib.SMTPDataError as error:
            return self._not_sent(f"refused the mail ({error.smtp_code})")
        except (OSError, smtplib.SMTPException):
            return self._unknown()
        return None if code == _TAKEN else self._not_sent(f"refused the mail ({code})")

    def _not_sent(self, what: str) -> SourceError:
        return NotDeliveredError(f"mail server `{self.name}` {what}, try again or call")

    def _unknown(self) -> SourceError:
        return DeliveryUnknownError(
            f"mail server `{self.name}` fell silent: it may have been sent, look before you repeat"
        )


class _Session:
    """A connection with TLS and sign-in, closed behind the block whatever happens in it."""

    def __init__(self, smtp: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
        self._smtp, self._server, self._context = smtp, server, context

    def __enter__(self) -> smtplib.SMTP:
        try:
            if self._server.security is Security.STARTTLS:
                self._smtp.starttls(context=self._context)
            if self._server.user:
                self._smtp.login(self._server.user, self._server.password)
        except BaseException:
            self._smtp.close()
            raise
        return self._smtp

    def __exit__(self, *_: object) -> None:
        # How the server takes leave changes nothing about what it has taken.
        with suppress(OSError, smtplib.SMTPException):
            self._smtp.quit()
        self._smtp.close()


def is_mail_address(text: str) -> bool:
    """Whether `text` is one address that every mail server understands."""
    local = text.rpartition("@")[0]
    dotted = not local.startswith(".") and not local.endswith(".") and ".." not in local
    return _ADDRESS.fullmatch(text) is not None and dotted


def _check(address: str, message: Message) -> None:
    if not is_mail_address(address):
        raise NotDeliveredError("the address on file is none for mail: correct it in the source")
    if len(message.subject) > MAX_SUBJECT or not message.subject.isprintable():
        raise NotDeliveredError(f"a subject is one line of at most {MAX_SUBJECT} characters")
    if len(message.text) > MAX_TEXT or not _is_plain(message.text):
        raise NotDeliveredError(f"a mail is plain text of at most {MAX_TEXT} characters")
    if not _REFERENCE.fullmatch(message.reference):
        raise NotDeliveredError("a contact needs a reference of letters, digits, `-` and `_`")


def _is_plain(text: str) -> bool:
    """Whether all of it can be written: a lone surrogate cannot, a NUL ends it in some readers."""
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)
