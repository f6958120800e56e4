"""Signs and looks for how bad a thing is: never a colour alone."""

from collections.abc import Iterable, Mapping

from kho_console import text
from kho_console.model.blob import BlobState
from kho_console.model.check import Result
from kho_console.model.finding import Finding, Severity
from kho_console.model.unknown import Maybe, Unknown
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
_BLOBS: Mapping[BlobState, Piece] = {
    BlobState.VALID: ("", ""),
    BlobState.STALE: ("stale", "warning"),
    BlobState.INVALID: ("invalid", "error"),
}

NAME = 22
"""Columns of a finding's or check's name."""

_NARROW = 60


def blob_sign(state: Maybe[BlobState]) -> Piece:
    """What to say of a blob that cannot be trusted; empty for one that can."""
    return (text.word(state), "warning") if isinstance(state, Unknown) else _BLOBS[state]


def finding_rows(item: Finding, width: int) -> list[Row]:
    """A finding on two lines, on three where they are short: sign, name, text."""
    mark, look = SEVERITIES[item.severity]
    if width < _NARROW:
        head = row((f" {mark} ", look), (item.id, "strong"))
        return [head, *wrapped(item.text, width, row("   "), most=2)]
    first = row((f" {mark} ", look), (column(item.id, NAME), "strong"), " ")
    return wrapped(item.text, width, first, most=2)


def damage(findings: Iterable[Finding], width: int, most: int) -> list[Row]:
    """What is wrong or doubtful, the worst first, and how much of it does not fit."""
    bad = [item for item in findings if item.severity is not Severity.INFO]
    bad.sort(key=lambda item: -item.severity.rank)
    rows: list[Row] = []
    for item in bad[:most]:
        mark, look = SEVERITIES[item.severity]
        words = text.harmless(f"{item.subject}: {item.text}")
        rows += wrapped(words, width, row((f" {mark} ", look)), look, most=2)
    if len(bad) > most:
        rows.append(row((f"   {len(bad) - most:,} more of that kind", "dim")))
    return rows


def finding_line(item: Finding, width: int) -> Row:
    """A finding on one line."""
    mark, look = SEVERITIES[item.severity]
    rest = max(width - NAME - 6, 8)
    return row((f"{mark} ", look), (column(item.id, NAME), "strong"), " ", column(item.text, rest))
