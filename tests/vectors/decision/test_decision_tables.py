"""Runs every decision table of this folder."""

from pathlib import Path

import pytest

from policies.tables import parse_table, run_table
from tests.support.policy_bundles import default_files

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_case_of_the_table_is_decided_as_it_says(path: Path) -> None:
    table = parse_table(path.read_bytes(), path.name)

    assert table.bundle == "default"
    assert [str(mismatch) for mismatch in run_table(table, default_files())] == []


def test_the_tables_reach_every_policy_that_ships() -> None:
    tables = [parse_table(path.read_bytes(), path.name) for path in FILES]
    shipped = {
        line.split('"')[1]
        for name, content in default_files().items()
        for line in content.decode().splitlines()
        if name.endswith(".cedar") and line.startswith("@id(")
    }

    expected = {one for table in tables for case in table.cases for one in case.determined_by}
    assert shipped - expected == set()
