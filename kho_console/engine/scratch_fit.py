"""What can be known of the fit and the use of the scratch areas.

An image's segments are not visible to user space, and neither is which pages of an area are in
use: only for all areas of a node together, where nothing else on that node is CMA.
"""

from collections.abc import Sequence
from typing import TypeAlias

from kho_console.abi.scratch_request import Malformed, Scratch, ScratchRequest
from kho_console.engine.findings import options
from kho_console.engine.findings.facts import Facts
from kho_console.model.memory import IomemEntry, MemoryRange, ScratchArea, Zone
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

_RAM = "System RAM"
_KERNEL = ("Kernel code", "Kernel rodata", "Kernel data", "Kernel bss")
Homes: TypeAlias = Sequence[tuple[ScratchArea, Maybe[int]]]
"""The areas, each with the node whose zones hold it."""

_EMPTY = Unknown(Cause.ABSENT, "the area has no bytes")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Something that `/proc/iomem` names, and how many of its bytes lie in an area."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Use:
    """Page blocks of scratch on one node.

    Attributes:
        node: The node.
        areas: Bytes of all areas on it.
        free: How many of them are free now.
    """

    node: int
    areas: int
    free: int


@dataclass(frozen=True, slots=True)
class Fit:
    """One area, and what is known about it.

    Attributes:
        area: The area.
        alignment: The largest power of two that address and size are multiples of; 0 without bytes.
        inside: What lies in it by `/proc/iomem`, RAM itself left out, in order.
        preserved: Preserved bytes in it; any are lost when the next kernel boots.
        shared: The other areas that share memory with it; no kernel lays them out so.
        asked: The bytes that the command line names for it; None where it names none.
        met: Whether the area has as many, or a little more where the kernel rounds.
        use: How much of its node's scratch is free.
    """

    area: ScratchArea
    alignment: int
    inside: Maybe[tuple[Overlap, ...]]
    preserved: Maybe[int]
    shared: tuple[ScratchArea, ...]
    asked: int | None
    met: bool
    use: Maybe[Use]


def fits(snapshot: Snapshot) -> tuple[Fit, ...]:
    """Each area of a machine; none where they are not known."""
    areas = snapshot.scratch
    if isinstance(areas, Unknown):
        return ()
    wanted, homes = _wanted(snapshot), _homes(areas, snapshot.memory.zones)
    return tuple(_fit(snapshot, area, homes, wanted) for area in areas)


def request(snapshot: Snapshot) -> Maybe[ScratchRequest]:
    """The option of the command line that this kernel took its sizes from, if it did."""
    found = _request(snapshot)
    return found if isinstance(found, Unknown) else found[0]


def running_kernel(snapshot: Snapshot) -> Maybe[int]:
    """Bytes from the code of the running kernel to the end of its bss."""
    entries = snapshot.memory.iomem
    if isinstance(entries, Unknown):
        return entries
    parts = [item.range for item in entries if item.name in _KERNEL]
    if not parts:
        return Unknown(Cause.ABSENT, "/proc/iomem does not name the kernel")
    return max(part.end for part in parts) - min(part.start for part in parts)


def _fit(
    snapshot: Snapshot,
    area: ScratchArea,
    homes: Homes,
    wanted: Scratch | None,
) -> Fit:
    asked = None if wanted is None else options.asked(area, wanted)
    entries, preserved = snapshot.memory.iomem, snapshot.inventory.preserved
    page_size = snapshot.machine.page_size
    lost = preserved if isinstance(preserved, Unknown) else preserved.ranges.bytes_in(area.range)
    return Fit(
        area=area,
        alignment=_alignment(area),
        inside=entries if isinstance(entries, Unknown) else _inside(area, entries),
        preserved=lost,
        shared=tuple(
            other for other, _ in homes if other is not area and area.range.overlaps(other.range)
        )
        if area.size
        else (),
        asked=asked,
        met=asked is not None and options.met(area, asked, page_size),
        use=_use(snapshot, area, homes),
    )


def _request(snapshot: Snapshot) -> Maybe[tuple[ScratchRequest, Scratch]]:
    facts = Facts.of(snapshot)
    if isinstance(snapshot.machine.command_line, Unknown):
        return snapshot.machine.command_line
    found = [item for item in options.requests(facts) if not isinstance(item[1], Malformed)]
    if not found:
        return Unknown(Cause.ABSENT, "the command line asks for no sizes that this kernel takes")
    return found[-1]


def _wanted(snapshot: Snapshot) -> Scratch | None:
    found = _request(snapshot)
    return None if isinstance(found, Unknown) else found[1]


def _alignment(area: ScratchArea) -> int:
    together = area.address | area.size
    return together & -together if area.size else 0


def _inside(area: ScratchArea, entries: Sequence[IomemEntry]) -> tuple[Overlap, ...]:
    """Bytes of each name, those of several lines with one name together."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry.name != _RAM and (shared := _shared(area.range, entry.range)):
            found[entry.name] = found.get(entry.name, 0) + shared
    return tuple(Overlap(name, size) for name, size in found.items())


def _shared(one: MemoryRange, other: MemoryRange) -> int:
    return max(min(one.end, other.end) - max(one.start, other.start), 0)


def _homes(areas: Sequence[ScratchArea], zones: Maybe[tuple[Zone, ...]]) -> Homes:
    if isinstance(zones, Unknown):
        return [(area, zones) for area in areas]
    spans = [(zone.range.start, zone.range.end, zone.node) for zone in zones]
    return [(area, _node_of(area.range, spans)) for area in areas]


def _use(snapshot: Snapshot, area: ScratchArea, homes: Homes) -> Maybe[Use]:
    """What is free of all scratch on the area's node."""
    zones = snapshot.memory.zones
    if not area.size:
        return _EMPTY
    if isinstance(zones, Unknown):
        return zones
    node = next(home for other, home in homes if other is area)
    if isinstance(node, Unknown):
        return node
    there = sum(other.size for other, home in homes if other.size and home == node)
    cma = [zone.cma for zone in zones if zone.node == node]
    free = [zone.free_cma for zone in zones if zone.node == node]
    cma_known = [size for size in cma if not isinstance(size, Unknown)]
    free_known = [size for size in free if not isinstance(size, Unknown)]
    if not cma_known or not free_known:
        return Unknown(Cause.ABSENT, "/proc/zoneinfo has no numbers of CMA")
    if sum(cma_known) != there:
        if not sum(cma_known):
            # So it is on every kernel that came through a handover.
            reason = f"on node {node} scratch is no CMA, so its use is not counted apart"
        else:
            reason = f"node {node} has {sum(cma_known)} bytes of CMA for {there} bytes of scratch"
        return Unknown(Cause.ABSENT, reason)
    return Use(node, there, sum(free_known))


def _node_of(area: MemoryRange, spans: Sequence[tuple[int, int, int]]) -> Maybe[int]:
    """The one node whose zones, by start, end and node, hold all of the area."""
    first, last = area.start, area.end
    nodes = {node for start, end, node in spans if start < last and first < end}
    if len(nodes) != 1:
        return Unknown(Cause.ABSENT, f"its memory is of {len(nodes)} nodes by their zones")
    return nodes.pop()
