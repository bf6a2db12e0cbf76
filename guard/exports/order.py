"""What somebody asked for: the format, the part of the log, and what it is for.

An order is kept with its job as JSON, so that a broken download goes on with exactly what it began
with.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from guard.clock import to_rfc3339
from guard.errors import InvalidRequestError
from guard.exports.csv_file import CellGuard
from guard.exports.formats import ExportFormat
from guard.rows import LogQuery

MIN_WHY, MAX_WHY = 10, 500
MAX_RECIPIENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """One file of the log.

    `cells` matters to CSV alone. Without `customers` nobody is named, by reference or otherwise,
    and no subject part is opened. `recipient` is whoever gets the file outside of the company;
    `why` is typed, and must be where there is one, or where an agent is asked about.
    """

    format: ExportFormat
    query: LogQuery
    cells: CellGuard = CellGuard.FORMULAS
    customers: bool = True
    why: str = ""
    recipient: str = ""

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            InvalidRequestError: A file that leaves the company or is about an agent does not say
                why, or a text is none.
        """
        if self.recipient and len(self.why) < MIN_WHY:
            raise InvalidRequestError(
                f"a file for somebody outside says `why` it is needed, in {MIN_WHY} letters or more"
            )
        if len(self.why) > MAX_WHY or len(self.recipient) > MAX_RECIPIENT:
            raise InvalidRequestError("`why` is too long, say it in a sentence")
        if self.query.agent_id is not None and not self.why.strip():
            raise InvalidRequestError("say `why` you ask about an agent")
        if not self.customers and self.query.ref is not None:
            raise InvalidRequestError("a file about one `customer` names the customer")

    @property
    def kept_why(self) -> str:
        """What was typed, as far as it is kept in the clear.

        Of a file about one customer it is in the entry of its first chunk alone, under that
        customer's key, and so is erased with it.
        """
        return "" if self.query.ref is not None else self.why

    def encoded(self) -> str:
        """The order as it is kept."""
        return msgspec.json.encode(replace(self, why=self.kept_why)).decode()


def decode_order(kept: str) -> ExportOrder:
    """Read a kept order."""
    return msgspec.json.decode(kept, type=ExportOrder)


def filter_of(query: LogQuery, job: str) -> dict[str, str]:
    """What was asked for, as the manifest of a job says it.

    The manifest outlives whoever it is about: a customer is the SHA-256 of the job, `:` and the
    reference, which is random, so that only who has it can tell. The first entry says it too, under
    the customer's key.
    """
    asked = {
        "customer": None
        if query.ref is None
        else sha256(f"{job}:{query.ref}".encode()).hexdigest(),
        "agent": query.agent_id,
        "team": query.team,
        "vendor": query.vendor,
        "purpose": query.purpose,
        "link": query.link,
        "field": query.field,
        "clear": "true" if query.is_clear else None,
        "region": ",".join(query.regions),
        "kinds": ",".join(kind.name.lower() for kind in query.kinds),
        "since": None if query.since is None else to_rfc3339(query.since),
        "until": None if query.until is None else to_rfc3339(query.until),
    }
    return {name: value for name, value in asked.items() if value}
