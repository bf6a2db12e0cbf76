from dataclasses import replace

import pytest

from detectors.channels.passed_on import PassedOn
from detectors.explanations import Explanation
from policies.model import Link
from tests.unit.detectors.making import make_look


@pytest.mark.parametrize(
    ("explanation", "counts"),
    [
        (Explanation(Link.TRANSFER, "bob"), True),
        (Explanation(Link.TRANSFER, None), False),
        (Explanation(Link.TRANSFER, "ann"), False),
        (Explanation(Link.OWNER, "bob"), False),
    ],
)
def test_only_transfers_of_a_case_that_a_colleague_opened_count(
    explanation: Explanation, *, counts: bool
) -> None:
    look = replace(make_look(Link.TRANSFER), explanation=explanation)
    assert PassedOn().observe([], look) is counts
