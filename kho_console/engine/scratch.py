"""The scratch areas that the next kernel boots in."""

from kho_console.abi import number_list, scratch
from kho_console.abi.error import FormatError
from kho_console.engine import files, paths
from kho_console.model.generation import Finalize, Generation, Protocol
from kho_console.model.memory import MemoryRange, ScratchArea, ScratchRole
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_COMMON = 2
"""Low memory and global; the rest are node areas."""


def areas(source: Source, generation: Generation) -> Maybe[tuple[ScratchArea, ...]]:
    """The areas in the kernel's order: low memory, global, then one for each node."""
    start = f"{generation.folder}/{generation.scratch}"
    phys, length = files.raw(source, f"{start}_phys"), files.raw(source, f"{start}_len")
    if isinstance(phys, Unknown):
        return phys
    if isinstance(length, Unknown):
        return length
    try:
        found = scratch.parse(phys, length)
    except FormatError as error:
        return Unknown(Cause.INVALID, f"{start}_phys and _len: {error.reason}")
    if generation.protocol is Protocol.RFC_2024:
        return tuple(ScratchArea(ScratchRole.GLOBAL, None, area.start, area.size) for area in found)
    return _with_roles(found, _node_numbers(source, generation, len(found) - _COMMON))


def _with_roles(
    found: tuple[MemoryRange, ...], nodes: Maybe[tuple[int, ...]]
) -> tuple[ScratchArea, ...]:
    areas = []
    for index, area in enumerate(found):
        role, node = ScratchRole.NODE, None
        if index < _COMMON:
            role = (ScratchRole.LOWMEM, ScratchRole.GLOBAL)[index]
            areas.append(ScratchArea(role, None, area.start, area.size))
            continue
        node = nodes if isinstance(nodes, Unknown) else nodes[index - _COMMON]
        areas.append(ScratchArea(role, node, area.start, area.size))
    return tuple(areas)


def _node_numbers(source: Source, generation: Generation, count: int) -> Maybe[tuple[int, ...]]:
    """The nodes that have an area, ascending.

    6.16 to 6.18 make one for every online node, 6.19 and later for every node with memory. A
    node that came later has none, so a list of another length cannot be matched.
    """
    word = "online" if generation.finalize is Finalize.REVERSIBLE else "has_memory"
    nodes = files.parsed(source, f"{paths.NODES}/{word}", number_list.numbers)
    if isinstance(nodes, Unknown):
        return nodes
    if len(nodes) != count:
        reason = f"{count} node areas, but {paths.NODES}/{word} lists {len(nodes)} nodes"
        return Unknown(Cause.INVALID, reason)
    return nodes
