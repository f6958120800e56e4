"""Preserved memfds: a state record, and an array of folio records in a preserved vmalloc area.

Native little-endian, packed (mm/memfd_luo.c; include/linux/kho/abi/memfd.h). `memfd-v1` of 6.19
and 7.0, 40 bytes: pos, size, nr_folios u64, vmalloc descriptor. `memfd-v2` of 7.1 to 7.3, 48
bytes: pos, size u64, seals, flags (0) u32, nr_folios u64, vmalloc descriptor. A folio record is 16
bytes: u64 with the page frame number in bits 0 to 51 and flags above, u64 page index in the file.
"""

import struct

from kho_console.abi import folios, runs, vmalloc
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory, PhysicalMemory
from kho_console.model.blob import VmallocDescriptor
from kho_console.model.preserved import PreservedMap, Runs
from kho_console.model.session import Memfd
from kho_console.model.value import dataclass

STATE_SIZES = {1: 40, 2: 48}
"""Bytes of the state record by version."""

_V1 = struct.Struct("<QQQ")
_V2 = struct.Struct("<QQIIQ")
_SIZE_LIMIT = 1 << 63
_MAX_FOLIOS = (1 << 32) - 1
_KNOWN_SEALS = 0x3F


@dataclass(frozen=True, slots=True)
class MemfdState:
    """The state record, unchecked but for its length.

    Attributes:
        position: File position in bytes.
        size: File size in bytes.
        seals: F_SEAL_* bits; None in version 1.
        flags: 0 in every release seen; None in version 1.
        folios: Number of folio records.
        descriptor: The vmalloc area that holds them, all zero where there are none.
    """

    position: int
    size: int
    seals: int | None
    flags: int | None
    folios: int
    descriptor: VmallocDescriptor


def decode_state(data: bytes, version: int) -> MemfdState:
    """The state record at the start of `data`.

    Args:
        data: At least the record.
        version: 1 or 2.

    Raises:
        FormatError: Another version, or too few bytes.
    """
    if version not in STATE_SIZES:
        raise FormatError(0, f"memfd version {version} is not known")
    if len(data) < STATE_SIZES[version]:
        raise FormatError(len(data), f"ends inside a memfd-v{version} state")
    if version == 1:
        position, size, count = _V1.unpack_from(data)
        return MemfdState(
            position, size, None, None, count, vmalloc.decode_descriptor(data, _V1.size)
        )
    position, size, seals, flags, count = _V2.unpack_from(data)
    return MemfdState(
        position, size, seals, flags, count, vmalloc.decode_descriptor(data, _V2.size)
    )


def read(
    memory: PhysicalMemory,
    address: int,
    version: int,
    page_size: int,
    preserved: PreservedMap | None = None,
) -> Memfd:
    """The memfd whose state lies at `address`. Pages of its content are never read.

    Args:
        memory: Where state, chunks and records lie.
        address: Physical address of the state.
        version: 1 or 2.
        page_size: Bytes of a base page.
        preserved: The map of preserved memory, where there still is one. With it every folio
            has the size the map gives it, and must be in the map; without it a folio is taken
            to be as large as its place in memory and in the file allow (see `folios`).

    Raises:
        FormatError: Anything that contradicts itself.
        MissingMemory: State, chunk or record pages cannot be had.
    """
    state = decode_state(_head(memory, address, page_size), version)
    return _assemble(memory, address, version, state, page_size, preserved)


def recognise(
    memory: PhysicalMemory, address: int, page_size: int, preserved: PreservedMap
) -> Memfd | None:
    """The memfd whose state is the preserved page at `address`, if it is one.

    A page that is none is nearly always told by its first 48 bytes. An empty memfd has no
    folios and looks like any page of zeros, so it is never recognised.

    Args:
        memory: Where state, chunks and records lie.
        address: Physical address of a preserved page.
        page_size: Bytes of a base page.
        preserved: The map; all pages of records and all folios must be in it.

    Returns:
        The memfd, or None where anything at all does not fit or cannot be had.
    """
    try:
        head = _head(memory, address, page_size)
    except (FormatError, MissingMemory):
        return None
    for version in (2, 1):
        try:
            state = decode_state(head, version)
            memfd = _assemble(memory, address, version, state, page_size, preserved)
        except (FormatError, MissingMemory):
            continue
        if memfd.folios:
            return memfd
    return None


def _head(memory: PhysicalMemory, address: int, page_size: int) -> bytes:
    if address % page_size:
        raise FormatError(address, "memfd state is not page aligned")
    return memory.read(address, max(STATE_SIZES.values()))


def _assemble(
    memory: PhysicalMemory,
    address: int,
    version: int,
    state: MemfdState,
    page_size: int,
    preserved: PreservedMap | None,
) -> Memfd:
    """Check the state, then follow it to its chunks and records."""
    _check(state, address, page_size)
    area = vmalloc.walk(memory, state.descriptor, page_size)
    records = _record_pages(address, area, page_size)
    if preserved is not None:
        lost = next((item for item in records if not preserved.ranges.covers(item)), None)
        if lost is not None:
            raise FormatError(lost.start, "page of memfd records is not preserved")
    content = folios.read(
        vmalloc.pieces(memory, area, page_size, state.folios * folios.RECORD_SIZE),
        -(-state.size // page_size),
        page_size,
        preserved,
    )
    return Memfd(
        version,
        address,
        state.position,
        state.size,
        state.seals,
        state.folios,
        content,
        tuple(records),
    )


def _check(state: MemfdState, address: int, page_size: int) -> None:
    """What the state alone must satisfy.

    Raises:
        FormatError: It does not.
    """
    pages = -(-state.size // page_size)
    descriptor = state.descriptor
    if state.size >= _SIZE_LIMIT or state.position >= _SIZE_LIMIT:
        raise FormatError(address, "memfd size or position is larger than any file")
    if state.flags or (state.seals or 0) & ~_KNOWN_SEALS:
        raise FormatError(address + 16, "memfd flags or seals are not known")
    if state.folios > min(pages, _MAX_FOLIOS) or (pages and not state.folios):
        raise FormatError(address, f"memfd of {pages} pages with {state.folios} folios")
    if descriptor.first % page_size or bool(descriptor.first) != bool(state.folios):
        raise FormatError(address, "memfd points at no page for its folio records")
    needed = -(-state.folios * folios.RECORD_SIZE // page_size)
    # A huge mapping rounds the area up to whole blocks.
    if not 0 <= descriptor.total_pages - needed < 1 << descriptor.order:
        raise FormatError(
            address,
            f"{state.folios} folio records in {descriptor.total_pages} pages, not {needed}",
        )


def _record_pages(address: int, area: vmalloc.VmallocArea, page_size: int) -> Runs:
    singles = runs.of_pages((address - address % page_size, *area.chunks), page_size)
    return runs.joined([singles, runs.of_pages(area.blocks, page_size << area.order)])
