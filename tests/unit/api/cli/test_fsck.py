import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.makers import TENANT
from tests.unit.api.cli.conftest import Fill, Guard
from tests.unit.api.cli.test_log import a_day


def sql(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "ledger.db")) as file, file:
        return file.execute(statement).fetchall()


def unpublish(folder: Path) -> None:
    """The fixture signs as another log than the commands."""
    (folder / "high-water").unlink(missing_ok=True)


def test_a_store_that_holds_has_no_fault(guard: Guard, fill: Fill, data_dir: Path) -> None:
    fill(a_day)
    unpublish(data_dir)
    said = guard("fsck")
    assert (said.code, said.out.splitlines()[-1]) == (0, "no fault")


def test_each_fault_is_a_line_and_the_exit_says_so(
    guard: Guard, fill: Fill, data_dir: Path, tmp_path: Path
) -> None:
    fill(a_day)
    unpublish(data_dir)
    sql(data_dir, "UPDATE detail_event SET agent = 'somebody' WHERE idx = 5")
    said = guard("fsck")
    assert said.code == 1
    assert said.out.startswith("detail_event 5: column `agent`")
    document = json.loads(guard("fsck", "--json", "--data-dir", data_dir).out)
    assert document["count"] == 1
    assert document["faults"][0]["index"] == 5
    receipts = tmp_path / "receipts"
    receipts.write_text("no receipt\n")
    assert guard("fsck", "--receipts", receipts).code == 65
    receipts.write_text("\n")
    assert guard("fsck", "--receipts", receipts).code == 1


def test_a_customers_list_is_whole_or_the_hidden_entry_is_named(
    guard: Guard, fill: Fill, data_dir: Path, tmp_path: Path
) -> None:
    fill(a_day)
    ((ref, last),) = sql(
        data_dir,
        "SELECT ref, max(idx) FROM detail_subject WHERE ref = (SELECT min(ref) FROM subject)",
    )
    words = ("complete", str(ref), "--tenant", TENANT)
    said = guard(*words, "--proofs", tmp_path / "proofs")
    assert said.code == 0, said.err
    assert "complete: numbers 0 to" in said.out
    assert guard("complete", "nobody", "--tenant", TENANT).code == 65
    sql(data_dir, f"DELETE FROM detail_subject WHERE idx = {last}")  # noqa: S608 - a number
    said = guard(*words)
    assert said.code == 1
    assert f"entry {last} is the customer's" in said.err
