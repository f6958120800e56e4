"""Physical memory of the machine: `/proc/iomem`, memory blocks, NUMA nodes."""

import heapq
import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TypeAlias

from kho_console.abi import iomem, number_list, zoneinfo
from kho_console.abi.zoneinfo import ZoneRecord
from kho_console.engine import files, paths
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import (
    IomemEntry,
    MemoryBlock,
    MemoryRange,
    Node,
    Zone,
    merged,
    without,
)
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_MASKED = Unknown(
    Cause.NOT_PERMITTED, "/proc/iomem shows its addresses to CAP_SYS_ADMIN only", None
)
_NO_CMA = Unknown(Cause.ABSENT, "/proc/zoneinfo has no numbers of CMA")
_NO_NODE = Unknown(Cause.ABSENT, "no node links this memory block")
_ADDRESSES = 1 << 64
_FEW = 256
"""Blocks that are asked for one by one, and of each node; for more of them, all are listed."""

_ZONEINFO_LIMIT = 16 << 20
"""Bytes of a file that has a few lines for each CPU in each zone."""

_NodeOf: TypeAlias = Callable[[int], Maybe[int]]
"""The node of a block."""


def memory_layout(source: Source) -> MemoryLayout:
    """The memory as sysfs and procfs describe it."""
    blocks = _blocks(source)
    return _with_blocks(source, blocks, blocks if isinstance(blocks, Unknown) else _nodes(blocks))


def changed_layout(source: Source, before: MemoryLayout, numbers: Iterable[int]) -> MemoryLayout:
    """The memory after events of a few blocks; a machine of 6 TiB may have 49,152 of them.

    Args:
        source: The machine.
        before: Its memory as it was.
        numbers: The N of the blocks `memoryN` that events named; only these are looked at.
    """
    wanted = set(numbers)
    if isinstance(before.blocks, Unknown) or isinstance(before.nodes, Unknown):
        return memory_layout(source)
    if not wanted:
        return _with_blocks(source, before.blocks, before.nodes)
    size = _block_size(source)
    if isinstance(size, Unknown):
        return memory_layout(source)
    few = len(wanted) <= _FEW
    node_of = _node_of_one(source) if few else _node_of_any(source)
    there = _asked_for(source, wanted) if few else wanted.intersection(_listed(source))
    gone = [block for block in before.blocks if block.number in wanted]
    come = [
        _block(source, number, size, node_of(number))
        for number in sorted(there)
        if (number + 1) * size <= _ADDRESSES
    ]
    if gone == come:
        return _with_blocks(source, before.blocks, before.nodes)
    kept = (block for block in before.blocks if block.number not in wanted)
    blocks = tuple(heapq.merge(kept, come, key=attrgetter("number")))
    return _with_blocks(source, blocks, _changed_nodes(before.nodes, gone, come))


def _with_blocks(
    source: Source,
    blocks: Maybe[tuple[MemoryBlock, ...]],
    nodes: Maybe[tuple[Node, ...]],
) -> MemoryLayout:
    entries = files.parsed(source, "/proc/iomem", iomem.parse)
    if not isinstance(entries, Unknown) and iomem.masked(entries):
        entries = _MASKED
    return MemoryLayout(
        iomem=entries,
        ram=entries if isinstance(entries, Unknown) else merged(list(iomem.system_ram(entries))),
        crash_regions=_named(entries, "Crash kernel"),
        blocks=blocks,
        nodes=nodes,
        zones=_zones(source),
    )


def _zones(source: Source) -> Maybe[tuple[Zone, ...]]:
    records = files.parsed(source, "/proc/zoneinfo", zoneinfo.parse, _ZONEINFO_LIMIT)
    if isinstance(records, Unknown):
        return records
    page_size = source.facts().page_size
    return tuple(
        _zone(item, page_size)
        for item in records
        if item.numbers.get("spanned") and "start_pfn" in item.numbers
    )


