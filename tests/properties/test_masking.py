"""What masking promises for every value: bounds on what shows, and nothing of what is hidden."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.masking import REDACTED, REGISTRY, Transform, compile_plan
from guard.masking.graphemes import clusters, normal
from guard.masking.patterns import scrub
from guard.masking.registry import Params
from guard.masking.scalars import Scalar, UnmaskableError
from guard.rows import RawRecord
from policies.catalogue import Catalogue, FieldRule, TransformSpec
from policies.model import Form

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

# The templates' own characters are left out: what is measured is what comes from the value.
TEXT = st.text(st.characters(exclude_characters="*@.+[] -", exclude_categories=["Cs"]), max_size=40)
WORDS = st.lists(TEXT, max_size=6).map(" ".join)
DIGITS = st.text("0123456789", min_size=7, max_size=20)
ADDRESSES = st.tuples(TEXT, TEXT, st.sampled_from(["example.org", "пример.рф", "x", ""])).map(
    lambda parts: f"{parts[0]}{parts[1]}@{parts[2]}"
)
DATES = st.dates().map(lambda day: day.isoformat())


def card(body: str) -> str:
    """Put the right check digit behind `body`."""
    for digit in "0123456789":
        total = 0
        for place, char in enumerate(reversed(body + digit)):
            doubled = int(char) * (1 + place % 2)
            total += doubled - 9 * (doubled > 9)
        if total % 10 == 0:
            return body + digit
    raise AssertionError("one of ten digits fits")


CARDS = st.text("0123456789", min_size=11, max_size=18).map(card)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans() | st.none()
VALUES: st.SearchStrategy[Scalar] = (
    TEXT | WORDS | DIGITS | ADDRESSES | DATES | CARDS | NUMBERS | DIGITS.map("+{}".format)
)

PARAMS: dict[str, list[Params]] = {
    "hide": [{}],
    "redact": [{}],
    "keep_last": [{}, {"n": 8}, {"n": 0}, {"n": 2, "min_hidden": 9}],
    "email": [{}, {"local": 2}, {"local": 0, "domain": "keep"}],
    "phone": [{}, {"last": 4, "keep_country": True}, {"last": 0}],
    "name": [{}, {"style": "first_initial"}],
    "date_part": [{}, {"part": "month"}, {"part": "age_band", "as_of": 2026}],
    "bucket": [{"size": 100}, {"size": 1}, {"edges": "0,1000"}, {"size": 5, "lo": -10, "hi": 10}],
    "pan": [{}, {"first": 6}, {"first": 6, "last": 0}],
    "free_text": [{}],
}
CASES = [(t, params) for t in REGISTRY.all() for params in PARAMS[t.name]]
each_case = pytest.mark.parametrize(
    ("transform", "params"), CASES, ids=[f"{t.id} {json.dumps(p)}" for t, p in CASES]
)


def shown_by(transform: Transform, params: Params, value: Scalar) -> Scalar:
    """What the mask shows, or the constant where it refuses."""
    try:
        return transform.make(transform.complete(params))(value)
    except (UnmaskableError, ValueError):
        return REDACTED


def longest_common_run(one: list[str], two: list[str]) -> int:
    """Length of the longest run of characters in both."""
    best, row = 0, [0] * (len(two) + 1)
    for a in one:
        row = [0, *((row[i] + 1 if a == b else 0) for i, b in enumerate(two))]
        best = max(best, *row)
    return best


@each_case
@given(value=VALUES)
@settings(max_examples=60)
def test_no_mask_shows_more_of_a_value_than_its_bound(
    transform: Transform, params: Params, value: Scalar
) -> None:
    bound = transform.leaks(transform.complete(params))
    shown = str(shown_by(transform, params, value))
    if shown in (REDACTED, str(value)[:0]):
        return
    # A run that the template itself has, such as `under`, is not the value's.
    template = clusters("under to or more")
    text = clusters(normal(str(value)))
    run = longest_common_run(text, clusters(shown))
    assert run <= max(bound, longest_common_run(text, template))


@each_case
@given(value=VALUES)
@settings(max_examples=30)
def test_a_mask_is_a_function_of_its_value(
    transform: Transform, params: Params, value: Scalar
) -> None:
    assert shown_by(transform, params, value) == shown_by(transform, params, value)


LETTERS = st.text(st.characters(categories=["L", "Nd"], max_codepoint=0x24F), min_size=12)


@given(head=LETTERS, other=LETTERS, tail=st.text("abcdef0123456789", min_size=4, max_size=4))
def test_the_end_of_a_value_shows_the_same_whatever_stands_before_it(
    head: str, other: str, tail: str
) -> None:
    transform = REGISTRY.find("keep_last")
    assert shown_by(transform, {}, head + tail) == shown_by(transform, {}, other + tail)


@given(one=st.text("0123456789", min_size=9, max_size=14), two=st.text("0123456789", min_size=9))
def test_a_phone_shows_the_same_whatever_its_hidden_digits(one: str, two: str) -> None:
    transform = REGISTRY.find("phone")
    assert shown_by(transform, {}, one + "42") == shown_by(transform, {}, two[:14] + "42")


@given(one=LETTERS, two=LETTERS, domain=LETTERS)
def test_an_address_shows_the_same_whatever_is_hidden(one: str, two: str, domain: str) -> None:
    transform = REGISTRY.find("email")
    first = shown_by(transform, {}, f"m{one}@example.org")
    assert first == shown_by(transform, {}, f"m{two}@{domain}")


@given(one=CARDS, two=CARDS)
def test_cards_that_end_alike_look_alike(one: str, two: str) -> None:
    transform = REGISTRY.find("pan")
    alike = [shown_by(transform, {}, number)[-4:] for number in (one, two)]  # type: ignore[index]  # a card shows as text
    assert (alike[0] == alike[1]) == (one[-4:] == two[-4:])


@given(one=st.text(min_size=1), two=st.text(min_size=1))
def test_initials_do_not_tell_what_follows_them(one: str, two: str) -> None:
    transform = REGISTRY.find("name")
    words = [
        "M" + "".join(c for c in text if c.isascii() and c.isalpha()) + "x" for text in (one, two)
    ]
    assert shown_by(transform, {}, words[0]) == shown_by(transform, {}, words[1]) == "M."


@given(text=st.text(max_size=300))
def test_scrubbed_text_has_no_long_run_of_digits_left(text: str) -> None:
    run = 0
    for char in scrub(text):
        run = run + 1 if char.isdecimal() else 0
        assert run < 7


NESTED: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def field(path: str, cls: str, name: str, params: Params | None = None) -> FieldRule:
    spec = TransformSpec(name=name, params=params or {})
    return FieldRule(path=path, cls=cls, mask=spec, is_sensitive=True)


FIELDS = (
    field("name", "identity", "name"),
    field("email", "contact", "email"),
    field("phone", "contact", "phone", {"keep_country": True}),
    field("id", "government", "keep_last"),
    field("born", "birth", "date_part"),
    field("balance", "money", "bucket", {"size": 1000}),
    field("iban", "bank", "keep_last"),
    field("address.street", "address", "redact"),
    field("address.geo.code", "address", "keep_last"),
    field("cards[].number", "card", "pan"),
    field("cards[].holder", "identity", "name"),
    field("tags[]", "tags", "keep_last"),
    field("notes", "notes", "free_text"),
    field("broken", "tags", "no_such_mask"),
    field("secret", "tags", "hide"),
)
CATALOGUE = Catalogue(fields={f.path: f for f in FIELDS})
CLASSES = sorted({f.cls for f in FIELDS})
FORMS = st.fixed_dictionaries({cls: st.sampled_from(list(Form)) for cls in CLASSES})
RECORDS = st.dictionaries(
    st.sampled_from([f.path.split(".")[0].removesuffix("[]") for f in FIELDS] + ["unknown"]), NESTED
)


@given(forms=FORMS, record=RECORDS)
def test_any_record_gives_a_masked_one_and_hidden_or_redacted_parts_do_not_depend_on_it(
    forms: dict[str, Form], record: dict[str, object]
) -> None:
    shown = json.loads(
        compile_plan(CATALOGUE, forms, None).apply(RawRecord(record)).to_json_bytes()
    )
    below = {cls: min(form, Form.REDACT) for cls, form in forms.items()}
    plan = compile_plan(CATALOGUE, below, None)
    assert (
        plan.apply(RawRecord(record)).to_json_bytes() == plan.apply(RawRecord({})).to_json_bytes()
    )
    assert "unknown" not in shown
    assert not {p for p in plan.hidden if "." not in p} & shown.keys()


@given(forms=FORMS)
def test_null_shows_as_null_or_not_at_all_or_as_the_constant(forms: dict[str, Form]) -> None:
    tops = {f.path.split(".")[0].removesuffix("[]") for f in FIELDS}
    plan = compile_plan(CATALOGUE, forms, None)
    record = plan.apply(RawRecord(dict.fromkeys(tops)))
    shown = json.loads(record.to_json_bytes())
    for path, form in plan.shown.items():
        if "." not in path:
            value = shown[path.removesuffix("[]")]
            assert value == (REDACTED if form is Form.REDACT else None)


CANARY = st.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz", min_size=24, max_size=24)
RUN = 8


def traces(canary: str) -> set[str]:
    """Every shape in which the canary could have got out, folded."""
    whole = {
        canary[::-1],
        canary.encode().hex(),
        *(base64.b64encode(b"x" * pad + canary.encode()).decode()[4:-4] for pad in range(3)),
    }
    runs = {canary[i : i + RUN] for i in range(len(canary) - RUN + 1)}
    backwards = {run[::-1] for run in runs}
    return {shape.casefold() for shape in whole | runs | backwards}


@given(
    forms=FORMS,
    canaries=st.lists(CANARY, min_size=13, max_size=13, unique=True),
    prose=st.text("abc .,", max_size=20),
)
@settings(max_examples=150)
def test_a_protected_value_appears_nowhere_in_no_shape(
    forms: dict[str, Form], canaries: list[str], prose: str
) -> None:
    protected = {cls: min(form, Form.MASK) for cls, form in forms.items()}
    record = {
        "name": canaries[0],
        "email": f"{canaries[1]}@example.org",
        "phone": canaries[2],
        "id": canaries[3],
        "born": canaries[4],
        "balance": canaries[5],
        "iban": canaries[6],
        "address": {"street": canaries[7], "geo": {"code": canaries[8], "more": canaries[9]}},
        "cards": [{"number": canaries[10], "holder": canaries[11], "cvc": canaries[9]}],
        "tags": [canaries[12], {"x": canaries[9]}],
        "broken": canaries[9],
        "secret": canaries[9],
        canaries[9]: canaries[9],
        "notes": prose.join(c if i % 2 else c.upper() for i, c in enumerate(canaries)),
    }
    masked = compile_plan(CATALOGUE, protected, None).apply(RawRecord(record))
    seen = f"{masked.to_json_bytes().decode()} {masked!r} {masked}".casefold()
    for canary in canaries:
        assert not [trace for trace in traces(canary) if trace in seen]
