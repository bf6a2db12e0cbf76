"""Show: the form of every field by decision and mode, what masks join on, and why it looks so."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from guard.attempts import Attempt
from guard.broker.advice import FieldAdvice
from guard.broker.deciding import Decided
from guard.masking.context import MaskContext
from guard.rows import SubjectRow
from guard.vault.keyring import Keyring
from guard.views import FieldNote
from policies.model import Forbid, Form, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How a record will look, and what enforcing would have done ('' where it is done)."""

    forms: Mapping[str, Form]
    explanations: Mapping[str, str]
    would: str


def showing_of(decided: Decided) -> Showing:
    """The forms to carry out: the decision's, or what the mode shows instead."""
    attempt, decision = decided.attempt, decided.decision
    engine = attempt.in_force.engine
    if attempt.enforces and not isinstance(decision, Forbid):
        return Showing(forms=decision.forms, explanations=decision.explanations, would="")
    would = decided.would
    if attempt.situation.mode is Mode.OBSERVE:
        return Showing(forms=engine.unmasked(), explanations={}, would=would or "masked")
    shown = engine.forms(decided.facts, attempt.act)
    if isinstance(shown, Forbid):
        # A policy that cannot be evaluated shows nothing in any mode that masks.
        return Showing(forms={}, explanations={}, would=would)
    return Showing(forms=shown.forms, explanations=shown.explanations, would=would)


def mask_context(keyring: Keyring, attempt: Attempt, subject: SubjectRow) -> MaskContext:
    """What keyed masks of this view join on: the case, or else the purpose."""
    scope = f"case:{attempt.case}" if attempt.case else f"purpose:{attempt.request.purpose}"
    key = keyring.derived(subject.tenant, "mask")
    return MaskContext(key=key, subject=subject.ref, scope=scope)


class Noting:
    """Says of each field why it looks as it does. One per broker: what helps is worked out once."""

    def __init__(self) -> None:
        """Start without any advice worked out."""
        self._advice = FieldAdvice()

    def notes(
        self,
        decided: Decided,
        showing: Showing,
        shown: Mapping[str, Form],
        synthetic: frozenset[str] = frozenset(),
    ) -> tuple[FieldNote, ...]:
        """Why each shown field looks as it does, and how to get more of it."""
        attempt = decided.attempt
        catalogue = attempt.in_force.engine.bundle.catalogue.fields
        advice = self._advice.of(attempt.in_force, decided.facts, attempt.act, showing.forms)
        return tuple(
            FieldNote(
                path=path,
                cls=catalogue[path].cls,
                form=form,
                why=showing.explanations.get(catalogue[path].cls, ""),
                next=() if form is Form.PLAIN else advice.get(path, ()),
                synthetic=path in synthetic,
                verify=catalogue[path].verify,
                contact=catalogue[path].contact,
            )
            for path, form in shown.items()
        )


def within(
    known: Mapping[str, object], asked: tuple[str, ...] | None, limit: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """The paths asked for that lie in `limit`, one by one; as asked where there is no limit."""
    if limit is None:
        return asked
    inside = [path for path in known if _lies_in(path, limit)]
    return tuple(path for path in inside if asked is None or _lies_in(path, asked))


def _lies_in(path: str, names: tuple[str, ...]) -> bool:
    """Whether a path is one of `names`, or below the object or list that one of them names."""
    bare = path.replace("[]", "") + "."
    return any(bare.startswith(name.replace("[]", "") + ".") for name in names)


def view_code(entry_id: str) -> str:
    """Eight characters of an entry's id in base 32, to stand on the screen: `K7QA-93DM`.

    40 bits: a photograph with the minute that it shows leads to one entry.
    """
    text = base64.b32encode(bytes.fromhex(entry_id)[-5:]).decode()
    return f"{text[:4]}-{text[4:]}"