def _zone(record: ZoneRecord, page_size: int) -> Zone:
    found = {name: pages * page_size for name, pages in record.numbers.items()}
    return Zone(
        record.node,
        record.name.decode("latin-1"),
        MemoryRange(found["start_pfn"], found["spanned"]),
        found.get("cma", _NO_CMA),
        found.get("nr_free_cma", _NO_CMA),
    )


def _named(entries: Maybe[tuple[IomemEntry, ...]], name: str) -> Maybe[tuple[MemoryRange, ...]]:
    return entries if isinstance(entries, Unknown) else iomem.named(entries, name)


def _blocks(source: Source) -> Maybe[tuple[MemoryBlock, ...]]:
    size = _block_size(source)
    if isinstance(size, Unknown):
        return size
    names = files.names(source, paths.MEMORY)
    if isinstance(names, Unknown):
        return names
    numbers = sorted(_numbered(names, "memory"))
    if numbers and (numbers[-1] + 1) * size > _ADDRESSES:
        return Unknown(Cause.INVALID, f"memory{numbers[-1]} lies beyond all addresses")
    node_of = _node_of_any(source)
    return tuple(_block(source, number, size, node_of(number)) for number in numbers)


def _block_size(source: Source) -> Maybe[int]:
    path = f"{paths.MEMORY}/block_size_bytes"
    size = files.parsed(source, path, number_list.hexadecimal)
    return Unknown(Cause.INVALID, f"{path} is 0") if size == 0 else size


def _block(source: Source, number: int, size: int, node: Maybe[int]) -> MemoryBlock:
    state = files.text(source, f"{paths.MEMORY}/memory{number}/state")
    return MemoryBlock(number, MemoryRange(number * size, size), state, node)


def _asked_for(source: Source, wanted: Iterable[int]) -> set[int]:
    return {number for number in wanted if files.stands(source, f"{paths.MEMORY}/memory{number}")}


def _listed(source: Source) -> list[int]:
    names = files.names(source, paths.MEMORY)
    return [] if isinstance(names, Unknown) else _numbered(names, "memory")


def _node_numbers(source: Source) -> list[int]:
    names = files.names(source, paths.NODES)
    return [] if isinstance(names, Unknown) else sorted(_numbered(names, "node"))


def _node_of_one(source: Source) -> _NodeOf:
    """Asks the nodes for each block: cheap for a few blocks."""
    nodes = _node_numbers(source)

    def ask(number: int) -> Maybe[int]:
        name = f"memory{number}"
        homes = (node for node in nodes if files.stands(source, f"{paths.NODES}/node{node}/{name}"))
        return next(homes, _NO_NODE)

    return ask


def _node_of_any(source: Source) -> _NodeOf:
    """Lists all blocks of all nodes. A block that several nodes share is the first one's."""
    found: dict[int, int] = {}
    for node in reversed(_node_numbers(source)):
        names = files.names(source, f"{paths.NODES}/node{node}")
        if not isinstance(names, Unknown):
            found.update(dict.fromkeys(_numbered(names, "memory"), node))
    return lambda number: found.get(number, _NO_NODE)


def _numbered(names: Iterable[str], prefix: str) -> list[int]:
    form = re.compile(rf"{prefix}(\d{{1,9}})")
    return [int(found[1]) for found in map(form.fullmatch, names) if found]


def _nodes(blocks: tuple[MemoryBlock, ...]) -> tuple[Node, ...]:
    by_node: dict[int, list[MemoryRange]] = {}
    for block in blocks:
        if not isinstance(block.node, Unknown):
            by_node.setdefault(block.node, []).append(block.range)
    return tuple(Node(number, merged(found)) for number, found in sorted(by_node.items()))


def _changed_nodes(
    before: tuple[Node, ...], gone: list[MemoryBlock], come: list[MemoryBlock]
) -> tuple[Node, ...]:
    """The nodes without the blocks that went, with those that came."""
    holes = merged([block.range for block in gone])
    ranges = {node.number: [*without(node.ranges, holes)] for node in before}
    for block in come:
        if not isinstance(block.node, Unknown):
            ranges.setdefault(block.node, []).append(block.range)
    return tuple(Node(number, merged(held)) for number, held in sorted(ranges.items()) if held)
