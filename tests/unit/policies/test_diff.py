from policies.bundle import load_bundle
from policies.diff import diff
from policies.engine import Engine
from policies.model import Link, Risk, Role
from tests.support.policy_bundles import SMALL_CEDAR, make_facts, small_files

ONLY_OWNERS = """
@id("only-owners")
@reason("owners only")
forbid (principal, action == Action::"Admit", resource)
unless { context.link == Link::"owner" };
"""
RISK_COVERS = """
@id("risk-covers")
@reason("covered")
@obligation("notify")
@form("redact")
permit (principal, action == Action::"Show", resource)
when { context.risk == Risk::"mask_more" };
"""
NOTIFY = """
@id("tell")
@reason("told")
@obligation("notify")
permit (principal == Role::"agent", action == Action::"Admit", resource);
"""


def engine(more: str = "") -> Engine:
    return Engine(load_bundle(small_files(cedar=SMALL_CEDAR + more)))


def test_only_facts_that_are_decided_differently_are_changes() -> None:
    owner, stranger = make_facts(), make_facts(link=Link.NONE)
    (change,) = diff(engine(), engine(ONLY_OWNERS), [owner, stranger, stranger])

    assert change.facts == stranger
    assert change.before == engine().decide(stranger)
    assert change.after == engine(ONLY_OWNERS).decide(stranger)
    assert (change.opens, change.closes) == ((), ("admit", "contact"))


def test_the_other_way_round_opens_what_it_closed() -> None:
    (change,) = diff(engine(ONLY_OWNERS), engine(), [make_facts(link=Link.NONE)])

    assert (change.opens, change.closes) == (("admit", "contact"), ())


def test_a_form_and_an_obligation_are_differences() -> None:
    facts = [make_facts(), make_facts(risk=Risk.MASK_MORE)]
    (change,) = diff(engine(), engine(RISK_COVERS), facts)

    assert change.facts == facts[1]
    assert (change.opens, change.closes) == ((), ("contact", "obligation:notify"))


def test_an_obligation_that_is_dropped_is_an_opening() -> None:
    (change,) = diff(engine(NOTIFY), engine(), [make_facts()])

    assert (change.opens, change.closes) == (("obligation:notify",), ())


def test_other_names_and_sentences_are_no_difference() -> None:
    text = SMALL_CEDAR.replace("let-in", "come-in").replace("in part", "partly")
    renamed = Engine(load_bundle(small_files(cedar=text)))

    assert diff(engine(), renamed, [make_facts(), make_facts(role=Role.ADMIN)]) == ()
