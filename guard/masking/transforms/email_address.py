"""`email`: the first characters of the local part, five stars, and the domain if the policy says.

The number of stars is fixed, so the length of the address does not show. A domain that is kept
must look like one: what merely stands behind an `@` is masked.
"""

import re

from guard.masking.graphemes import normal, visible, without_unseen
from guard.masking.registry import Choice, Mask, Number, Params, Transform
from guard.masking.scalars import Scalar, UnmaskableError

STARS = "*****"

# RFC 1035: no name is longer.
MAX_DOMAIN = 253

# A local part of this length or less would be shown by its first character.
SHORT_LOCAL = 2

_DOMAIN = re.compile(r"(?:[^\W_]|-){1,63}(?:\.(?:[^\W_]|-){1,63}){1,8}")


def _make(params: Params) -> Mask:
    shown, keeps_domain = int(params["local"]), params["domain"] == "keep"

    def email(value: Scalar) -> Scalar:
        if not isinstance(value, str):
            raise UnmaskableError("not an address")
        if not value:
            return ""
        local, at, domain = normal(without_unseen(value.strip())).rpartition("@")
        letters = visible(local)
        if not at or not letters or not domain:
            raise UnmaskableError("not an address")
        start = "".join(letters[:shown]) if len(letters) > max(SHORT_LOCAL, shown + 1) else ""
        return f"{start}{STARS}@{_shown_domain(domain) if keeps_domain else STARS}"

    return email


def _shown_domain(domain: str) -> str:
    if len(domain) > MAX_DOMAIN or not _DOMAIN.fullmatch(domain):
        return STARS
    return domain


def _leaks(params: Params) -> int:
    return int(params["local"]) + (MAX_DOMAIN if params["domain"] == "keep" else 0)


TRANSFORM = Transform(
    name="email",
    version=1,
    params={
        "local": Number(default=1, low=0, high=2),
        "domain": Choice(default="mask", words=("mask", "keep")),
    },
    make=_make,
    leaks=_leaks,
)
