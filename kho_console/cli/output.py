"""Data to stdout, talk to stderr; nothing that would steer the terminal to either."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from kho_console import text

if TYPE_CHECKING:
    from kho_console.documents.shape import Document, Streamed

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


def streamed(found: "Streamed") -> None:
    """Print a JSON document whose list is made while it is printed."""
    for at, (key, value) in enumerate(found.head.items()):
        sys.stdout.write(f"{',' if at else '{'}\n  {json.dumps(key)}: {_indented(value)}")
    sys.stdout.write(f",\n  {json.dumps(found.key)}: [")
    empty = True
    for item in found.items:
        # A line for each: indented they take ten times as long, and there may be millions.
        sys.stdout.write(f"{'' if empty else ','}\n    {json.dumps(item)}")
        empty = False
    sys.stdout.write("]" if empty else "\n  ]")
    for key, value in found.tail().items():
        sys.stdout.write(f",\n  {json.dumps(key)}: {_indented(value)}")
    sys.stdout.write("\n}\n")


def _indented(value: object) -> str:
    return json.dumps(value, indent=2).replace("\n", "\n  ")


def record(found: "Document") -> None:
    """Print a JSON document on a line of its own."""
    write(json.dumps(found, separators=(",", ":")) + "\n")


def line(words: str = "") -> None:
    """Print a line of data."""
    write(text.harmless(words) + "\n")


def lines(words: Iterable[str]) -> None:
    """Print lines of data together."""
    found = list(words)
    if not "".join(found).isprintable():
        found = [text.harmless(line) for line in found]
    write("".join(f"{line}\n" for line in found))


def report(words: str) -> None:
    """Print at once how work gets on that is done whether or not somebody reads of it."""
    try:
        line(words)
        flush()
    except BrokenPipeError:
        abandon()
    except OutputError as error:
        abandon()
        say(str(error))


@contextmanager
def as_far_as_read() -> Iterator[None]:
    """Print an answer that is known; a reader that goes away does not change it."""
    try:
        yield
    except BrokenPipeError:
        abandon()


def say(words: str) -> None:
    """Tell the operator something that is no data."""
    if sys.stderr is None:
        return
    with suppress(OSError):  # Nobody is left to be told.
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
