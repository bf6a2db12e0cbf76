import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import context, in_digits, keyed, mask


def test_equal_values_join_inside_a_scope_and_nowhere_else() -> None:
    here = keyed("hash")("Maria@Example.org")
    assert len(str(here)) == 32
    assert keyed("hash", context("cust_2"))(" maria@example.org ") == here
    assert keyed("hash", context(scope="case:2"))("maria@example.org") != here
    assert keyed("hash", context(key=b"l" * 32))("maria@example.org") != here
    assert keyed("hash")("mari.a@example.org") != here


def test_in_the_tenant_values_join_across_scopes() -> None:
    wide = keyed("hash", joins="tenant")("4711")
    assert keyed("hash", context(scope="case:2"), joins="tenant")(4711) == wide
    assert keyed("hash")("4711") != wide


def test_digits_of_any_script_are_alike() -> None:
    assert keyed("hash")(in_digits("devanagari", "4711")) == keyed("hash")("4711")


def test_it_may_be_longer_and_never_shorter_than_sixteen_bytes() -> None:
    assert len(str(keyed("hash", bytes=32)("4711"))) == 64
    with pytest.raises(UnmaskableError):
        keyed("hash", bytes=8)


def test_empty_stays_empty() -> None:
    assert keyed("hash")("") == ""


@pytest.mark.parametrize("value", [None, 1.5])
def test_what_is_no_text_is_refused(value: float | None) -> None:
    with pytest.raises(UnmaskableError):
        keyed("hash")(value)


def test_without_a_key_it_refuses() -> None:
    with pytest.raises(UnmaskableError):
        mask("hash")("4711")
