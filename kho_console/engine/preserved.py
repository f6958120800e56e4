"""The map of preserved memory, read from physical memory."""

from kho_console.abi import chunk_list, radix_tree
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, as_unknown
from kho_console.engine.generation import Recognised, release_number
from kho_console.model.blob import Blob, MemblockTree
from kho_console.model.generation import Finalize, Generation, Protocol, State
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from kho_console.model.snapshot import Side
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceKind

NOT_FINALIZED = Unknown(Cause.NOT_YET, "not finalized yet")
NOT_ACTIVE = Unknown(Cause.NOT_YET, "not active yet")
RELEASED = Unknown(Cause.RELEASED, "released by the kernel at boot")

_DECODED = (Protocol.KHO_V1, Protocol.KHO_V3, Protocol.KHO_V4)
_READS = 3
"""How often a map is read that the kernel may be changing at this moment."""

_LAST_SMALL_BITMAPS = (6, 17)
"""6.16 and 6.17 have bitmaps of 512 bytes; whether 6.17.9 and later do is not known."""


def outgoing(
    source: Source,
    recognised: Recognised,
    side: Side,
    ram: Maybe[tuple[MemoryRange, ...]],
) -> Maybe[PreservedMap]:
    """The map that goes to the next kernel, or why it cannot be had.

    A live kernel changes it without asking us; a map that does not hold together is read again.
    """
    if recognised.unavailable is not None:
        return recognised.unavailable
    if recognised.state is State.OPEN and recognised.generation.protocol in _DECODED:
        return NOT_FINALIZED
    if recognised.state is State.OPEN and recognised.generation.protocol is Protocol.RFC_2024:
        return NOT_ACTIVE
    reads = _READS if source.kind is SourceKind.LIVE else 1
    for _ in range(reads):
        found = read(source, recognised.generation, side, ram)
        if not isinstance(found, Unknown) or found.cause is Cause.NOT_PERMITTED:
            break
    return found


def read(
    source: Source,
    generation: Generation,
    side: Side,
    ram: Maybe[tuple[MemoryRange, ...]],
) -> Maybe[PreservedMap]:
    """The map that a side's root tree names, in the format of its generation."""
    if generation.protocol is Protocol.RFC_2024:
        from kho_console.engine import inline_state

        return inline_state.preserved(side.tree, source.facts().page_size)
    head = _head(generation, side.tree)
    if isinstance(head, Unknown):
        return head
    facts = source.facts()
    try:
        if generation.finalize is Finalize.NONE:
            return radix_tree.read(source.memory, head, facts.page_size)
        release = release_number(facts.release)
        return chunk_list.read(
            source.memory,
            head,
            facts.page_size,
            release_has_small_bitmaps=release is not None and release <= _LAST_SMALL_BITMAPS,
            known=_known(side.blobs, facts.page_size),
            ram=() if isinstance(ram, Unknown) else ram,
        )
    except (FormatError, MissingMemory) as error:
        return as_unknown(error)


def _head(generation: Generation, tree: Maybe[RootTree]) -> Maybe[int]:
    if generation.protocol not in _DECODED:
        return Unknown(Cause.UNSUPPORTED, f"the map of {generation.releases} is not decoded here")
    if isinstance(tree, Unknown):
        if tree.cause is Cause.ABSENT:
            return Unknown(Cause.ABSENT, "the kernel does not show this root tree")
        return tree
    head = tree.map_address
    if head == 0 and generation.finalize is Finalize.LATCHING:
        return NOT_FINALIZED
    if head == 0 and generation.finalize is Finalize.NONE:
        return Unknown(Cause.INVALID, "the root tree names a map at address 0")
    return head


def _known(blobs: Maybe[tuple[Blob, ...]], page_size: int) -> list[MemoryRange]:
    """Ranges that are preserved for certain: the blobs' pages and what `memblock` names."""
    if isinstance(blobs, Unknown):
        return []
    known = []
    for blob in blobs:
        if not isinstance(blob.address, Unknown):
            known.append(MemoryRange(blob.address & -page_size, page_size))
        if isinstance(blob.payload, MemblockTree):
            known.extend(
                MemoryRange(item.start, item.size & -page_size) for item in blob.payload.regions
            )
    return known
