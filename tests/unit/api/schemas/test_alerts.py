from dataclasses import replace

from api.schemas.alerts import AlertOut, EntryOut, names_of, without_names
from guard.rows import AlertState
from tests.unit.api.fakes import alert, opened


def test_a_name_is_replaced_as_a_whole_word_only() -> None:
    names = {"u1": "Heron-31", "a.b": "Crane-7"}
    assert without_names("u1 met u17, a.b and axb", names) == "Heron-31 met u17, Crane-7 and axb"


def test_a_pseudonym_that_looks_like_a_pattern_is_taken_literally() -> None:
    assert without_names("u1", {"u1": r"\1\g<0>"}) == r"\1\g<0>"


def test_no_state_but_confirmed_shows_names() -> None:
    for state in AlertState:
        out = AlertOut.of(alert(state=state)).model_dump_json()
        assert ("u17" in out) == (state is AlertState.CONFIRMED)


def test_the_key_of_a_matter_stays_inside() -> None:
    assert "agent:u17" not in AlertOut.of(alert(state=AlertState.CONFIRMED)).model_dump_json()


def test_evidence_names_only_the_agents_of_its_alert() -> None:
    names = names_of(alert())
    assert EntryOut.of(opened(7), names).agent == "Heron-31"
    assert EntryOut.of(opened(7, agent="other"), names).agent == "—"
    assert EntryOut.of(opened(7)).agent == "u17"


def test_an_erased_customer_is_null() -> None:
    entry = replace(opened(7), subjects=(None,))
    out = EntryOut.of(entry)
    assert (out.customers, out.cases) == ([None], [None])
