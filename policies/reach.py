"""What a bundle can never do: policies that never decide, acts, purposes and classes left out.

Everything is shown on all combinations of the closed facts at once (`policies.atlas`), so a finding
is a proof and not a guess. A policy *decides* where the answer would be another without it:

* a permit of an act, where no forbid matches and no other permit does;
* a forbid, where something is permitted and no other forbid matches;
* a permit of a form, where no forbid and no other permit of the same or a lower form matches.

Of several policies that say the same the first one stays, and those after it are found. A permit
that carries an obligation says something of its own beside another permit.
"""

from collections.abc import Hashable, Iterator, Sequence

from policies.atlas import PERMITTED, Atlas
from policies.bundle import FIELDS_FILE, SCHEMA_FILE
from policies.cedar_text import Policy, Question
from policies.conditions import NAMES, VALUES, Target
from policies.diagrams import Node
from policies.errors import WideConditionError
from policies.findings import Finding
from policies.model import Act, ActorKind, Form, Purpose
from policies.toml_source import TomlSource, decode


def unreadable(atlas: Atlas) -> Iterator[Finding]:
    """The policies whose conditions cannot be looked through, or fail for some facts."""
    for policy in atlas.bundle.policies:
        try:
            fails = any(
                None in atlas.diagrams.count(atlas.matches(policy, target))
                for target in atlas.targets(policy.question)
            )
        except WideConditionError as error:
            message = f"a condition of policy `{policy.id}` is too wide: {error}"
            yield Finding(policy.file, policy.line, "condition-too-wide", message)
        else:
            if fails:
                message = (
                    f"policy `{policy.id}` fails for some facts, and a policy that fails refuses "
                    "everything: compare facts with their values only"
                )
                yield Finding(policy.file, policy.line, "policy-fails", message)


def unreachable(atlas: Atlas) -> Iterator[Finding]:
    """The policies that never decide anything, each with what stands in its way."""
    for question in Question:
        rest = atlas.policies(question)
        # From the last to the first: of two that say the same the later one is found.
        for policy in reversed(atlas.policies(question)):
            others = [other for other in rest if other is not policy]
            fault = _fault(atlas, policy, others)
            if fault is not None:
                rest = others
                message = f"policy `{policy.id}` never decides anything: {fault}"
                yield Finding(policy.file, policy.line, "policy-unreachable", message)


def left_out(atlas: Atlas) -> Iterator[Finding]:
    """The acts that nobody may do, the purposes that admit nobody, the classes never shown."""
    closed = [act for act in Act if PERMITTED not in atlas.diagrams.count(atlas.admission(act))]
    yield from _closed(atlas, closed)
    if len(closed) < len(Act):
        yield from _idle_purposes(atlas)
    for target in atlas.targets(Question.SHOW):
        values = atlas.diagrams.count(atlas.look(target))
        if not any(form in values for form in Form if form is not Form.HIDE):
            yield _never_shown(atlas, target)


def _closed(atlas: Atlas, closed: Sequence[Act]) -> Iterator[Finding]:
    blamed = {act: _closes(atlas, Target(Question.ADMIT, act.value)) for act in closed}
    for policy in atlas.policies(Question.ADMIT):
        acts = [act for act in closed if blamed[act] is policy]
        if acts:
            what = "everything" if len(acts) == len(Act) else "every " + _listed(acts)
            message = f"policy `{policy.id}` forbids {what}: give it a condition"
            yield Finding(policy.file, policy.line, "forbids-everything", message)
    for act in closed:
        if blamed[act] is None:
            message = f"nobody may `{act}`: add a permit for it"
            line = _schema_line(atlas, "Request")
            yield Finding(SCHEMA_FILE, line, "act-never-allowed", message)


def _idle_purposes(atlas: Atlas) -> Iterator[Finding]:
    for purpose in Purpose:
        if not any(admits(atlas, act, purpose, kind) for act in Act for kind in ActorKind):
            message = f"nobody is admitted for `{purpose}`: add a permit for it"
            line = _schema_line(atlas, "Purpose")
            yield Finding(SCHEMA_FILE, line, "purpose-never-admitted", message)


def _never_shown(atlas: Atlas, target: Target) -> Finding:
    source = TomlSource.parse(atlas.bundle.files[FIELDS_FILE], FIELDS_FILE)
    fields = atlas.bundle.catalogue.fields.values()
    first = next(rule.path for rule in fields if rule.cls == target.id)
    hider = _closes(atlas, target)
    why = "no permit shows" if hider is None else f"policy `{hider.id}` always hides"
    fix = "add one" if hider is None else "give it a condition"
    message = f"{why} class `{target.id}`: {fix}, or drop its fields"
    return Finding(FIELDS_FILE, source.line_of_key(first), "class-never-shown", message)


