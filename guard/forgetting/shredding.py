"""What an erasure leaves to be done once its entry is durable: no copy's bytes open any more.

The customer's own key was in its row, so it is in the database's log, in its free pages and in
every backup, wrapped under its bucket's key. That one is destroyed, in this order:

1. the opaque key id goes to the erasures file, outside the database;
2. the bucket gets its next generation; nobody is enrolled into the earlier ones any more;
3. everybody else's key is wrapped under it: first beside the keyring, then in their rows;
4. the earlier generations are taken out of the keyring;
5. the customer's parts are cut down to their hashes.

A crash between any two steps is repeated from the beginning, with one more generation: until step 4
each of the others' keys opens in the place where it is, and from step 3 on also in the new one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from guard.clock import Clock
from guard.entries import EntryKind, system_event
from guard.forgetting.erasures import carry_out
from guard.forgetting.holds import conflicts
from guard.ports import Committer, Readers, Transaction
from guard.rows import ErasureRow, ErasureState, SubjectRow
from guard.vault.erasures_file import Erased, ErasuresFile
from guard.vault.escrow import Escrow
from guard.vault.keyring import Keyring, key_id, lineage_of

# Parts cut in one transaction: some milliseconds of the one writer.
CUT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where keys are, and where it is kept which ones are gone."""

    keyring: Keyring
    escrow: Escrow
    file: ErasuresFile


class Shredding:
    """Ends what was approved. `turn` now and then, in any process that has the keys."""

    def __init__(self, committer: Committer, readers: Readers, clock: Clock, keys: Keys) -> None:
        """Write through `committer`, and destroy in `keys`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._keys = keys
        self._turning = asyncio.Lock()

    async def turn(self) -> int:
        """Go on with everything that can go on, behind a turn under way; how many are done now.

        Raises:
            KeyUnavailableError: A key that must be wrapped anew is missing: nothing is destroyed.
            StoreUnavailableError: The store cannot be read or written.
        """
        async with self._turning:
            await self._release()
            return await self._end()

    async def _end(self) -> int:
        rows = await self._readers.read(lambda view: view.erasures_in({ErasureState.RECORDED}))
        keyring = self._keys.keyring
        buckets = {(row.tenant, lineage_of(row.bucket)) for row in rows} | keyring.unfinished()
        if not buckets:
            return 0
        with self._keys.file.alone() as is_alone:
            if not is_alone:
                return 0
            await asyncio.to_thread(self._keys.file.add, [erased(row) for row in rows])
            for tenant, bucket in sorted(buckets):
                await self._renew(tenant, bucket)
            for row in rows:
                await self._cut(row)
        return len(rows)

    async def _release(self) -> None:
        """Carry out what nothing holds any more."""
        held = await self._readers.read(lambda view: view.erasures_in({ErasureState.HELD}))
        for row in held:
            await self._committer.run(partial(self._carry_out, tenant=row.tenant, which=row.id))

    def _carry_out(self, tx: Transaction, *, tenant: str, which: str) -> None:
        row = tx.rows.erasure(tenant, which)
        if row is None or row.state is not ErasureState.HELD:
            return
        now = self._clock.now()
        if tx.rows.subject(tenant, row.ref) is None:
            # A restore has replayed another erasure of the same customer.
            tx.rows.put_erasure(replace(row, state=ErasureState.DONE, done_at=now))
        elif not conflicts(tx.rows, tenant, row.ref):
            carry_out(tx, row, system_event(tenant, EntryKind.ERASURE, now, {}))

    async def _renew(self, tenant: str, bucket: str) -> None:
        """Steps 2 to 4 for one bucket."""
        keyring = self._keys.keyring
        newest = await asyncio.to_thread(keyring.retire, tenant, bucket)
        names = keyring.generations(newest)
        # In line behind whoever was still enrolling into an earlier generation.
        members = await self._committer.run(lambda tx: tx.rows.members(names))
        renewed = await asyncio.to_thread(self._rewrap, tenant, newest, members)
        await self._committer.run(lambda tx: tx.rows.rewrap_subjects(renewed))
        await asyncio.to_thread(keyring.destroy, tenant, newest)

    def _rewrap(self, tenant: str, newest: str, members: list[SubjectRow]) -> list[SubjectRow]:
        """Wrap everybody's key under the newest generation, and keep that beside the keyring."""
        keyring, escrow = self._keys.keyring, self._keys.escrow
        renewed = [keyring.rewrap(one, newest) for one in members]
        keys = {one.ref: one.wrapped_key for one in renewed if one.wrapped_key is not None}
        escrow.put(tenant, newest, self._absent(tenant, newest, keys) | keys)
        return renewed

    def _absent(self, tenant: str, newest: str, present: Mapping[str, bytes]) -> dict[str, bytes]:
        """Keys that were kept before of customers whom this copy of the database does not have.

        It may have been restored from too old a backup: with a newer one they come back.
        """
        kept = self._keys.escrow.of(newest)
        if kept is None:
            return {}
        gone = {one.key_id for one in self._keys.file.read()}
        return {
            ref: self._keys.keyring.rewrap_key(tenant, ref, (kept.bucket, newest), wrapped)
            for ref, wrapped in kept.keys.items()
            if ref not in present and key_id(tenant, ref) not in gone
        }

    async def _cut(self, row: ErasureRow) -> None:
        """Step 5; the log must be complete for it."""

        def work(tx: Transaction) -> bool:
            tx.rows.settle()
            if tx.rows.cut_parts_about(row.ref, CUT):
                return False
            now = tx.rows.erasure(row.tenant, row.id) or row
            done = replace(now, state=ErasureState.DONE, done_at=self._clock.now())
            tx.rows.put_erasure(done)
            return True

        while not await self._committer.run(work):
            pass


def erased(row: ErasureRow) -> Erased:
    """The line of the erasures file for an erasure that is in the log."""
    return Erased(key_id=row.key_id, entry_id=row.entry_id or "")
