import json
from collections.abc import Iterator, Mapping

import pytest

from guard.masking import (
    REDACTED,
    MaskPlan,
    MaskPlans,
    catalogue_faults,
    compile_plan,
    plan_key,
)
from guard.rows import RawRecord
from policies.catalogue import Catalogue, FieldRule
from policies.model import Form
from tests.unit.guard.masking.support import (
    CRM,
    RECORD,
    catalogue,
    context,
    rule,
    with_params,
)

CLASSES = sorted({r.cls for r in CRM.fields.values()})


def all_as(form: Form, **but: Form) -> dict[str, Form]:
    return {**dict.fromkeys(CLASSES, form), **but}


def shown(plan: MaskPlan, record: Mapping[str, object] = RECORD) -> dict[str, object]:
    answer: dict[str, object] = json.loads(plan.apply(RawRecord(record)).to_json_bytes())
    return answer


def test_plain_shows_what_the_catalogue_knows_and_nothing_else() -> None:
    plan = compile_plan(CRM, all_as(Form.PLAIN), None)
    answer = shown(plan)
    assert answer["full_name"] == "Maria Gonzalez"
    assert answer["address"] == {"street": "12 Elm Row", "city": "Springfield"}
    assert answer["cards"] == [{"brand": "visa", "number": "4111111111111111"}]
    assert "password" not in answer
    assert list(answer) == list(dict.fromkeys(p.split(".")[0].split("[")[0] for p in CRM.fields))


def test_mask_shows_each_field_by_its_transform() -> None:
    plan = compile_plan(CRM, all_as(Form.MASK), None)
    assert shown(plan) == {
        "full_name": "M. G.",
        "email": "m*****@*****",
        "phone": "*****67",
        "national_id": "****456C",
        "address": {"street": REDACTED, "city": "****ield"},
        "cards": [{"brand": REDACTED, "number": "****1111"}],
        "tags": ["****pter"],
        "notes": f"{REDACTED} called from 017{REDACTED} about card {REDACTED}.",
        "plan": REDACTED,
    }
    assert plan.apply(RawRecord(RECORD)).mask_errors == 0


def test_hidden_fields_are_absent_and_nothing_is_fetched() -> None:
    plan = compile_plan(CRM, all_as(Form.HIDE), None)
    assert shown(plan) == {}
    assert plan.source_fields == frozenset()
    assert plan.shown == {}
    assert plan.hidden == tuple(CRM.fields)
    assert plan.classes == {}


def test_a_class_without_a_decision_is_hidden() -> None:
    assert shown(compile_plan(CRM, {"account": Form.PLAIN}, None)) == {"plan": "gold"}


@pytest.mark.parametrize("record", [{}, RECORD, dict.fromkeys(RECORD)])
def test_redacted_fields_are_constant_whatever_the_record_holds(
    record: Mapping[str, object],
) -> None:
    plan = compile_plan(CRM, all_as(Form.REDACT), None)
    assert plan.source_fields == frozenset()
    assert shown(plan, record) == {
        **dict.fromkeys(("full_name", "email", "phone", "national_id", "cards"), REDACTED),
        **dict.fromkeys(("tags", "notes", "plan"), REDACTED),
        "address": {"street": REDACTED, "city": REDACTED},
    }


def test_only_what_is_shown_is_fetched() -> None:
    forms = all_as(Form.HIDE, contact=Form.MASK, place=Form.PLAIN, card=Form.REDACT)
    plan = compile_plan(CRM, forms, None)
    assert plan.source_fields == {"email", "phone", "address"}
    assert shown(plan)["cards"] == REDACTED


def test_masked_free_text_fetches_what_must_be_taken_out_of_it() -> None:
    forms = all_as(Form.HIDE, notes=Form.MASK, account=Form.PLAIN)
    plan = compile_plan(CRM, forms, ("notes",))
    assert plan.source_fields == set(RECORD) - {"plan", "password"}
    assert plan.shown == {"notes": Form.MASK}
    assert shown(plan) == {"notes": f"{REDACTED} called from 017{REDACTED} about card {REDACTED}."}
    assert compile_plan(CRM, all_as(Form.PLAIN), ("notes",)).source_fields == {"notes"}


