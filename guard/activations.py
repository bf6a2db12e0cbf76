"""The life of a policy bundle: proposed, approved by a second person, in force, retired.

A bundle comes into force in four steps, and each is an entry with who did it and why: somebody
proposes it (it must load and have no faults, and is kept by its digest for ever), a person outside
the proposer's line approves it, either of them activates it, and the one before is retired. In an
emergency one person alone goes back to the bundle that was in force before; that is reviewed by a
second person afterwards, and the entry says that the review is due; while one is overdue nobody
goes back alone again.

Neither a proposal nor an approval is for ever: one that nobody approved, and one that nobody put in
force, within `LAPSES_AFTER` is proposed again, as what it was tried on has changed.

What decides changes in the same breath as the commit: the process that activates swaps its policy
before it answers, the others follow with `follow`. Which bundle decides for whom in this process is
`guard.in_force`'s business.
"""

import asyncio
import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from guard.after_reviews import is_rollback_overdue, rollback_key
from guard.alerts import AlertChange, Alerts
from guard.clock import DAY, Clock, Micros
from guard.entries import SYSTEM, BodyValue, EntryKind, NewEntry, event_by
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from guard.in_force import Policies
from guard.masking.plans import catalogue_faults
from guard.ports import Committer, Readers, ReadView, Transaction
from guard.principals import Principal
from guard.purposes.second_person import require_second_person
from guard.rows import ActivationRow, ActivationState, AlertState
from policies.bundle import Bundle, digest_of, load_bundle
from policies.errors import PolicyError
from policies.lint import lint
from policies.model import Role

