"""Decisions on stored facts: each is worked out once, by the bundle under test or the one before.

Facts that an earlier release stored lack what it did not know. They are completed with what every
request was then, and the report says how often; facts that cannot be read are named and not
guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from guard.in_force import InForce
from guard.ports import ReadView
from policies.bundle import load_bundle
from policies.errors import PolicyError
from policies.facts import parse_facts
from policies.model import Act, Decision, Facts, Form, Permit

# What a request is taken to have been whose entry is older than the fact.
EARLIER: Mapping[str, str | bool] = {
    "desk": "front_line",
    "tie": "none",
    "customer_present": False,
}
UNKNOWN_ACT = "this release does not know the act"
NO_FACTS = "its facts are not in the store"
UNKNOWN_FACTS = "this release cannot read its facts"


@dataclass(frozen=True, slots=True)
class Looks:
    """The form of every class that shows; `before` is None where the old bundle is unreadable."""

    now: Mapping[str, Form]
    before: Mapping[str, Form] | None


class Verdicts:
    """What one bundle says to stored facts."""

    def __init__(self, policy: InForce) -> None:
        """Decide by `policy`."""
        self._policy = policy
        self._facts: dict[str, Facts | str] = {}
        self._said: dict[tuple[str, str], Decision | str] = {}
        self._looks: dict[tuple[str, str, str], Looks] = {}
        self._originals: dict[str, InForce | None] = {}
        self.assumed: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """The bundle that decides."""
        return self._policy.engine.bundle.digest

    @property
    def decided(self) -> int:
        """How many different facts were decided on."""
        return len({name for (name, _), said in self._said.items() if not isinstance(said, str)})

    def of(self, view: ReadView, facts_id: str, act: str) -> Decision | str:
        """The decision; a sentence where there is none."""
        said = self._said.get((facts_id, act))
        if said is None:
            facts = self._read(view, facts_id)
            if act not in set(Act):
                said = UNKNOWN_ACT
            else:
                said = (
                    facts if isinstance(facts, str) else self._policy.engine.decide(facts, Act(act))
                )
            self._said[facts_id, act] = said
        return said

    def looks(self, view: ReadView, facts_id: str, act: str, *, before: str) -> Looks:
        """How each class looks under this bundle, and how it looked under bundle `before`.

        Whether the request is admitted is not asked: that is `of`.
        """
        place = (facts_id, act, before)
        if place not in self._looks:
            facts = self._read(view, facts_id)
            original = self._original(view, before)
            self._looks[place] = Looks(
                now=_forms(self._policy, facts, act),
                before=None if original is None else _forms(original, facts, act),
            )
        return self._looks[place]

    def _read(self, view: ReadView, facts_id: str) -> Facts | str:
        found = self._facts.get(facts_id)
        if found is None:
            found = self._facts[facts_id] = self._parse(view, facts_id)
        return found

    def _parse(self, view: ReadView, facts_id: str) -> Facts | str:
        stored = view.facts(facts_id)
        if stored is None:
            return NO_FACTS
        try:
            facts = parse_facts({**EARLIER, **stored})
        except PolicyError:
            return UNKNOWN_FACTS
        lacking = [f"{name}={_word(EARLIER[name])}" for name in EARLIER if name not in stored]
        if lacking:
            self.assumed[facts_id] = ", ".join(lacking)
        return facts

    def _original(self, view: ReadView, digest: str) -> InForce | None:
        """The policy of an earlier bundle; None: this release cannot load it."""
        if digest not in self._originals:
            same = digest == self.digest
            self._originals[digest] = self._policy if same else _loaded(view, digest)
        return self._originals[digest]


def _loaded(view: ReadView, digest: str) -> InForce | None:
    files = view.bundle(digest)
    try:
        return None if files is None else InForce.of(load_bundle(files))
    except PolicyError:
        return None


def _forms(policy: InForce, facts: Facts | str, act: str) -> Mapping[str, Form]:
    """The most open form that any field of a class takes: its mask may be a redaction."""
    if isinstance(facts, str):
        return {}
    decided = policy.engine.forms(facts, Act(act))
    if not isinstance(decided, Permit):
        return {}
    classes = policy.plans.plan(decided.forms, None).classes
    return {cls: Form[name.upper()] for cls, name in classes.items()}


def _word(value: str | bool) -> str:  # noqa: FBT001 - a fact is an enum or a boolean
    return str(value).lower()
