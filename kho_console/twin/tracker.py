"""What a kernel remembers of preserved blocks, in the form its release keeps.

6.16 to 7.0 keep bitmaps by order, of 512 bytes from the slab or of a page, and write the list of
them down at finalize. From 7.1 on the radix tree itself is what goes to the next kernel. Bits that
are cleared leave their bitmap, leaf and tables behind.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Protocol

from kho_console.abi import chunk_list, radix_tree, runs
from kho_console.abi.bitmaps import Gathered
from kho_console.abi.radix_tree import Geometry
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import Runs
from kho_console.twin.allocator import Allocator

_SMALL = 512
_MOST_RANGES = 1 << 16
_PIECE = 2 << 20


class Tracker(Protocol):
    """Blocks by order."""

    def mark(self, start: int, count: int, order: int, value: bool) -> None:
        """Set or clear `count` blocks of an order in a row, the first one at `start`."""
        ...

    def blocks(self) -> dict[int, Runs]:
        """All blocks, as runs by order."""
        ...

    def structure(self) -> list[MemoryRange]:
        """The memory that it takes itself."""
        ...


class BitmapTracker:
    """Bitmaps of 512 bytes (6.16, 6.17) or of a page (6.18 to 7.0)."""

    def __init__(self, allocator: Allocator, form: MapFormat) -> None:
        """Remember nothing yet."""
        self._allocator = allocator
        self._memory = allocator.memory
        self.size = _SMALL if form is MapFormat.CHUNKS_512 else self._memory.page_size
        self._orders: dict[int, dict[int, int]] = {}
        self._slab: list[int] = []

    def take(self, order: int, start: int, bitmap: int) -> None:
        """Go on with a bitmap that is there already."""
        self._orders.setdefault(order, {})[start // self._span(order)] = bitmap

    def mark(self, start: int, count: int, order: int, value: bool) -> None:
        """See `Tracker.mark`."""
        block, bits = self._memory.page_size << order, self.size * 8
        first, last = start // block, start // block + count
        while first < last:
            index = first // bits
            stop = min(last, (index + 1) * bits)
            bitmap = self._bitmap(order, index, value)
            if bitmap is not None:
                _mark(self._memory.read, self._memory.write, bitmap, self.size, first, stop, value)
            first = stop

    def blocks(self) -> dict[int, Runs]:
        """See `Tracker.blocks`."""
        found = {}
        for order, bitmaps in sorted(self._orders.items()):
            gathered = Gathered(self._memory.page_size << order)
            for index, bitmap in sorted(bitmaps.items()):
                gathered.add(index * self._span(order), self._memory.read(bitmap, self.size))
            found[order] = gathered.runs()
        return {order: item for order, item in found.items() if len(item)}

    def structure(self) -> list[MemoryRange]:
        """See `Tracker.structure`; pages that hold bitmaps."""
        page = self._memory.page_size
        held = {at & -page for bitmaps in self._orders.values() for at in bitmaps.values()}
        return [MemoryRange(at, page) for at in sorted(held)]

    def serialize(self) -> list[int]:
        """Write the chunk list of all bitmaps, empty ones too, and give its pages in order."""
        page = self._memory.page_size
        capacity = (page - 16) // 16
        parts: list[tuple[int, list[tuple[int, int]]]] = []
        for order, bitmaps in sorted(self._orders.items()):
            entries = [(index * self._span(order), at) for index, at in sorted(bitmaps.items())]
            parts += [
                (order, entries[at : at + capacity]) for at in range(0, len(entries), capacity)
            ]
        places = [self._allocator.pages() for _ in parts]
        for place, following, (order, entries) in zip(
            places, [*places[1:], 0], parts, strict=False
        ):
            flat = [number for entry in entries for number in entry]
            head = struct.pack("<QII", following, order, len(entries))
            self._memory.write(place, head + struct.pack(f"<{len(flat)}Q", *flat))
        return places

    def _span(self, order: int) -> int:
        return self.size * 8 * self._memory.page_size << order

    def _bitmap(self, order: int, index: int, value: bool) -> int | None:
        bitmaps = self._orders.setdefault(order, {})
        if index not in bitmaps and value:
            bitmaps[index] = self._new()
        return bitmaps.get(index)

    def _new(self) -> int:
        if self.size == self._memory.page_size:
            return self._allocator.pages()
        if not self._slab:
            page = self._allocator.pages()
            self._slab = list(range(page, page + self._memory.page_size, self.size))
        return self._slab.pop(0)


class RadixTracker:
    """The radix tree of 7.1 and later; nodes are never freed."""

    def __init__(self, allocator: Allocator, root: int | None = None) -> None:
        """Start an empty tree, or go on with the one at `root`."""
        self._allocator = allocator
        self._memory = allocator.memory
        self._geometry = Geometry(self._memory.page_size)
        self.root = allocator.pages() if root is None else root

    def mark(self, start: int, count: int, order: int, value: bool) -> None:
        """See `Tracker.mark`."""
        first = self._geometry.key(start, order)
        last, bits = first + count, 1 << self._geometry.leaf_bits
        while first < last:
            stop = min(last, (first | bits - 1) + 1)
            leaf = self._leaf(first, value)
            if leaf is not None:
                size = self._memory.page_size
                _mark(self._memory.read, self._memory.write, leaf, size, first, stop, value)
            first = stop

    def blocks(self) -> dict[int, Runs]:
        """See `Tracker.blocks`."""
        found = radix_tree.read(self._memory, self.root, self._memory.page_size)
        return dict(found.by_order)

    def structure(self) -> list[MemoryRange]:
        """See `Tracker.structure`."""
        page = self._memory.page_size
        nodes = radix_tree.walk(self._memory, self.root, page)
        return [MemoryRange(node.address, page) for node in nodes]

    def _leaf(self, key: int, create: bool) -> int | None:
        geometry, node = self._geometry, self.root
        for level in range(geometry.top, 0, -1):
            shift = geometry.leaf_bits + geometry.table_bits * (level - 1)
            at = node + 8 * (key >> shift & (1 << geometry.table_bits) - 1)
            below = int.from_bytes(self._memory.read(at, 8), "little")
            if not below:
                if not create:
                    return None
                below = self._allocator.pages()
                self._memory.write(at, below.to_bytes(8, "little"))
            node = below
        return node


def _mark(
    read: Callable[[int, int], bytes],
    write: Callable[[int, bytes], None],
    bitmap: int,
    size: int,
    first: int,
    stop: int,
    value: bool,
) -> None:
    """Set or clear bits `first` to `stop`, counted from anywhere, of one bitmap."""
    low = first % (size * 8)
    high = low + stop - first
    start, end = low // 8, -(-high // 8)
    mask = (1 << high - start * 8) - (1 << low - start * 8)
    old = int.from_bytes(read(bitmap + start, end - start), "little")
    new = old | mask if value else old & ~mask
    write(bitmap + start, new.to_bytes(end - start, "little"))


def read_chunks(
    memory: Allocator, head: int, form: MapFormat
) -> Iterator[tuple[int, Runs, list[MemoryRange]]]:
    """What a kernel that keeps `form` makes of the list at `head`: order, blocks, pages read.

    Nothing in the list says what its bitmaps are, so a kernel of the other form misreads it.

    Raises:
        FormatError: The list cannot be walked.
        MissingMemory: A page of it cannot be had.
    """
    page = memory.memory.page_size
    size = _SMALL if form is MapFormat.CHUNKS_512 else page
    for chunk in chunk_list.walk(memory.memory, head, page):
        gathered = Gathered(page << chunk.order)
        pages = [MemoryRange(chunk.address, page)]
        for entry in chunk.entries:
            gathered.add(entry.start, memory.memory.read(entry.bitmap, size))
            pages.append(MemoryRange(entry.bitmap & -page, page))
        yield chunk.order, gathered.runs(), pages


def coarse(found: Runs) -> tuple[MemoryRange, ...]:
    """Ranges that hold all runs: the runs themselves, or larger pieces where they are too many."""
    import numpy as np

    unit = _PIECE
    while len(found) > _MOST_RANGES:
        low, up = np.uint64(unit - 1), np.uint64(unit)
        ends = (found.ends + low) // up * up
        found = runs.joined([Runs(found.starts // up * up, ends)])
        unit <<= 4
    return tuple(found)


def all_ranges(by_order: dict[int, Runs]) -> Runs:
    """Every preserved byte once."""
    return runs.union(by_order) if by_order else runs.empty()