# A bundle is a handful of texts that people read: far above any honest one, far below a burden.
MAX_FILES = 64
MAX_BYTES = 1 << 19
MAX_BECAUSE = 2_000
# A release of the people who decide about policies fits in.
LAPSES_AFTER: Micros = 14 * DAY
# Faults that a refusal names; the whole list is what `guard policy lint` prints.
NAMED_FAULTS = 5
Work: TypeAlias = Callable[[Transaction], ActivationRow]
STARTED_WITH = "in force since the service started with it"
_RETIRED = ActivationState.RETIRED
_MAY_CHANGE = frozenset({Role.ADMIN, Role.ANALYST})
_MAY_READ = _MAY_CHANGE | {Role.AUDITOR, Role.MANAGER}
# Severities of a finding that do not refuse a bundle; any other word does.
_LENIENT = frozenset({"warning", "advice"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProposedPolicy:
    """An activation with the files that it is about."""

    row: ActivationRow
    files: Mapping[str, bytes]


class Activations:
    """Moves bundles through their life, and keeps this process deciding by the one in force."""

    def __init__(
        self,
        committer: Committer,
        readers: Readers,
        clock: Clock,
        policies: Policies,
        alerts: Alerts,
    ) -> None:
        """Write through `committer`, read through `readers`, put bundles in force in `policies`.

        The review of a rollback ends what `alerts` say about it.
        """
        self._committer, self._readers, self._clock = committer, readers, clock
        self._policies, self._alerts = policies, alerts
        # A commit and the swap that belongs to it: two activations, or one and `follow`, must not
        # swap in another order than they committed.
        self._turn = asyncio.Lock()

    async def propose(
        self, principal: Principal, files: Mapping[str, bytes], because: str
    ) -> ActivationRow:
        """Keep a bundle and propose it; it decides nothing until it is approved and activated.

        Raises:
            AccessDeniedError: Only administrators and analysts change policies.
            InvalidRequestError: There is no reason, or the bundle is too large or has faults.
        """
        _require(principal, _MAY_CHANGE)
        because = _checked_because(because)
        _refuse_large(files)
        await asyncio.to_thread(_refuse_faulty, files)
        now = self._clock.now()
        row = ActivationRow(
            id=_new_id(),
            tenant=principal.tenant,
            digest=digest_of(files),
            state=ActivationState.PROPOSED,
            because=because,
            proposed_by=principal.id,
            proposed_at=now,
        )

        def work(tx: Transaction) -> ActivationRow:
            tx.rows.put_bundle(row.digest, files)
            return self._put(tx, principal, row, "proposed", {"files": sorted(files)})

        return await self._committer.run(work)

    async def approve(self, principal: Principal, activation_id: str) -> ActivationRow:
        """Approve somebody else's proposal, or review somebody else's rollback.

        Raises:
            AccessDeniedError: The role may not, or the two people are too close.
            NotFoundError: There is no such policy.
            ConflictError: It waits for no approval, or has waited too long.
        """
        _require(principal, _MAY_CHANGE)

        def work(tx: Transaction) -> ActivationRow:
            row = _found(tx.rows, principal, activation_id)
            is_rollback = row.rolled_back_from is not None
            if row.approved_by is not None or not (
                is_rollback or row.state is ActivationState.PROPOSED
            ):
                raise ConflictError("this policy waits for no approval: see its state")
            now = self._clock.now()
            if not is_rollback:
                _refuse_lapsed(row.proposed_at, now, "approved")
            proposer = tx.rows.principal(principal.tenant, row.proposed_by)
            require_second_person(proposer, principal)
            row = dataclasses.replace(
                row,
                state=row.state if is_rollback else ActivationState.APPROVED,
                approved_by=principal.id,
                approved_at=now,
            )
            if is_rollback:
                reviewed = AlertChange(state=AlertState.DISMISSED)
                self._alerts.settle(tx, principal, rollback_key(row), reviewed)
            return self._put(tx, principal, row, "reviewed" if is_rollback else "approved")

        return await self._committer.run(work)

    async def activate(self, principal: Principal, activation_id: str) -> ActivationRow:
        """Put an approved bundle in force; when this returns, this process decides by it.

        Raises:
            AccessDeniedError: The role may not change policies.
            NotFoundError: There is no such policy.
            ConflictError: It is not approved, was approved too long ago, or is in force already.
            ConfigurationError: The kept bundle does not load any more.
        """
        _require(principal, _MAY_CHANGE)
        asked = await self._readers.read(lambda view: _found(view, principal, activation_id))
        if asked.state is not ActivationState.APPROVED:
            raise ConflictError("only an approved policy can be activated: see its state")
        bundle = await self._load(asked)

        def work(tx: Transaction) -> ActivationRow:
            row = _found(tx.rows, principal, activation_id)
            if row.state is not ActivationState.APPROVED:
                raise ConflictError("this policy is activated already")
            _refuse_lapsed(row.approved_at or 0, self._clock.now(), "activated")
            return self._begin(tx, principal, row, "active")

        return await self._swap(work, bundle)

    async def rollback(self, principal: Principal, because: str) -> ActivationRow:
        """Go back to the bundle that was in force before, at once and by one person.

        Raises:
            AccessDeniedError: The role may not change policies.
            InvalidRequestError: There is no reason.
            ConflictError: No other bundle was in force before this one, or the review of an
                earlier rollback is overdue.
            ConfigurationError: The kept bundle does not load any more.
        """
        _require(principal, _MAY_CHANGE)
        because = _checked_because(because)
        now, target = await self._readers.read(lambda view: _previous(view, principal.tenant))
        bundle = await self._load(target)
        row = ActivationRow(
            id=_new_id(),
            tenant=principal.tenant,
            digest=target.digest,
            state=ActivationState.APPROVED,
            because=because,
            proposed_by=principal.id,
            proposed_at=self._clock.now(),
            rolled_back_from=now.id,
        )

        def work(tx: Transaction) -> ActivationRow:
            if _previous(tx.rows, principal.tenant) != (now, target):
                raise ConflictError("another policy came into force meanwhile: look again")
            _refuse_unreviewed(tx.rows.activations(principal.tenant), self._clock.now())
            body: dict[str, BodyValue] = {"rolled_back_from": now.id, "review": "due"}
            return self._begin(tx, principal, row, "rolled_back", body)

        return await self._swap(work, bundle)

    async def list(self, principal: Principal) -> list[ActivationRow]:
        """All bundles that were ever proposed in the caller's tenant, oldest first.

        Raises:
            AccessDeniedError: The role may not read policies.
        """
        _require(principal, _MAY_READ)
        return await self._readers.read(lambda view: view.activations(principal.tenant))

    async def get(self, principal: Principal, activation_id: str) -> ProposedPolicy:
        """One of them with its files, so that whoever approves it has read it.

        Raises:
            AccessDeniedError: The role may not read policies.
            NotFoundError: There is no such policy.
        """
        _require(principal, _MAY_READ)

        def look(view: ReadView) -> ProposedPolicy:
            row = _found(view, principal, activation_id)
            return ProposedPolicy(row=row, files=view.bundle(row.digest) or {})

        return await self._readers.read(look)

    async def follow(self) -> None:
        """Put in force what other processes have activated; nothing changes if nothing did.

        Raises:
            ConfigurationError: A bundle in force does not load here; names it.
        """
        async with self._turn:
            for row in await self._readers.read(lambda view: view.active_policies()):
                if self._policies.of(row.tenant).engine.bundle.digest != row.digest:
                    self._policies.put(row.tenant, await self._load(row))

    async def _swap(self, work: Work, bundle: Bundle) -> ActivationRow:
        async with self._turn:
            row = await self._committer.run(work)
            self._policies.put(row.tenant, bundle)
        return row

    async def _load(self, row: ActivationRow) -> Bundle:
        files = await self._readers.read(lambda view: view.bundle(row.digest))
        return await asyncio.to_thread(load_kept, row, files)

    def _begin(
        self,
        tx: Transaction,
        by: Principal,
        row: ActivationRow,
        state: str,
        more: Mapping[str, BodyValue] | None = None,
    ) -> ActivationRow:
        """Put `row` in force behind whatever is in force now, which is retired."""
        rows = tx.rows.activations(by.tenant)
        # INVARIANT: times of activation rise strictly, so that their order is that of the log.
        newest = max((r.activated_at or 0 for r in rows), default=0)
        at = max(self._clock.now(), newest + 1)
        before = [r for r in rows if r.state is ActivationState.ACTIVE]
        if not before:
            self._keep_started_with(tx, by.tenant, at)
        for old in before:
            # Before the next is put: at most one may be active at any moment.
            retired = dataclasses.replace(old, state=ActivationState.RETIRED, retired_at=at)
            tx.rows.put_activation(retired)
        row = dataclasses.replace(row, state=ActivationState.ACTIVE, activated_at=at)
        return self._put(tx, by, row, state, more)

    def _keep_started_with(self, tx: Transaction, tenant: str, until: Micros) -> None:
        """The bundle that the service started with was in force as well: one can go back to it."""
        bundle = self._policies.of(tenant).engine.bundle
        tx.rows.put_bundle(bundle.digest, bundle.files)
        row = ActivationRow(
            id=_new_id(),
            tenant=tenant,
            digest=bundle.digest,
            state=ActivationState.RETIRED,
            because=STARTED_WITH,
            proposed_by=SYSTEM,
            proposed_at=until,
            retired_at=until,
        )
        tx.rows.put_activation(row)

    def _put(
        self,
        tx: Transaction,
        by: Principal,
        row: ActivationRow,
        state: str,
        more: Mapping[str, BodyValue] | None = None,
    ) -> ActivationRow:
        tx.rows.put_activation(row)
        body: dict[str, BodyValue] = {
            "activation": row.id,
            "digest": row.digest,
            "state": state,
            "because": row.because,
        }
        event = msgspec.structs.replace(
            event_by(by, EntryKind.BUNDLE, self._clock.now()), body=body | dict(more or {})
        )
        tx.record(NewEntry(kind=EntryKind.BUNDLE, event=event))
        return row


def load_active(view: ReadView) -> dict[str, Bundle]:
    """The bundle in force of every tenant that has one of its own, for the start of a process.

    Raises:
        ConfigurationError: One of them does not load; names it. There is no falling back.
    """
    return {row.tenant: load_kept(row, view.bundle(row.digest)) for row in view.active_policies()}


def load_kept(row: ActivationRow, files: Mapping[str, bytes] | None) -> Bundle:
    """Load a bundle as it was kept.

    Raises:
        ConfigurationError: It is gone, was changed, or does not load.
    """
    name = f"policy `{row.id}` of tenant `{row.tenant}` (bundle {row.digest[:12]})"
    if files is None:
        raise ConfigurationError(f"{name} is not in the store: restore it from a backup")
    if digest_of(files) != row.digest:
        raise ConfigurationError(f"{name} was changed in the store: restore it from a backup")
    try:
        bundle = load_bundle(files)
    except PolicyError as error:
        raise ConfigurationError(f"{name} does not load: {error}") from None
    faults = catalogue_faults(bundle.catalogue)
    if faults:
        raise ConfigurationError(f"{name} does not load: fields.toml: " + "; ".join(faults))
    return bundle


def _previous(view: ReadView, tenant: str) -> tuple[ActivationRow, ActivationRow]:
    """The activation in force, and the one to go back to.

    A rollback takes the bundle it left off the pile, so a second one goes further back and not
    forward again.
    """
    pile: list[ActivationRow] = []
    now: ActivationRow | None = None
    # What never came into force is no place to go back to.
    begun = (r for r in view.activations(tenant) if r.activated_at or r.state is _RETIRED)
    for row in sorted(begun, key=lambda r: r.activated_at or 0):
        now = row
        if row.rolled_back_from is None:
            pile.append(row)
        else:
            pile.pop()
    if now is None or len(pile) < 2:  # noqa: PLR2004 - the one in force and the one before
        raise ConflictError("no other policy was in force before: propose and approve one")
    return now, pile[-2]


def _found(view: ReadView, principal: Principal, activation_id: str) -> ActivationRow:
    row = view.activation(principal.tenant, activation_id)
    if row is None:
        raise NotFoundError("no such policy")
    return row


def _refuse_lapsed(since: Micros, now: Micros, what: str) -> None:
    """Refuse a step that everybody has forgotten about."""
    if since + LAPSES_AFTER <= now:
        raise ConflictError(
            f"this policy was not {what} within {LAPSES_AFTER // DAY} days: try it on what has "
            "happened since, and propose it again"
        )


def _refuse_unreviewed(rows: Sequence[ActivationRow], now: Micros) -> None:
    """Refuse to go back alone while a second person owes a look at the last time."""
    if any(is_rollback_overdue(row, now) for row in rows):
        raise ConflictError(
            "the review of an earlier rollback is overdue: have a second person approve that, or "
            "propose this policy for two people"
        )


def _require(principal: Principal, roles: frozenset[Role]) -> None:
    if principal.role not in roles:
        raise AccessDeniedError(
            "an administrator or analyst changes policies; managers and auditors may read them"
        )


def _checked_because(because: str) -> str:
    because = because.strip()
    if not 0 < len(because) <= MAX_BECAUSE:
        raise InvalidRequestError(f"say in `because` why, in at most {MAX_BECAUSE} characters")
    return because


def _refuse_large(files: Mapping[str, bytes]) -> None:
    size = sum(len(name) + len(content) for name, content in files.items())
    if len(files) > MAX_FILES or size > MAX_BYTES:
        raise InvalidRequestError(f"a bundle has at most {MAX_FILES} files of {MAX_BYTES} bytes")


def _refuse_faulty(files: Mapping[str, bytes]) -> None:
    """Refuse what lint calls an error; places and rules only, the words may repeat the files'."""
    found = [f for f in lint(files) if str(getattr(f, "severity", "error")) not in _LENIENT]
    places = [f"{f.file}:{f.line} ({f.rule})" for f in found]
    if not places:
        faults = catalogue_faults(load_bundle(files).catalogue)
        places = ["fields.toml (mask)" for _ in faults]
    if places:
        more = "" if len(places) <= NAMED_FAULTS else f" and {len(places) - NAMED_FAULTS} more"
        raise InvalidRequestError(
            "the bundle has faults at "
            + ", ".join(places[:NAMED_FAULTS])
            + more
            + ": `guard policy lint` says what they are"
        )


def _new_id() -> str:
    return "pol-" + secrets.token_hex(6)
