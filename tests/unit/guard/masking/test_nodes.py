import pytest

from guard.masking.nodes import ABSENT, MAX_ITEMS, Branch, Leaf, Walk, build
from policies.model import Form
from tests.unit.guard.masking.support import REDACTED, mask


def leaf(form: Form, *, prose: bool = False) -> Leaf:
    return Leaf(form=form, mask=mask("free_text" if prose else "keep_last"), is_prose=prose)


PLAIN, MASK, REDACT = leaf(Form.PLAIN), leaf(Form.MASK), leaf(Form.REDACT)


def shown(tree: Branch, value: object) -> tuple[object, int]:
    walk = Walk()
    return tree.show(value, walk), walk.errors


def test_null_shows_as_null_except_where_it_is_redacted() -> None:
    tree = build({"a": PLAIN, "b": MASK, "c": REDACT, "d[]": PLAIN})
    assert shown(tree, {"a": None, "b": None, "c": None, "d": None}) == (
        {"a": None, "b": None, "c": REDACTED, "d": None},
        0,
    )


def test_what_is_not_there_stays_away_except_where_it_is_redacted() -> None:
    tree = build({"a": PLAIN, "b": MASK, "c": REDACT, "d[]": PLAIN, "e.f": PLAIN, "g.h": REDACT})
    assert shown(tree, {}) == ({"c": REDACTED, "g": {"h": REDACTED}}, 0)


def test_a_null_object_is_an_object_of_nulls() -> None:
    tree = build({"a.b": PLAIN, "a.c": REDACT})
    assert shown(tree, {"a": None}) == ({"a": {"b": None, "c": REDACTED}}, 0)


def test_a_list_of_redacted_things_does_not_tell_their_number() -> None:
    tree = build({"a[].b": REDACT, "a[].c.d": REDACT})
    values: tuple[object, ...] = ([], [{}], [{}, {}], None, "x", ABSENT)
    for value in values:
        assert shown(tree, {"a": value}) == ({"a": REDACTED}, 0)


@pytest.mark.parametrize("wrong", ["text", 5, ["list"], [{"b": "secret"}]])
def test_an_object_of_another_shape_is_redacted_leaf_by_leaf(wrong: object) -> None:
    tree = build({"a.b": PLAIN, "a.c": REDACT, "a.d[]": MASK, "a.e[].f": REDACT})
    assert shown(tree, {"a": wrong}) == (
        {"a": {"b": REDACTED, "c": REDACTED, "d": REDACTED, "e": REDACTED}},
        2,
    )


@pytest.mark.parametrize("wrong", ["text", 5, {"b": "secret"}])
def test_a_list_of_another_shape_is_redacted(wrong: object) -> None:
    assert shown(build({"a[].b": PLAIN}), {"a": wrong}) == ({"a": REDACTED}, 1)


@pytest.mark.parametrize("wrong", [{"b": "secret"}, ["secret"], b"secret", 2**70, "\ud800"])
def test_a_leaf_of_another_shape_is_redacted(wrong: object) -> None:
    assert shown(build({"a": PLAIN, "b": MASK}), {"a": wrong, "b": wrong}) == (
        {"a": REDACTED, "b": REDACTED},
        2,
    )


def test_items_without_anything_to_show_stay_as_null() -> None:
    assert shown(build({"a[].b": PLAIN}), {"a": [{}, {"b": 1}, None]}) == (
        {"a": [{}, {"b": 1}, {"b": None}]},
        0,
    )
    assert shown(build({"a[]": PLAIN}), {"a": (1, None)}) == ({"a": [1, None]}, 0)


def test_a_list_is_cut_at_its_bound_and_that_is_counted() -> None:
    value, errors = shown(build({"a[]": PLAIN}), {"a": list(range(MAX_ITEMS + 1))})
    assert value == {"a": list(range(MAX_ITEMS))}
    assert errors == 1


def test_prose_without_own_values_is_redacted() -> None:
    tree = build({"a": leaf(Form.MASK, prose=True)})
    assert tree.show({"a": "hello"}, Walk(own=None)) == {"a": REDACTED}
    assert tree.show({"a": "hello Maria"}, Walk(own=frozenset({"maria"}))) == {
        "a": "hello [hidden]"
    }
    assert tree.show({"a": 5}, Walk()) == {"a": REDACTED}
    assert tree.show({"a": "é" * 40_000}, Walk()) == {"a": REDACTED}