def admits(atlas: Atlas, act: Act, purpose: Purpose, kind: ActorKind) -> bool:
    """Whether anybody of a kind may ever do an act for a purpose."""
    found = atlas.admission(act)
    for name, value in (("purpose", purpose), ("actor", kind)):
        level = NAMES.index(name)
        only = atlas.diagrams.test(level, {VALUES[name].index(value)})
        found = atlas.diagrams.apply(_where, found, only)
    return PERMITTED in atlas.diagrams.count(found)


def _fault(atlas: Atlas, policy: Policy, others: Sequence[Policy]) -> str | None:
    """Why a policy never decides; None: it does."""
    targets = atlas.targets(policy.question)
    nowhere = atlas.diagrams.leaf(value=False)
    found = {t: atlas.diagrams.apply(_holds, atlas.matches(policy, t), nowhere) for t in targets}
    if policy.classes - set(atlas.bundle.classes):
        return None  # found as a class that no field has
    if all(node == nowhere for node in found.values()):
        return "its conditions never hold together: correct or remove it"
    if not policy.is_permit:
        opened = {t: _opened(atlas, t, others) for t in targets}
        found = {t: atlas.diagrams.apply(_both, found[t], opened[t]) for t in targets}
        if all(node == nowhere for node in found.values()):
            return "nothing permits what it forbids: remove it"
    obstacles = [other for other in others if _is_obstacle(policy, other)]
    blamed = _blamed(atlas, found, obstacles)
    if blamed is None:
        return None
    verb = "decides" if len(blamed) == 1 else "decide"
    return f"{_listed([p.id for p in blamed])} {verb} all of it already: remove or narrow one"


def _is_obstacle(policy: Policy, other: Policy) -> bool:
    """Whether another policy, where it matches, leaves a policy nothing to decide."""
    if not policy.is_permit or not other.is_permit:
        return not other.is_permit
    if policy.form is None or other.form is None:
        return not policy.obligations
    return other.form < policy.form or (other.form == policy.form and not policy.obligations)


def _blamed(
    atlas: Atlas, found: dict[Target, Node], obstacles: Sequence[Policy]
) -> list[Policy] | None:
    """The obstacles that together cover `found`, one alone if one does; None: something is left."""
    nowhere = atlas.diagrams.leaf(value=False)
    for other in obstacles:
        if all(_without(atlas, node, other, t) == nowhere for t, node in found.items()):
            return [other]
    blamed: dict[str, Policy] = {}
    for target, node in found.items():
        left = node
        for other in obstacles:
            smaller = _without(atlas, left, other, target)
            if smaller != left:
                blamed[other.id] = other
            left = smaller
        if left != nowhere:
            return None
    return list(blamed.values())


def _without(atlas: Atlas, node: Node, other: Policy, target: Target) -> Node:
    return atlas.diagrams.apply(_but_not, node, atlas.matches(other, target))


def _opened(atlas: Atlas, target: Target, policies: Sequence[Policy]) -> Node:
    """Where a permit among `policies` opens something."""
    opening = [p for p in policies if p.is_permit and p.form is not Form.HIDE]
    return atlas.diagrams.fold(_or, False, [atlas.matches(p, target) for p in opening])  # noqa: FBT003 - a value


def _closes(atlas: Atlas, target: Target) -> Policy | None:
    """The one forbid that closes all that is opened at a target, if there is one."""
    policies = atlas.policies(target.question)
    opened = _opened(atlas, target, policies)
    nowhere = atlas.diagrams.leaf(value=False)
    if opened == nowhere:
        return None
    forbids = (p for p in policies if not p.is_permit)
    return next((p for p in forbids if _without(atlas, opened, p, target) == nowhere), None)


def _schema_line(atlas: Atlas, entity: str) -> int:
    lines = decode(atlas.bundle.files[SCHEMA_FILE], SCHEMA_FILE).splitlines()
    return next((n for n, line in enumerate(lines, 1) if f"entity {entity} " in line), 1)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _holds(found: Hashable, _nothing: Hashable) -> Hashable:
    return found is True


def _both(left: Hashable, right: Hashable) -> Hashable:
    return left is True and right is True


def _or(left: Hashable, right: Hashable) -> Hashable:
    return left is True or right is True


def _but_not(left: Hashable, right: Hashable) -> Hashable:
    return left is True and right is not True


def _where(value: Hashable, asked: Hashable) -> Hashable:
    return value if asked is True else None
