"""What acts need in tests: policies with reveals and budgets, a lookup, channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from guard.errors import InvalidRequestError
from guard.ports import Message
from tests.support.policy_bundles import default_files

OPEN_REVEALS = """\
@id("reveal-contact")
@reason("contact data opens for some seconds to the owner of the case")
@form("plain")
permit (principal, action == Action::"Reveal", resource == FieldClass::"contact")
when { context.link == Link::"owner" && context.reason_given };

@id("reveal-address")
@reason("addresses open while the customer is present")
@form("plain")
permit (principal, action == Action::"Reveal", resource == FieldClass::"address")
when { context.customer_present };
"""

BUDGET = """
[[budget]]
name = "{name}"
measure = "{measure}"
key = "{key}"
window = "rolling_24h"
limit = {limit}
"""


def budget(name: str, measure: str, limit: int, key: str = "agent") -> str:
    """One budget of a day, as quotas.toml writes it."""
    return BUDGET.format(name=name, measure=measure, limit=limit, key=key)


LIMITS = "".join(
    (
        budget("views-day", "views", 1000),
        budget("reveals-day", "reveals", 3),
        budget("listings-day", "listings", 60),
        budget("searches-day", "searches", 4),
        budget("tries-day", "verifications", 50),
        budget("tries-of-customer", "verifications", 5, "customer"),
        budget("contacts-day", "contacts", 4),
    )
)


def act_files(quotas: str = LIMITS, **more: str) -> dict[str, bytes]:
    """The shipped policy with reveals and budgets of the tests' own; keywords add Cedar files."""
    kept = {
        name: content
        for name, content in default_files().items()
        if b'Action::"Reveal"' not in content or not name.endswith(".cedar")
    }
    added = {"reveal_tests.cedar": OPEN_REVEALS} | {f"{k}.cedar": v for k, v in more.items()}
    return kept | {"quotas.toml": quotas.encode()} | {n: t.encode() for n, t in added.items()}


@dataclass
class MemoryLookup:
    """`ports.IdentifierLookup` over a mapping that the test may change."""

    refs: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    asked: int = 0

    async def find(self, tenant: str, kind: str, value: str) -> tuple[str, ...]:
        """See the protocol."""
        assert tenant
        self.asked += 1
        if kind not in {"email", "phone", "account"}:
            raise InvalidRequestError("there is no such kind of identifier")
        return self.refs.get((kind, value), ())


@dataclass
class MemoryChannel:
    """`ports.ContactChannel` that keeps what it is given, or fails as it is told."""

    name: str
    failure: Exception | None = None
    given: str = "m-1"
    sent: list[tuple[str, Message]] = field(default_factory=list)

    async def deliver(self, address: str, message: Message) -> str:
        """See the protocol."""
        self.sent.append((address, message))
        if self.failure is not None:
            raise self.failure
        return self.given


def channels() -> Mapping[str, MemoryChannel]:
    """A channel for mail and one for calls; none for messages."""
    return {name: MemoryChannel(name) for name in ("mail", "call")}
