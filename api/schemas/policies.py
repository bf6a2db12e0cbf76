"""Policy bundles on their way to being in force, and what they would have changed."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from api.schemas.words import Answer, Body, Instant, Prose, When

# The names that a bundle's files can have; what else is in a folder is not sent.
FILE_NAME = r"^[A-Za-z0-9_-]{1,50}\.(cedar|cedarschema|toml)$"
MAX_FILES, MAX_TEXT = 64, 1 << 18


def _files(value: object) -> object:
    """Check the whole map at once: a fault inside it would be placed by the caller's own name."""
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_FILES:
        raise ValueError("not a map of files")
    for name, text in value.items():
        if not isinstance(text, str) or not re.fullmatch(FILE_NAME, name) or len(text) > MAX_TEXT:
            raise ValueError("not a file of a bundle")
        # A lone surrogate is no text.
        text.encode()
    return value


Files = Annotated[
    dict[str, str],
    BeforeValidator(_files),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MAX_FILES,
            "propertyNames": {"pattern": FILE_NAME},
            "additionalProperties": {"type": "string", "maxLength": MAX_TEXT},
        },
        mode="validation",
    ),
]


class PolicyBody(Body):
    """A bundle, each file's text by its name, and why it should come into force."""

    files: Files
    because: Prose


class RollbackBody(Body):
    """Why the policy in force has to go at once."""

    because: Prose


class BacktestBody(Body):
    """The time to try a policy on; without it: all of it."""

    since: Instant | None = None
    until: Instant | None = None


class PolicyOut(Answer):
    """Where a bundle stands; `review_due`: a rollback that no second person has reviewed yet."""

    id: str
    digest: str
    state: str
    because: str
    proposed_by: str
    proposed_at: When
    approved_by: str | None
    approved_at: When | None
    activated_at: When | None
    retired_at: When | None
    rolled_back_from: str | None
    review_due: bool


class PolicyFilesOut(Answer):
    """A bundle with the text of its files."""

    policy: PolicyOut
    files: Mapping[str, str]


class PoliciesOut(Answer):
    """All bundles that were ever proposed, oldest first."""

    policies: list[PolicyOut]


class TeamOut(Answer):
    """What the policy would have meant to one team; `honest` work has a link that explains it."""

    team: str
    requests: int
    newly_refused: int
    newly_allowed: int
    honest: int
    honest_refused: int
    honest_covered: int
    refused_share: float
    is_ready: bool
    advice: str


class ClassOut(Answer):
    """Requests in which a class of fields would have looked otherwise, from one form to another."""

    field_class: str
    before: str
    after: str
    requests: int


class ActOut(Answer):
    """One kind of request, as it was answered and as it would have been."""

    act: str
    requests: int
    newly_refused: int
    newly_allowed: int


class CountOut(Answer):
    """How often something was met."""

    name: str
    requests: int


class BacktestOut(Answer):
    """What a policy would have done to the log."""

    sentence: str
    digest: str
    entries: int
    decided: int
    repaired: int
    facts: int
    bad: int
    bad_stopped: int
    customers_seen: int
    customers_still_seen: int
    honest: int
    honest_refused: int
    newly_refused: int
    newly_allowed: int
    acts: list[ActOut]
    teams: list[TeamOut]
    classes: list[ClassOut]
    refused_by: list[CountOut]
    not_replayed: list[CountOut]
    assumed: list[CountOut]
