"""The timeline as rows: its ends, what happened on it, and where one stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kho_console import text
from kho_console.model.position import Landmark, Position, What
from kho_console.tui.rows import Piece, Row, clipped, plain, row, spread

LETTERS: Mapping[What, Piece] = {
    What.EVENT: ("e", "info"),
    What.ACTION: ("a", "strong"),
    What.FINDING: ("!", "warning"),
}
"""What stands on the line, the last one above the others."""

HERE: Piece = ("█", "good")

_NARROW, _LOW = 60, 20


def timeline(
    position: Position,
    landmarks: Sequence[Landmark],
    keys: Sequence[tuple[str, str]],
    size: tuple[int, int],
) -> list[Row]:
    """One row, in a large window two.

    Args:
        position: Where one stands.
        landmarks: What happened.
        keys: Keys that move there, and their words.
        size: Columns and lines of the window.
    """
    width, height = size
    motion = f"{position.speed:g}x {position.motion} "
    if width < _NARROW or height < _LOW:
        end = row(f" {position.number + 1}/{position.count} ", (motion, "strong"))
        return [_ruled(position, landmarks, row(" "), end, width)]
    dated = position.first.date() != position.last.date()
    first, last = (text.clock(at, dated=dated) for at in (position.first, position.last))
    begin, end = row(f" {first} "), row(f" {last}  ", (motion, "strong"))
    return [
        _ruled(position, landmarks, begin, end, width),
        _explained(position, landmarks, keys, width),
    ]


def _ruled(
    position: Position, landmarks: Sequence[Landmark], begin: Row, end: Row, width: int
) -> Row:
    room = max(width - len(plain(begin)) - len(plain(end)) - 2, 1)
    cells: list[Piece] = [("─", "rule")] * room
    for what, letter in LETTERS.items():
        for item in landmarks:
            if item.what is what:
                cells[_cell(position, item.at, room)] = letter
    cells[_cell(position, position.at, room)] = HERE
    return (*begin, ("├", "rule"), *cells, ("┤", "rule"), *end)


def _cell(position: Position, at: datetime, room: int) -> int:
    """The cell of a time; what happened before the first moment stands on the first one."""
    whole = position.last - position.first
    if whole <= timedelta(0):
        return 0
    share = min(max((at - position.first) / whole, 0.0), 1.0)
    return round(share * (room - 1))


def _explained(
    position: Position, landmarks: Sequence[Landmark], keys: Sequence[tuple[str, str]], width: int
) -> Row:
    """What is here, what the letters mean, and as many keys as there is room for."""
    here = [item for item in landmarks if item.moment == position.number]
    here.sort(key=lambda item: list(LETTERS).index(item.what), reverse=True)
    left = row(f" {position.number + 1} of {position.count}")
    if here:
        more = f", {len(here) - 1} more" if len(here) > 1 else ""
        title = text.escaped(here[0].title).rstrip(".")
        words = f"  {here[0].what}: {title}{more}"
        left = (*left, (words, LETTERS[here[0].what][1]))
    items = [
        row((sign, look), (f" {what}", "dim"))
        for what, (sign, look) in LETTERS.items()
        if any(item.what is what for item in landmarks)
    ]
    items += [row((signs, "strong"), (f" {word}", "dim")) for signs, word in keys]
    right: Row = ()
    for item in items:
        longer = (*right, *item, ("  ", ""))
        if len(plain(left)) + len(plain(longer)) + 2 > width:
            break
        right = longer
    return clipped(spread(left, right, width), width)
