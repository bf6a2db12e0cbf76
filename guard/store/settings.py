"""What decisions are made by and replayed from: modes, facts, bundles and the clock's rate."""

from collections.abc import Mapping
from dataclasses import asdict

import msgspec
from sqlalchemy import bindparam, select

from guard.clock import Rate
from guard.rows import ModeRow
from guard.store.statements import Session, WriteSession, values_of
from guard.store.tables import bundle_file, clock_rate, mode_rule
from guard.store.tables import facts as facts_table
from policies.model import Mode

_MODES = (
    select(mode_rule)
    .where(mode_rule.c.tenant == bindparam("tenant"))
    .order_by(mode_rule.c.proposed_at, mode_rule.c.id)
)
_FACTS = select(facts_table.c.body).where(facts_table.c.id == bindparam("id"))
_BUNDLE = select(bundle_file.c.path, bundle_file.c.content).where(
    bundle_file.c.digest == bindparam("digest")
)
_RATE = select(clock_rate.c.origin, clock_rate.c.wall_origin, clock_rate.c.rate)


class SettingReads(Session):
    """Finding modes, facts, bundles and the clock's rate."""

    def modes(self, tenant: str) -> list[ModeRow]:
        """See `ReadView.modes`."""
        return [
            ModeRow(**values_of(row) | {"mode": Mode(row.mode)})
            for row in self._all(_MODES, {"tenant": tenant})
        ]

    def facts(self, facts_id: str) -> Mapping[str, str | bool] | None:
        """See `ReadView.facts`."""
        row = self._first(_FACTS, {"id": facts_id})
        return None if row is None else msgspec.json.decode(row.body, type=dict[str, str | bool])

    def bundle(self, digest: str) -> Mapping[str, bytes] | None:
        """See `ReadView.bundle`."""
        files = {row.path: row.content for row in self._all(_BUNDLE, {"digest": digest})}
        return files or None

    def clock_rate(self) -> Rate | None:
        """See `ReadView.clock_rate`."""
        row = self._first(_RATE)
        return None if row is None else Rate(**values_of(row))


class SettingWrites(SettingReads, WriteSession):
    """Changing modes, facts, bundles and the clock's rate."""

    def put_mode(self, row: ModeRow) -> None:
        """See `UnitOfWork.put_mode`."""
        self._put(mode_rule, [asdict(row) | {"mode": row.mode.value}])

    def put_facts(self, facts: Mapping[str, Mapping[str, str | bool]]) -> None:
        """See `UnitOfWork.put_facts`."""
        self._keep(
            facts_table,
            [
                {"id": facts_id, "body": msgspec.json.encode(dict(body)).decode()}
                for facts_id, body in sorted(facts.items())
            ],
        )

    def put_bundle(self, digest: str, files: Mapping[str, bytes]) -> None:
        """See `UnitOfWork.put_bundle`."""
        self._keep(
            bundle_file,
            [
                {"digest": digest, "path": path, "content": content}
                for path, content in sorted(files.items())
            ],
        )

    def put_clock_rate(self, rate: Rate) -> None:
        """See `UnitOfWork.put_clock_rate`."""
        self._put(clock_rate, [{"id": 1, **asdict(rate)}])
