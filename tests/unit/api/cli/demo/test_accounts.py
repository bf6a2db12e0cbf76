"""What the ledger says of a real morning's work."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from api.audit import Verdict
from api.cli.demo.accounts import Accounts, close
from api.cli.demo.tally import Tally
from api.cli.opened import services
from guard.errors import ProofError
from guard.findings import Severity
from guard.rows import OutboxItem
from guard.store import SqlStore
from guard.store.engine import sqlite_url
from tests.support.people import make_finding
from tests.unit.api.installation import TENANT, settings_of, work_a_morning, write_crm

VERIFIED = Verdict(size=9, root="ab", opened=9, erased=0, checkpoint_size=9)
ACCOUNTS = Accounts(
    verified=VERIFIED, views=5, refunds=1, refusals=3, alerted=frozenset({"eve", "bob"})
)


def a_tally(served: int, **refused: int) -> Tally:
    return Tally(insider="eve", served=served, refused=Counter(refused))


def test_both_sides_agree_when_every_answer_has_its_entry() -> None:
    # A view that was taken back was served to nobody.
    assert ACCOUNTS.agrees_with(a_tally(4, quota=1, suspended=2))


@pytest.mark.parametrize("tally", [a_tally(5, quota=3), a_tally(3, quota=3), a_tally(4, quota=2)])
def test_one_answer_more_or_less_is_noticed(tally: Tally) -> None:
    assert not ACCOUNTS.agrees_with(tally)


def test_an_alert_about_anybody_else_is_a_false_one() -> None:
    assert ACCOUNTS.false_alerts("eve") == 1
    assert replace(ACCOUNTS, alerted=frozenset({"eve"})).false_alerts("eve") == 0


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    (tmp_path / "ledger.db").write_bytes(sqlite_template.read_bytes())
    write_crm(tmp_path)
    anyio.run(work_a_morning, tmp_path)
    return tmp_path


def test_the_ledger_is_verified_and_counted(folder: Path) -> None:
    found = close(settings_of(folder))
    assert (found.views, found.refusals, found.refunds) == (1, 1, 0)
    assert found.verified.checkpoint_size is not None
    assert found.alerted == frozenset()


def test_whom_an_alert_is_about_is_read_from_its_entry(folder: Path) -> None:
    async def work() -> None:
        async with services(settings_of(folder)) as opened:
            finding = make_finding(Severity.HIGH, ("a1", "ana"))
            await opened.alerts.apply("w", [OutboxItem(position=1, tenant=TENANT, finding=finding)])

    anyio.run(work)
    assert close(settings_of(folder)).alerted == {"a1", "ana"}


def test_a_changed_ledger_is_not_counted(folder: Path) -> None:
    store = SqlStore(sqlite_url(folder / "ledger.db"))
    with store.read() as view:
        leaf = view.entries(0, 1)[0].leaf
    store.close()
    ledger = folder / "ledger.db"
    content = ledger.read_bytes()
    assert leaf in content
    ledger.write_bytes(content.replace(leaf, leaf[:-1] + bytes([leaf[-1] ^ 1])))
    with pytest.raises(ProofError):
        close(settings_of(folder))
