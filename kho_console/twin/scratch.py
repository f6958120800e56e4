"""Reserving scratch at a cold boot (kho_reserve_scratch of each release)."""

from collections.abc import Sequence

from kho_console.abi.command_line import CommandLine
from kho_console.abi.scratch_request import (
    Malformed,
    Scratch,
    ScratchScale,
    ScratchSizes,
    meaning,
)
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.value import dataclass
from kho_console.twin.hardware import Hardware, Reserved
from kho_console.twin.release import Release, Rounding

_DEFAULT = ScratchScale(200)
_X86_LOW = (1 << 32) - 1
_LARGEST_BLOCK = {4096: 4 << 20, 16384: 32 << 20, 65536: 512 << 20}
"""Bytes of the page allocator's largest order, by page size."""


class NoScratch(Exception):
    """An area could not be reserved: KHO is off for this boot.

    Attributes:
        area: Which one, in the kernel's words.
    """

    def __init__(self, area: str) -> None:
        """Fail at `area`."""
        super().__init__(area)
        self.area = area


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of the low, the global and each node's area, in the order of the nodes."""

    lowmem: int
    global_: int
    nodes: tuple[int, ...]


def request(row: Release, options: CommandLine) -> tuple[Scratch, list[Malformed]]:
    """What the command line asks of this release, and what it refuses on the way."""
    wanted: Scratch = _DEFAULT
    refused = []
    for item in options.scratch:
        if item.option != b"kho_scratch":
            continue
        found = meaning(item, row.scratch_rules)
        if isinstance(found, Malformed):
            refused.append(found)
        else:
            wanted = found
    return wanted, refused


def sizes(
    row: Release, wanted: Scratch, reserved: Reserved, nodes: Sequence[int], page_size: int
) -> Sizes:
    """The sizes that a release makes of a request.

    Args:
        row: The release.
        wanted: Explicit sizes, or a percentage of `reserved`.
        reserved: What the kernel had reserved for itself.
        nodes: The nodes that get an area.
        page_size: Bytes of a base page.
    """
    unit = _unit(row, page_size)
    if isinstance(wanted, ScratchSizes):
        exact = row.rounding is Rounding.SCALED_AND_NODES
        low, whole = wanted.lowmem, wanted.global_
        if not exact:
            low, whole = _up(low, unit), _up(whole, unit)
        return Sizes(low, whole, tuple(_up(wanted.node, unit) for _ in nodes))
    percent = wanted.percent if isinstance(wanted, ScratchScale) else _DEFAULT.percent
    low = _up(reserved.low * percent // 100, unit)
    whole = _up(max(reserved.total * percent // 100 - low, 0), unit)
    by_node = dict(reserved.by_node)
    share = reserved.total // max(len(nodes), 1)
    return Sizes(
        low,
        whole,
        tuple(_up(by_node.get(node, share) * percent // 100, unit) for node in nodes),
    )


def reserve(
    row: Release, hardware: Hardware, wanted: Scratch, taken: Sequence[MemoryRange]
) -> tuple[MemoryRange, ...]:
    """The areas in the order of the kernel's array, each at the highest free address.

    Raises:
        NoScratch: One of them finds no room, or a node that wants one has no memory.
    """
    ranges = {node.number: node.ranges for node in hardware.nodes}
    wanting = sorted(
        number
        for number in {*ranges, *hardware.online_nodes}
        if ranges.get(number) or (row.area_of_each_online_node and number in hardware.online_nodes)
    )
    found = sizes(row, wanted, hardware.firmware_reserved, wanting, hardware.page_size)
    unit = _unit(row, hardware.page_size)
    free = list(without(merged(list(hardware.ram)), merged(list(taken))))
    low_limit = _X86_LOW + 1
    areas: list[MemoryRange] = []
    for name, size, limit, node in (
        ("lowmem", found.lowmem, low_limit, None),
        ("global", found.global_, 1 << 64, None),
        *(
            (f"nid {number}", size, 1 << 64, number)
            for number, size in zip(wanting, found.nodes, strict=True)
        ),
    ):
        within = free if node is None else _clipped(free, ranges.get(node, ()))
        area = _highest(within, size, limit, unit)
        if area is None:
            raise NoScratch(f"{name} scratch buffer")
        areas.append(area)
        if size:
            free = list(without(free, (area,)))
    return tuple(areas)


def _highest(free: Sequence[MemoryRange], size: int, limit: int, unit: int) -> MemoryRange | None:
    for hole in reversed(free):
        start = (min(hole.end, limit) - size) // unit * unit
        if start >= hole.start:
            return MemoryRange(start, size)
    return None


def _clipped(free: Sequence[MemoryRange], ranges: Sequence[MemoryRange]) -> list[MemoryRange]:
    pieces = [
        MemoryRange(start, end - start)
        for item in free
        for other in ranges
        if (start := max(item.start, other.start)) < (end := min(item.end, other.end))
    ]
    return sorted(pieces)


def _unit(row: Release, page_size: int) -> int:
    if row.rounding is Rounding.MAX_ORDER:
        return _LARGEST_BLOCK.get(page_size, page_size << 10)
    # A page block: what one entry of the second level of page tables maps.
    return page_size * (page_size // 8)


def _up(size: int, unit: int) -> int:
    return -(-size // unit) * unit
