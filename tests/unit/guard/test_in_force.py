from guard.in_force import Policies
from policies.bundle import load_bundle
from tests.support.policy_bundles import default_files, small_files


def test_a_tenant_gets_its_own_policy_and_the_others_keep_theirs() -> None:
    shipped, own = load_bundle(default_files()), load_bundle(small_files())
    policies = Policies(shipped)
    before = policies.of("acme")
    policies.put("acme", own)
    assert before.engine.bundle.digest == shipped.digest
    assert policies.of("acme").engine.bundle.digest == own.digest
    assert policies.of("other") is before


def test_the_same_policy_again_keeps_what_it_remembers() -> None:
    shipped = load_bundle(default_files())
    policies = Policies(shipped)
    before = policies.of("acme")
    policies.put("acme", load_bundle(default_files()))
    assert policies.of("acme") is before
