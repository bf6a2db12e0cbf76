"""Buckets and their generations: `b…`, then `b….1`, `b….2`, each made when a customer is erased.

A bucket is closed when its next generation is there, and dropped when what it wrapped is wrapped
anew. Everything here works on the tables of a keyring that is being changed.
"""

from guard.vault.keyring_file import Tables


def lineage_of(bucket: str) -> str:
    """The name of a bucket's first generation, which all its generations begin with."""
    return bucket.partition(".")[0]


def generation_of(bucket: str) -> int:
    """Its number; the first one is 0."""
    return int(bucket.partition(".")[2] or 0)


def generations(tables: Tables, bucket: str) -> tuple[str, ...]:
    """Every name that a bucket has had, from its first generation to the newest."""
    first, newest = lineage_of(bucket), _newest(tables, bucket)
    return (first, *(f"{first}.{number}" for number in range(1, newest + 1)))


def next_generation(tables: Tables, bucket: str) -> str:
    """The name of the generation that is not there yet."""
    return f"{lineage_of(bucket)}.{_newest(tables, bucket) + 1}"


def close(tables: Tables, tenant: str, newest: str, wrapped: bytes) -> None:
    """Put the key of the newest generation there, and let nobody into an earlier one."""
    closed = {f"{tenant}/{name}" for name in _lineage(tables, newest)}
    tables.buckets[newest] = wrapped
    tables.retired = sorted(closed | set(tables.retired))


def drop_others(tables: Tables, tenant: str, keep: str) -> None:
    """Take every generation of a bucket but `keep` away."""
    gone = {name for name in _lineage(tables, keep) if name != keep}
    tables.buckets = {name: key for name, key in tables.buckets.items() if name not in gone}
    closed = {f"{tenant}/{name}" for name in gone}
    tables.retired = [name for name in tables.retired if name not in closed]


def _lineage(tables: Tables, bucket: str) -> list[str]:
    return [name for name in tables.buckets if lineage_of(name) == lineage_of(bucket)]


def _newest(tables: Tables, bucket: str) -> int:
    return max(map(generation_of, _lineage(tables, bucket)), default=0)
