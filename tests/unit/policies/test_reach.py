import pytest

from policies.atlas import Atlas
from policies.bundle import load_bundle
from policies.model import Act, ActorKind, Purpose
from policies.reach import admits, left_out, unreachable, unreadable
from tests.support.policy_bundles import SMALL_CEDAR, SMALL_FIELDS, default_files, small_files

CONTACT = 'resource == FieldClass::"contact"'
TWO = SMALL_FIELDS + 'pin = { class = "secret", mask = "hide" }\n'


def atlas(more: str = "", *, cedar: str = SMALL_CEDAR, **changes: str) -> Atlas:
    return Atlas(load_bundle(small_files(cedar=cedar + more, **changes)))


def policy(
    head: str, name: str = "new", *, form: str = "", to: str = "Admit", about: str = "resource"
) -> str:
    effect, _, rest = head.partition(" ")
    shown = f'@form("{form}") ' if form else ""
    return (
        f'@id("{name}") @reason("r") {shown}'
        f'{effect} (principal, action == Action::"{to}", {about}) '
        f"{rest};\n"
    )


def faults(made: Atlas) -> list[str]:
    return [str(finding).partition(": ")[2] for finding in unreachable(made)]


def test_every_policy_that_ships_decides_something() -> None:
    made = Atlas(load_bundle(default_files()))

    assert [*unreadable(made), *unreachable(made), *left_out(made)] == []


NEVER = "policy `new` never decides anything: "
ALREADY = " decides all of it already: remove or narrow one (policy-unreachable)"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (
            policy("permit when { context.on_shift && !context.on_shift }"),
            NEVER + "its conditions never hold together: correct or remove it (policy-unreachable)",
        ),
        (policy('permit when { context.role == Role::"agent" }'), NEVER + "`let-in`" + ALREADY),
        (
            policy('forbid when { context.role == Role::"lead" }'),
            NEVER + "nothing permits what it forbids: remove it (policy-unreachable)",
        ),
        (
            policy("forbid when { context.fresh_mfa }", "wide")
            + policy("forbid when { context.fresh_mfa && context.on_shift }"),
            NEVER + "`wide`" + ALREADY,
        ),
        (
            policy("forbid when { context.fresh_mfa }", "wide")
            + policy('permit when { context.fresh_mfa && context.role == Role::"lead" }'),
            NEVER + "`wide`" + ALREADY,
        ),
        (
            policy("forbid when { context.fresh_mfa && context.on_shift }", "day")
            + policy("forbid when { context.fresh_mfa && !context.on_shift }", "night")
            + policy("forbid when { context.fresh_mfa && context.reason_given }"),
            NEVER
            + "`day`, `night` decide all of it already: remove or narrow one (policy-unreachable)",
        ),
        (
            policy("permit when { context.on_shift }", form="mask", to="Show", about=CONTACT),
            NEVER + "`show-contact`" + ALREADY,
        ),
        (
            policy("permit when { context.on_shift }", form="plain", to="Show", about=CONTACT),
            NEVER + "`show-contact`" + ALREADY,
        ),
        (
            policy(
                "permit", "gone", form="hide", to="Show", about='resource == FieldClass::"secret"'
            )
            + policy("forbid", to="Show", about='resource == FieldClass::"secret"'),
            NEVER + "nothing permits what it forbids: remove it (policy-unreachable)",
        ),
    ],
)
def test_a_policy_that_never_decides_is_named_with_what_shadows_it(more: str, fault: str) -> None:
    assert faults(atlas(more, fields=TWO)) == [fault]


@pytest.mark.parametrize(
    "more",
    [
        policy("permit when { context.fresh_mfa }"),
        policy("forbid when { context.fresh_mfa }"),
        policy("permit when { context.on_shift }", form="redact", to="Show"),
        policy("permit when { context.on_shift }", form="plain", to="Reveal"),
        policy("forbid when { context.fresh_mfa }", to="Show"),
        # It permits nothing new, and what it permits is told.
        policy('permit when { context.role == Role::"agent" && context.fresh_mfa }').replace(
            "@reason", '@obligation("notify") @reason'
        ),
        policy("permit when { context.on_shift }", form="mask", to="Show").replace(
            "@reason", '@obligation("notify") @reason'
        ),
        # Two that overlap decide alone in parts.
        policy("forbid when { context.fresh_mfa }", "a")
        + policy("forbid when { context.on_shift }"),
        # Found as a class that no field has.
        policy("forbid", to="Show", about='resource == FieldClass::"financial"'),
    ],
)
def test_a_policy_that_decides_somewhere_is_no_finding(more: str) -> None:
    assert faults(atlas(more)) == []


