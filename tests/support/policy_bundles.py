"""Policy bundles for tests: the one that ships, and one small enough to read at a glance."""

from pathlib import Path

import policies
from policies.model import ActorKind, Desk, Facts, Link, Purpose, Risk, Role, Tie, Tier

DEFAULT = Path(policies.__file__).parent / "bundles" / "default"

SMALL_CEDAR = """\
@id("let-in")
@reason("an agent may look")
permit (principal == Role::"agent", action == Action::"Admit", resource);

@id("show-contact")
@reason("contact data is shown in part")
@form("mask")
permit (principal, action == Action::"Show", resource == FieldClass::"contact");
"""

SMALL_FIELDS = """\
[fields]
email = { class = "contact", mask = "redact", sensitive = true }
"""

SMALL_QUOTAS = """\
[[budget]]
name = "customers-day"
measure = "customers"
key = "agent"
window = "rolling_24h"
limit = 100
"""
# The other acts, for tests that are not about their budgets.
ACT_QUOTAS = "".join(
    f"""
[[budget]]
name = "{measure}-day"
measure = "{measure}"
key = "agent"
window = "rolling_24h"
limit = 90
"""
    for measure in ("reveals", "listings", "searches", "verifications", "contacts")
)


def default_files() -> dict[str, bytes]:
    """The files of the bundle that ships."""
    return {path.name: path.read_bytes() for path in DEFAULT.iterdir() if path.is_file()}


def small_files(**changes: str) -> dict[str, bytes]:
    """A bundle with one class; keywords `cedar`, `schema`, `fields`, `quotas` replace a file.

    Budgets of the acts other than a view are added, unless `acts` is given in their place.
    """
    schema = default_files()["schema.cedarschema"].decode()
    texts = {
        "small.cedar": changes.get("cedar", SMALL_CEDAR),
        "schema.cedarschema": changes.get("schema", schema),
        "fields.toml": changes.get("fields", SMALL_FIELDS),
        "quotas.toml": changes.get("quotas", SMALL_QUOTAS) + changes.get("acts", ACT_QUOTAS),
    }
    return {name: text.encode() for name, text in texts.items()}


def make_facts(**changes: object) -> Facts:
    """An agent on shift who owns the case of an ordinary customer; keywords change a fact."""
    facts: dict[str, object] = {
        "role": Role.AGENT,
        "desk": Desk.FRONT_LINE,
        "actor": ActorKind.HUMAN,
        "purpose": Purpose.SUPPORT_CASE,
        "link": Link.OWNER,
        "tier": Tier.STANDARD,
        "tie": Tie.NONE,
        "risk": Risk.NONE,
        "on_shift": True,
        "same_tenant": True,
        "same_region": True,
        "fresh_mfa": False,
        "reason_given": False,
        "customer_present": False,
    }
    return Facts(**(facts | changes))  # type: ignore[arg-type]  # keywords are those of Facts
