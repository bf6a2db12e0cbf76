import pytest

from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("maria@example.org", "m*****@*****"),
        ("ma@example.org", "*****@*****"),
        ("a@b@example.org", "a*****@*****"),
        (" maria@example.org ", "m*****@*****"),
        ("", ""),
    ],
)
def test_one_letter_and_fixed_stars_are_shown(value: str, shown: str) -> None:
    assert mask("email")(value) == shown


def test_a_domain_is_kept_only_if_it_looks_like_one() -> None:
    keep = mask("email", domain="keep", local=2)
    assert keep("maria@example.org") == "ma*****@example.org"
    assert keep("maria@localhost") == "ma*****@*****"
    assert keep("maria@my secret.note") == "ma*****@*****"
    assert keep("mar@example.org") == "*****@example.org"
    assert keep("maria@" + "a." * 140 + "org") == "ma*****@*****"


@pytest.mark.parametrize("value", ["maria", "@example.org", "maria@", 5, None])
def test_what_is_no_address_is_refused(value: str | int | None) -> None:
    with pytest.raises(UnmaskableError):
        mask("email")(value)
