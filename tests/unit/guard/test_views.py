import pytest

from guard.entries import Receipt
from guard.views import (
    NEXT_STEPS,
    NextStep,
    RefusalCode,
    Refused,
    SearchRequest,
    VerifyRequest,
)

RECEIPT = Receipt(entry_id="00" * 16, index=1, writer="w", writer_seq=1, leaf_hash="", signature="")


def refused(code: RefusalCode, *steps: NextStep) -> Refused:
    return Refused(code=code, reasons=(), determined_by=(), receipt=RECEIPT, next=steps)


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_offers_at_least_one_step(code: RefusalCode) -> None:
    assert refused(code).steps == NEXT_STEPS[code] != ()
    assert refused(code, NextStep.WAIT).steps == (NextStep.WAIT,)


def test_what_was_searched_or_claimed_is_never_printed() -> None:
    search = SearchRequest(kind="phone", value="+34612345678", purpose="support_case")
    claim = VerifyRequest(
        customer="c1", field="phone", part="last4", claim="5678", purpose="support_case"
    )
    assert "612345678" not in repr(search)
    assert "5678" not in repr(claim)
