"""What binds people to customers, on both engines."""

import pytest

from guard.entries import EntryKind
from guard.errors import AccessDeniedError, NotFoundError
from policies.model import Role, Tie
from tests.support.people import AGENT, DIRECTORY, put_people
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio


async def test_a_tie_is_recorded_with_the_customer_in_the_subject_part_alone(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)
    assert await rig.ties.put(DIRECTORY, "a1", ref, Tie.FAMILY)
    assert not await rig.ties.put(DIRECTORY, "a1", ref, Tie.FAMILY)
    entry = rig.log()[-1]
    assert (entry.kind, entry.refs) == (EntryKind.TIE, (ref,))
    assert entry.event.body == {"agent": "a1", "tie": "family"}
    assert ref not in str(entry.event)
    assert await rig.ties.put(DIRECTORY, "a1", ref, Tie.NONE)
    assert not await rig.ties.put(DIRECTORY, "a1", ref, Tie.NONE)
    with rig.store.read() as view:
        assert view.tie(AGENT.tenant, "a1", ref) is None


async def test_nobody_writes_their_own_tie_and_only_services_and_administrators_write(
    rig: Rig,
) -> None:
    (ref,) = await rig.customers(1)
    admin = make_caller("adm", role=Role.ADMIN)
    await rig.directory.put(DIRECTORY, [row_of(AGENT), row_of(admin)])
    before = len(rig.log())
    for who, about in (
        (admin, "adm"),
        (AGENT, "adm"),
        (make_caller("lea", role=Role.LEAD), "a1"),
        (make_caller("adm", role=Role.ADMIN, scopes=frozenset()), "a1"),
    ):
        with pytest.raises(AccessDeniedError):
            await rig.ties.put(who, about, ref, Tie.FAMILY)
    assert len(rig.log()) == before


async def test_ties_of_nobody_or_to_nobody_are_refused(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)
    for who, whom in (("zoe", ref), ("a1", "nobody")):
        with pytest.raises(NotFoundError):
            await rig.ties.put(DIRECTORY, who, whom, Tie.SELF)
