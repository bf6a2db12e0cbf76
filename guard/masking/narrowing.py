"""A record cut down to its sensitive values, to be taken out of what its customer writes.

A plan, a language, the kind of a document: such words stand in any message, and a text without them
would be no text.
"""

from guard.masking.places import texts_at
from guard.rows import RawRecord
from policies.catalogue import Catalogue, FieldRule


def sensitive_fields(catalogue: Catalogue) -> frozenset[str]:
    """The top-level fields to fetch."""
    return frozenset(
        rule.path.partition(".")[0].removesuffix("[]") for rule in _sensitive(catalogue)
    )


def narrowed(raw: RawRecord, catalogue: Catalogue) -> RawRecord:
    """Only the sensitive values of a record, each at its path."""
    return RawRecord({rule.path: texts_at(raw, rule.path) for rule in _sensitive(catalogue)})


def _sensitive(catalogue: Catalogue) -> list[FieldRule]:
    # Notes are prose themselves: not they, but what they speak of, must not be seen.
    return [
        rule
        for rule in catalogue.fields.values()
        if rule.is_sensitive and rule.mask.name.partition("@")[0] != "free_text"
    ]
