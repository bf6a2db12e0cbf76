from guard.vault.customer_key import CustomerKey, derive, key_id, key_place, source_key_place
from guard.vault.envelope import KEY_SIZE


def test_a_customer_is_tagged_and_counted_by_their_own_key() -> None:
    one, other = CustomerKey(bytes(KEY_SIZE)), CustomerKey(b"1" * KEY_SIZE)
    assert one.tag(0) == CustomerKey(bytes(KEY_SIZE)).tag(0)
    assert len({one.tag(0), one.tag(1), other.tag(0)}) == 3
    assert one.counted_as != other.counted_as
    assert derive(bytes(KEY_SIZE), "tag") != derive(bytes(KEY_SIZE), "budget")


def test_the_name_of_a_key_says_nothing_without_the_reference() -> None:
    name = key_id("acme", "c1")
    assert len(name) == 32
    assert name == key_id("acme", "c1")
    assert len({name, key_id("other", "c1"), key_id("acme", "c2")}) == 3


def test_each_place_is_one_customers_in_one_tenant() -> None:
    places = [
        key_place("acme", "b0", "c1"),
        key_place("acme", "b0.1", "c1"),
        key_place("other", "b0", "c1"),
        key_place("acme", "b0", "c2"),
        source_key_place("acme", "c1"),
        source_key_place("acme", "c2"),
    ]
    assert len(set(places)) == len(places)
