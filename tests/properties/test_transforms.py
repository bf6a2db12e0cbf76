"""What every registered transform promises of every value. A new one is held to it by being there.

Values are of every kind that a field holds, in many scripts, with what cannot be seen in between.
Parameters are the ends of each range that the transform declares, and what `MORE` adds.
"""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from guard.masking import REDACTED, REGISTRY, MaskContext, Transform, compile_plan
from guard.masking.comparable import ascii_digits
from guard.masking.graphemes import clusters, normal, without_separators
from guard.masking.registry import Choice, Flag, Mask, Number, Params
from guard.masking.scalars import Scalar, UnmaskableError
from guard.rows import RawRecord
from policies.catalogue import Catalogue, FieldRule, TransformSpec
from policies.model import Form
from tests.properties.cards import CARDS
from tests.unit.guard.masking.support import ZEROS, in_digits

MORE: dict[str, list[Params]] = {
    "bucket": [{"size": 100}, {"size": 1}, {"edges": "0,1000"}, {"size": 5, "lo": -10, "hi": 10}],
    "date_part": [{"part": "age_band", "as_of": 2026}],
    "date_shift": [{"lo": 1, "hi": 1}, {"lo": -3_650, "hi": 3_650}],
    "regex": [
        {"pattern": r"(\w{1,3})[\w @.\-]*", "repl": r"\1***"},
        {"pattern": r"\+?(\d{2})[\d ]*\d", "repl": r"+\1 ***"},
        {"pattern": r"(.).+", "repl": r"\1."},
    ],
    "round": [{"step": 2}, {"step": 1_000}, {"digits": 1}, {"digits": 4}],
}


def declared(transform: Transform) -> Iterator[Params]:
    """The defaults, and each parameter at its ends."""
    yield {}
    for name, parameter in transform.params.items():
        match parameter:
            case Number(low=low, high=high):
                yield from ({name: low}, {name: high})
            case Choice(words=words):
                yield from ({name: word} for word in words)
            case Flag():
                yield from ({name: True}, {name: False})
            case _:
                pass
    highest = {n: p.high for n, p in transform.params.items() if isinstance(p, Number)}
    yield highest


def cases() -> Iterator[tuple[Transform, Params]]:
    for transform in REGISTRY.all():
        for params in (*declared(transform), *MORE.get(transform.name, [])):
            try:
                transform.make(transform.complete(params))
                if transform.make_keyed is not None:
                    transform.make_keyed(transform.complete(params))
            except UnmaskableError:
                continue
            yield transform, params


CASES = {f"{t.id} {json.dumps(p)}": (t, p) for t, p in cases()}
each_case = pytest.mark.parametrize(("transform", "params"), CASES.values(), ids=list(CASES))
# One search for values serves all parameters of a transform: making values is what costs.
OF = {t.id: [p for other, p in CASES.values() if other is t] for t in REGISTRY.all()}
each_transform = pytest.mark.parametrize("transform", REGISTRY.all(), ids=lambda t: t.id)


def with_each(transform: Transform) -> Iterator[Params]:
    """Every case of a transform; a failure names the one it came from."""
    for params in OF[transform.id]:
        note(f"{params=}")
        yield params


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.lists(
    st.sampled_from(
        [
            *("Maria", "Łukasz", "José", "Анна", "محمد", "שרה", "李小龍", "山田", "김", "प्रिया"),
            *("👩\u200d👩\u200d👧", "e\u0301\u0301\u0301", "O\u200bBrien", "\u202eabc"),
        ]
    )
    | TEXT,
    max_size=4,
).map(" ".join)
DIGITS = st.text("0123456789", min_size=5, max_size=20)
PHONES = st.tuples(st.sampled_from(["+49 ", "+1-", "+7 (", "00", "0", ""]), DIGITS).map("".join)
DATES = st.dates().map(lambda day: day.isoformat())
TIMES = st.datetimes().map(lambda at: at.isoformat(timespec="seconds"))
EMAILS = st.tuples(TEXT, st.sampled_from(["example.org", "пример.рф", "x", "", "a@b.example"])).map(
    "@".join
)
CODES = st.text("0123456789bcdefghjkmnpqrstuvwxyz", min_size=4, max_size=14)
IPS = (st.ip_addresses(v=4) | st.ip_addresses(v=6)).map(str)
ZIPS = st.text("0123456789", min_size=5, max_size=5)
LATIN: st.SearchStrategy[str] = PHONES | DATES | TIMES | IPS | ZIPS | CARDS | CODES | DIGITS
ANY_SCRIPT = st.tuples(st.sampled_from(sorted(ZEROS)), LATIN).map(lambda pair: in_digits(*pair))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans() | st.none()
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str)
VALUES: st.SearchStrategy[Scalar] = TEXT | NAMES | LATIN | ANY_SCRIPT | EMAILS | NUMBERS | DECIMALS

