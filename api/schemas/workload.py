"""The open cases of whoever asks."""

from api.schemas.words import Answer, When
from guard.rows import CaseRow


class OwnCaseOut(Answer):
    """An open case of the caller; `customer` is a reference."""

    id: str
    customer: str
    channel: str
    opened_at: When

    @classmethod
    def of(cls, row: CaseRow) -> "OwnCaseOut":
        """The caller's view of a stored case."""
        return cls(id=row.id, customer=row.ref, channel=row.channel, opened_at=row.opened_at)


class WorkloadOut(Answer):
    """Oldest first."""

    cases: list[OwnCaseOut]
