"""Signs and looks for how bad a thing is: never a colour alone."""

from collections.abc import Mapping

from kho_console import text
from kho_console.model.blob import BlobState
from kho_console.model.check import Result
from kho_console.model.finding import Finding, Severity
from kho_console.tui.rows import Piece, Row, column, row, wrapped

SEVERITIES: Mapping[Severity, Piece] = {
    Severity.ERROR: ("x", "error"),
    Severity.WARNING: ("!", "warning"),
    Severity.INFO: ("·", "info"),
}
RESULTS: Mapping[Result, Piece] = {
    Result.PASS: ("ok  ", "good"),
    Result.WARNING: ("!   ", "warning"),
    Result.FAIL: ("x   ", "error"),
    Result.UNKNOWN: ("?   ", "warning"),
}
BLOBS: Mapping[BlobState, Piece] = {
    BlobState.VALID: ("", ""),
    BlobState.STALE: ("stale", "warning"),
    BlobState.INVALID: ("invalid", "error"),
}

NAME = 22
"""Columns of a finding's or check's name."""


def totals(counted: Mapping[Severity, int]) -> str:
    """`1 error, 2 warnings, 3 notes`, or `none`."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = [text.count(counted[at], word) for at, word in words.items() if counted.get(at)]
    return ", ".join(parts) or "none"


def finding_rows(item: Finding, width: int, most: int) -> list[Row]:
    """A finding on at most `most` lines: sign, name, text."""
    mark, look = SEVERITIES[item.severity]
    first = row((f" {mark} ", look), (column(item.id, NAME), "strong"), " ")
    return wrapped(item.text, width, first, most=most)


def finding_line(item: Finding, width: int) -> Row:
    """A finding on one line."""
    mark, look = SEVERITIES[item.severity]
    rest = max(width - NAME - 6, 8)
    return row((f"{mark} ", look), (column(item.id, NAME), "strong"), " ", column(item.text, rest))