def test_of_two_that_say_the_same_the_later_one_is_found() -> None:
    twins = policy("forbid when { context.fresh_mfa }", "one") + policy(
        "forbid when { context.fresh_mfa }", "two"
    )

    (fault,) = faults(atlas(twins))
    assert fault == (
        "policy `two` never decides anything: `one` decides all of it already: remove or narrow "
        "one (policy-unreachable)"
    )


def test_conditions_that_fail_or_compare_everything_are_found() -> None:
    made = atlas(
        policy("forbid when { context.fresh_mfa && 9223372036854775807 + 1 > 0 }", "fails")
        + policy("forbid when { context == context }", "wide")
    )

    assert [(f.rule, f.line) for f in unreadable(made)] == [
        ("policy-fails", 9),
        ("condition-too-wide", 10),
    ]


def left(made: Atlas) -> list[str]:
    return [str(finding) for finding in left_out(made)]


def test_a_forbid_for_everything_is_found_by_itself() -> None:
    assert left(atlas(policy("forbid", "shut"))) == [
        "small.cedar:9: policy `shut` forbids everything: give it a condition (forbids-everything)"
    ]


def test_a_forbid_for_all_that_is_permitted_is_found_too() -> None:
    more = policy('forbid when { context.role == Role::"agent" }', "shut")

    assert left(atlas(more)) == [
        "small.cedar:9: policy `shut` forbids everything: give it a condition (forbids-everything)"
    ]


def test_a_forbid_for_all_of_one_act_names_the_act() -> None:
    more = policy("forbid", "shut", about='resource == Request::"list"')

    (found,) = left(atlas(more))
    assert found == (
        "small.cedar:9: policy `shut` forbids every `list`: give it a condition "
        "(forbids-everything)"
    )


def test_acts_that_nobody_may_do_are_found_where_they_are_declared() -> None:
    only_view = SMALL_CEDAR.replace("resource);", 'resource == Request::"view");', 1)
    found = left(atlas(cedar=only_view))

    assert len(found) == len(Act) - 1
    assert found[0] == (
        "schema.cedarschema:20: nobody may `reveal`: add a permit for it (act-never-allowed)"
    )


def test_acts_that_two_forbids_close_together_have_no_single_culprit() -> None:
    day = policy("forbid when { context.on_shift }", "day")
    found = left(atlas(day + policy("forbid unless { context.on_shift }", "night")))

    assert {line.rpartition(" ")[2] for line in found} == {"(act-never-allowed)"}


def test_a_purpose_that_admits_nobody_is_found() -> None:
    more = policy('forbid when { context.purpose == Purpose::"outreach" }')

    (found,) = left(atlas(more))
    assert found == (
        "schema.cedarschema:8: nobody is admitted for `outreach`: add a permit for it "
        "(purpose-never-admitted)"
    )


def test_a_schema_that_writes_its_types_otherwise_has_its_findings_on_line_one() -> None:
    schema = (
        default_files()["schema.cedarschema"].decode().replace("entity Request", "entity  Request")
    )
    only_view = SMALL_CEDAR.replace("resource);", 'resource == Request::"view");', 1)

    assert left(atlas(cedar=only_view, schema=schema))[0].startswith("schema.cedarschema:1:")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("", "no permit shows class `secret`: add one, or drop its fields"),
        (
            policy("permit", form="hide", to="Show", about='resource == FieldClass::"secret"'),
            "no permit shows class `secret`: add one, or drop its fields",
        ),
        (
            policy(
                "permit",
                "show-pin",
                form="mask",
                to="Show",
                about='resource == FieldClass::"secret"',
            )
            + policy("forbid", to="Show", about='resource == FieldClass::"secret"'),
            "policy `new` always hides class `secret`: give it a condition, or drop its fields",
        ),
    ],
)
def test_a_class_that_is_never_shown_is_found_at_its_field(more: str, why: str) -> None:
    assert left(atlas(more, fields=TWO)) == [f"fields.toml:3: {why} (class-never-shown)"]


def test_who_is_admitted_for_what_is_known_by_purpose_and_kind() -> None:
    made = Atlas(load_bundle(default_files()))

    assert admits(made, Act.VIEW, Purpose.AI_SESSION, ActorKind.AI)
    assert not admits(made, Act.VIEW, Purpose.AI_SESSION, ActorKind.HUMAN)
    assert not any(admits(made, Act.REVEAL, purpose, ActorKind.AI) for purpose in Purpose)
    assert not any(admits(made, Act.SEARCH, purpose, ActorKind.AI) for purpose in Purpose)
