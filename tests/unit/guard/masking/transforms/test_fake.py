import re

import pytest

from guard.masking import REGISTRY
from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import context, keyed, mask


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("name", r"[A-Z][a-z]{6} [A-Z][a-z]{6}"),
        ("email", r"[a-z]{7}\.[a-z]{7}@example\.invalid"),
        ("phone", r"\+44 7700 900\d{3}"),
        ("street", r"[1-9]\d? [A-Z][a-z]{6} Street"),
    ],
)
def test_a_fake_has_the_shape_of_its_kind(kind: str, shape: str) -> None:
    for n in range(20):
        assert re.fullmatch(shape, str(keyed("fake", kind=kind)(f"value {n}")))


def test_a_fake_is_stable_in_its_scope() -> None:
    here = keyed("fake")("Maria Gonzalez")
    assert keyed("fake", context("cust_2"))("maria  gonzalez") == here
    assert keyed("fake", context(scope="case:2"))("Maria Gonzalez") != here
    assert keyed("fake")("") == ""


def test_it_says_that_it_is_invented() -> None:
    assert [t.name for t in REGISTRY.all() if t.is_synthetic] == ["fake"]


@pytest.mark.parametrize("value", [None, True])
def test_what_is_no_text_is_refused(value: bool | None) -> None:  # noqa: FBT001 - a value
    with pytest.raises(UnmaskableError):
        keyed("fake")(value)


def test_without_a_key_it_refuses() -> None:
    with pytest.raises(UnmaskableError):
        mask("fake")("Maria")