def test_values_that_are_shown_plain_stay_in_free_text() -> None:
    forms = all_as(Form.HIDE, notes=Form.MASK, identity=Form.PLAIN, contact=Form.PLAIN)
    assert str(shown(compile_plan(CRM, forms, None))["notes"]).startswith("Maria called")


def test_counts_and_classes_tell_what_was_seen() -> None:
    forms = all_as(Form.HIDE, contact=Form.MASK, government_id=Form.PLAIN, card=Form.REDACT)
    plan = compile_plan(CRM, forms, None)
    assert plan.shown == {
        "email": Form.MASK,
        "phone": Form.MASK,
        "national_id": Form.PLAIN,
        "cards[].number": Form.REDACT,
    }
    assert plan.classes == {"card": "redact", "contact": "mask", "government_id": "plain"}
    assert plan.n_fields == 3
    assert plan.n_sensitive == 1


def test_a_mask_that_is_a_form_counts_as_that_form() -> None:
    plan = compile_plan(
        catalogue(rule("a", "x", "hide"), rule("b", "x"), rule("c", "y", "hide")),
        {"x": Form.MASK, "y": Form.PLAIN},
        None,
    )
    assert plan.shown == {"b": Form.REDACT, "c": Form.PLAIN}
    assert plan.classes == {"x": "redact", "y": "plain"}
    assert plan.source_fields == {"c"}


def test_asked_paths_may_name_a_field_an_object_or_a_list() -> None:
    forms = all_as(Form.PLAIN)
    assert list(compile_plan(CRM, forms, ("address.city",)).shown) == ["address.city"]
    assert len(compile_plan(CRM, forms, ("address",)).shown) == 2
    for name in ("cards", "cards[]"):
        assert len(compile_plan(CRM, forms, (name,)).shown) == 2
    assert list(compile_plan(CRM, forms, ("tags",)).shown) == ["tags[]"]
    assert compile_plan(CRM, forms, ()).shown == {}


def test_unknown_paths_are_reported_once_and_show_nothing() -> None:
    asked = ("password", "plan", "address.door_code", "password", "", "[]")
    plan = compile_plan(CRM, all_as(Form.PLAIN), asked)
    assert plan.unknown == ("password", "address.door_code", "", "[]")
    assert shown(plan) == {"plan": "gold"}


def test_an_unknown_transform_redacts_without_fetching_and_is_counted() -> None:
    plan = compile_plan(
        catalogue(rule("a", "x", "shuffle"), with_params("b", "x", "keep_last", {"n": 99})),
        {"x": Form.MASK},
        None,
    )
    record = plan.apply(RawRecord({"a": "secret", "b": "secret"}))
    assert json.loads(record.to_json_bytes()) == {"a": REDACTED, "b": REDACTED}
    assert record.mask_errors == 2
    assert plan.source_fields == frozenset()


@pytest.mark.parametrize("form", [Form.HIDE, Form.REDACT, Form.PLAIN])
def test_an_unknown_transform_does_no_harm_where_it_is_not_used(form: Form) -> None:
    plan = compile_plan(catalogue(rule("a", "x", "shuffle")), {"x": form}, None)
    assert plan.apply(RawRecord({"a": "open"})).mask_errors == 0
    assert plan.shown == ({"a": form} if form else {})


def test_a_failing_transform_redacts_and_is_counted() -> None:
    record = compile_plan(CRM, all_as(Form.MASK), ("email", "phone")).apply(
        RawRecord({"email": "not an address", "phone": ["+49 170 1234567"]})
    )
    assert json.loads(record.to_json_bytes()) == {"email": REDACTED, "phone": REDACTED}
    assert record.mask_errors == 2


@pytest.mark.parametrize("odd", [10**5000, list(range(2_000))], ids=["huge", "many"])
def test_free_text_is_redacted_when_the_record_cannot_be_searched(odd: object) -> None:
    plan = compile_plan(CRM, all_as(Form.MASK), ("notes",))
    record = plan.apply(RawRecord({"notes": "hello", "odd": odd}))
    assert record.to_json_bytes() == b'{"notes":"[hidden]"}'
    assert record.mask_errors == 1


