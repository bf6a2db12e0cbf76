from dataclasses import replace

from api.console.record_rows import offers_of, record_rows
from guard.views import FieldNote, NextStep
from policies.model import Form
from tests.unit.api.fakes import masked, served


def note(path: str, form: Form = Form.MASK) -> FieldNote:
    return FieldNote(path=path, cls="contact", form=form, why="because")


def test_values_are_found_by_path_also_in_lists() -> None:
    shown = replace(
        served(),
        record=masked(
            {"name": "M. G.", "cards": [{"no": "****1"}, {}, 7, {"no": None}], "n": 3, "x": {}}
        ),
        fields=tuple(note(p) for p in ("name", "cards[].no", "n", "x.y.z", "n.deeper")),
    )
    assert [row.values for row in record_rows(shown)] == [
        ("M. G.",),
        ("****1", "not set"),
        ("3",),
        (),
        (),
    ]


def test_a_list_that_is_none_shows_nothing() -> None:
    shown = replace(served(), record=masked({"cards": 7}), fields=(note("cards[].no"),))
    assert record_rows(shown)[0].values == ()


def test_what_is_plain_is_not_covered() -> None:
    shown = replace(served(), record=masked({"a": "b"}), fields=(note("a", Form.PLAIN), note("a")))
    assert [row.is_covered for row in record_rows(shown)] == [False, True]


def test_offers_are_what_the_notes_offer_each_thing_once() -> None:
    mail = replace(
        note("email"), contact="mail", verify=("full",), next=(NextStep.CONTACT, NextStep.REVEAL)
    )
    card = replace(note("card"), verify=("last4", "full"), next=(NextStep.VERIFY, NextStep.REVEAL))
    offers = offers_of(replace(served(), fields=(mail, replace(mail, path="other"), card)))
    assert offers.reveals == ("email", "other", "card")
    assert offers.checks == (("card", "last4"), ("card", "full"))
    assert offers.channels == ("mail",)
    assert offers.steps == (NextStep.CONTACT, NextStep.REVEAL, NextStep.VERIFY)
