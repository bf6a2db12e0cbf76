"""A view of a real store in which somebody changed something behind the broker's back."""

from collections.abc import Callable, Collection
from typing import Any, cast

from guard.entries import StoredEntry
from guard.ports import ReadView
from guard.rows import SubjectRow

Change = Callable[[StoredEntry], StoredEntry | None]


def tampered(view: ReadView, change: Change = lambda entry: entry, **more: Any) -> ReadView:  # noqa: ANN401 - as below
    """A view that differs by what `change` does to each entry (None: removed), and by `more`."""
    return cast("ReadView", _Tampered(view, change, **more))


class _Tampered:
    """Passes everything on, but for what the test changes."""

    def __init__(
        self,
        view: ReadView,
        change: Change,
        *,
        head: tuple[int, tuple[bytes, ...]] | None = None,
        note: bytes | None = None,
        subject: Callable[[SubjectRow], SubjectRow] = lambda row: row,
    ) -> None:
        size, _ = view.head()
        changed = (change(entry) for entry in view.entries(0, size))
        self._view, self._left = view, [entry for entry in changed if entry is not None]
        self._head = view.head() if head is None else head
        self._note = view.checkpoint() if note is None else note
        self._subject = subject

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the view has
        return getattr(self._view, name)

    def entries(self, start: int, limit: int) -> list[StoredEntry]:
        return [entry for entry in self._left if entry.index >= start][:limit]

    def head(self) -> tuple[int, tuple[bytes, ...]]:
        return self._head

    def checkpoint(self) -> bytes | None:
        return self._note

    def subjects(self, refs: Collection[str]) -> dict[str, SubjectRow]:
        found = self._view.subjects(refs)
        return {ref: self._subject(row) for ref, row in found.items()}
