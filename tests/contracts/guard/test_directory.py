"""Who works where, on both engines."""

from dataclasses import replace

import pytest

from guard.errors import (
    AccessDeniedError,
    InvalidRequestError,
)
from policies.model import Role
from tests.support.makers import TENANT
from tests.support.people import AGENT, ANALYST, DIRECTORY
from tests.support.rig import Rig, make_caller, row_of

pytestmark = pytest.mark.anyio


async def test_the_directory_records_changes_only(rig: Rig) -> None:
    assert await rig.directory.put(DIRECTORY, [row_of(AGENT)]) == 1
    assert await rig.directory.put(DIRECTORY, [row_of(AGENT)]) == 0
    assert await rig.directory.get(TENANT, "a1") == row_of(AGENT)
    assert await rig.directory.list(ANALYST) == [row_of(AGENT)]
    with pytest.raises(AccessDeniedError):
        await rig.directory.list(AGENT)


async def test_people_that_make_no_sense_are_refused(rig: Rig) -> None:
    for row in (
        replace(row_of(AGENT), id=""),
        replace(row_of(AGENT), id="system"),
        replace(row_of(AGENT), line=("a1",)),
    ):
        with pytest.raises(InvalidRequestError):
            await rig.directory.put(DIRECTORY, [row])
    with pytest.raises(AccessDeniedError):
        await rig.directory.put(DIRECTORY, [replace(row_of(AGENT), tenant="other")])


async def test_nobody_changes_their_own_place(rig: Rig) -> None:
    boss = make_caller("boss", role=Role.ADMIN)
    await rig.directory.put(boss, [row_of(boss)])
    await rig.directory.put(boss, [row_of(boss)])
    with pytest.raises(AccessDeniedError):
        await rig.directory.put(boss, [replace(row_of(boss), role=Role.AUDITOR)])


@pytest.mark.parametrize("name", ["a/b", "a#b", "a\n", "x" * 129])
async def test_ids_that_could_be_mistaken_for_another_key_are_refused(rig: Rig, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        await rig.directory.put(DIRECTORY, [replace(row_of(AGENT), id=name)])
