"""Preserved memory as arrays: a host may have hundreds of millions of preserved pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Addresses = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Disjoint ranges in ascending order, as two arrays of physical addresses.

    Attributes:
        starts: uint64, first byte of each run.
        ends: uint64, first byte behind each run.
    """

    starts: "Addresses"
    ends: "Addresses"

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> MemoryRange:
        start = int(self.starts[index])
        return MemoryRange(start, int(self.ends[index]) - start)

    def __iter__(self) -> Iterator[MemoryRange]:
        return (self[index] for index in range(len(self)))

    @property
    def bytes(self) -> int:
        """Sum of the sizes of all runs."""
        # The sums wrap around; their difference is right all the same, and needs no third array.
        return (int(self.ends.sum()) - int(self.starts.sum())) % (1 << 64) if len(self) else 0

    def covers(self, wanted: MemoryRange) -> bool:
        """Whether one run holds the whole of `wanted`."""
        end = self.end_of_run_at(wanted.start)
        return end is not None and wanted.end <= end

    def end_of_run_at(self, address: int) -> int | None:
        """First address behind the run that holds `address`, None where no run does."""
        index = int(self.starts.searchsorted(self._place(address), side="right")) - 1
        if index < 0 or address >= int(self.ends[index]):
            return None
        return int(self.ends[index])

    def touches(self, wanted: MemoryRange) -> bool:
        """Whether any run shares a byte with `wanted`."""
        index = int(self.ends.searchsorted(self._place(wanted.start), side="right"))
        return index < len(self) and int(self.starts[index]) < wanted.end

    def _place(self, address: int) -> "np.uint64":
        """The address in the arrays' own type; with any other numpy converts the whole array."""
        return self.starts.dtype.type(min(address, (1 << 64) - 1))


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
