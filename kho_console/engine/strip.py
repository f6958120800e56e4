"""What physical memory is drawn of: a line for each node, and layers that each have a letter."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kho_console.abi import runs
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.owner import OwnerKind, Ownership
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass

if TYPE_CHECKING:
    # The first frame draws a strip, and has no machine yet.
    from kho_console.model.machine import MemoryLayout
    from kho_console.model.snapshot import Snapshot

HOLE = "."
SCRATCH = "s"
PRESERVED = "p"
CRASH = "C"
OTHER = "R"

OWNERS = {
    OwnerKind.ROOT_TREE: "t",
    OwnerKind.KHO_TEST: "k",
    OwnerKind.TRACE_BUFFER: "f",
    OwnerKind.LIVE_UPDATE: "l",
    OwnerKind.VMALLOC: "v",
    OwnerKind.BLOB: "b",
    OwnerKind.MEMFD_RECORD: "n",
    OwnerKind.RESERVE_MEM: "r",
    OwnerKind.MEMFD: "m",
    OwnerKind.UNATTRIBUTED: "u",
}
"""The letter of each kind of owner, what is small and rare first: of equals it is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What one letter stands for: the memory it covers."""

    letter: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class Band:
    """One line of the map: the span of a NUMA node, or of memory of no known node.

    Attributes:
        node: The node.
        span: From its first byte to its last one.
        parts: The pieces of the span that are this line's, where another line's may lie between
            them; else none.
    """

    node: int | None
    span: MemoryRange
    parts: tuple[MemoryRange, ...] = ()

    def holds(self, address: int) -> bool:
        """Whether an address belongs to this line."""
        return any(part.start <= address < part.end for part in self.parts or (self.span,))


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
        """All layers, those of preserved memory first."""
        return self.kept(by_owner=by_owner) + self.machine

    def kept(self, *, by_owner: bool) -> tuple[Layer, ...]:
        """The layers of preserved memory."""
        return self.owners if by_owner else self.preserved


def strip_map(
    snapshot: "Snapshot", previous: "tuple[Snapshot, StripMap] | None" = None
) -> StripMap:
    """The map of a snapshot.

    Args:
        snapshot: The machine.
        previous: An earlier snapshot with its map; what is costly is kept while the inventory is
            the same.
    """
    if previous is not None and previous[0].inventory is snapshot.inventory:
        preserved, owners = previous[1].preserved, previous[1].owners
    else:
        preserved, owners = _kept(snapshot.inventory.preserved, snapshot.inventory.ownership)
    return StripMap(_bands(snapshot.memory), tuple(_machine(snapshot)), preserved, owners)


def of_side(found: StripMap, preserved: Maybe[PreservedMap], owned: Maybe[Ownership]) -> StripMap:
    """The same machine with the preserved memory of another side."""
    layers, owners = _kept(preserved, owned)
    return replace(found, preserved=layers, owners=owners)


def _kept(
    found: Maybe[PreservedMap], ownership: Maybe[Ownership]
) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """Preserved memory as one layer, and as one for each kind of owner."""
    preserved = () if isinstance(found, Unknown) else (Layer(PRESERVED, found.ranges),)
    owners = () if isinstance(ownership, Unknown) else tuple(_owner_layers(ownership))
    return preserved, owners


def _bands(memory: "MemoryLayout") -> Maybe[tuple[Band, ...]]:
    if not isinstance(memory.nodes, Unknown):
        known = [(node.number, node.ranges) for node in memory.nodes if node.ranges]
        if known:
            return (*_apart(known), *_homeless(memory))
    if isinstance(memory.ram, Unknown):
        return memory.ram
    return (Band(None, _around(memory.ram)),) if memory.ram else ()


def _apart(known: Sequence[tuple[int, tuple[MemoryRange, ...]]]) -> Iterable[Band]:
    """A line for each node; firmware may interleave them, so that one's span holds another."""
    spans = [_around(ranges) for _, ranges in known]
    order = sorted(range(len(spans)), key=lambda at: spans[at].start)
    mixed: set[int] = set()
    reach, widest = 0, -1
    for at in order:
        if spans[at].start < reach:
            mixed.update((at, widest))
        if spans[at].end > reach:
            reach, widest = spans[at].end, at
    for at, (number, ranges) in enumerate(known):
        yield Band(number, spans[at], ranges if at in mixed else ())


def _homeless(memory: "MemoryLayout") -> Iterable[Band]:
    """A line for RAM that no node claims: without it what is preserved there would not be seen."""
    if isinstance(memory.nodes, Unknown) or isinstance(memory.ram, Unknown):
        return
    claimed = merged([item for node in memory.nodes for item in node.ranges])
    left = without(memory.ram, claimed)
    if left:
        yield Band(None, _around(left), left)


def _around(ranges: Sequence[MemoryRange]) -> MemoryRange:
    return MemoryRange(ranges[0].start, ranges[-1].end - ranges[0].start)


def _machine(snapshot: "Snapshot") -> Iterable[Layer]:
    # 7.1.13 puts its crash region into scratch memory after a handover.
    if not isinstance(snapshot.memory.crash_regions, Unknown):
        yield _layer(CRASH, snapshot.memory.crash_regions)
    if not isinstance(snapshot.scratch, Unknown):
        yield _layer(SCRATCH, [area.range for area in snapshot.scratch])
    yield _layer(OTHER, _online(snapshot.memory))


def _layer(letter: str, ranges: Iterable[MemoryRange]) -> Layer:
    return Layer(letter, runs.of_ranges((item.start, item.end) for item in ranges if item.size))


def _online(memory: "MemoryLayout") -> list[MemoryRange]:
    """System RAM without offline blocks; the online blocks where RAM is not known."""
    blocks = () if isinstance(memory.blocks, Unknown) else memory.blocks
    if isinstance(memory.ram, Unknown):
        return [block.range for block in blocks if block.state == "online"]
    offline = merged([block.range for block in blocks if block.state == "offline"])
    return list(without(memory.ram, offline))


def _owner_layers(ownership: Ownership) -> Iterable[Layer]:
    import numpy as np

    for kind, letter in OWNERS.items():
        wanted = [at for at, owner in enumerate(ownership.owners) if owner.kind is kind]
        mask = np.isin(ownership.owner_of, wanted)
        if mask.any():
            yield Layer(letter, Runs(ownership.starts[mask], ownership.ends[mask]))
