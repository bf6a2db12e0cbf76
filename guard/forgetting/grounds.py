"""Why somebody is forgotten, and why something is kept: closed lists, as the entries hold them."""

from enum import StrEnum


class ErasureGround(StrEnum):
    """The legal ground of an erasure (GDPR Art. 17(1), in its order)."""

    NOT_NECESSARY = "not_necessary"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal_obligation"
    CHILD = "child"


class HoldGround(StrEnum):
    """Why something must be kept, whoever asks for its erasure (Art. 17(3))."""

    LEGAL_CLAIMS = "legal_claims"
    INVESTIGATION = "investigation"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_INTEREST = "public_interest"
