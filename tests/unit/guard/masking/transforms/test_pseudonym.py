import re

import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import context, in_digits, keyed, mask


def test_a_pseudonym_names_its_kind_and_joins_records_of_one_scope() -> None:
    here = keyed("pseudonym", kind="PHONE")("+49 170 1234567")
    assert re.fullmatch(r"PHONE_[0-9A-HJKMNP-TV-Z]{8}", str(here))
    other = keyed("pseudonym", context("cust_2"), kind="PHONE")
    assert other("+49-170-1234567") == other(in_digits("arabic", "+49 170 1234567")) == here
    assert other("+49 170 1234568") != here


def test_scopes_and_tenants_cannot_be_linked() -> None:
    names = {
        keyed("pseudonym", at, kind="PHONE")("0170 1234567")
        for at in (context(), context(scope="case:2"), context(key=b"l" * 32))
    }
    assert len(names) == 3


def test_kinds_keep_apart_what_only_looks_alike() -> None:
    assert (
        str(keyed("pseudonym", kind="ID")("4711"))[2:]
        != str(keyed("pseudonym", kind="CARD")("4711"))[4:]
    )
    for kind, joins in (("EMAIL", False), ("ACCOUNT", True)):
        name = keyed("pseudonym", kind=kind)
        assert (name("j.doe@example.org") == name("jdoe@example.org")) is joins


def test_a_thousand_values_get_a_thousand_names() -> None:
    name = keyed("pseudonym")
    assert len({name(n) for n in range(1_000)}) == 1_000


@pytest.mark.parametrize("length", [4, 16])
def test_names_may_be_shorter_or_longer(length: int) -> None:
    assert len(str(keyed("pseudonym", kind="ID", length=length)("4711"))) == 3 + length


def test_what_has_nothing_to_tell_stays_empty() -> None:
    assert keyed("pseudonym")("") == ""
    assert keyed("pseudonym", kind="PHONE")("---") == ""


@pytest.mark.parametrize("value", [None, True])
def test_what_is_no_text_is_refused(value: bool | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        keyed("pseudonym")(value)


def test_without_a_key_it_refuses() -> None:
    with pytest.raises(UnmaskableError):
        mask("pseudonym")("4711")
