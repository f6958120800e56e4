"""Data to stdout, talk to stderr; nothing that would steer the terminal to either."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kho_console import text

if TYPE_CHECKING:
    from kho_console.documents import Document

_WIDEST = 64
"""Columns of a cell; a name in it may be as long as its kernel allows."""


class OutputError(Exception):
    """Standard output takes no more."""


@contextmanager
def _taken() -> Iterator[None]:
    """What the system says of standard output; a reader that has gone is no fault of it."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output: {error.strerror or error}") from error


def write(words: str) -> None:
    """Print data as it is.

    Raises:
        OutputError: Standard output takes no more; BrokenPipeError where nobody reads it.
    """
    with _taken():
        sys.stdout.write(words)


def raw(content: bytes) -> None:
    """Print bytes; it raises what `write` does."""
    with _taken():
        sys.stdout.buffer.write(content)


def flush() -> None:
    """Bring what was printed to its reader; it raises what `write` does."""
    with _taken():
        sys.stdout.flush()


def abandon() -> None:
    """Let go of what is still buffered: it has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def document(found: "Document") -> None:
    """Print a JSON document."""
    write(json.dumps(found, indent=2) + "\n")


def record(found: "Document") -> None:
    """Print a JSON document on a line of its own."""
    write(json.dumps(found, separators=(",", ":")) + "\n")


def line(words: str = "") -> None:
    """Print a line of data."""
    write(text.harmless(words) + "\n")


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
