import pytest

from guard.clock import from_rfc3339
from guard.errors import InvalidRequestError
from guard.purposes.feeds.payload import Payload, customer_of, instant

BODY = {
    "a": {"b": "text", "n": 17, "empty": "", "gone": None, "t": "2026-11-18T12:00:00Z"},
    "list": ["x", "y"],
    "yes": True,
    "no": "false",
}


def test_texts_numbers_and_absences_are_read() -> None:
    payload = Payload(BODY)
    assert (payload.text("a.b"), payload.text("a.n")) == ("text", "17")
    for place in ("a.empty", "a.gone", "a.never", "never.b"):
        assert payload.maybe(place) is None
        with pytest.raises(InvalidRequestError, match=place):
            payload.text(place)


def test_flags_words_and_times_are_read() -> None:
    payload = Payload(BODY)
    assert (payload.flag("yes"), payload.flag("no"), payload.flag("never")) == (True, False, False)
    assert payload.words("list") == {"x", "y"}
    assert payload.words("never") == frozenset()
    assert payload.time("a.t") == from_rfc3339("2026-11-18T12:00:00Z")
    assert payload.maybe_time("a.never") is None
    assert payload.maybe_time("a.t") == payload.time("a.t")


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_payload_is_an_object(body: object) -> None:
    with pytest.raises(InvalidRequestError):
        Payload(body)


@pytest.mark.parametrize("value", ["x" * 129, "a\nb", "a\x00b", ["x"], {"y": 1}, True, 1.5])
def test_what_is_no_bounded_text_is_refused_without_being_shown(value: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Payload({"a": value}).text("a")
    assert str(caught.value) == "the payload's a is no printable text of at most 128 characters"


def test_other_wrong_shapes_are_refused() -> None:
    payload = Payload({"a": "text", "list": ["x", 7], "b": "maybe"})
    with pytest.raises(InvalidRequestError, match=r"a\.b"):
        payload.maybe("a.b")
    for place in ("list", "a"):
        with pytest.raises(InvalidRequestError):
            payload.words(place)
    with pytest.raises(InvalidRequestError):
        payload.flag("b")


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-18", "2026-11-18T12:00:00", "1969-01-01T00:00:00Z"]
)
def test_a_time_has_an_offset_and_lies_after_1970(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        instant("t", text)


def test_a_customer_is_named_by_key_or_else_by_the_first_identifier() -> None:
    kinds = {"email": "mail", "phone": "call"}

    def named(body: dict[str, str]) -> dict[str, object]:
        return customer_of(Payload(body), "key", kinds, "crm")

    both = {"mail": "m@example.com", "call": "+34612"}
    assert named(both | {"key": "7"}) == {"source": "crm", "source_key": "7"}
    assert named(both) == {"identifier": ("email", "m@example.com")}
    assert named({"call": "+34612"}) == {"identifier": ("phone", "+34612")}
    with pytest.raises(InvalidRequestError, match="key, mail, call"):
        named({})
