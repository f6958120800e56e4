"""The words of the Blobs screen: its list, what is chosen, and its values."""

from collections.abc import Iterable

from kho_console import text
from kho_console.engine import trees
from kho_console.engine.blob_view import Line
from kho_console.engine.paths import OUT
from kho_console.model.blob import Blob
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.tui.rows import Row, column, row, wrapped
from kho_console.tui.signs import blob_sign

_NAME = 15
_WORD = 11
_LABEL = 22


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list: a side's title, or one of its blobs; no name is the root tree."""

    side: str
    title: bool = False
    name: bytes | None = None
    blob: Blob | None = None


def name_of(entry: Entry) -> str:
    """The name of a line of the list, as it is shown."""
    if entry.title:
        return entry.side
    return "root tree" if entry.name is None else text.escaped(entry.name)


def path_of(entry: Entry, line: Line | None) -> str:
    """A path to copy: the file below `kho/`, and `:/oops/start` behind it for a value in it."""
    if entry.title:
        return entry.side
    file = "fdt" if entry.name is None else f"sub_fdts/{text.escaped(entry.name)}"
    value = f":{text.escaped(line.path)}" if line is not None and line.path else ""
    return f"{entry.side}/{file}{value}"


def entries(snapshot: Snapshot, which: str) -> Iterable[Entry]:
    """The lines of the list for a side."""
    yield Entry(which, title=True)
    side = trees.side(snapshot, which)
    if isinstance(side, Unknown):
        return
    yield Entry(which)
    for blob in () if isinstance(side.blobs, Unknown) else side.blobs:
        yield Entry(which, name=blob.name, blob=blob)


def entry_row(snapshot: Snapshot, item: Entry) -> Row:
    """A line of the list."""
    side = trees.side(snapshot, item.side)
    if item.title:
        if isinstance(side, Unknown):
            cold = snapshot.booted_through_handover is False
            words = "none: cold boot" if cold else text.word(side)
            return row((f"{item.side:<4}", "strong"), (words, "dim"))
        blobs = text.told(side.blobs, lambda known: text.count(len(known), "blob"))
        return row((f"{item.side:<4}", "strong"), (blobs, "dim"))
    if isinstance(side, Unknown):
        return ()
    if item.blob is None:
        return _root_entry(side)
    return _blob_entry(item.blob)


def _root_entry(side: Side) -> Row:
    name = f" {column('root tree', _NAME)}"
    if isinstance(side.tree, Unknown):
        return row(name, (text.cut(text.word(side.tree), _WORD), "dim"))
    cut = (" cut", "warning") if side.tree.window_truncated else ("", "")
    word = text.told(side.tree.compatible, text.escaped)
    return row(name, (column(word, 6), "dim"), cut)


def _blob_entry(blob: Blob) -> Row:
    word, look = blob_sign(blob.state)
    name = f" {column(text.escaped(blob.name), _NAME)}"
    if word:
        return row(name, (text.cut(word, _WORD), look))
    return row(name, (f"{text.told(blob.size, text.size):>8}", "dim"))


def title(side: Side, entry: Entry, width: int) -> list[Row]:
    """What is chosen, in full."""
    if entry.title:
        word = "what goes to the next kernel" if entry.side == OUT else "what came in"
        if isinstance(side.blobs, Unknown):
            return wrapped(f"{word}: {text.why(side.blobs)}", width, row(" "))
        return [row(f" {word}: {text.count(len(side.blobs), 'blob')}")]
    if entry.blob is not None:
        return _blob_title(entry.blob, width)
    tree = side.tree
    if isinstance(tree, Unknown):
        return wrapped(f"root tree: {text.why(tree)}", width, row(" "))
    word = text.told(tree.compatible, text.escaped)
    words = f"root tree {word}, {text.size(len(tree.content))}{_place(tree.address)}"
    rows = wrapped(words, width, row(" "), "strong")
    if tree.window is not None and tree.window_truncated:
        rest = "the rest is missing" if tree.flat.truncated else "rest from memory"
        cut = f"cut at {tree.window} of {tree.flat.totalsize} bytes, {rest}"
        rows += wrapped(cut, width, row((" ! ", "warning")), "warning")
    return rows


def _blob_title(blob: Blob, width: int) -> list[Row]:
    kind = text.escaped(blob.compatible) if blob.compatible else blob.format
    size = (
        f"size {text.word(blob.size)}" if isinstance(blob.size, Unknown) else text.size(blob.size)
    )
    words = f"{text.escaped(blob.name)} {kind}, {size}{_place(blob.address)}"
    rows = wrapped(words, width, row(" "), "strong")
    if blob.reason or isinstance(blob.state, Unknown):
        _, look = blob_sign(blob.state)
        rows += wrapped(text.blob_state(blob), width, row(" "), look, most=3)
    return rows


def _place(address: Maybe[int]) -> str:
    if isinstance(address, Unknown):
        return f", address {text.word(address)}"
    return f" at {text.address(address)}"


def folded(line: str, width: int) -> list[Row]:
    """A line of source, folded where it is too long."""
    if len(line) < width - 1:
        return [row(line)]
    indent = line[: len(line) - len(line.lstrip())]
    return wrapped(line.strip(), width - 1, row(indent))


def value_row(line: Line, width: int) -> Row:
    """A value of a blob, or a node."""
    indent = "  " * min(line.depth, 6)
    label = f"{indent}{text.escaped(line.label)}"
    if line.value is None and line.offset is None:
        return row((label, "strong"))
    if not line.label:
        return row((column(f"! {text.escaped(line.note)}", width - 2), "warning"))
    words = "" if line.value is None else text.value(line.value, line.meaning)
    room = max(width - max(len(label), _LABEL) - 3, 8)
    note = f"  {line.note}" if line.note and len(words) + len(line.note) + 2 <= room else ""
    if len(words) > room:
        words = column(words, room)
    return row(f"{label:<{_LABEL}} ", words, (note, "dim"))
