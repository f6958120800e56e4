"""The words of the kstate screen: entries as a tree, and what differs between two streams."""

from collections.abc import Iterable, Iterator, Mapping

from kho_console import text, text_mechanisms
from kho_console.engine.mechanisms.kstate_difference import EntryDifference, Fate, FieldDifference
from kho_console.model.kstate import DecodedEntry, FieldLine, StateValue
from kho_console.model.mechanism import KstateSeen
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Row, column, row, wrapped

NONE = (
    "no stream is seen: neither the command line (v1, v2) nor the boot protocol (v3) leads to one; "
    "f shows one in a file"
)
_SIGNS = {Fate.ADDED: ("+", "good"), Fate.GONE: ("-", "error"), Fate.CHANGED: ("~", "warning")}
_OFFSET = 10
_BYTES_A_ROW = 16
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of the list.

    Attributes:
        row: How it looks.
        entry: The entry that it is about.
        field: The field; None for the entry itself.
        difference: How the field differs, or the entry.
    """

    row: Row
    entry: DecodedEntry
    field: FieldLine | None = None
    difference: FieldDifference | EntryDifference | None = None


def answer(seen: KstateSeen | None, other: KstateSeen | None, differing: int) -> str:
    """What is there."""
    if seen is None:
        return NONE
    if other is not None:
        against = f"{text.escaped(seen.place)} against {text.escaped(other.place)}"
        return f"{against}: {text.count(differing, 'entry', 'entries')} differ"
    ended = "" if isinstance(seen.entries, Unknown) or seen.cut else _ending(seen)
    return f"{text_mechanisms.kstate(seen)}{ended}"


def lines(entries: Iterable[DecodedEntry], folded: set[int], width: int) -> Iterator[Line]:
    """Entries with their fields below them, but for those that are folded."""
    for item in entries:
        shut = item.entry.offset in folded
        yield Line(_entry_row(item, "+" if shut else "-", "dim", width), item)
        if shut:
            continue
        for field in item.lines:
            yield from _field_lines(item, field, width)
        if isinstance(item.fields, Unknown):
            yield from _bytes(item, width)


def difference_lines(found: Iterable[EntryDifference], width: int) -> Iterator[Line]:
    """What differs, entry by entry."""
    for item in found:
        entry = item.after or item.before
        assert entry is not None
        sign, look = _SIGNS[item.fate]
        yield Line(_entry_row(entry, sign, look, width), entry, difference=item)
        for field in item.fields:
            words = f"{field.path}: {_side(field.before)} -> {_side(field.after)}"
            cut = column(text.harmless(words), max(width - 6, 8))
            yield Line(row("     ", cut), entry, field.after or field.before, field)


def detail(line: Line, width: int) -> list[Row]:
    """All that is known of a line."""
    item, entry = line.entry, line.entry.entry
    name = text.explained(item.name, text.escaped)
    kind = {None: "entry", 1: "subsection", 2: "section"}[entry.section]
    rows = labelled(kind, f"{name}, state id {entry.state_id}", width, "strong")
    about = f"version {entry.version_id}, instance {entry.instance_id}"
    rows += labelled("header", f"at 0x{entry.offset:x}, {about}", width)
    rows += labelled("size", text.exact(entry.size), width)
    for fault in (*item.faults, *item.warnings):
        said = f"at 0x{fault.offset:x}: {text.harmless(fault.reason)}"
        rows += wrapped(said, width, row((" ! ", "warning")), "warning")
    if isinstance(line.difference, FieldDifference):
        rows += labelled("first", _side(line.difference.before), width)
        rows += labelled("second", _side(line.difference.after), width)
    elif line.field is not None and line.field.value is not None:
        place = f"{text.escaped(line.field.label)} at 0x{line.field.offset:x}"
        rows += labelled("field", f"{place}: {shown(line.field.value)}", width)
    if isinstance(item.fields, Unknown):
        rows += labelled("fields", text.why(item.fields), width, "warning")
    return rows


def shown(value: StateValue) -> str:
    """A value on one line."""
    if isinstance(value, bytes):
        return f'"{text.escaped(value)}"'
    if isinstance(value, Mapping):
        return ", ".join(f"{text.escaped(name)} {shown(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "; ".join(map(shown, value)) or "none"
    return text.number(value)


def _field_lines(item: DecodedEntry, field: FieldLine, width: int) -> Iterator[Line]:
    indent = "  " * (min(field.depth, 6) + 1)
    place = (f"{field.offset:08x}".rjust(_OFFSET), "address")
    label = f"{indent}{text.escaped(field.label)}"
    room = max(width - _OFFSET - len(label) - 4, 8)
    words = "" if field.value is None else f" = {text.cut(shown(field.value), room)}"
    yield Line(row(place, label, words), item, field)


def _bytes(item: DecodedEntry, width: int) -> Iterator[Line]:
    """The bytes of an entry without fields."""
    if isinstance(item.content, Unknown):
        return
    many = _BYTES_A_ROW if width >= 80 else 8 if width >= 48 else 4
    content = item.content[:_MOST_BYTES]
    for at in range(0, len(content), many):
        piece = content[at : at + many]
        place = (f"{item.entry.data + at:08x}".rjust(_OFFSET), "address")
        found = f"  {piece.hex(' '):<{many * 3 - 1}} |{text.printable(piece)}|"
        yield Line(row(place, found), item)


def _entry_row(item: DecodedEntry, sign: str, look: str, width: int) -> Row:
    entry = item.entry
    name = f"id {entry.state_id}" if isinstance(item.name, Unknown) else text.escaped(item.name)
    kind = "sub " if entry.section == 1 else ""
    facts = f" v{entry.version_id} #{entry.instance_id} {text.size(entry.size)}"
    bad = " ! does not fit" if item.faults else ""
    room = max(width - _OFFSET - len(facts) - len(bad) - 4, 6)
    place = (f"{entry.offset:08x}", "address")
    words = (text.cut(f"{kind}{name}", room), "strong")
    return row((f"{sign} ", look), place, " ", words, (facts, "dim"), (bad, "error"))


def _side(field: FieldLine | None) -> str:
    return "none" if field is None or field.value is None else shown(field.value)


def _ending(seen: KstateSeen) -> str:
    return ", ended by its mark" if seen.terminated else ", without an end mark"
