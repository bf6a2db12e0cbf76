import pytest

from guard.errors import ProofError
from guard.ledger.completeness import BEYOND, Completeness, Tags, check, check_answers, tags_of
from tests.unit.guard.ledger.makers import LogMaker


def tags(log: LogMaker, count: int) -> Tags:
    return tags_of(log.vault.tag_key(log.subject), count)


def test_the_tag_key_makes_the_tags_that_the_vault_writes(log: LogMaker) -> None:
    made = tags(log, 2)
    every = [log.vault.tag(log.subject, n) for n in range(2 + BEYOND)]
    assert [*made.present, *made.absent] == every
    with pytest.raises(ProofError, match="cut"):
        tags_of(b"short", 1)


def test_a_whole_list_has_each_number_once_and_not_the_next(log: LogMaker) -> None:
    leaves = [entry.leaf for entry in log.grow(10).entries]
    assert check(leaves, tags(log, 9)) == tuple(range(1, 10))


def test_nothing_about_a_customer_is_a_whole_list_too(log: LogMaker) -> None:
    leaves = [entry.leaf for entry in log.grow(1).entries]
    assert check(leaves, tags(log, 0)) == ()


def refused(leaves: list[bytes], log: LogMaker, count: int) -> ProofError:
    with pytest.raises(ProofError) as caught:
        check(leaves, tags(log, count))
    return caught.value


def test_an_entry_that_was_taken_out_is_found_between_its_neighbours(log: LogMaker) -> None:
    leaves = [entry.leaf for entry in log.grow(10).entries]
    middle = refused([*leaves[:5], *leaves[6:]], log, 9)
    assert "number 4" in str(middle)
    assert "after entry 4 and before entry 5" in str(middle)
    assert middle.index == 4
    assert "before entry 1" in str(refused([leaves[0], *leaves[2:]], log, 9))
    assert "after entry 8" in str(refused(leaves[:-1], log, 9))
    assert "nothing tells" in str(refused(leaves[:1], log, 1))


def test_a_list_that_is_said_to_be_shorter_is_found_at_the_entry_left_out(log: LogMaker) -> None:
    leaves = [entry.leaf for entry in log.grow(10).entries]
    assert refused(leaves, log, 8).index == 9
    hidden = refused([*leaves[:6], *leaves[8:]], log, 5)
    assert (hidden.index, "number 7" in str(hidden)) == (6, True)


def test_an_entry_that_is_there_twice_is_found(log: LogMaker) -> None:
    leaves = [entry.leaf for entry in log.grow(10).entries]
    assert refused([*leaves[:6], leaves[5], *leaves[6:]], log, 9).index == 6


def test_tags_that_make_no_sense_are_refused() -> None:
    one, other = bytes(16), bytes(15) + b"1"
    for bad in (
        Tags((one, one), (other,)),
        Tags((one,), (one,)),
        Tags((one[:-1],), (other,)),
    ):
        with pytest.raises(ProofError, match="repeated or cut"):
            Completeness(bad)


def test_answers_that_hide_or_add_an_entry_are_found() -> None:
    check_answers([3, 5, 8], [8, 5, 3])
    for answered, index in (([3, 8], 5), ([3, 5, 7, 8], 7)):
        with pytest.raises(ProofError) as caught:
            check_answers([3, 5, 8], answered)
        assert caught.value.index == index
