from guard.masking import MaskContext

HERE = MaskContext(key=b"k" * 32, subject="cust_1", scope="case:1")


def test_equal_parts_give_equal_bytes_inside_one_scope() -> None:
    other = MaskContext(key=b"k" * 32, subject="cust_2", scope="case:1")
    assert HERE.digest("phone", "1") == other.digest("phone", "1")
    assert len(HERE.digest("phone", "1")) == 32


def test_scope_key_use_and_value_each_count() -> None:
    seen = {
        HERE.digest("phone", "1"),
        HERE.digest("phone", "2"),
        HERE.digest("email", "1"),
        MaskContext(key=b"k" * 32, subject="cust_1", scope="case:2").digest("phone", "1"),
        MaskContext(key=b"l" * 32, subject="cust_1", scope="case:1").digest("phone", "1"),
    }
    assert len(seen) == 5


def test_parts_are_told_apart_by_their_lengths() -> None:
    assert HERE.digest("use", "ab", "c") != HERE.digest("use", "a", "bc")
    assert HERE.digest("use", "ab") != HERE.digest("use", "a", "b")


def test_what_is_of_a_subject_differs_for_each() -> None:
    other = MaskContext(key=b"k" * 32, subject="cust_2", scope="case:1")
    assert HERE.digest_of_subject("shift") != other.digest_of_subject("shift")
    assert HERE.digest_of_subject("shift") == HERE.digest_of_subject("shift")


def test_the_key_is_not_printed() -> None:
    assert "kkk" not in repr(HERE)
