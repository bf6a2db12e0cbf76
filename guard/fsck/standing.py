"""Checks what stands beside the log because entries say so: holds, erasures, hold-backs, disputes.

Such a row decides what happens next: a hold that was deleted holds nothing, and an erasure goes on.
Each step of each of them is an entry, so the rows are rebuilt from entries and compared. An entry's
time may be a little behind that of its row, which is compared to the minute; an erasure's `bucket`
stands in no entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from guard.clock import MINUTE, Micros
from guard.entries import BodyValue, EntryKind, EventPart
from guard.fsck.faults import Faults, Remedy
from guard.ports import LogTables
from guard.rows import ErasureState, HoldScope
from guard.vault.keyring import key_id

HOLDS, ERASURES, HOLD_BACKS, DISPUTES = "legal_hold", "erasure", "hold_back", "dispute"

# By what a row is found; the other half of its name is the tenant.
_NAMED_BY = {HOLDS: "id", ERASURES: "id", HOLD_BACKS: "id", DISPUTES: "of"}
_TABLE_OF = {
    EntryKind.HOLD: HOLDS,
    EntryKind.ERASURE_REQUEST: ERASURES,
    EntryKind.ERASURE: ERASURES,
    EntryKind.HOLD_BACK: HOLD_BACKS,
    EntryKind.DISPUTE: DISPUTES,
}
# Columns of a row that are empty until a step sets them.
_LATER = {
    HOLDS: ("lift_by", "lift_at", "lifted_by", "lifted_at"),
    ERASURES: ("approved_by", "approved_at", "entry_id"),
    HOLD_BACKS: ("approved_by", "approved_at", "ended_at"),
    DISPUTES: (),
}
_RANK = (ErasureState.PROPOSED, ErasureState.HELD, ErasureState.RECORDED)


@dataclass(slots=True)
class _Said:
    """What entries say of one row: columns as they must be, times to the minute."""

    index: int | None
    columns: dict[str, object] = field(default_factory=dict)
    times: dict[str, Micros] = field(default_factory=dict)
    state: int = -1


class StandingCheck:
    """Learns from entries what stands, then compares the rows."""

    def __init__(self, view: LogTables, faults: Faults) -> None:
        """Compare the rows of `view`."""
        self._view, self._faults = view, faults
        self._said: dict[str, dict[tuple[str, str], _Said]] = {table: {} for table in _NAMED_BY}
        self._restored: set[str] = set()
        # Tables of which an entry does not open: what it said is unknown.
        self._unread: set[str] = set()

    def lost(self, kind: EntryKind) -> None:
        """An entry of this kind does not say any more what it said."""
        if kind in _TABLE_OF:
            self._unread.add(_TABLE_OF[kind])

    def learn(
        self,
        index: int | None,
        entry: tuple[EntryKind, bytes],
        event: EventPart,
        refs: Sequence[str],
    ) -> None:
        """Take in one entry, by kind and id, with a place or without; they come in any order."""
        kind, entry_id = entry
        body = event.body
        if kind is EntryKind.RESTORED:
            self._restored.update(_texts(body.get("keys")))
        table = _TABLE_OF.get(kind)
        if table is None:
            return
        name = {HOLDS: "hold", ERASURES: "erasure", HOLD_BACKS: "hold_back", DISPUTES: "of"}[table]
        key = (event.tenant, str(body.get(name, "")))
        said = self._said[table].setdefault(key, _Said(index))
        said.index = index
        if refs:
            said.columns["ref"] = refs[0]
        if table == HOLDS:
            _learn_hold(said, event)
        elif table == ERASURES:
            _learn_erasure(said, event, entry_id.hex())
        elif table == HOLD_BACKS:
            _learn_hold_back(said, event)
        else:
            said.columns["id"] = entry_id.hex()
            said.times["at"] = event.at

    def run(self) -> None:
        """Compare the rows of each table with what was learned."""
        for table, name in _NAMED_BY.items():
            left = dict(self._said[table])
            for row in self._view.standing_rows(table):
                said = left.pop((str(row["tenant"]), str(row[name])), None)
                if said is not None:
                    self._compare(table, row, str(row[name]), said)
                elif not (table in self._unread or self._is_replayed(table, row)):
                    what = f"no entry says that there is `{row[name]}`"
                    self._faults.add(table, None, what, Remedy.REMOVE)
            for (_, lost), said in left.items():
                what = f"the row `{lost}` is gone, of which this entry is"
                self._faults.add(table, said.index, what, Remedy.HEAD)

    def _is_replayed(self, table: str, row: Mapping[str, object]) -> bool:
        """Whether a row is of an erasure that a restored database was told again."""
        return table == ERASURES and (row["key_id"] in self._restored or not row["is_noted"])

    def _compare(self, table: str, row: Mapping[str, object], name: str, said: _Said) -> None:
        due = dict(said.columns)
        if table not in self._unread:
            unset = [one for one in _LATER[table] if one not in said.columns | said.times]
            due |= dict.fromkeys(unset)
        wrong = [one for one, value in due.items() if row[one] != value]
        wrong += [one for one, at in said.times.items() if not _is_near(row[one], at)]
        if table == ERASURES and not self._is_at(row, said):
            wrong.append("state")
        for one in wrong:
            what = f"column `{one}` of `{name}` is not what the entries say"
            self._faults.add(table, said.index, what, Remedy.HEAD)

    def _is_at(self, row: Mapping[str, object], said: _Said) -> bool:
        """Whether an erasure stands where its entries leave it; that it is done is no entry."""
        is_done = row["state"] == ErasureState.DONE
        may_be_done = _RANK[said.state] is ErasureState.RECORDED or row["key_id"] in self._restored
        if is_done:
            return may_be_done and _is_whole(row["done_at"])
        return row["state"] == _RANK[said.state] and row["done_at"] is None


def _learn_hold(said: _Said, event: EventPart) -> None:
    body, columns = event.body, said.columns
    scope = str(body.get("scope", ""))
    value = body.get(scope, "") if scope in {HoldScope.AGENT, HoldScope.CASE} else ""
    columns |= {
        "scope": scope,
        "value": columns.get("ref", "") if scope == HoldScope.CUSTOMER else value,
        "since": body.get("since"),
        "until": body.get("until"),
        "ground": body.get("ground"),
        "matter": body.get("matter"),
    }
    columns.setdefault("ref", None)
    step = {"set": "set", "lift_proposed": "lift"}.get(str(body.get("state")), "lifted")
    columns[f"{step}_by"] = event.agent
    said.times[f"{step}_at"] = event.at


def _learn_hold_back(said: _Said, event: EventPart) -> None:
    body, columns = event.body, said.columns
    columns |= {
        "agent_id": body.get("agent", ""),
        "since": body.get("since"),
        "until": body.get("until"),
        "ends_at": body.get("ends_at"),
    }
    if body.get("because") and "ref" not in columns:
        columns["reason"] = body["because"]
    state = str(body.get("state"))
    said.times[f"{state}_at"] = event.at
    if state != "ended":
        columns[f"{state}_by"] = event.agent
    if state == "proposed":
        columns.setdefault("ref", "")


def _learn_erasure(said: _Said, event: EventPart, entry_id: str) -> None:
    body, columns = event.body, said.columns
    columns |= {"ground": body.get("ground"), "proposed_by": body.get("proposed_by")}
    columns |= {"is_noted": True, "key_id": key_id(event.tenant, str(columns.get("ref", "")))}
    state = _RANK.index(ErasureState(str(body.get("state"))))
    said.state = max(said.state, state)
    if body.get("approved_by"):
        columns["approved_by"] = body["approved_by"]
        # One that was held is carried out later, as approved then.
        said.times["approved_at"] = min(event.at, said.times.get("approved_at", event.at))
    else:
        said.times["proposed_at"] = event.at
    if _RANK[state] is ErasureState.RECORDED:
        columns["entry_id"] = entry_id


def _texts(value: BodyValue | None) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _is_whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_near(value: object, at: Micros) -> bool:
    return isinstance(value, int) and at - MINUTE <= value <= at + MINUTE
