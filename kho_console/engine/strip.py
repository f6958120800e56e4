"""Physical memory as a strip of letters: each cell shows the first layer that touches its span."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kho_console.abi import runs
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import MemoryRange, merged
from kho_console.model.owner import OwnerKind, Ownership
from kho_console.model.preserved import Runs
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kho_console.model.preserved import Addresses

HOLE = "."
SCRATCH = "s"
PRESERVED = "p"
CRASH = "C"
OTHER = "R"

_GRAIN = 4096
"""Cells begin at multiples of the smallest page there is."""

_LAST = (1 << 64) - 1

OWNERS = {
    OwnerKind.ROOT_TREE: "t",
    OwnerKind.KHO_TEST: "k",
    OwnerKind.LIVE_UPDATE: "l",
    OwnerKind.VMALLOC: "v",
    OwnerKind.BLOB: "b",
    OwnerKind.MEMFD_RECORD: "n",
    OwnerKind.RESERVE_MEM: "r",
    OwnerKind.MEMFD: "m",
    OwnerKind.UNATTRIBUTED: "u",
}
"""The letter of each kind of owner, what is small and rare first: it wins where a cell has more."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What one letter stands for: the memory it covers."""

    letter: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class Band:
    """One line of the map: the span of a NUMA node, or of all RAM where nodes are not known."""

    node: int | None
    span: MemoryRange


@dataclass(frozen=True, slots=True, eq=False)
class StripMap:
    """All that is needed to draw physical memory at any width and zoom.

    Attributes:
        bands: The lines, or why there are none.
        machine: Crash kernel, scratch and other RAM, the first one wins.
        preserved: Preserved memory as one layer; no layer where it is not known.
        owners: The same cut by kind of owner.
    """

    bands: Maybe[tuple[Band, ...]]
    machine: tuple[Layer, ...]
    preserved: tuple[Layer, ...]
    owners: tuple[Layer, ...]

    def layers(self, *, by_owner: bool) -> tuple[Layer, ...]:
        """The layers to draw, those of preserved memory first."""
        return (self.owners if by_owner else self.preserved) + self.machine


def strip_map(snapshot: Snapshot, previous: tuple[Snapshot, StripMap] | None = None) -> StripMap:
    """The map of a snapshot.

    Args:
        snapshot: The machine.
        previous: An earlier snapshot with its map; what is costly is kept while the inventory is
            the same.
    """
    if previous is not None and previous[0].inventory is snapshot.inventory:
        preserved, owners = previous[1].preserved, previous[1].owners
    else:
        found, ownership = snapshot.inventory.preserved, snapshot.inventory.ownership
        preserved = () if isinstance(found, Unknown) else (Layer(PRESERVED, found.ranges),)
        owners = () if isinstance(ownership, Unknown) else tuple(_owner_layers(ownership))
    return StripMap(_bands(snapshot.memory), tuple(_machine(snapshot)), preserved, owners)


def cells(span: MemoryRange, width: int, layers: Sequence[Layer]) -> str:
    """`width` letters over `span`: in each cell the first layer that shares a byte with it."""
    import numpy as np

    if width < 1:
        return ""
    edges = [min(_edge(span, width, cell), _LAST) for cell in range(width + 1)]
    starts = np.array(edges[:-1], np.uint64)
    ends = np.maximum(np.array(edges[1:], np.uint64), starts + np.uint64(1))
    drawn = np.full(width, HOLE, "<U1")
    for layer in reversed(layers):
        drawn[_touched(layer.runs, starts, ends)] = layer.letter
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


def zoomed(whole: MemoryRange, zoom: int, around: int) -> MemoryRange:
    """The part of `whole` that is shown at a magnification, with `around` in its middle."""
    size = max(whole.size // zoom, 1)
    start = min(max(around - size // 2, whole.start), whole.end - size)
    return MemoryRange(start, size)


def deepest_zoom(whole: MemoryRange, width: int, page_size: int) -> int:
    """The largest power of two at which a cell still holds at least one page."""
    most = max(whole.size // (page_size * max(width, 1)), 1)
    return 1 << (most.bit_length() - 1)


def band_at(bands: Sequence[Band], address: int) -> int | None:
    """The line that holds `address`."""
    return next(
        (at for at, band in enumerate(bands) if band.span.start <= address < band.span.end), None
    )


def neighbour(bands: Sequence[Band], index: int, shown: MemoryRange, width: int, cell: int) -> int:
    """The address that a step on the map leads to.

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
        return target
    beside = index + (1 if target >= here.end else -1)
    if not 0 <= beside < len(bands):
        return max(here.start, min(target, here.end - 1))
    span = bands[beside].span
    return span.start if beside > index else cell_span(span, width, width - 1).start


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


def _bands(memory: MemoryLayout) -> Maybe[tuple[Band, ...]]:
    if not isinstance(memory.nodes, Unknown):
        known = [
            Band(node.number, _around(node.ranges)) for node in memory.nodes if any(node.ranges)
        ]
        if known:
            return tuple(known)
    if isinstance(memory.ram, Unknown):
        return memory.ram
    return (Band(None, _around(memory.ram)),) if memory.ram else ()


def _around(ranges: Sequence[MemoryRange]) -> MemoryRange:
    return MemoryRange(ranges[0].start, ranges[-1].end - ranges[0].start)


def _machine(snapshot: Snapshot) -> Iterable[Layer]:
    # 7.1.13 puts its crash region into scratch memory after a handover.
    if not isinstance(snapshot.memory.crash_regions, Unknown):
        yield _layer(CRASH, snapshot.memory.crash_regions)
    if not isinstance(snapshot.scratch, Unknown):
        yield _layer(SCRATCH, [area.range for area in snapshot.scratch])
    yield _layer(OTHER, _online(snapshot.memory))


def _layer(letter: str, ranges: Iterable[MemoryRange]) -> Layer:
    return Layer(letter, runs.of_ranges((item.start, item.end) for item in ranges if item.size))


def _online(memory: MemoryLayout) -> list[MemoryRange]:
    """System RAM without offline blocks; the online blocks where RAM is not known."""
    blocks = () if isinstance(memory.blocks, Unknown) else memory.blocks
    if isinstance(memory.ram, Unknown):
        return [block.range for block in blocks if block.state == "online"]
    left = list(memory.ram)
    for hole in merged([block.range for block in blocks if block.state == "offline"]):
        left = [piece for item in left for piece in _without(item, hole)]
    return left


def _without(item: MemoryRange, hole: MemoryRange) -> Iterable[MemoryRange]:
    if not item.overlaps(hole):
        yield item
        return
    if item.start < hole.start:
        yield MemoryRange(item.start, hole.start - item.start)
    if hole.end < item.end:
        yield MemoryRange(hole.end, item.end - hole.end)


def _owner_layers(ownership: Ownership) -> Iterable[Layer]:
    import numpy as np

    for kind, letter in OWNERS.items():
        wanted = [at for at, owner in enumerate(ownership.owners) if owner.kind is kind]
        mask = np.isin(ownership.owner_of, wanted)
        if mask.any():
            yield Layer(letter, Runs(ownership.starts[mask], ownership.ends[mask]))
