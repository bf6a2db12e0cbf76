import pytest

from guard.masking import REGISTRY
from guard.masking.scalars import UnmaskableError


def test_defaults_are_filled_in() -> None:
    assert REGISTRY.find("keep_last").complete({"n": 2}) == {"n": 2, "min_hidden": 4}


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("keep_last", {"m": 1}),
        ("keep_last", {"n": True}),
        ("keep_last", {"n": 9}),
        ("keep_last", {"n": "4"}),
        ("email", {"domain": "show"}),
        ("email", {"domain": 1}),
        ("phone", {"keep_country": 1}),
        ("bucket", {"edges": 5}),
        ("bucket", {"edges": "1," * 101}),
    ],
)
def test_an_unknown_or_impossible_parameter_is_refused(
    name: str, params: dict[str, str | int | bool]
) -> None:
    with pytest.raises(UnmaskableError):
        REGISTRY.find(name).complete(params)


def test_the_leak_bound_follows_the_parameters() -> None:
    def leaks(name: str, **params: str | int | bool) -> int:
        transform = REGISTRY.find(name)
        return transform.leaks(transform.complete(params))

    assert leaks("keep_last", n=2) == 2
    assert leaks("email") == 1
    assert leaks("email", domain="keep") == 254
    assert leaks("phone") == 2
    assert leaks("phone", keep_country=True) == 5
    assert leaks("name") == 4
    assert leaks("name", style="first_initial") == 1
    assert leaks("pan", first=6) == 10
    assert leaks("date_part", part="month") == 7
    assert leaks("bucket") == 14
    assert leaks("free_text") == 65_536
    assert leaks("hide") == leaks("redact") == 0