HERE = MaskContext(key=b"k" * 32, subject="cust_1", scope="case:1")
OTHER_KEYS = [
    MaskContext(key=bytes([n]) * 32, subject=f"cust_{n}", scope=f"case:{n}") for n in range(16)
]


def bound(transform: Transform, params: Params, context: MaskContext | None = HERE) -> Mask:
    """The mask as a plan would use it."""
    whole = transform.complete(params)
    if transform.make_keyed is None or context is None:
        return transform.make(whole)
    keyed = transform.make_keyed(whole)
    return lambda value: keyed(value, context)


def shown(mask: Mask, value: Scalar) -> Scalar:
    """What the mask shows, or the constant where it refuses."""
    try:
        return mask(value)
    except (UnmaskableError, ValueError, ArithmeticError):
        return REDACTED


def seen(value: Scalar) -> tuple[str, ...]:
    """Characters as a reader tells them apart: whatever the case or the script of digits."""
    return tuple(clusters(ascii_digits(normal(str(value))).casefold()))


def runs(text: tuple[str, ...], length: int) -> set[tuple[str, ...]]:
    return {text[i : i + length] for i in range(len(text) - length + 1)}


def fixed(outputs: list[str]) -> list[tuple[str, ...]]:
    """What the outputs have in common at each place, counted from either end; '' elsewhere."""
    sides = []
    for step in (1, -1):
        columns = zip(*(seen(o)[::step] for o in outputs), strict=False)
        same = tuple(c[0] if len(set(c)) == 1 else "" for c in columns)
        sides.append(same[::step])
    return sides


# Of these, no two share anything but their shape: what two answers share is the mask's own text.
PROBES: tuple[Scalar, ...] = (
    *(0, 9_876_543_210, "zyx", "Qyx Wvu Tsr Pon", "qyx@wvu.zzz", "+99 8765 43210", "0987654321"),
    *("1887-06-05", "2099-12-31", "10.20.30.40", "abcd:ef01::", "zzyyxx", "30303", "17171"),
    *("4222222222222", "6011111111111117", ""),
)


@each_transform
@given(value=VALUES)
@settings(max_examples=40)
def test_no_more_of_a_value_is_shown_than_declared(transform: Transform, value: Scalar) -> None:
    for params in with_each(transform):
        answer = shown(bound(transform, params), value)
        if answer in (REDACTED, "", None):
            continue
        outputs = [str(answer)]
        if transform.make_keyed is not None:
            outputs += [str(shown(bound(transform, params, c), value)) for c in OTHER_KEYS]
        length = transform.leaks(transform.complete(params)) + 1
        own_text: set[tuple[str, ...]] = set()
        for probe in PROBES:
            if seen(probe) != seen(value):
                own_text |= runs(seen(shown(bound(transform, params), probe)), length)
        of_value = runs(seen(value), length) | runs(
            tuple(without_separators("".join(seen(value)))), length
        )
        for visible in fixed(outputs):
            assert not (runs(visible, length) & of_value) - own_text


def substitutes(char: str) -> str:
    """Other characters of the same kind."""
    if char.isascii() and char.isdigit():
        return "0123456789".replace(char, "")
    if char.isdecimal():
        zero = ord(char) - int(char)
        return "".join(chr(zero + n) for n in range(10) if n != int(char))
    if char.isascii() and char.isalpha():
        return "qz" if char.islower() else "QZ"
    return "王" if "\u4e00" <= char <= "\u9fff" else ""