def test_any_mapping_may_be_a_record() -> None:
    class Row(Mapping[str, object]):
        def __getitem__(self, key: str) -> object:
            return RECORD[key]

        def __iter__(self) -> Iterator[str]:
            return iter(RECORD)

        def __len__(self) -> int:
            return len(RECORD)

    assert shown(compile_plan(CRM, all_as(Form.PLAIN), ("plan",)), Row()) == {"plan": "gold"}


MISFITS = (
    (rule("a", "x"), rule("a.b", "x")),
    (rule("a[]", "x"), rule("a[].b", "x")),
    (rule("a[].b", "x"), rule("a.c", "x")),
    (rule("a", "x"), rule("a[]", "x")),
    (rule("", "x"),),
    (rule("a..b", "x"),),
    (rule("a[0].b", "x"),),
    (rule(".".join("abcdefghi"), "x"),),
)


@pytest.mark.parametrize("rules", MISFITS, ids=lambda rules: " and ".join(r.path for r in rules))
def test_paths_that_have_no_one_place_are_withheld(rules: tuple[FieldRule, ...]) -> None:
    plan = compile_plan(catalogue(*rules), {"x": Form.PLAIN}, tuple(r.path for r in rules))
    assert plan.unknown == tuple(r.path for r in rules)
    assert shown(plan, {"a": {"b": "secret", "c": "secret"}}) == {}
    assert len(catalogue_faults(catalogue(*rules))) == len(rules)


def test_a_rule_under_another_name_is_withheld() -> None:
    crossed = Catalogue(fields={"plan": rule("password", "x")})
    assert shown(compile_plan(crossed, {"x": Form.PLAIN}, None)) == {}


def test_faults_of_a_catalogue_are_named_for_the_operator() -> None:
    assert catalogue_faults(CRM) == ()
    faulty = catalogue(rule("a", "x", "shuffle"), with_params("b", "x", "pan", {"first": 12}))
    assert catalogue_faults(faulty) == (
        "field `a`: there is no transform `shuffle`",
        "field `b`: `pan` does not take that value for `first`",
    )


def test_plans_are_made_once_for_equal_questions() -> None:
    plans = MaskPlans(CRM)
    one = plans.plan({"account": Form.PLAIN, "card": Form.HIDE}, ("plan", "email"))
    two = plans.plan({"card": Form.HIDE, "account": Form.PLAIN}, ("email", "plan", "plan"))
    assert one is two
    assert plans.plan({"account": Form.PLAIN}, None) is not one
    assert shown(plans.plan({"account": Form.PLAIN}, None)) == {"plan": "gold"}
    assert hash(plan_key({"a": Form.MASK}, ("b",))) == hash(plan_key({"a": Form.MASK}, ("b", "b")))


def test_a_keyed_mask_takes_the_context_and_says_what_is_invented() -> None:
    fields = catalogue(
        with_params("phone", "x", "pseudonym", {"kind": "PHONE"}),
        with_params("mobiles[]", "x", "pseudonym", {"kind": "PHONE"}),
        with_params("name", "x", "fake", {"kind": "name"}),
        with_params("alias", "y", "fake", {"kind": "name"}),
    )
    plan = compile_plan(fields, {"x": Form.MASK, "y": Form.PLAIN}, None)
    record = RawRecord(
        {"phone": "+49 170 1234567", "mobiles": ["+49-170-1234567", "1"], "name": "Maria"}
    )
    answer = json.loads(plan.apply(record, context()).to_json_bytes())
    assert answer["phone"] == answer["mobiles"][0] != answer["mobiles"][1]
    assert answer["phone"].startswith("PHONE_")
    assert plan.synthetic == {"name"}
    elsewhere = json.loads(plan.apply(record, context(scope="case:2")).to_json_bytes())
    assert not set(answer["mobiles"]) & set(elsewhere["mobiles"])
    without = plan.apply(record)
    assert set(map(str, json.loads(without.to_json_bytes()).values())) == {
        REDACTED,
        str([REDACTED, REDACTED]),
    }
    assert without.mask_errors == 4
