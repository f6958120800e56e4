"""Physical memory of the machine: `/proc/iomem`, memory blocks, NUMA nodes."""

import re
from collections.abc import Iterable

from kho_console.abi import iomem, number_list, zoneinfo
from kho_console.abi.zoneinfo import ZoneRecord
from kho_console.engine import files, paths
from kho_console.model.machine import MemoryLayout
from kho_console.model.memory import IomemEntry, MemoryBlock, MemoryRange, Node, Zone, merged
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_MASKED = Unknown(
    Cause.NOT_PERMITTED, "/proc/iomem shows its addresses to CAP_SYS_ADMIN only", None
)
_NO_CMA = Unknown(Cause.ABSENT, "/proc/zoneinfo has no numbers of CMA")
_ZONEINFO_LIMIT = 16 << 20
"""Bytes of a file that has a few lines for each CPU in each zone."""


def memory_layout(source: Source) -> MemoryLayout:
    """The memory as sysfs and procfs describe it."""
    entries = files.parsed(source, "/proc/iomem", iomem.parse)
    if not isinstance(entries, Unknown) and iomem.masked(entries):
        entries = _MASKED
    blocks = _blocks(source)
    return MemoryLayout(
        iomem=entries,
        ram=entries if isinstance(entries, Unknown) else merged(list(iomem.system_ram(entries))),
        crash_regions=_named(entries, "Crash kernel"),
        blocks=blocks,
        nodes=blocks if isinstance(blocks, Unknown) else _nodes(blocks),
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
    size = files.parsed(source, f"{paths.MEMORY}/block_size_bytes", number_list.hexadecimal)
    if isinstance(size, Unknown):
        return size
    names = files.names(source, paths.MEMORY)
    if isinstance(names, Unknown):
        return names
    if not size:
        return Unknown(Cause.INVALID, f"{paths.MEMORY}/block_size_bytes is 0")
    numbers = sorted(_numbered(names, "memory"))
    if numbers and (numbers[-1] + 1) * size > 1 << 64:
        return Unknown(Cause.INVALID, f"memory{numbers[-1]} lies beyond all addresses")
    node_of = _node_of_block(source)
    return tuple(
        MemoryBlock(
            number=number,
            range=MemoryRange(number * size, size),
            state=files.text(source, f"{paths.MEMORY}/memory{number}/state"),
            node=node_of.get(number, Unknown(Cause.ABSENT, "no node links this memory block")),
        )
        for number in numbers
    )


def _node_of_block(source: Source) -> dict[int, int]:
    nodes = files.names(source, paths.NODES)
    if isinstance(nodes, Unknown):
        return {}
    found = {}
    for node in _numbered(nodes, "node"):
        names = files.names(source, f"{paths.NODES}/node{node}")
        if not isinstance(names, Unknown):
            found.update(dict.fromkeys(_numbered(names, "memory"), node))
    return found


def _numbered(names: Iterable[str], prefix: str) -> list[int]:
    form = re.compile(rf"{prefix}(\d{{1,9}})")
    return [int(found[1]) for found in map(form.fullmatch, names) if found]


def _nodes(blocks: tuple[MemoryBlock, ...]) -> tuple[Node, ...]:
    by_node: dict[int, list[MemoryRange]] = {}
    for block in blocks:
        if not isinstance(block.node, Unknown):
            by_node.setdefault(block.node, []).append(block.range)
    return tuple(Node(number, merged(found)) for number, found in sorted(by_node.items()))
