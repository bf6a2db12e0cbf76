"""A ticket that names its customer by an address is weak until somebody has checked who writes.

The check is the customer's word of something else than that address, or a code out of their own
app. It holds for the case from then on, for everybody who works on it, and is an entry.
"""

from collections.abc import Iterable
from dataclasses import replace

from guard.entries import EventPart
from guard.ports import Transaction
from guard.principals import Principal
from guard.purposes.cases import record
from guard.purposes.reports import told
from guard.rows import CaseRow, SituationQuery

CODE = "code"


def is_open_to(case: CaseRow | None, ref: str, how: str) -> bool:
    """Whether a check by `how` (a kind of identifier, or something else) still helps a case."""
    return case is not None and case.ref == ref and case.found_by not in {None, how}


def check(tx: Transaction, event: EventPart, ref: str, cases: Iterable[str], how: str) -> None:
    """Note that the customer of some cases was checked by `how`, each in an entry of its own."""
    for case_id in cases:
        case = tx.rows.case(event.tenant, case_id)
        if case is None or not is_open_to(case, ref, how):
            continue
        checked = replace(case, found_by=None)
        tx.rows.put_case(checked)
        record(tx, event, checked, told(checked) | {"checked": how})


def own_cases(tx: Transaction, by: Principal, event: EventPart, ref: str) -> list[str]:
    """The customer's cases that `by` works or worked on."""
    asked = SituationQuery(
        tenant=by.tenant,
        agent_id=by.id,
        actor_id=by.actor,
        keys=by.keys,
        vendor=by.vendor,
        team=by.team,
        purpose="",
        ref=ref,
        case_id=None,
        at=event.at,
    )
    (found,) = tx.rows.situations([asked])
    return [one.case.id for one in found.own_cases]
