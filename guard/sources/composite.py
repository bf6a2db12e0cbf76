"""One profile out of several sources, each of which owns some of its fields.

The first source says who is a customer: it is always asked, and a record that it does not have
does not exist. The others are asked only for fields they own, all at the same time. A source that
fails or is late fails the profile, unless it is declared optional: then its fields are absent, and
the record says which.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guard.errors import ConfigurationError, SourceError
from guard.ports import RecordSource
from guard.rows import RawRecord


class ComposedRecord(RawRecord):
    """A record of several sources. `missing`: fields that were asked for and could not be read."""

    __slots__ = ("missing",)

    def __init__(self, values: Mapping[str, object], missing: frozenset[str]) -> None:
        """Wrap `values`."""
        super().__init__(values)
        self.missing = missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A source, the top-level fields that it owns, and whether a profile may do without it."""

    source: RecordSource
    fields: frozenset[str]
    is_optional: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one part gave: values, None for no such record, or that it could not be read."""

    values: Mapping[str, object] | None
    missing: frozenset[str] = frozenset()


class CompositeSource:
    """Several sources as one."""

    def __init__(self, name: str, parts: Sequence[Part], *, deadline_s: float) -> None:
        """Join `parts`; the first says who is a customer.

        Raises:
            ConfigurationError: There is none, the first is optional, or two own one field.
        """
        if not parts or parts[0].is_optional:
            raise ConfigurationError(f"source `{name}` needs a first part that is not optional")
        owned = [field for part in parts for field in part.fields]
        if len(owned) != len(set(owned)):
            raise ConfigurationError(f"source `{name}` has a field with two owners, keep one")
        self.name = name
        self._parts = tuple(parts)
        self._deadline_s = deadline_s

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """See `guard.ports.RecordSource.fetch`."""
        first, *others = self._parts
        asked = [first, *(part for part in others if part.fields & paths)]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask(part, key, paths)) for part in asked]
        except BaseExceptionGroup as failed:
            # The group has stopped the others; which of several failures is told does not matter.
            error = failed.exceptions[0]
            raise error from None
        answers = [task.result() for task in tasks]
        if answers[0].values is None:
            return None
        values: dict[str, object] = {}
        for answer in answers:
            values.update(answer.values or {})
        return ComposedRecord(values, frozenset().union(*(a.missing for a in answers)))

    async def _ask(self, part: Part, key: str, paths: frozenset[str]) -> _Answer:
        wanted = part.fields & paths
        try:
            async with asyncio.timeout(self._deadline_s):
                found = await part.source.fetch(key, wanted)
        except (TimeoutError, SourceError) as error:
            if part.is_optional:
                return _Answer(None, wanted)
            if isinstance(error, SourceError):
                raise
            raise SourceError(
                f"source `{part.source.name}` did not answer within {self._deadline_s:g} s,"
                " try again"
            ) from None
        if found is None:
            return _Answer(None)
        # A part that gives more than it owns must not overwrite another's field.
        return _Answer({field: found.values[field] for field in wanted if field in found.values})

    async def check(self) -> None:
        """Raise SourceError unless every part that is not optional can be read."""
        for part in self._parts:
            if not part.is_optional:
                await part.source.check()

    async def close(self) -> None:
        """Close every part."""
        for part in self._parts:
            await part.source.close()
