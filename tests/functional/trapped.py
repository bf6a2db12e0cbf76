"""Customer records in which every value is a canary, and a source that shouts what it knows.

Half of the records have the shapes that masks expect (an address with an `@`, a card number with
its check digit), so that what a mask shows on purpose is there to be weighed; in the other half
every value is a bare canary where a date or a number should be, lists stand for scalars, and keys
are there that no catalogue knows, so that what a mask cannot read is tried as well.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from detectors.floor_records import luhn_digit
from guard.errors import SourceError
from guard.rows import RawRecord
from guard.sources.memory import MemorySource
from tests.functional.canaries import Draw
from tests.support.service import Record

# Shown as they are to whoever has a case: they may be in a view, and in nothing else.
OPEN = frozenset(
    {"address.city", "address.country", "preferences", "plan", "member_since", "last_orders"}
)


@dataclass(slots=True)
class Trapped:
    """Records, and the canaries in them: what no view shows, and what only a view shows."""

    rows: list[Record] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Trap:
    """Lays canaries into one record."""

    draw: Draw
    into: Trapped

    def text(self) -> str:
        """A canary that nobody may see."""
        self.into.protected.append(self.draw.text())
        return self.into.protected[-1]

    def digits(self, count: int) -> str:
        """A number that nobody may see."""
        self.into.protected.append(self.draw.digits(count))
        return self.into.protected[-1]

    def shown(self) -> str:
        """A canary that views may show."""
        self.into.open.append(self.draw.text())
        return self.into.open[-1]

    def shown_digits(self, count: int) -> str:
        """A number that views may show."""
        self.into.open.append(self.draw.digits(count))
        return self.into.open[-1]

    def card(self) -> str:
        """A card number that nobody may see, with its check digit."""
        body = self.draw.digits(15)
        self.into.protected.append(body + luhn_digit(body))
        return self.into.protected[-1]


def trapped(count: int, seed: int) -> Trapped:
    """So many records, each with some twenty-five canaries of its own."""
    made = Trapped()
    trap = _Trap(Draw(seed), made)
    for number in range(count):
        made.rows.append(_shaped(trap) if number % 2 else _bare(trap))
    return made


def _shaped(trap: _Trap) -> Record:
    name, family = trap.text(), trap.text()
    phone, card, account = trap.digits(15), trap.card(), trap.digits(18)
    email = f"{trap.text()}@{trap.text()}.example"
    noted = trap.text()
    return {
        "full_name": f"{name} {family}",
        "email": email,
        "phone": f"+49 {phone}",
        "birth_date": f"1961-02-03 {trap.text()}",
        "national_id": trap.text(),
        "address": {
            "street": f"{trap.text()} 12",
            "city": trap.shown(),
            "postcode": trap.text(),
            "country": trap.shown(),
        },
        "balance_minor": int(trap.digits(15)),
        "iban": f"DE44{account}",
        "id_document": {
            "kind": trap.text(),
            "number": trap.text(),
            "image_url": f"https://documents.example/{trap.text()}.jpg",
        },
        "notes": (
            f"call {name} on +49 {phone} or write to {email.upper()}; card {card}, account"
            f" DE44 {account}, knows {family.lower()}, code {noted}"
        ),
        "preferences": {"language": trap.shown(), "marketing": trap.shown()},
        "plan": trap.shown(),
        "member_since": f"2019-07-01T{trap.shown()}",
        "cards": [
            {"brand": trap.text(), "number": card, "expiry": trap.text()},
            {"brand": trap.text(), "number": trap.card(), "expiry": trap.text()},
        ],
        "last_orders": [
            {
                "id": trap.shown(),
                "placed_on": f"2026-01-02T{trap.shown()}",
                "total_minor": int(trap.shown_digits(15)),
                "item": trap.shown(),
            }
        ],
    }


def _bare(trap: _Trap) -> Record:
    mail, phone, card = trap.text(), trap.text(), trap.text()
    return {
        "full_name": trap.text(),
        "email": mail,
        "phone": phone,
        "birth_date": trap.text(),
        "national_id": trap.text(),
        "address": {
            "street": {"line": trap.text()},
            "city": trap.shown(),
            "postcode": [trap.text(), [trap.text()]],
            "country": trap.shown(),
            "gate_code": trap.text(),
        },
        "balance_minor": trap.text(),
        "iban": trap.text(),
        "id_document": {
            "kind": trap.text(),
            "number": [trap.text()],
            "image_url": trap.text(),
            "scan": {"pages": [{"text": trap.text()}]},
        },
        "notes": f"mail {mail}, phone {phone}; card {card.upper()}; code {trap.text()}",
        "preferences": {
            "language": trap.shown(),
            "marketing": trap.shown(),
            "history": [[trap.text()], {"deep": trap.text()}],
        },
        "plan": trap.shown(),
        "member_since": trap.shown(),
        "cards": [{"brand": trap.text(), "number": card, "expiry": trap.text()}],
        "last_orders": [
            {
                "id": trap.shown(),
                "placed_on": trap.shown(),
                "total_minor": trap.shown(),
                "item": trap.shown(),
            }
        ],
    }


class LoudSource(MemorySource):
    """A source whose driver logs the row and raises an error with the row in its text."""

    def __init__(self, value: str, error: Callable[[str], Exception]) -> None:
        """Shout `value`, and raise what `error` makes of it."""
        super().__init__("crm", {})
        self._text = f"row of {value!r} cannot be decoded"
        self._value, self._error = value, error

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:  # noqa: ARG002 - a source's own signature
        """See `RecordSource.fetch`."""
        logging.getLogger("crm.driver").error("cannot decode %r", self._value)
        structlog.get_logger().warning("source.failed", detail=self._value, row=self._text)
        cause = ValueError(self._text)
        structlog.get_logger().warning("source.failed", exc_info=cause)
        raise self._error(self._text) from cause


def source_error(text: str) -> Exception:
    """An error that the guard expects of a source."""
    return SourceError(text)
