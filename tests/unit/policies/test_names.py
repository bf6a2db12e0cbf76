import pytest

from policies.names import NAME


@pytest.mark.parametrize("name", ["a", "explained-only", "ai-2", "24h"])
def test_a_name_of_lower_case_words_is_taken(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "A", "a_b", "a--b", "-a", "a-", "a b", "a;", "é", "a\n"])
def test_any_other_name_is_not(name: str) -> None:
    assert not NAME.fullmatch(name)
