"""Legal holds."""

from api.schemas.words import Answer, Body, Ident, Instant, When, Word
from guard.forgetting import HoldGround, HoldPut
from guard.rows import HoldScope


class HoldBody(Body):
    """What to keep: a customer, an agent or a case by `value`, or a time by its range alone."""

    scope: HoldScope
    ground: HoldGround
    matter: Ident
    value: Word = ""
    since: Instant | None = None
    until: Instant | None = None

    def put(self) -> HoldPut:
        """What the service takes."""
        return HoldPut(**self.model_dump())


class HoldOut(Answer):
    """A hold, in force until `lifted_by` is set; `lift_by` has proposed to lift it."""

    id: str
    scope: str
    value: str
    since: When | None
    until: When | None
    ground: str
    matter: str
    set_by: str
    set_at: When
    lift_by: str | None
    lift_at: When | None
    lifted_by: str | None
    lifted_at: When | None


class HoldsOut(Answer):
    """Holds, oldest first."""

    holds: list[HoldOut]
