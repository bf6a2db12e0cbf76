"""Everything that forgets, put together over a rig, with its files below the rig's folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from guard.forgetting import (
    ErasureGround,
    Erasures,
    Holds,
    Restoring,
    Retention,
    RetentionRules,
    Shredding,
)
from guard.forgetting.erasures import Erasing
from guard.forgetting.shredding import Keys
from guard.ports import ReadView
from guard.vault.erasures_file import ErasuresFile
from guard.vault.escrow import Escrow
from tests.support.people import ANALYST, SECOND, put_people
from tests.support.rig import Rig

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Oblivion:
    """The services, and the keys that they destroy."""

    rig: Rig
    keys: Keys
    erasures: Erasures
    holds: Holds
    shredding: Shredding
    restoring: Restoring

    @classmethod
    def over(cls, rig: Rig, folder: Path) -> "Oblivion":
        """Put them together over `rig`, whose folder is `folder`."""
        keys = Keys(
            keyring=rig.keyring,
            escrow=Escrow(folder / "keys" / "rewrapped"),
            file=ErasuresFile(folder / "erasures"),
        )
        return cls(
            rig=rig,
            keys=keys,
            erasures=Erasures(rig.committer, rig.readers, rig.clock),
            holds=Holds(rig.committer, rig.readers, rig.clock),
            shredding=Shredding(rig.committer, rig.readers, rig.clock, keys),
            restoring=Restoring(rig.store, rig.clock, keys, rig.vault, folder / "log"),
        )

    def retention(self, rules: RetentionRules | None = None) -> Retention:
        """Retention by `rules`, or by the defaults."""
        rig = self.rig
        rules = RetentionRules() if rules is None else rules
        return Retention(rig.committer, rig.readers, rig.clock, rig.vault, rig.keyring, rules)

    async def approved(self, ref: str) -> Erasing:
        """An erasure that two people have decided, before anything else is done about it."""
        await put_people(self.rig)
        done = await self.erasures.propose(
            ANALYST, ref, ErasureGround.CONSENT_WITHDRAWN, "asked for it in writing"
        )
        return await self.erasures.approve(SECOND, done.row.id)

    def forget_after_reading(self, monkeypatch: pytest.MonkeyPatch, ref: str) -> None:
        """Forget a customer once, between the next read and whatever is done with it."""
        real, left = self.rig.readers.read, [ref]

        async def read(look: Callable[[ReadView], T]) -> T:
            found = await real(look)
            if left:
                await self.forget(left.pop())
            return found

        monkeypatch.setattr(self.rig.readers, "read", read)

    async def forget(self, ref: str) -> Erasing:
        """Forget a customer altogether."""
        done = await self.approved(ref)
        await self.shredding.turn()
        return done
