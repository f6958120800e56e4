"""The rows of a comparison: what came in against what goes out."""

from collections.abc import Iterator, Mapping

from kho_console import text
from kho_console.engine import comparison
from kho_console.engine.blob_view import Line
from kho_console.engine.comparison import Change, Comparison, Pair
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.tui.blob_rows import Entry, name_of
from kho_console.tui.rows import Piece, Row, row, wrapped

_SIGNS: Mapping[Change, Piece] = {
    Change.GONE: ("-", "error"),
    Change.ADDED: ("+", "good"),
    Change.CHANGED: ("~", "warning"),
    Change.UNKNOWN: ("?", "warning"),
    Change.SAME: ("=", "dim"),
}


def compared(snapshot: Snapshot, entry: Entry, width: int) -> tuple[list[Row], list[Row]]:
    """A title and the rows for a line of the list: the blobs of a side, or one content."""
    what = "blobs" if entry.title else name_of(entry)
    title = wrapped(f"{what}: in against out", width, row(" "), "strong")
    found = comparison.blobs(snapshot) if entry.title else comparison.contents(snapshot, entry.name)
    if isinstance(found, Unknown):
        return [*title, *wrapped(text.why(found), width, row(" "))], []
    return [*title, *wrapped(summary(found), width, row(" "))], rows(found, width)


def summary(found: Comparison) -> str:
    """How much differs: `1 changed, 2 only in, 8 the same`."""
    if found.differing is not None:
        places = text.count(len(found.stretches), "place")
        return f"{text.count(found.differing, 'byte')} differ in {places}"
    counted = found.counted
    return ", ".join(f"{counted[at]} {at}" for at in _SIGNS if counted[at]) or "nothing to compare"


def rows(found: Comparison, width: int) -> list[Row]:
    """What differs, each with its sign, and then what is the same."""
    if found.differing is not None:
        return [_stretch(stretch) for stretch in found.stretches]
    ordered = sorted(found.pairs, key=lambda pair: list(_SIGNS).index(pair.change))
    return [item for pair in ordered for item in _pair(pair, width)]


def _pair(pair: Pair, width: int) -> Iterator[Row]:
    sign, look = _SIGNS[pair.change]
    yield from wrapped(text.escaped(pair.path), width, row((f"{sign} ", look)), look)
    if pair.change is Change.SAME:
        return
    for word, line in (("in ", pair.came), ("out", pair.goes)):
        if line is not None and (shown := _value(line)):
            yield from wrapped(shown, width, row((f"    {word}  ", "dim")), most=3)


def _value(line: Line) -> str:
    words = "" if line.value is None else text.value(line.value, line.meaning)
    note = text.escaped(line.note)
    return f"{words}  {note}".strip()


def _stretch(found: range) -> Row:
    return row(
        ("~ ", "warning"),
        (f"0x{found.start:04x} to 0x{found.stop:04x}", "address"),
        f"  {text.count(len(found), 'byte')}",
    )
