"""A backtest for a caller of the running service: in small reads between everybody else's.

That somebody tried a policy, and what came out, is an entry: whoever approves it can see that it
was tried.
"""

import asyncio
from functools import partial

import msgspec

from guard.activations import Activations, load_kept
from guard.backtest.replay import Replay
from guard.backtest.report import Report
from guard.clock import Clock, Micros
from guard.entries import EntryKind, NewEntry, event_by
from guard.errors import ConflictError, InvalidRequestError
from guard.in_force import InForce
from guard.ports import Committer, DetailVault, Readers
from guard.principals import Principal

# Some twenty seconds of a process that also serves views; the command has no such bound.
MAX_ENTRIES = 1_000_000


class Backtests:
    """Tries proposed, approved and retired policies on the log, one at a time."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        vault: DetailVault,
        activations: Activations,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        """Read through `readers`, open entries with `vault`, find policies in `activations`."""
        self._committer, self._readers, self._clock = committer, readers, clock
        self._vault, self._activations = vault, activations
        self._max = max_entries
        self._turn = asyncio.Lock()

    async def run(
        self, principal: Principal, activation_id: str, since: Micros, until: Micros
    ) -> Report:
        """Decide every request in [since, until) of the caller's tenant again.

        Raises:
            AccessDeniedError: The role may not read policies.
            NotFoundError: There is no such policy.
            ConflictError: Another backtest is running.
            InvalidRequestError: There are too many entries for a running service.
        """
        asked = await self._activations.get(principal, activation_id)
        if self._turn.locked():
            raise ConflictError("another backtest is running: try again when it has ended")
        async with self._turn:
            bundle = await asyncio.to_thread(load_kept, asked.row, asked.files)
            replay = await self._readers.read(
                partial(
                    Replay.over,
                    policy=InForce.of(bundle),
                    vault=self._vault,
                    tenant=principal.tenant,
                    since=since,
                    until=until,
                )
            )
            while await self._readers.read(replay.step):
                if replay.entries > self._max:
                    raise InvalidRequestError(
                        "too many entries for a running service: name a shorter time, or use "
                        "`guard policy backtest`"
                    )
        report = replay.report()
        event = msgspec.structs.replace(
            event_by(principal, EntryKind.BUNDLE, self._clock.now()),
            body={
                "activation": asked.row.id,
                "digest": asked.row.digest,
                "state": "backtested",
                "result": report.sentence,
            },
        )
        await self._committer.run(
            lambda tx: tx.record(NewEntry(kind=EntryKind.BUNDLE, event=event))
        )
        return report
