"""Data to stdout, talk to stderr."""

import json
import sys
from collections.abc import Iterable, Sequence

from kho_console.documents import Document


def document(found: Document) -> None:
    """Print a JSON document."""
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


def line(text: str = "") -> None:
    """Print a line of data."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """Tell the operator something that is no data."""
    sys.stderr.write(f"kho-console: {text}\n")


def table(rows: Iterable[Sequence[str]], heads: Sequence[str], right: Iterable[int] = ()) -> None:
    """Print rows in aligned columns below their heads; columns in `right` end flush."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(len(row[at]) for row in lines) for at in range(len(heads))]
    flush = set(right)
    for row in lines:
        cells = (
            cell.rjust(width) if at in flush else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        line("  ".join(cells).rstrip())
