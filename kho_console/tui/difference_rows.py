"""The rows of two moments side by side."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from kho_console import text, text_over_time
from kho_console.model.difference import Change, Difference, Told
from kho_console.model.snapshot import Identity, Snapshot
from kho_console.model.unknown import Maybe
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Piece, Row, column, row

SIGNS: Mapping[Change, Piece] = {
    Change.ADDED: ("+", "good"),
    Change.GONE: ("-", "error"),
    Change.MOVED: ("@", "info"),
    Change.CHANGED: ("~", "warning"),
}
_NARROW = 60
_NAME = 32
"""Columns of a name where there is room for both values beside it."""

Line = tuple[Row, Difference | None]
"""A row, and what it is about; None for the heading of a subject."""


def lines(found: Sequence[Difference], width: int) -> list[Line]:
    """All that is different, subject by subject, the number of each first."""
    shown: list[Line] = []
    for subject, items in groupby(found, key=lambda item: item.subject):
        listed = list(items)
        shown.append((row((f"{subject}: {len(listed):,}", "info")), None))
        shown += [(_line(item, width), item) for item in listed]
    return shown


def columns(before: Snapshot, after: Snapshot, width: int) -> list[Row]:
    """What stands in the columns, and the signs."""
    words = "  ".join(f"{sign} {change}" for change, (sign, _) in SIGNS.items())
    names = [_named(item.source) for item in (before, after)]
    if width < _NARROW:
        labels = zip(("first ", "second"), names, strict=True)
        return [
            *(row((f" {word} ", "dim"), _ending(name, width - 9)) for word, name in labels),
            row((f" {words}", "dim")),
        ]
    value = _value_width(width)
    first, second = (column(_ending(name, value), value) for name in names)
    head = row(f"   {'':{_NAME}} ", (first, "strong"), "  ", (second, "strong"))
    return [head, row((f" {words}", "dim"))]


def whole(found: Difference, width: int) -> list[Row]:
    """All of both values of a difference."""
    name = _name(found) or str(found.subject)
    return [
        *labelled(found.change, f"{found.subject}: {name}", width),
        *labelled("first", _shown(found.before), width),
        *labelled("second", _shown(found.after), width),
    ]


def words(found: Difference) -> str:
    """All that a filter looks at."""
    parts = (found.subject, found.change, _name(found), _shown(found.before), _shown(found.after))
    return " ".join(parts)


def _line(found: Difference, width: int) -> Row:
    sign, look = SIGNS[found.change]
    if width < _NARROW:
        last = found.before if found.after is None else found.after
        return row((f"{sign} ", look), f"{_name(found)}  {_brief(last)}")
    value = _value_width(width)
    before, after = (column(_brief(side), value) for side in (found.before, found.after))
    return row((f"{sign} ", look), (column(_name(found), _NAME), "strong"), f" {before}  {after}")


def _named(found: Identity) -> str:
    name = text.escaped(found.name)
    if found.moment is None:
        return name
    return f"{name} {text.clock(found.moment.at)} moment:{found.moment.number}"


def _value_width(width: int) -> int:
    """Columns of each value; the cursor and the sign stand before the name."""
    return max((width - _NAME - 6) // 2, 8)


def _name(found: Difference) -> str:
    return " ".join(filter(None, (text.escaped(found.name), text.escaped(found.what))))


def _shown(found: Maybe[Told] | None) -> str:
    return text_over_time.fact(found)


def _brief(found: Maybe[Told] | None) -> str:
    """A value for a column: sizes to one decimal, nothing where nothing was there."""
    if isinstance(found, Told) and found.meaning == "bytes" and isinstance(found.value, int):
        return text.size(found.value)
    return "" if found is None else _shown(found)


def _ending(words: str, width: int) -> str:
    """Words on at most `width` columns; of the name of a source the end tells more."""
    return words if len(words) <= width else f"..{words[2 - width :]}"
