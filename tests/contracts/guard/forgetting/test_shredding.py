"""Destroying keys, stopped at every step, on both engines."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from guard.errors import KeyUnavailableError
from guard.forgetting import Shredding
from guard.forgetting.shredding import Keys
from guard.rows import ErasureState, SubjectRow
from guard.vault.erasures_file import ErasuresFile
from guard.vault.escrow import Escrow
from guard.vault.keyring import Keyring, key_id
from guard.views import Served
from tests.support.forgetting import Oblivion
from tests.support.makers import TENANT
from tests.support.people import AGENT, AUDITOR
from tests.support.rig import Rig

pytestmark = pytest.mark.anyio


class Killed(Exception):  # noqa: N818 - no error: the process ends here
    """The process was killed."""


class Steps:
    """Counts the steps that leave something behind, and kills before one of them."""

    def __init__(self, last: int) -> None:
        self.last, self.done = last, count()

    def __call__(self) -> None:
        if next(self.done) >= self.last:
            raise Killed


class KilledKeyring:
    """A keyring whose process may be killed before each change of the file."""

    def __init__(self, keyring: Keyring, step: Steps) -> None:
        self._keyring, self._step = keyring, step

    def __getattr__(self, name: str) -> object:
        if name in {"retire", "destroy"}:
            self._step()
        return getattr(self._keyring, name)


class KilledEscrow(Escrow):
    step: Steps

    def put(self, tenant: str, bucket: str, keys: object) -> None:
        self.step()
        super().put(tenant, bucket, keys)  # type: ignore[arg-type] # as it came


class KilledFile(ErasuresFile):
    step: Steps

    def add(self, erased: object) -> None:
        self.step()
        super().add(erased)  # type: ignore[arg-type] # as it came


class KilledCommitter:
    def __init__(self, rig: Rig, step: Steps) -> None:
        self._rig, self._step = rig, step

    async def run(self, work: object) -> object:
        self._step()
        return await self._rig.committer.run(work)  # type: ignore[arg-type] # as it came


def killed_after(oblivion: Oblivion, folder: Path, steps: int) -> Shredding:
    """What destroys keys, in a process that is killed when it has done so many steps."""
    step = Steps(steps)
    escrow, file = KilledEscrow(folder / "keys" / "rewrapped"), KilledFile(folder / "erasures")
    escrow.step = file.step = step
    rig = oblivion.rig
    keys = Keys(
        keyring=KilledKeyring(rig.keyring, step),  # type: ignore[arg-type] # stands for one
        escrow=escrow,
        file=file,
    )
    return Shredding(KilledCommitter(rig, step), rig.readers, rig.clock, keys)  # type: ignore[arg-type] # as above


def rows(rig: Rig, refs: list[str]) -> list[SubjectRow]:
    with rig.store.read() as view:
        found = view.subjects(refs)
    return [found[ref] for ref in refs]


def fresh(folder: Path) -> Keyring:
    """The keys as another process finds them."""
    return Keyring.open((folder / "keys" / "root.key").as_uri(), folder / "keys" / "keyring.json")


async def test_a_kill_between_any_two_steps_loses_nobody_elses_key(
    oblivion: Oblivion, tmp_path: Path
) -> None:
    rig = oblivion.rig
    refs = await rig.customers(6)
    gone, others = refs[0], refs[1:]
    (erased, *_) = rows(rig, [gone])
    source_keys = [rig.keyring.source_key(row) for row in rows(rig, others)]
    done = await oblivion.approved(gone)
    ended = 0
    for steps in count():
        try:
            await killed_after(oblivion, tmp_path, steps).turn()
        except Killed:
            ended += 1
        else:
            break
        keyring = fresh(tmp_path)
        assert [keyring.source_key(row) for row in rows(rig, others)] == source_keys
    assert ended >= 6
    assert (await oblivion.erasures.get(AUDITOR, done.row.id)).state is ErasureState.DONE
    keyring = fresh(tmp_path)
    assert [keyring.source_key(row) for row in rows(rig, others)] == source_keys
    assert keyring.unfinished() == frozenset()
    with pytest.raises(KeyUnavailableError):
        keyring.customer_key(erased)
    with pytest.raises(KeyUnavailableError):
        rig.keyring.customer_key(erased)
    assert {one.key_id for one in ErasuresFile(tmp_path / "erasures").read()} == {
        key_id(TENANT, gone)
    }


async def test_the_bucket_is_renewed_for_each_erasure_and_everybody_stays_readable(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    refs = await rig.customers(4)
    for ref in refs[:2]:
        await oblivion.forget(ref)
    buckets = {row.bucket for row in rows(rig, refs[2:])}
    assert len(buckets) == 1
    assert buckets.pop().endswith(".2")
    for ref in refs[2:]:
        answer = await rig.broker.view(AGENT, rig.asks(ref, await rig.case(ref)))
        assert isinstance(answer, Served)
    assert await oblivion.shredding.turn() == 0


async def test_nobody_is_enrolled_into_a_bucket_that_is_being_renewed(
    oblivion: Oblivion, tmp_path: Path
) -> None:
    rig = oblivion.rig
    (ref, *_) = await rig.customers(3)
    await oblivion.approved(ref)
    with pytest.raises(Killed):
        await killed_after(oblivion, tmp_path, 3).turn()
    late = (await rig.customers(5))[-1]
    await oblivion.shredding.turn()
    assert rig.keyring.source_key(rows(rig, [late])[0]) == "5"


async def test_one_process_at_a_time_destroys(oblivion: Oblivion, tmp_path: Path) -> None:
    (ref,) = await oblivion.rig.customers(1)
    await oblivion.approved(ref)
    with ErasuresFile(tmp_path / "erasures").alone() as is_alone:
        assert is_alone
        assert await oblivion.shredding.turn() == 0
    assert await oblivion.shredding.turn() == 1


async def test_a_key_that_cannot_be_wrapped_anew_stops_before_anything_is_destroyed(
    oblivion: Oblivion,
) -> None:
    rig = oblivion.rig
    ref, other = await rig.customers(2)
    (row,) = rows(rig, [other])
    await oblivion.approved(ref)
    damaged = replace(row, wrapped_key=b"x")
    await rig.committer.run(lambda tx: tx.rows.rewrap_subjects([damaged]))
    with pytest.raises(KeyUnavailableError):
        await oblivion.shredding.turn()
    await rig.committer.run(lambda tx: tx.rows.rewrap_subjects([row]))
    assert rig.keyring.source_key(rows(rig, [other])[0]) == "2"
    assert await oblivion.shredding.turn() == 1
