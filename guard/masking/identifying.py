"""Reading out of a record what its customer is found by; for the blind index and nobody else.

The values go from here into a keyed hash and are forgotten.
"""

from collections.abc import Mapping
from itertools import islice, product

from guard.masking.places import texts_at
from guard.rows import RawRecord
from policies.catalogue import BIRTH_DATE, NAME, Catalogue

# Under this kind the index holds a name and a day together.
NAME_BIRTH_DATE = "name_birth_date"
# A person has a few names and one day of birth; a record that holds lists of both is none.
MOST_NAMES = 16


def identifying_fields(catalogue: Catalogue) -> frozenset[str]:
    """The top-level fields to fetch."""
    return frozenset(_top(path) for path, rule in catalogue.fields.items() if rule.identifier)


def identifying(raw: RawRecord, catalogue: Catalogue) -> Mapping[str, tuple[str, ...]]:
    """The values by kind of identifier.

    A kind of which the record has no field at all, or for a name and a day not both, is absent: its
    source does not hold it, which says nothing about the customer.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path, rule in catalogue.fields.items():
        if rule.identifier is not None and _top(path) in raw.values:
            found[rule.identifier] = (*found.get(rule.identifier, ()), *texts_at(raw, path))
    names, days = found.pop(NAME, None), found.pop(BIRTH_DATE, None)
    if names is not None and days is not None:
        pairs = islice(product(names, days), MOST_NAMES)
        found[NAME_BIRTH_DATE] = tuple(f"{name} {day}" for name, day in pairs)
    return found


def _top(path: str) -> str:
    return path.partition(".")[0].removesuffix("[]")
