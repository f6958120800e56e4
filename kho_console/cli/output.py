"""Data to stdout, talk to stderr; nothing that would steer the terminal to either."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kho_console import text

if TYPE_CHECKING:
    from kho_console.documents import Document

_WIDEST = 64
"""Columns of a cell; a name in it may be as long as its kernel allows."""


def document(found: "Document") -> None:
    """Print a JSON document."""
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


def line(words: str = "") -> None:
    """Print a line of data."""
    sys.stdout.write(text.harmless(words) + "\n")


def say(words: str) -> None:
    """Tell the operator something that is no data."""
    sys.stderr.write(f"kho-console: {text.harmless(words)}\n")


def table(rows: Iterable[Sequence[str]], heads: Sequence[str], right: Iterable[int] = ()) -> None:
    """Print rows in aligned columns below their heads.

    Args:
        rows: Cells; what is too long is cut, but for the last column.
        heads: The titles of the columns.
        right: The columns that end flush.
    """
    lines = [(*(text.cut(cell, _WIDEST) for cell in row[:-1]), row[-1]) for row in (heads, *rows)]
    widths = [max(len(row[at]) for row in lines) for at in range(len(heads))]
    flush = set(right)
    for row in lines:
        cells = (
            cell.rjust(width) if at in flush else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line("  ".join(cells).rstrip())
