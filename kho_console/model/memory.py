"""Physical memory as the machine describes it. Addresses are physical, sizes are bytes."""

from collections.abc import Sequence
from enum import StrEnum

from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True, order=True)
class MemoryRange:
    """Bytes `start` to `start + size`, the end excluded."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """First address behind the range."""
        return self.start + self.size

    def overlaps(self, other: "MemoryRange") -> bool:
        """Whether both ranges share at least one byte."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "MemoryRange") -> bool:
        """Whether `other` lies wholly inside this range."""
        return self.start <= other.start and other.end <= self.end


class ScratchRole(StrEnum):
    """What a scratch area is for (kernel/liveupdate/kexec_handover.c, `kho_reserve_scratch`)."""

    LOWMEM = "lowmem"
    GLOBAL = "global"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class ScratchArea:
    """One line of `scratch_phys` and `scratch_len`.

    Attributes:
        role: What the area is for, known by its place in the list.
        node: NUMA node of a node area; None for the two others.
        address: Physical address; without meaning where `size` is 0.
        size: Bytes; 0 where the kernel reserved nothing for this role.
    """

    role: ScratchRole
    node: Maybe[int] | None
    address: int
    size: int

    @property
    def range(self) -> MemoryRange:
        """The bytes of the area."""
        return MemoryRange(self.address, self.size)


@dataclass(frozen=True, slots=True)
class IomemEntry:
    """One line of `/proc/iomem`: a range, its name, and how deep it is nested."""

    range: MemoryRange
    name: str
    depth: int


@dataclass(frozen=True, slots=True)
class MemoryBlock:
    """A memory block of sysfs: `/sys/devices/system/memory/memoryN`.

    Attributes:
        number: The N of `memoryN`.
        range: The physical addresses that the block spans.
        state: `online`, `offline` or `going-offline`.
        node: NUMA node that holds it.
    """

    number: int
    range: MemoryRange
    state: Maybe[str]
    node: Maybe[int]


@dataclass(frozen=True, slots=True)
class Node:
    """A NUMA node and the contiguous ranges of its memory blocks."""

    number: int
    ranges: tuple[MemoryRange, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of a NUMA node, from `/proc/zoneinfo`.

    Attributes:
        node: The node.
        name: `DMA32`, `Normal`, `Movable` ...
        range: The physical addresses that it spans; zones of a node may span each other.
        cma: Bytes in page blocks of the contiguous memory allocator; scratch is made of such.
        free_cma: How many of these bytes are free now.
    """

    node: int
    name: str
    range: MemoryRange
    cma: Maybe[int]
    free_cma: Maybe[int]


def merged(ranges: "list[MemoryRange]") -> tuple[MemoryRange, ...]:
    """Sorted ranges with overlapping and touching ones joined; empty ones dropped."""
    joined: list[MemoryRange] = []
    for item in sorted(ranges):
        if not item.size:
            continue
        if joined and item.start <= joined[-1].end:
            last = joined.pop()
            item = MemoryRange(last.start, max(last.end, item.end) - last.start)
        joined.append(item)
    return tuple(joined)


def without(ranges: Sequence[MemoryRange], holes: Sequence[MemoryRange]) -> tuple[MemoryRange, ...]:
    """What is left of ranges where holes are cut out; of both there may be 100,000.

    Args:
        ranges: Ascending, apart from each other, as `merged` gives them.
        holes: Likewise.
    """
    left: list[MemoryRange] = []
    first = 0
    for item in ranges:
        start = item.start
        while first < len(holes) and holes[first].end <= start:
            first += 1
        at = first
        while at < len(holes) and holes[at].start < item.end:
            if start < holes[at].start:
                left.append(MemoryRange(start, holes[at].start - start))
            start = max(start, holes[at].end)
            at += 1
        if start < item.end:
            left.append(MemoryRange(start, item.end - start))
    return tuple(left)
