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
    """The areas in the order of the kernel's array, each as high as they all find room.

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
    wants = [
        _Want("lowmem", found.lowmem, low_limit, None),
        _Want("global", found.global_, 1 << 64, None),
        *(
            _Want(f"nid {number}", size, 1 << 64, tuple(ranges.get(number, ())))
            for number, size in zip(wanting, found.nodes, strict=True)
        ),
    ]
    return _placed(wants, free, unit)


@dataclass(frozen=True, slots=True)
class _Want:
    name: str
    size: int
    limit: int
    within: tuple[MemoryRange, ...] | None


def _placed(
    wants: Sequence[_Want], free: Sequence[MemoryRange], unit: int
) -> tuple[MemoryRange, ...]:
    """Each at the highest address that leaves room for the ones behind it.

    The kernel takes the highest one without looking ahead. But at that time of a boot more is
    reserved than `taken` knows, so what would leave no room here did not happen there.
    """
    if not wants:
        return ()
    want, *rest = wants
    holes = free if want.within is None else _clipped(free, want.within)
    failed: NoScratch | None = None
    for hole in reversed(holes):
        start = (min(hole.end, want.limit) - want.size) // unit * unit
        if start < hole.start:
            continue
        area = MemoryRange(start, want.size)
        left = list(without(free, (area,))) if want.size else free
        try:
            return area, *_placed(rest, left, unit)
        except NoScratch as error:
            if want.within is not None:
                raise  # Another place on this node makes no room on the others.
            failed = failed or error
    raise failed or NoScratch(f"{want.name} scratch buffer")


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
