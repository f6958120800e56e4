"""The words of the PKRAM screen: nodes, objects, and whose memory is where."""

from collections.abc import Iterator, Sequence

from kho_console import text, text_mechanisms
from kho_console.engine import strip_cells
from kho_console.engine.observer import View
from kho_console.engine.strip import HOLE, OTHER, Band, Layer
from kho_console.model.mechanism import PkramSeen
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import PkramImage, PkramNode, PkramObject
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.tui.listed import labelled
from kho_console.tui.rows import Row, column, flowed, row

_LETTERS = "abcdefghijklmnopqrtuvwxyz"
"""Letters of nodes; the last one stands for all that follow."""

_NARROW = 60
_MOST_BANDS = 2
NONE = "no sign of PKRAM: neither /sys/kernel/pkram nor pkram= on the command line"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of the list: a node, or one of its objects."""

    number: int
    node: PkramNode
    object: PkramObject | None = None


def answer(seen: PkramSeen | None) -> str:
    """What is there."""
    if seen is None:
        return NONE
    block = f"super block at frame 0x{seen.pfn:x}, as in pkram={seen.pfn:x}"
    if isinstance(seen.image, Unknown):
        return text.why(seen.image) if not seen.pfn else f"{block}: {text.why(seen.image)}"
    regions = text.explained(
        seen.image.regions,
        lambda known: f"{text.count(len(known), 'region')} of {text.size(text.total(known))}",
    )
    return f"{text_mechanisms.pkram(seen)}; reserves {regions}; {block}"


def lines(seen: PkramSeen | None) -> list[Line]:
    """Nodes, each with its objects below it."""
    if seen is None or isinstance(seen.image, Unknown):
        return []
    found = []
    for number, node in enumerate(seen.image.nodes):
        found.append(Line(number, node))
        found += [Line(number, node, item) for item in node.objects]
    return found


def line_row(item: Line, width: int) -> Row:
    """A line of the list."""
    if item.object is None:
        size = sum(found.page_bytes for found in item.node.objects)
        room = max(width - 28, 8)
        objects = text.count(len(item.node.objects), "object")
        name = column(text.escaped(item.node.name) or "(no name)", room)
        letter = (f"{letter_of(item.number)} ", "letter-p")
        return row(letter, (name, "strong"), f" {objects:>11} {text.size(size):>11}")
    found = item.object
    orders = ", ".join(f"{many:,} of order {at}" for at, many in found.blocks_by_order.items())
    room = max(width - 15 - (17 if width >= _NARROW else 0), 8)
    held = f"  bytes {text.size(found.byte_count):>9}" if width >= _NARROW else ""
    return row(
        "    ", column(orders or "no pages", room), f" {text.size(found.page_bytes):>9}", held
    )


def detail(item: Line, width: int) -> list[Row]:
    """All that is known of a line."""
    if item.object is None:
        rows = labelled("node", text.escaped(item.node.name) or "(no name)", width, "strong")
        rows += labelled("frame", f"0x{item.node.pfn:x}", width)
        if item.node.flags:
            rows += labelled(
                "flags", f"0x{item.node.flags:x}: it was being saved", width, "warning"
            )
        return rows
    found = item.object
    blocks = found.blocks_by_order.items()
    orders = ", ".join(f"{many:,} of order {order}" for order, many in blocks) or "none"
    rows = labelled("pages", f"{text.exact(found.page_bytes)}: {orders}", width)
    span = "none"
    if found.first_index is not None and found.last_index is not None:
        span = f"pages {found.first_index:,} to {found.last_index:,} of the file"
    rows += labelled("index", span, width)
    rows += labelled("bytes", text.exact(found.byte_count), width)
    links = text.count(found.links, "link page")
    return rows + labelled("object", f"at frame 0x{found.pfn:x}, {links}", width)


def memory(image: PkramImage, view: View, width: int, chosen: int) -> Iterator[Row]:
    """Physical memory as letters: which node has it."""
    owners = list(_owners(image))
    bands = view.strip.bands
    known = () if isinstance(bands, Unknown) else bands
    for band in (known or _own_span(owners))[:_MOST_BANDS]:
        yield _band(band, view, owners, width)
    letters = {
        letter_of(at): node.name
        for at, node in reversed(list(enumerate(image.nodes)))
        if len(image.memory[at])
    }
    names = [
        row((letter, "cursor" if letter == letter_of(chosen) else "letter-p"), f" {_named(name)}")
        for letter, name in reversed(letters.items())
    ]
    rest = [
        row((OTHER, "letter-R"), (" other", "dim")),
        row((HOLE, "letter-hole"), (" hole", "dim")),
    ]
    yield from flowed([*names, *rest], width)[:2]


def letter_of(number: int) -> str:
    """The letter of a node."""
    return _LETTERS[min(number, len(_LETTERS) - 1)]


def _named(name: bytes) -> str:
    return text.cut(text.escaped(name), 24)


def _owners(image: PkramImage) -> Iterator[Layer]:
    for number, runs in enumerate(image.memory):
        if len(runs):
            yield Layer(letter_of(number), runs)


def _own_span(owners: Sequence[Layer]) -> tuple[Band, ...]:
    """All that nodes have, where memory itself is not known."""
    if not owners:
        return ()
    start = min(layer.runs[0].start for layer in owners)
    end = max(layer.runs[len(layer.runs) - 1].end for layer in owners)
    return (Band(None, MemoryRange(start, end - start)),)


def _band(band: Band, view: View, owners: Sequence[Layer], width: int) -> Row:
    name = "memory" if band.node is None else f"node{band.node}"
    head = f" {name:<7} {text.address(band.span.start, 8)} "
    cells = max(width - len(head) - 1, 8)
    machine = () if isinstance(view.strip.bands, Unknown) else view.strip.machine
    drawn = strip_cells.cells(band.span, cells, machine, band.parts, owners)
    return row((head, "address"), (drawn, "letter-p"))
