from base64 import b64decode

from guard import admission
from guard.admission import ReceiptSigner, Sealer, Stale
from policies.model import Risk
from tests.support.admissions import make_admission
from tests.support.makers import make_budget
from tests.support.sealing import PlainReceipts, PlainSealer


def test_the_public_names_are_declared() -> None:
    assert all(hasattr(admission, name) for name in admission.__all__)


def test_the_fakes_of_the_tests_fit_the_protocols() -> None:
    sealer: Sealer = PlainSealer()
    receipts: ReceiptSigner = PlainReceipts()
    assert (len(sealer.writer), len(b64decode(receipts.public_key))) == (8, 32)


def test_an_admission_enforces_unless_told_otherwise() -> None:
    asked = make_admission(budgets=[make_budget()])
    assert asked.is_enforced
    assert [binding.key for binding in asked.bindings] == list(asked.keys)
    assert Stale(Risk.NOTIFIED) == Stale(Risk.NOTIFIED)
