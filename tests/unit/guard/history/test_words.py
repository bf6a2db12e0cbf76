import pytest

from guard.entries import EntryKind, EventPart
from guard.history.words import (
    ACTS,
    DISPUTABLE,
    purpose_in_words,
    role_in_words,
    shown_in_clear,
)
from policies.model import Purpose, Role


def event(**changes: object) -> EventPart:
    values = {"at": 1, "kind": "view", "tenant": "t", "agent": "a1"} | changes
    return EventPart(**values)  # type: ignore[arg-type] # the few fields that a test sets


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_words_that_name_nobody(role: Role) -> None:
    assert role_in_words(event(role=role.value)).startswith(("a ", "an "))


def test_a_role_of_another_release_has_words_too() -> None:
    assert role_in_words(event(role="wizard")) == "somebody who works for us"


def test_an_ai_agent_is_called_one() -> None:
    said = role_in_words(event(role="agent", actor="bot"))
    assert said == "an AI assistant for a support agent"


@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_purpose_has_words(purpose: Purpose) -> None:
    assert purpose_in_words(event(purpose=purpose.value))


def test_an_act_without_a_purpose_has_none() -> None:
    assert purpose_in_words(event()) == ""


def test_clear_is_what_was_shown_as_it_is() -> None:
    plain, masked = event(classes={"a": "mask", "b": "plain"}), event(classes={"a": "mask"})
    assert shown_in_clear(EntryKind.VIEW, plain) is True
    assert shown_in_clear(EntryKind.VIEW, masked) is False
    assert shown_in_clear(EntryKind.CONTACT, plain) is False
    assert shown_in_clear(EntryKind.OBSERVED, plain) is None


def test_what_can_be_disputed_is_in_the_history() -> None:
    assert set(ACTS) > DISPUTABLE
    assert EntryKind.REFUSAL not in ACTS
    assert EntryKind.HOLD_BACK not in ACTS
