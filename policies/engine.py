"""Decide: facts in, a decision out, the same one for ever.

Two questions are put to Cedar. `Admit`: may this act go on at all? `Show`, once per field class: in
which form? (For the seconds of a reveal `Reveal` stands in its place.) Five rules hold:

* whatever is not allowed is refused, and a class that no permit shows is hidden;
* of all permits that match a class the most protective form wins, and a matching forbid hides it;
* an evaluation error in any policy refuses the view. Cedar itself skips a policy that fails, also
  a `forbid`, and answers Allow;
* the order of ids and sentences is that of the bundle, not Cedar's;
* equal facts give equal decisions, so decisions are remembered; facts are closed, so few are asked.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

import cedarpy

from policies.bundle import Bundle
from policies.cedar_text import NO_PERMIT, POLICY_ERROR, Policy
from policies.facts import admit_request, show_request
from policies.model import Act, Decision, Facts, Forbid, Form, Permit

# Decisions remembered per question. A floor asks a few hundred different facts; at about 2 KB each
# this bounds the memory of a caller that tries to make many.
MEMO_LIMIT = 8192

NO_PERMIT_REASON = (
    "no rule allows this view for the stated purpose and role: check the purpose, or ask your lead"
)
POLICY_ERROR_REASON = (
    "a policy could not be evaluated, so nothing is shown: tell the people who maintain the policy"
)
NOT_SHOWN_REASON = "no rule shows these fields for this purpose"


class Engine:
    """Decides by one bundle. Safe to share between threads; holds no clock and no other state."""

    def __init__(self, bundle: Bundle, *, memo_limit: int = MEMO_LIMIT) -> None:
        """Take a bundle, and how many decisions to remember of each kind."""
        self.bundle = bundle
        self._by_id = {policy.id: policy for policy in bundle.policies}
        self._rank = {policy.id: rank for rank, policy in enumerate(bundle.policies)}
        self._decide = lru_cache(memo_limit)(self._evaluate)
        self._show = lru_cache(memo_limit)(self._evaluate_forms)
        self._unmasked = MappingProxyType(dict.fromkeys(bundle.classes, Form.PLAIN))

    def decide(self, facts: Facts, act: Act = Act.VIEW) -> Decision:
        """Answer both questions: refuse, or permit with the form of every field class.

        For a reveal the forms are those of `Reveal`, for any other act those of `Show`.
        """
        return self._decide(facts, act)

    def forms(self, facts: Facts, act: Act = Act.VIEW) -> Decision:
        """The forms alone, as if the act were admitted: what mode *mask* carries out.

        Refuses only when a policy cannot be evaluated.
        """
        return self._show(facts, act)

    def unmasked(self) -> Mapping[str, Form]:
        """Every class in plain: what mode *observe* shows beside the decision that it records."""
        return self._unmasked

    @property
    def evaluations(self) -> int:
        """How often a decision had to be worked out, because it was not remembered."""
        return self._decide.cache_info().misses

    def _evaluate(self, facts: Facts, act: Act) -> Decision:
        (result,) = self._ask([admit_request(facts, act)])
        broken = self._broken([result])
        if broken is not None:
            return broken
        said = self._policies(result)
        if not result.allowed:
            if not said:
                return Forbid((NO_PERMIT_REASON,), (NO_PERMIT,))
            return Forbid(_distinct(p.reason for p in said), tuple(p.id for p in said))
        shown = self.forms(facts, act)
        if isinstance(shown, Forbid):
            return shown
        return Permit(
            forms=shown.forms,
            explanations=shown.explanations,
            obligations=_distinct((*_obligations(said), *shown.obligations)),
            determined_by=(*(p.id for p in said), *shown.determined_by),
        )

    def _evaluate_forms(self, facts: Facts, act: Act) -> Decision:
        classes = self.bundle.classes
        results = self._ask([show_request(facts, cls, act) for cls in classes])
        broken = self._broken(results)
        if broken is not None:
            return broken
        forms: dict[str, Form] = {}
        explanations: dict[str, str] = {}
        decisive: set[str] = set()
        for cls, result in zip(classes, results, strict=True):
            form, winners = _most_protective(self._policies(result))
            forms[cls] = form
            if form is not Form.PLAIN:
                explanations[cls] = winners[0].reason if winners else NOT_SHOWN_REASON
            decisive.update(policy.id for policy in winners)
        said = [policy for policy in self.bundle.policies if policy.id in decisive]
        return Permit(
            forms=MappingProxyType(forms),
            explanations=MappingProxyType(explanations),
            obligations=_obligations(said),
            determined_by=tuple(policy.id for policy in said),
        )

    def _ask(self, requests: list[dict[str, object]]) -> list[cedarpy.AuthzResult]:
        bundle = self.bundle
        return cedarpy.is_authorized_batch(
            requests, bundle.policy_set, bundle.entities, bundle.schema
        )

    def _policies(self, result: cedarpy.AuthzResult) -> list[Policy]:
        """The policies that determined a result, in the bundle's order."""
        ids = sorted(result.diagnostics.reasons, key=self._rank.__getitem__)
        return [self._by_id[policy_id] for policy_id in ids]

    def _broken(self, results: list[cedarpy.AuthzResult]) -> Forbid | None:
        """Refuse unless every result was reached without an error."""
        errors = [error for result in results for error in result.diagnostics.errors]
        undecided = any(result.decision is cedarpy.Decision.NoDecision for result in results)
        if not errors and not undecided:
            return None
        named = (p.id for p in self.bundle.policies if any(f"`{p.id}`" in e for e in errors))
        return Forbid((POLICY_ERROR_REASON,), (POLICY_ERROR, *named))


def _most_protective(said: list[Policy]) -> tuple[Form, list[Policy]]:
    """The form that wins, with the policies that made it win; none: nothing matched.

    Cedar names the forbids if one matches, and the permits otherwise: a forbid has no form.
    """
    form = min((policy.form or Form.HIDE for policy in said), default=Form.HIDE)
    return form, [policy for policy in said if (policy.form or Form.HIDE) is form]


def _obligations(said: Iterable[Policy]) -> tuple[str, ...]:
    return _distinct(token for policy in said for token in policy.obligations)


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    """Drop repetitions, keep the order."""
    return tuple(dict.fromkeys(words))
