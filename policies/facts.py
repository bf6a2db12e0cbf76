"""Facts as others write them: out of stored JSON and decision tables, and into Cedar's terms.

Both directions live here, so that a fact added to `policies.model.Facts` is added in one place.
In Cedar the role is the principal, and every fact, the role and the tier among them, is in the
context. Enumerated facts are entities of an enumerated type, so that Cedar's validator refuses a
policy with a typing error in a value (`Link::"ownr"`), which it could not do for strings.
"""

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import get_type_hints

from policies.cedar_text import FIELD_CLASS, Question
from policies.errors import FactsError
from policies.model import Act, Facts

_TYPES: Mapping[str, type] = get_type_hints(Facts)
# The entity type of each enumerated fact: the name of its enum.
_ENTITY_TYPES = {f.name: _TYPES[f.name].__name__ for f in fields(Facts)}


def parse_facts(values: Mapping[str, object]) -> Facts:
    """Make facts from JSON-ready values, the reverse of `Facts.as_dict`.

    Raises:
        FactsError: A fact is missing, unknown, or has an unknown value.
    """
    for name in values:
        if name not in _TYPES:
            raise FactsError(f"unknown fact `{name}`: use {', '.join(_TYPES)}")
    # The constructor takes what was checked one by one: the types are those of its own hints.
    return Facts(**{name: _fact(name, values) for name in _TYPES})  # type: ignore[arg-type] # see above


def _fact(name: str, values: Mapping[str, object]) -> StrEnum | bool:
    kind, value = _TYPES[name], values.get(name)
    if issubclass(kind, StrEnum):
        if isinstance(value, str) and value in kind.__members__.values():
            return kind(value)
        raise FactsError(f"fact `{name}` must be one of {', '.join(kind)}")
    if not isinstance(value, bool):
        raise FactsError(f"fact `{name}` must be true or false")
    return value


def admit_request(facts: Facts, act: Act = Act.VIEW) -> dict[str, object]:
    """The question whether an act may go on, as cedarpy takes it."""
    return put_request(facts, Question.ADMIT, {"type": "Request", "id": act.value})


def show_request(facts: Facts, cls: str, act: Act = Act.VIEW) -> dict[str, object]:
    """The question how a class of fields may look, as cedarpy takes it."""
    question = Question.REVEAL if act is Act.REVEAL else Question.SHOW
    return put_request(facts, question, {"type": FIELD_CLASS, "id": cls})


def put_request(facts: Facts, question: Question, resource: dict[str, str]) -> dict[str, object]:
    """Any question about any resource, as cedarpy takes it."""
    return {
        "principal": {"type": "Role", "id": facts.role.value},
        "action": {"type": "Action", "id": question.value},
        "resource": resource,
        "context": {name: _cedar(name, value) for name, value in facts.as_dict().items()},
    }


def _cedar(name: str, value: str | bool) -> object:  # noqa: FBT001 - a fact is an enum or a boolean
    if isinstance(value, bool):
        return value
    return {"__entity": {"type": _ENTITY_TYPES[name], "id": value}}


def probes() -> tuple[Facts, ...]:
    """A few facts in which every value of every fact occurs: enough to try a schema on."""
    values = {
        name: tuple(kind) if issubclass(kind, StrEnum) else (True, False)
        for name, kind in _TYPES.items()
    }
    length = max(len(options) for options in values.values())
    return tuple(
        parse_facts({name: options[n % len(options)] for name, options in values.items()})
        for n in range(length)
    )
