"""Finds words in the blobs of both sides: in their names, and in paths and values inside them."""

from collections.abc import Iterator, Sequence

from kho_console import text
from kho_console.engine import blob_view, trees
from kho_console.engine.blob_view import Line
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.tui.blob_rows import Entry, name_of


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where words were found: a line of the list, and one of its content, -1 for its name."""

    entry: int
    line: int


def places(snapshot: Snapshot, entries: Sequence[Entry], words: str) -> tuple[Place, ...]:
    """All places, from top to bottom; upper and lower case are the same."""
    wanted = words.strip().lower()
    return tuple(_places(snapshot, entries, wanted)) if wanted else ()


def next_to(here: Place, found: Sequence[Place], step: int) -> int:
    """Which of some places comes behind `here` (1) or before it (-1); at the end it goes round."""
    if step > 0:
        return next((at for at, place in enumerate(found) if place > here), 0)
    before = [at for at, place in enumerate(found) if place < here]
    return before[-1] if before else len(found) - 1


def _places(snapshot: Snapshot, entries: Sequence[Entry], wanted: str) -> Iterator[Place]:
    for at, entry in enumerate(entries):
        side = trees.side(snapshot, entry.side)
        if entry.title or isinstance(side, Unknown):
            continue
        if wanted in name_of(entry).lower():
            yield Place(at, -1)
        lines = blob_view.lines(side, entry.name)
        for number, line in enumerate(() if isinstance(lines, Unknown) else lines):
            if any(wanted in words for words in _words(line)):
                yield Place(at, number)


def _words(line: Line) -> Iterator[str]:
    """All that somebody may type for a line: its path, and its value in each of its looks."""
    yield text.escaped(line.path or line.label).lower()
    yield text.escaped(line.note).lower()
    if line.value is None:
        return
    shown = text.value(line.value, line.meaning).lower()
    yield shown
    if isinstance(line.value, int):
        yield f"0x{line.value:x} {line.value}"
    else:
        yield shown.replace(" ", "")
