import pytest

from guard.clock import HOUR, ManualClock
from guard.purposes.workload import Workload
from guard.store import SqlStore
from guard.store.readers import ThreadedReaders
from tests.support.makers import NOON, make_assignment, make_case, make_subject
from tests.support.rig import make_caller

pytestmark = pytest.mark.anyio


async def test_people_see_their_own_live_cases_oldest_first(store: SqlStore) -> None:
    with store.begin() as rows:
        rows.add_subjects([make_subject("c1")])
        for name, opened, closed, to_at, agent in (
            ("young", 2, None, None, "a1"),
            ("old", 1, None, None, "a1"),
            ("closed", 1, NOON, None, "a1"),
            ("handed-over", 1, None, NOON, "a1"),
            ("of-another", 1, None, None, "a2"),
            ("of-the-bot", 3, None, None, "bot"),
        ):
            rows.put_case(make_case(name, opened_at=NOON - HOUR + opened, closed_at=closed))
            rows.put_assignment(
                make_assignment(name, agent_id=agent, from_at=NOON - HOUR, to_at=to_at)
            )
    readers = ThreadedReaders(store, deadline_s=20.0)
    workload = Workload(readers, ManualClock(NOON))
    assert [c.id for c in await workload.mine(make_caller(id="a1"))] == ["old", "young"]
    acting = make_caller(id="a1", actor="bot")
    assert [c.id for c in await workload.mine(acting)] == ["old", "young", "of-the-bot"]
    readers.close()
