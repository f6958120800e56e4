"""The memory that the next kernel finds free: beside what is preserved, and beside scratch."""

from collections.abc import Iterator

from kho_console.engine.preflight import scratch
from kho_console.engine.preflight.situation import Situation
from kho_console.model.memory import MemoryRange, merged, without
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class NodeMemory:
    """What is free on one node.

    Attributes:
        node: The node; None where the machine tells of none.
        ranges: Its memory without scratch.
        largest: The largest range of it that nothing preserved lies in; empty where there is none.
    """

    node: int | None
    ranges: tuple[MemoryRange, ...]
    largest: MemoryRange


def by_node(now: Situation) -> Maybe[tuple[NodeMemory, ...]]:
    """The free memory of each node, or why it is not known."""
    ram, found = now.snapshot.memory.ram, now.snapshot.inventory.preserved
    if isinstance(ram, Unknown):
        return ram
    if isinstance(found, Unknown) and found.cause is not Cause.NOT_YET:
        return found
    preserved = None if isinstance(found, Unknown) else found
    areas = merged(list(scratch.ranges(now)))
    nodes = []
    for node, ranges in _nodes(now.snapshot, ram):
        left = without(ranges, areas)
        gaps = [_largest_gap(preserved, item) for item in left]
        largest = max(gaps, key=lambda gap: gap.size, default=MemoryRange(0, 0))
        nodes.append(NodeMemory(node, left, largest))
    return tuple(nodes)


def slots(now: Situation, places: tuple[NodeMemory, ...], size: int) -> int:
    """How many pages of `size` bytes, aligned to it, are free of preserved memory and scratch."""
    found = now.snapshot.inventory.preserved
    preserved = None if isinstance(found, Unknown) else found
    return sum(
        _touched_not(preserved, slot)
        for place in places
        for item in place.ranges
        for slot in _aligned(item, size)
    )


def _nodes(
    snapshot: Snapshot, ram: tuple[MemoryRange, ...]
) -> Iterator[tuple[int | None, tuple[MemoryRange, ...]]]:
    """RAM by node; all of it together where the nodes are not known."""
    nodes = snapshot.memory.nodes
    if isinstance(nodes, Unknown) or not nodes:
        yield None, ram
        return
    for node in nodes:
        outside = without((MemoryRange(0, 1 << 64),), node.ranges)
        yield node.number, without(ram, outside)


def _largest_gap(found: PreservedMap | None, place: MemoryRange) -> MemoryRange:
    """The largest part of `place` that holds nothing preserved."""
    return place if found is None else found.ranges.largest_gap(place)


def _aligned(place: MemoryRange, size: int) -> Iterator[MemoryRange]:
    start = -(-place.start // size) * size
    while start + size <= place.end:
        yield MemoryRange(start, size)
        start += size


def _touched_not(found: PreservedMap | None, slot: MemoryRange) -> bool:
    return found is None or not found.ranges.touches(slot)
