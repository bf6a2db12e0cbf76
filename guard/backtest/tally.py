"""Counting what would have been otherwise, by team, act, class and policy."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from guard.backtest.known import Standing
from guard.backtest.report import ActRow, ClassRow, CountRow, Report, TeamRow
from guard.backtest.verdicts import Looks
from policies.model import Decision, Forbid, Form

# Refusals that a policy made; any other code is a budget, a suspension or a stranger.
BY_POLICY = frozenset({"", "policy", "explained_only"})
_FORMS = {form.name.lower(): form for form in Form}
_decode_classes = msgspec.json.Decoder(dict[str, str]).decode


class Alike(NamedTuple):
    """Requests that are alike in all that a report tells apart.

    `refused` is the code of a refusal or failure, None for what was done; `classes` is JSON.
    """

    facts_id: str
    act: str
    team: str
    kind: int
    refused: str | None
    bundle: str
    classes: bytes
    standing: Standing


@dataclass(slots=True)
class _Team:
    requests: int = 0
    newly_refused: int = 0
    newly_allowed: int = 0
    honest: int = 0
    honest_refused: int = 0
    honest_covered: int = 0

    def row(self, name: str) -> TeamRow:
        return TeamRow(
            team=name,
            requests=self.requests,
            newly_refused=self.newly_refused,
            newly_allowed=self.newly_allowed,
            honest=self.honest,
            honest_refused=self.honest_refused,
            honest_covered=self.honest_covered,
        )


@dataclass(slots=True)
class Tally:
    """What was counted so far; its size does not depend on how many requests there were."""

    entries: int = 0
    repaired: int = 0
    not_replayed: Counter[str] = field(default_factory=Counter)
    assumed: Counter[str] = field(default_factory=Counter)
    _decided: int = 0
    _bad: int = 0
    _stopped: int = 0
    _customers: set[str] = field(default_factory=set)
    _still: set[str] = field(default_factory=set)
    _teams: dict[str, _Team] = field(default_factory=dict)
    _acts: dict[str, list[int]] = field(default_factory=dict)
    _classes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _refused_by: Counter[str] = field(default_factory=Counter)

    def add_customers(self, refs: Collection[str], verdict: Decision | str) -> None:
        """Count whom a known bad request showed, and whom it still would."""
        self._customers.update(refs)
        if not isinstance(verdict, Forbid):
            self._still.update(refs)

    def add(self, alike: Alike, verdict: Decision, looks: Looks | None, count: int) -> None:
        """Count requests that are alike; `looks` of those that were shown and still would be."""
        was_shown, stops = alike.refused is None, isinstance(verdict, Forbid)
        refused = count if was_shown and stops else 0
        allowed = count if not stops and alike.refused in BY_POLICY else 0
        self._decided += count
        team = self._teams.setdefault(alike.team, _Team())
        act = self._acts.setdefault(alike.act, [0, 0, 0])
        for place, more in enumerate((count, refused, allowed)):
            act[place] += more
        team.requests += count
        team.newly_refused += refused
        team.newly_allowed += allowed
        if refused:
            self._refused_by.update(dict.fromkeys(verdict.determined_by, count))
        if was_shown and alike.standing is Standing.BAD:
            self._bad += count
            self._stopped += refused
        covered = looks is not None and self._forms(alike, looks, count)
        if was_shown and alike.standing is Standing.HONEST:
            team.honest += count
            team.honest_refused += refused
            team.honest_covered += count if covered else 0

    def _forms(self, alike: Alike, looks: Looks, count: int) -> bool:
        """Count classes that would look otherwise; whether one would be shown less openly.

        An entry names the most open form that was really shown. Where that is less than the old
        bundle gives, only some fields of the class were asked for; where it is more, the mode
        showed more than was decided.
        """
        shown = {cls: _FORMS[name] for cls, name in _decode_classes(alike.classes).items()}
        is_covered = False
        for cls, form in shown.items():
            decided = form if looks.before is None else looks.before.get(cls, Form.HIDE)
            before, after = max(form, decided), looks.now.get(cls, Form.HIDE)
            is_covered |= self._change(cls, before, after, count)
        if looks.before is not None:
            for cls in looks.now.keys() - shown.keys() - looks.before.keys():
                self._change(cls, Form.HIDE, looks.now[cls], count)
        return is_covered

    def _change(self, cls: str, before: Form, after: Form, count: int) -> bool:
        if before is not after:
            self._classes[cls, _name(before), _name(after)] += count
        return after < before

    def report(self, digest: str, facts: int) -> Report:
        """What came out, for a bundle that decided on so many different facts."""
        teams = tuple(team.row(name) for name, team in sorted(self._teams.items()))
        return Report(
            digest=digest,
            entries=self.entries,
            decided=self._decided,
            repaired=self.repaired,
            facts=facts,
            bad=self._bad,
            bad_stopped=self._stopped,
            customers_seen=len(self._customers),
            customers_still_seen=len(self._still),
            honest=sum(team.honest for team in teams),
            honest_refused=sum(team.honest_refused for team in teams),
            newly_refused=sum(team.newly_refused for team in teams),
            newly_allowed=sum(team.newly_allowed for team in teams),
            acts=tuple(
                ActRow(act=act, requests=n, newly_refused=refused, newly_allowed=allowed)
                for act, (n, refused, allowed) in sorted(self._acts.items())
            ),
            teams=teams,
            classes=tuple(
                ClassRow(field_class=cls, before=before, after=after, requests=n)
                for (cls, before, after), n in sorted(self._classes.items())
            ),
            refused_by=_counts(self._refused_by),
            not_replayed=_counts(self.not_replayed),
            assumed=_counts(self.assumed),
        )


def _name(form: Form) -> str:
    return form.name.lower()


def _counts(counter: Counter[str]) -> tuple[CountRow, ...]:
    """The most frequent first."""
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return tuple(CountRow(name=name, requests=n) for name, n in ranked)