@pytest.mark.parametrize(
    "transform",
    [t for t in REGISTRY.all() if t.make_keyed is None and not t.is_prose],
    ids=lambda t: t.id,
)
@given(value=NAMES | LATIN | ANY_SCRIPT | EMAILS | st.integers(-(2**63), 2**63 - 1).map(str))
@settings(max_examples=20)
def test_an_answer_does_not_depend_on_what_it_hides(transform: Transform, value: str) -> None:
    for params in with_each(transform):
        mask = bound(transform, params)
        answer = shown(mask, value)
        counting = 0
        for place, char in enumerate(value):
            changed = {
                shown(mask, value[:place] + other + value[place + 1 :])
                for other in substitutes(char)
            }
            # A hidden character may make the value invalid; beyond that it changes nothing.
            counting += bool(changed - {answer, REDACTED}) and answer != REDACTED
        assert counting <= transform.leaks(transform.complete(params))


@each_transform
@given(value=NAMES | LATIN | EMAILS, place=st.integers(0, 40))
@settings(max_examples=20)
def test_what_cannot_be_seen_opens_nothing(transform: Transform, value: str, place: int) -> None:
    for params in with_each(transform):
        if transform.is_prose:
            continue
        mask = bound(transform, params)
        padded = value[:place] + "\u200b" + value[place:]
        answer = shown(mask, padded)
        assert answer in (shown(mask, value), REDACTED) or not any(c.isalnum() for c in str(answer))
        # Nor does any amount of it stand for characters that stay hidden.
        if len(without_separators(value)) <= 4 and transform.name.startswith("keep_"):
            assert shown(mask, "\u200b" * 70 + value + "\u2060" * 70) in ("****", "", REDACTED)


@each_transform
@given(value=VALUES)
@settings(max_examples=20)
def test_a_mask_is_a_function_of_value_key_and_scope(transform: Transform, value: Scalar) -> None:
    for params in with_each(transform):
        answer = shown(bound(transform, params), value)
        assert answer == shown(bound(transform, params), value)
        assert answer is None or isinstance(answer, str | int)
        stranger = MaskContext(key=HERE.key, subject="cust_2", scope=HERE.scope)
        if transform.is_deterministic:
            assert shown(bound(transform, params, stranger), value) == answer


def plan_of(transform: Transform, params: Params, path: str) -> tuple[Catalogue, dict[str, Form]]:
    rule = FieldRule(
        path=path, cls="c", mask=TransformSpec(name=transform.id, params=params), is_sensitive=True
    )
    return Catalogue(fields={path: rule}), {"c": Form.MASK}


ODD: st.SearchStrategy[object] = st.recursive(
    VALUES | st.binary(max_size=3) | st.just("\ud800") | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@each_transform
@given(value=ODD)
@settings(max_examples=20)
def test_nothing_comes_out_of_a_plan_but_a_record(transform: Transform, value: object) -> None:
    for params in with_each(transform):
        for path in ("f", "f[]", "f.x", "f[].x"):
            catalogue, forms = plan_of(transform, params, path)
            for context in (None, HERE):
                record = compile_plan(catalogue, forms, None).apply(
                    RawRecord({"f": value}), context
                )
                assert set(json.loads(record.to_json_bytes())) <= {"f"}


@each_case
def test_null_and_empty_tell_no_more_than_the_form(transform: Transform, params: Params) -> None:
    catalogue, forms = plan_of(transform, params, "f")
    plan = compile_plan(catalogue, forms, None)

    def answer(record: dict[str, object]) -> object:
        return json.loads(plan.apply(RawRecord(record), HERE).to_json_bytes())

    if transform.form is not Form.MASK:
        assert answer({"f": None}) == answer({"f": ""}) == answer({}) == answer({"f": "secret"})
    else:
        assert answer({"f": None}) == {"f": None}
        assert answer({}) == {}
        assert answer({"f": ""}) in ({"f": ""}, {"f": REDACTED})


@each_transform
def test_a_keyed_mask_without_a_key_redacts_and_is_counted(transform: Transform) -> None:
    if transform.make_keyed is None:
        return
    catalogue, forms = plan_of(transform, {}, "f")
    plan = compile_plan(catalogue, forms, None)
    for value in ("1990-02-03", 42, "Maria"):
        record = plan.apply(RawRecord({"f": value}))
        assert json.loads(record.to_json_bytes()) == {"f": REDACTED}
        assert record.mask_errors == 1


@each_transform
def test_every_transform_was_tried_with_some_parameters(transform: Transform) -> None:
    assert any(t is transform for t, _ in CASES.values())
