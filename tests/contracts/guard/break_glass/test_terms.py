"""What a grant is called and found by, on both engines."""

import pytest

from guard.break_glass.terms import found
from guard.errors import NotFoundError
from guard.rows import GrantKind, GrantRow
from tests.contracts.guard.break_glass.glass import make_put, staffed
from tests.support.makers import NOON, TENANT
from tests.support.people import AGENT
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio


async def test_a_grant_is_found_in_its_tenant_and_no_other_kind_passes_for_it(rig: Rig) -> None:
    await staffed(rig)
    (ref,) = await rig.customers(1)
    row = await rig.break_glass.open(AGENT, make_put(ref))
    present = GrantRow(
        id="g-present",
        tenant=TENANT,
        kind=GrantKind.CUSTOMER_PRESENT,
        agent_id="a1",
        ref=ref,
        reason_code="",
        starts_at=NOON,
        ends_at=NOON + 1,
    )
    await rig.committer.run(lambda tx: tx.rows.put_grant(present))
    with rig.store.read() as view:
        assert found(view, AGENT, row.id) == row
        for who, grant_id in (
            (AGENT, present.id),
            (AGENT, "glass-none"),
            (make_caller(tenant="other"), row.id),
        ):
            with pytest.raises(NotFoundError):
                found(view, who, grant_id)
