from guard.vault.buckets import (
    close,
    drop_others,
    generation_of,
    generations,
    lineage_of,
    next_generation,
)
from guard.vault.keyring_file import Tables


def test_a_bucket_and_its_generations_have_one_lineage() -> None:
    assert lineage_of("b0") == lineage_of("b0.11") == "b0"
    assert (generation_of("b0"), generation_of("b0.11")) == (0, 11)


def test_a_closed_bucket_stays_until_it_is_dropped_and_others_are_left_alone() -> None:
    tables = Tables(check=b"", buckets={"b0": b"0", "b1": b"1"})
    assert generations(tables, "b0") == ("b0",)
    newest = next_generation(tables, "b0")
    close(tables, "acme", newest, b"2")
    assert tables.buckets == {"b0": b"0", "b1": b"1", "b0.1": b"2"}
    assert tables.retired == ["acme/b0"]
    assert generations(tables, "b0.1") == ("b0", "b0.1")
    # Cut short, and begun again.
    close(tables, "acme", next_generation(tables, newest), b"3")
    assert tables.retired == ["acme/b0", "acme/b0.1"]
    drop_others(tables, "acme", "b0.2")
    assert tables.buckets == {"b1": b"1", "b0.2": b"3"}
    assert tables.retired == []
    # What is gone keeps its name: rows of an older copy may still say it.
    assert generations(tables, "b0") == ("b0", "b0.1", "b0.2")
