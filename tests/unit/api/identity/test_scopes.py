from api.identity.scopes import ALL, BY_ROLE, Scope, granted
from policies.model import Role


def test_unknown_scopes_grant_nothing() -> None:
    assert granted(["views:destroy", "*", ""], BY_ROLE[Role.ADMIN]) == frozenset()


def test_a_limit_can_only_take_away() -> None:
    few = frozenset({Scope.QUOTA_READ})
    assert granted(ALL, BY_ROLE[Role.ADMIN], few) == {"quota:read"}


def test_every_role_may_see_its_own_and_no_role_may_do_everything() -> None:
    for role in Role:
        assert {"quota:read", "notices:read", "notices:contest"} <= BY_ROLE[role]
        assert {s.value for s in BY_ROLE[role]} < ALL


def test_nobody_both_writes_the_directory_and_reads_the_log() -> None:
    for role in Role:
        assert not {"directory:write", "log:read"} <= BY_ROLE[role]
