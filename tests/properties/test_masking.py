"""What masking promises of every record: which forms show what, and that nothing hidden gets out.

What each transform promises of every value is in `test_transforms.py`.
"""

import base64
import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guard.masking import REDACTED, MaskContext, compile_plan
from guard.masking.patterns import scrub
from guard.masking.registry import Params
from guard.rows import RawRecord
from policies.catalogue import Catalogue, FieldRule, TransformSpec
from policies.model import Form

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
HERE = MaskContext(key=b"k" * 32, subject="cust_1", scope="case:1")


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
    field("ip", "tech", "ip_prefix"),
    field("ref", "tech", "pseudonym", {"kind": "ID"}),
    field("seen", "tech", "date_shift"),
    field("spent", "money", "noise"),
    field("alias", "identity", "fake"),
    field("orders[].lines[].code", "tech", "keep_both"),
    field("broken", "tags", "no_such_mask"),
    field("secret", "tags", "hide"),
)
CATALOGUE = Catalogue(fields={f.path: f for f in FIELDS})
CLASSES = sorted({f.cls for f in FIELDS})
HEADS = st.text("0123456789ABCXYZ", min_size=12, max_size=12)


def apply(forms: dict[str, Form], raw: RawRecord) -> bytes:
    return compile_plan(CATALOGUE, forms, None).apply(raw, HERE).to_json_bytes()


FORMS = st.fixed_dictionaries({cls: st.sampled_from(list(Form)) for cls in CLASSES})
RECORDS = st.dictionaries(
    st.sampled_from([f.path.split(".")[0].removesuffix("[]") for f in FIELDS] + ["unknown"]), NESTED
)


@given(forms=FORMS, record=RECORDS)
def test_a_masked_answer_follows_from_the_plain_one(
    forms: dict[str, Form], record: dict[str, object]
) -> None:
    # So whoever has seen both has seen no more than the more generous one.
    raw = RawRecord(record)
    whole = apply(dict.fromkeys(CLASSES, Form.PLAIN), raw)
    assume(REDACTED.encode() not in whole)
    plain = json.loads(whole)
    open_forms = {cls: max(form, Form.MASK) for cls, form in forms.items()} | {
        "notes": Form.PLAIN,
    }
    closed = {cls: min(form, Form.MASK) for cls, form in open_forms.items()} | {
        "notes": Form.HIDE,
    }
    assert apply(closed, raw) == apply(closed, RawRecord(plain))


@given(head=HEADS, other=HEADS, tail=st.text("abcdef", min_size=4, max_size=4))
def test_two_looks_at_one_value_show_no_more_than_the_more_generous_one(
    head: str, other: str, tail: str
) -> None:
    def looks(value: str) -> list[bytes]:
        raw = RawRecord({"id": value, "iban": value, "notes": f"It is {value}.", "name": "x y"})
        return [
            apply({"government": form, "bank": below, "notes": Form.MASK}, raw)
            for form in (Form.HIDE, Form.REDACT, Form.MASK)
            for below in (Form.HIDE, Form.REDACT, Form.MASK)
        ]

    assert looks(head + tail) == looks(other + tail)


@given(forms=FORMS, record=RECORDS)
def test_any_record_gives_a_masked_one_and_hidden_or_redacted_parts_do_not_depend_on_it(
    forms: dict[str, Form], record: dict[str, object]
) -> None:
    shown = json.loads(
        compile_plan(CATALOGUE, forms, None).apply(RawRecord(record), HERE).to_json_bytes()
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
    record = plan.apply(RawRecord(dict.fromkeys(tops)), HERE)
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
        "ip": canaries[9],
        "ref": canaries[9],
        "seen": canaries[9],
        "spent": canaries[9],
        "alias": canaries[9],
        "broken": canaries[9],
        "secret": canaries[9],
        canaries[9]: canaries[9],
        "notes": prose.join(c if i % 2 else c.upper() for i, c in enumerate(canaries)),
    }
    masked = compile_plan(CATALOGUE, protected, None).apply(RawRecord(record), HERE)
    seen = f"{masked.to_json_bytes().decode()} {masked!r} {masked}".casefold()
    for canary in canaries:
        assert not [trace for trace in traces(canary) if trace in seen]
