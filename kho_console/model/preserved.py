"""Preserved memory as buffers: a host may have hundreds of millions of preserved pages."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from kho_console.model.few import few
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    import numpy as np
    from _typeshed import ReadableBuffer
    from numpy.typing import NDArray

    Addresses = NDArray[np.uint64]
    Buffer = ReadableBuffer | NDArray[Any]


class Runs:
    """Disjoint ranges in ascending order: two buffers of physical addresses that nobody changes.

    The buffers are plain ones, or those of arrays; only many runs need numpy.
    """

    __slots__ = ("_ends", "_starts")

    def __init__(self, starts: "Buffer", ends: "Buffer") -> None:
        """Take two buffers of u64 and copy nothing.

        Args:
            starts: First byte of each run.
            ends: First byte behind each run.
        """
        self._starts = view_of(starts)
        self._ends = view_of(ends)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> MemoryRange:
        start = self._starts[index]
        return MemoryRange(start, self._ends[index] - start)

    def __iter__(self) -> Iterator[MemoryRange]:
        return (MemoryRange(start, end - start) for start, end in self.pairs())

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Start and end of each run, where a range would be too slow."""
        return zip(self._starts, self._ends, strict=True)

    @property
    def starts(self) -> "Addresses":
        """First byte of each run: uint64, the same memory."""
        return array_of(self._starts)

    @property
    def ends(self) -> "Addresses":
        """First byte behind each run: uint64, the same memory."""
        return array_of(self._ends)

    @property
    def buffers(self) -> tuple[memoryview, memoryview]:
        """First addresses, and first addresses behind: u64, the same memory."""
        return self._starts, self._ends

    @property
    def bytes(self) -> int:
        """Sum of the sizes of all runs."""
        return self._bytes(range(len(self)))

    def near(self, wanted: MemoryRange) -> range:
        """The indexes of the runs that share a byte with `wanted`."""
        return range(bisect_right(self._ends, wanted.start), bisect_left(self._starts, wanted.end))

    def inside(self, wanted: MemoryRange) -> range:
        """The indexes of the runs that lie wholly in `wanted`."""
        return range(bisect_left(self._starts, wanted.start), bisect_right(self._ends, wanted.end))

    def bytes_in(self, wanted: MemoryRange) -> int:
        """How many bytes of `wanted` are in runs."""
        near = self.near(wanted)
        if not near:
            return 0
        before = max(wanted.start - self._starts[near[0]], 0)
        behind = max(self._ends[near[-1]] - wanted.end, 0)
        return self._bytes(near) - before - behind

    def covers(self, wanted: MemoryRange) -> bool:
        """Whether one run holds the whole of `wanted`."""
        end = self.end_of_run_at(wanted.start)
        return end is not None and wanted.end <= end

    def end_of_run_at(self, address: int) -> int | None:
        """First address behind the run that holds `address`, None where no run does."""
        index = bisect_right(self._starts, address) - 1
        if index < 0 or address >= self._ends[index]:
            return None
        return int(self._ends[index])

    def touches(self, wanted: MemoryRange) -> bool:
        """Whether any run shares a byte with `wanted`."""
        return bool(self.near(wanted))

    def largest_gap(self, wanted: MemoryRange) -> MemoryRange:
        """The largest part of `wanted` that no run lies in, the first of equal ones."""
        near = self.near(wanted)
        gap = self._largest_of_few if few(len(near)) else self._largest_of_many
        return gap(near, wanted)

    def _largest_of_few(self, near: range, wanted: MemoryRange) -> MemoryRange:
        largest, at = MemoryRange(wanted.start, 0), wanted.start
        for index in near:
            size = self._starts[index] - at
            if size > largest.size:
                largest = MemoryRange(at, size)
            at = min(self._ends[index], wanted.end)
        return MemoryRange(at, wanted.end - at) if wanted.end - at > largest.size else largest

    def _largest_of_many(self, near: range, wanted: MemoryRange) -> MemoryRange:
        import numpy as np

        kind = np.uint64
        start, end = kind(wanted.start), kind(min(wanted.end, (1 << 64) - 1))
        starts, ends = self.starts[near.start : near.stop], self.ends[near.start : near.stop]
        before = np.concatenate((np.array([start]), np.minimum(ends, end)))
        behind = np.concatenate((np.maximum(starts, start), np.array([end])))
        at = int((behind - before).argmax())
        found = MemoryRange(int(before[at]), int(behind[at]) - int(before[at]))
        return found if found.size else MemoryRange(wanted.start, 0)

    def _bytes(self, near: range) -> int:
        """Sum of the sizes of runs in a row."""
        starts = self._starts[near.start : near.stop]
        ends = self._ends[near.start : near.stop]
        if few(len(near)):
            return sum(ends) - sum(starts)
        # The sums wrap around; their difference is right all the same, and needs no third array.
        return (int(array_of(ends).sum()) - int(array_of(starts).sum())) % (1 << 64)


def view_of(buffer: "Buffer") -> memoryview:
    """The same memory, not to be written to."""
    # Only from Python 3.12 on do the types of numpy say that arrays are buffers.
    return memoryview(cast("ReadableBuffer", buffer)).toreadonly()


def array_of(addresses: memoryview) -> "Addresses":
    """The same memory as an array of numpy."""
    import numpy as np

    return np.frombuffer(addresses, np.uint64)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a map of preserved memory sums up to.

    Attributes:
        bytes: Preserved bytes, each counted once.
        ranges: Contiguous ranges of them, across orders.
        blocks_by_order: Number of blocks of each order; one block of order 7 counts as 1.
    """

    bytes: int
    ranges: int
    blocks_by_order: Mapping[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class PreservedMap:
    """The decoded map of preserved memory.

    Attributes:
        format: The wire format it was read from.
        page_size: Bytes of a page of order 0.
        root: Physical address of the head of the map.
        structure: Runs of the pages (or pieces of pages) that make up the map itself.
        by_order: For each order, the runs of its blocks; each block is `page_size << order` bytes.
        ranges: All preserved bytes, contiguous across orders.
        tie: A sentence where only the release told the bitmap size, else None.
    """

    format: MapFormat
    page_size: int
    root: int
    structure: Runs
    by_order: Mapping[int, Runs]
    ranges: Runs
    tie: str | None = None

    @property
    def bytes(self) -> int:
        """Preserved bytes, each counted once."""
        return self.ranges.bytes

    @property
    def blocks_by_order(self) -> dict[int, int]:
        """Number of blocks of each order; one block of order 7 counts as 1."""
        return {
            order: runs.bytes // (self.page_size << order) for order, runs in self.by_order.items()
        }

    @property
    def totals(self) -> Totals:
        """The sums of it all."""
        return Totals(self.bytes, len(self.ranges), self.blocks_by_order)
