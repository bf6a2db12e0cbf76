"""Relations between customers and ties of people to them."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.words import Answer, Body, Ident
from guard.purposes.relations import MAX_GROUP, RelationPut
from policies.model import Tie


class RelationBody(Body):
    """Customers who belong together."""

    kind: Literal["household", "business"]
    customers: Annotated[list[Ident], Field(min_length=2, max_length=MAX_GROUP)]
    over: bool = Field(default=False, description="They do not belong together any more.")

    def put(self) -> RelationPut:
        """The same, for the service."""
        return RelationPut(kind=self.kind, customers=tuple(self.customers), is_over=self.over)


class RelationOut(Answer):
    """How many pairs of customers changed."""

    changed: int


class TieBody(Body):
    """What binds somebody of the directory to a customer; `none` ends it."""

    principal: Ident
    customer: Ident
    tie: Tie


class TieOut(Answer):
    """Whether that was new."""

    changed: bool
