from sqlalchemy import BigInteger, LargeBinary

from guard.store.tables import METADATA

# Tables that belong to the log, the server or a budget key, which itself names the tenant.
WITHOUT_TENANT = {
    "pending",
    "writer_gap",
    "publishing",
    "budget_counter",
    "budget_mark",
    "budget_slot",
    "entry",
    "detail_subject",
    "tree_head",
    "checkpoint",
    "facts",
    "bundle_file",
    "clock_rate",
    "log_block",
    "outbox_position",
    "sink",
    "accounted_writer",
    "export_chunk",
}


def test_every_table_names_its_tenant_or_is_known_not_to() -> None:
    without = {name for name, table in METADATA.tables.items() if "tenant" not in table.columns}
    assert without == WITHOUT_TENANT


def test_people_and_entries_carry_their_whole_place() -> None:
    place = {"tenant", "region", "vendor", "site", "team", "line"}
    for name in ("principal", "detail_event"):
        assert place <= set(METADATA.tables[name].columns.keys())


def test_times_fit_microseconds_and_sealed_columns_are_bytes() -> None:
    for table in METADATA.tables.values():
        for column in table.columns:
            if column.name == "at" or column.name.endswith(("_at", "_until")):
                assert isinstance(column.type, BigInteger)
            if column.name.startswith(("sealed", "wrapped")):
                assert isinstance(column.type, LargeBinary)
