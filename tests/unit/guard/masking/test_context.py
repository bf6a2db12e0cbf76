from guard.masking import MaskContext

HERE = MaskContext(key=b"k" * 32, subject="cust_1", scope="case:1")


def at(scope: str, subject: str = "cust_1", key: bytes = b"k" * 32) -> MaskContext:
    return MaskContext(key=key, subject=subject, scope=scope)


def test_equal_parts_give_equal_bytes_inside_one_scope() -> None:
    assert HERE.in_scope("phone", "1") == at("case:1", "cust_2").in_scope("phone", "1")
    assert len(HERE.in_scope("phone", "1")) == 32


def test_scope_key_use_and_value_each_count() -> None:
    seen = {
        HERE.in_scope("phone", "1"),
        HERE.in_scope("phone", "2"),
        HERE.in_scope("email", "1"),
        at("case:2").in_scope("phone", "1"),
        at("case:1", key=b"l" * 32).in_scope("phone", "1"),
        HERE.in_tenant("phone", "1"),
        HERE.of_subject("phone", "1"),
    }
    assert len(seen) == 7


def test_parts_are_told_apart_by_their_lengths() -> None:
    assert HERE.in_scope("use", "ab", "c") != HERE.in_scope("use", "a", "bc")
    assert HERE.in_scope("use", "ab") != HERE.in_scope("use", "a", "b")


def test_what_is_of_the_tenant_is_the_same_in_every_scope() -> None:
    assert HERE.in_tenant("phone", "1") == at("case:2", "cust_2").in_tenant("phone", "1")


def test_what_is_of_a_customer_is_the_same_in_every_scope_and_nobody_elses() -> None:
    assert HERE.of_subject("shift") == at("case:2").of_subject("shift")
    assert HERE.of_subject("shift") != at("case:1", "cust_2").of_subject("shift")


def test_the_key_is_not_printed() -> None:
    assert "kkk" not in repr(HERE)
