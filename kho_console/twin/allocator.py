"""The page allocator of a twin: deterministic, and never where something must not be moved."""

import errno
from collections.abc import Iterable

from kho_console.model.memory import MemoryRange, Node, merged, without
from kho_console.twin.memory import SimulatedMemory
from kho_console.twin.refused import Refused

_LOW = 16 << 20
"""Memory for old devices is left alone as long as there is other."""


class Allocator:
    """Hands out free memory, lowest address first."""

    def __init__(
        self, memory: SimulatedMemory, nodes: tuple[Node, ...], taken: Iterable[MemoryRange]
    ) -> None:
        """Manage the memory of `nodes`, without what is `taken`."""
        self.memory = memory
        self.nodes = nodes
        self.left: int | None = None
        holes = merged([_whole(item, memory.page_size) for item in taken])
        self._free = {node.number: list(without(node.ranges, holes)) for node in nodes}

    def pages(self, count: int = 1, *, align: int = 1, node: int | None = None) -> int:
        """Address of `count` zeroed pages in a row, aligned to `align` pages.

        Raises:
            Refused: ENOMEM.
        """
        if self.left is not None:
            if self.left < count:
                raise Refused(errno.ENOMEM, "memory is short")
            self.left -= count
        size, step = count * self.memory.page_size, align * self.memory.page_size
        order = sorted(self._free, key=lambda number: number != node) if node is not None else None
        for floor in (_LOW, 0):
            for number in order or self._free:
                found = self._find(number, size, step, floor)
                if found is not None:
                    self._cut(number, MemoryRange(found, size))
                    self.memory.zero(found, size)
                    return found
        raise Refused(errno.ENOMEM, f"no {size} bytes in a row are free")

    def block(self, order: int) -> int:
        """Address of a zeroed block of an order, aligned to its size."""
        return self.pages(1 << order, align=1 << order)

    def take(self, wanted: MemoryRange) -> None:
        """Make sure that a range is handed out to nobody."""
        for number in self._free:
            self._cut(number, _whole(wanted, self.memory.page_size))

    def take_all(self, wanted: tuple[MemoryRange, ...]) -> None:
        """`take` for many ranges at once, ascending and apart from each other."""
        for number, free in self._free.items():
            self._free[number] = list(without(free, wanted))

    def give_back(self, given: MemoryRange) -> None:
        """Free a range. Its bytes stay until its pages are used again."""
        for node in self.nodes:
            pieces = [
                MemoryRange(start, end - start)
                for item in node.ranges
                if (start := max(item.start, given.start)) < (end := min(item.end, given.end))
            ]
            if pieces:
                self._free[node.number] = list(merged(self._free[node.number] + pieces))

    def free(self) -> tuple[MemoryRange, ...]:
        """What is free, by node."""
        return tuple(item for found in self._free.values() for item in found)

    def free_bytes(self) -> int:
        """Bytes that are free."""
        return sum(item.size for item in self.free())

    def node_of(self, address: int) -> int:
        """The NUMA node that holds `address`; -1 where none does."""
        for node in self.nodes:
            if any(item.start <= address < item.end for item in node.ranges):
                return node.number
        return -1

    def _find(self, number: int, size: int, step: int, floor: int) -> int | None:
        page = self.memory.page_size
        for item in self._free[number]:
            at = -(-max(item.start, floor) // step) * step
            while at + size <= item.end:
                # A recorded page is somebody's of whom the twin may not know.
                used = [p for p in range(at, at + size, page) if self.memory.recorded(p)]
                if not used:
                    return at
                at = -(-(used[-1] + page) // step) * step
        return None

    def _cut(self, number: int, hole: MemoryRange) -> None:
        self._free[number] = list(without(self._free[number], (hole,)))


def _whole(item: MemoryRange, page_size: int) -> MemoryRange:
    start, end = item.start & -page_size, -(-item.end // page_size) * page_size
    return MemoryRange(start, end - start)
