"""What is drawn: rows of pieces, each a text and the word for its look."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

from kho_console.text import cut

Piece: TypeAlias = tuple[str, str]
Row: TypeAlias = tuple[Piece, ...]

_APART = 2
"""Columns between the two parts of a line."""


class LineSource(Protocol):
    """Rows on demand: a list of millions is never built."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> Row:
        """The row at `index`, which must exist."""
        ...


class FixedRows:
    """A line source over rows that are at hand."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row:
        """See `LineSource.row`."""
        return self._rows[index]


def row(*pieces: str | Piece) -> Row:
    """A row; plain strings are plain text."""
    return tuple((piece, "") if isinstance(piece, str) else piece for piece in pieces)


def rule(width: int) -> Row:
    """A line across the screen."""
    return (("─" * width, "rule"),)


def plain(found: Row) -> str:
    """The text of a row."""
    return "".join(text for text, _ in found)


def column(text: str, width: int) -> str:
    """Text in a column of `width`, with `..` where it is cut."""
    return cut(text, width).ljust(width)


def wrapped(text: str, width: int, first: Row = (), look: str = "", most: int = 99) -> list[Row]:
    """Text on as many rows as it takes, at most `most`, hanging behind `first`."""
    indent = len(plain(first))
    lines = textwrap.wrap(
        text,
        max(width - indent - 1, 10),
        max_lines=most,
        placeholder=" ..",
        break_on_hyphens=False,
    )
    rows = [(*first, (line, look)) for line in lines[:1]]
    return rows + [((" " * indent, ""), (line, look)) for line in lines[1:]]


def spread(left: Row, right: Row, width: int) -> Row:
    """Two rows on one line, the right one at the right edge; the left one gives way."""
    kept = clipped(left, max(width - len(plain(right)) - _APART, 0))
    gap = width - len(plain(kept)) - len(plain(right))
    return (*kept, (" " * max(gap, 0), ""), *right)


def clipped(found: Row, width: int) -> Row:
    """A row on at most `width` columns, with `..` where it is cut."""
    if len(plain(found)) <= width:
        return found
    kept, left = [], max(width - 2, 0)
    for words, look in found:
        kept.append((words[:left], look))
        left -= len(kept[-1][0])
    return (*kept, (".."[:width], "dim"))


def flowed(items: Iterable[Row], width: int, gap: int = 2, indent: int = 1) -> list[Row]:
    """Short rows side by side, as many lines as they take."""
    rows: list[Row] = []
    current: Row = ((" " * indent, ""),)
    for item in items:
        used = len(plain(current))
        if used > indent and used + len(plain(item)) >= width:
            rows.append(current)
            current = ((" " * indent, ""),)
        current = (*current, *item, (" " * gap, ""))
    return [*rows, current]


def exactly(rows: Sequence[Row], height: int) -> list[Row]:
    """These rows on exactly `height` lines; the last one says so where some are cut."""
    if len(rows) > height:
        return [*rows[: height - 1], (("   ..", "dim"),)]
    return [*rows, *[()] * (height - len(rows))]
