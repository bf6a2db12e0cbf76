"""Decisions on stored facts: each is worked out once, by the bundle under test or the one before.

Facts that an earlier release stored lack what it did not know. They are completed with what every
request was then, and the report says how often; facts that cannot be read are named and not
guessed.
"""

from collections.abc import Mapping

from guard.ports import ReadView
from policies.bundle import load_bundle
from policies.engine import Engine
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


class Verdicts:
    """What one bundle says to stored facts."""

    def __init__(self, engine: Engine) -> None:
        """Decide by `engine`."""
        self._engine = engine
        self._facts: dict[str, Facts | str] = {}
        self._said: dict[tuple[str, str], Decision | str] = {}
        self._originals: dict[str, Engine | None] = {}
        self.assumed: dict[str, str] = {}

    @property
    def digest(self) -> str:
        """The bundle that decides."""
        return self._engine.bundle.digest

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
                said = facts if isinstance(facts, str) else self._engine.decide(facts, Act(act))
            self._said[facts_id, act] = said
        return said

    def opened(self, view: ReadView, facts_id: str, act: str, *, before: str) -> Mapping[str, Form]:
        """Classes that bundle `before` hid and this one shows, with the form they would take."""
        said, facts = self.of(view, facts_id, act), self._read(view, facts_id)
        original = self._original(view, before)
        if original is None or isinstance(facts, str) or not isinstance(said, Permit):
            return {}
        decided = original.decide(facts, Act(act))
        if not isinstance(decided, Permit):
            return {}
        return {
            cls: form
            for cls, form in said.forms.items()
            if form > Form.HIDE and decided.forms.get(cls, Form.HIDE) is Form.HIDE
        }

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

    def _original(self, view: ReadView, digest: str) -> Engine | None:
        """The engine of an earlier bundle; None: it is this one, or it does not load any more."""
        if digest not in self._originals:
            self._originals[digest] = None if digest == self.digest else _engine(view, digest)
        return self._originals[digest]


def _engine(view: ReadView, digest: str) -> Engine | None:
    files = view.bundle(digest)
    try:
        return None if files is None else Engine(load_bundle(files))
    except PolicyError:
        return None


def _word(value: str | bool) -> str:  # noqa: FBT001 - a fact is an enum or a boolean
    return str(value).lower()
