"""Lines of physical memory as cells: each shows one of the layers that touch its span."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from kho_console.abi import runs
from kho_console.engine.strip import HOLE, Band, Layer
from kho_console.model.memory import MemoryRange, without
from kho_console.model.preserved import Runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses

_GRAIN = 4096
"""Cells begin at multiples of the smallest page there is."""

_LAST = (1 << 64) - 1


def cells(
    span: MemoryRange,
    width: int,
    layers: Sequence[Layer],
    parts: Sequence[MemoryRange] = (),
    owners: Sequence[Layer] = (),
) -> str:
    """`width` letters over `span`, one for each cell.

    Args:
        span: What is drawn.
        width: Cells.
        layers: What may be there, the first one that shares a byte with a cell wins.
        parts: The pieces of the span that count, ascending; none for all of it.
        owners: Layers before those: the one with most bytes in a cell wins, of equals the first.
    """
    import numpy as np

    if width < 1:
        return ""
    edges = [min(_edge(span, width, cell), _LAST) for cell in range(width + 1)]
    starts = np.array(edges[:-1], np.uint64)
    ends = np.maximum(np.array(edges[1:], np.uint64), starts + np.uint64(1))
    cell = np.arange(width)
    if parts:
        starts, ends, cell = _pieces(starts, ends, parts)
    drawn = np.full(width, HOLE, "<U1")
    for layer in reversed(layers):
        drawn[cell[_touched(layer.runs, starts, ends)]] = layer.letter
    most = np.zeros(width, np.uint64)
    for layer in owners:
        has = np.zeros(width, np.uint64)
        for at in np.flatnonzero(_touched(layer.runs, starts, ends)).tolist():
            piece = MemoryRange(int(starts[at]), int(ends[at] - starts[at]))
            has[cell[at]] += np.uint64(layer.runs.bytes_in(piece))
        drawn[has > most] = layer.letter
        most = np.maximum(most, has)
    return "".join(drawn.tolist())


def cell_at(span: MemoryRange, width: int, address: int) -> int | None:
    """The cell that holds `address`, None outside the span."""
    if width < 1 or not span.start <= address < span.end:
        return None
    cell = min((address - span.start) * width // span.size, width - 1)
    while cell + 1 < width and address >= _edge(span, width, cell + 1):
        cell += 1
    return cell


def cell_span(span: MemoryRange, width: int, cell: int) -> MemoryRange:
    """The bytes behind one cell."""
    start, end = _edge(span, width, cell), _edge(span, width, cell + 1)
    return MemoryRange(start, max(end - start, 1))


def zoomed(
    whole: MemoryRange, zoom: int, around: int, width: int = 1, page_size: int = 1
) -> MemoryRange:
    """The part of `whole` that is shown at a magnification, with `around` in its middle.

    A cell is never less than a page, and where it is one, it is exactly one.
    """
    size = min(max(whole.size // zoom, width * page_size, 1), whole.size)
    before = size // 2 // page_size * page_size
    start = around // page_size * page_size - before
    return MemoryRange(min(max(start, whole.start), whole.end - size), size)


def deepest_zoom(whole: MemoryRange, width: int, page_size: int) -> int:
    """The least power of two at which a cell is one page."""
    line = page_size * max(width, 1)
    return 1 << (whole.size // (line + 1)).bit_length()


def band_at(bands: Sequence[Band], address: int) -> int | None:
    """The line that an address belongs to, else the first one whose span holds it."""
    near = [
        at for at, band in enumerate(bands) if band.span.start <= address < band.span.end
    ]  # fmt: skip
    return next((at for at in near if bands[at].holds(address)), near[0] if near else None)


def neighbour(
    bands: Sequence[Band], index: int, shown: MemoryRange, width: int, cell: int
) -> tuple[int, int]:
    """The line and the address that a step on the map leads to.

    Args:
        bands: All lines.
        index: The line that the step starts on.
        shown: The part of that line that is shown, `width` cells wide.
        width: Cells of a line.
        cell: The cell to go to; outside of 0 to `width` it lies beside the shown part, or on the
            next line.
    """
    here = bands[index].span
    target = cell_span(shown, width, cell).start
    if here.start <= target < here.end:
        return index, target
    beside = index + (1 if target >= here.end else -1)
    if not 0 <= beside < len(bands):
        return index, max(here.start, min(target, here.end - 1))
    span = bands[beside].span
    return beside, span.start if beside > index else cell_span(span, width, width - 1).start


def held(
    span: MemoryRange, layers: Sequence[Layer], owners: Sequence[Layer] = ()
) -> tuple[tuple[str, int], ...]:
    """What a span is made of: letters and bytes that add up to its size, what is a hole last.

    Args:
        span: What is looked at.
        layers: What may be there; a byte counts for the first one that has it.
        owners: Layers before those, no byte in two of them; they may have millions of runs.
    """
    found = [(layer.letter, layer.runs.bytes_in(span)) for layer in owners]
    left: tuple[MemoryRange, ...] = (span,)
    for layer in layers:
        mine = tuple(_common(layer.runs, left))
        left = without(left, mine)
        found.append((layer.letter, _unowned(mine, owners)))
    found.append((HOLE, _unowned(left, owners)))
    return tuple((letter, size) for letter, size in found if size)


def letters(span: MemoryRange, layers: Iterable[Layer]) -> str:
    """The letters of all layers that share a byte with `span`."""
    return "".join(layer.letter for layer in layers if layer.runs.touches(span))


def _edge(span: MemoryRange, width: int, cell: int) -> int:
    """First byte of a cell, rounded down to a page where cells are that large.

    Plain integers: a product of address and width may not fit into 64 bits.
    """
    edge = span.start + span.size * cell // width
    return edge & -_GRAIN if span.size >= _GRAIN * width and 0 < cell < width else edge


def _touched(found: Runs, starts: "Addresses", ends: "Addresses") -> "NDArray[np.bool_]":
    """Mask of the cells that share a byte with any run."""
    import numpy as np

    if not len(found):
        return np.zeros(len(starts), bool)
    index = found.ends.searchsorted(starts, side="right")
    inside = index < len(found)
    return inside & (found.starts[np.where(inside, index, 0)] < ends)


def _pieces(
    starts: "Addresses", ends: "Addresses", parts: Sequence[MemoryRange]
) -> "tuple[Addresses, Addresses, NDArray[np.intp]]":
    """The cells cut down to the parts: start, end and cell of each piece."""
    import numpy as np

    own = runs.of_ranges((part.start, part.end) for part in parts)
    cuts = np.unique(np.concatenate((starts, ends, own.starts, own.ends)))
    low, high = cuts[:-1], cuts[1:]
    inside = (low >= starts[0]) & (high <= ends[-1]) & _touched(own, low, high)
    low, high = low[inside], high[inside]
    return low, high, starts.searchsorted(low, side="right") - 1


def _common(found: Runs, pieces: Iterable[MemoryRange]) -> Iterator[MemoryRange]:
    """What runs and pieces have in common."""
    for piece in pieces:
        for at in found.near(piece):
            start = max(found[at].start, piece.start)
            yield MemoryRange(start, min(found[at].end, piece.end) - start)


def _unowned(pieces: Iterable[MemoryRange], owners: Sequence[Layer]) -> int:
    """Bytes of pieces that no owner has."""
    return sum(piece.size - sum(layer.runs.bytes_in(piece) for layer in owners) for piece in pieces)
