from guard.errors import GuardError, ProofError, StoreUnavailableError, UnavailableError


def test_a_proof_error_knows_the_entry_that_it_is_about() -> None:
    assert ProofError("bad leaf", index=7).index == 7
    assert ProofError("bad root").index is None


def test_what_may_succeed_later_is_one_family() -> None:
    assert issubclass(StoreUnavailableError, UnavailableError)
    assert issubclass(UnavailableError, GuardError)
