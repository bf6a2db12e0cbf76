"""Opening pages of the log in bulk."""

import pytest
import sqlalchemy as sa

from guard.entries import EntryKind
from guard.exports.opening import open_page, paged
from guard.rows import LogQuery
from tests.support.makers import TENANT
from tests.support.people import AGENT
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio
QUERY = LogQuery(tenant=TENANT, kinds=(EntryKind.VIEW,))


async def test_a_page_says_what_the_log_says_and_skips_what_was_erased(
    rig: Rig, store_url: str
) -> None:
    (ref,) = await rig.customers(1)
    case = await rig.case(ref)
    for _ in range(3):
        await rig.broker.view(AGENT, rig.asks(ref, case))
    views = [e for e in rig.log() if e.kind is EntryKind.VIEW]
    with rig.store.read() as view:
        page = open_page(view, rig.vault, paged(QUERY, 10_000, 2), customers=True)
    assert [(r.index, r.event, r.refs, r.people) for r in page.rows] == [
        (e.index, e.event, e.refs, e.subjects) for e in reversed(views[1:])
    ]
    assert (page.vendors, page.read, page.lowest) == (["vend"] * 2, 2, views[1].index)
    assert page.regions == [AGENT.region] * 2
    engine = sa.create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(
            sa.text("update detail_event set sealed = substr(sealed, 1, 32) where idx = :i"),
            {"i": views[2].index},
        )
    engine.dispose()
    with rig.store.read() as view:
        page = open_page(view, rig.vault, paged(QUERY, 10_000, 2), customers=False)
    assert ([r.index for r in page.rows], page.read) == ([views[1].index], 2)
    assert [r.refs for r in page.rows] == [()]
