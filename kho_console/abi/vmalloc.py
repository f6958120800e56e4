"""Preserved vmalloc areas: a 16-byte descriptor and a chain of chunk pages.

Native little-endian (include/linux/kho/abi/kexec_handover.h, same layout from 6.18 to 7.3).
Descriptor: first chunk u64 (0 for none), total_pages u32, flags u16, order u16. A chunk is one
page: next chunk u64 (0 at the end), then block addresses u64 up to the first 0 or the page's end.
Every block is `page_size << order` bytes.
"""

import struct
from array import array
from collections.abc import Iterator

from kho_console.abi.error import FormatError
from kho_console.abi.memory import ADDRESS_LIMIT, PhysicalMemory, page_of
from kho_console.model.blob import VmallocDescriptor
from kho_console.model.value import dataclass

DESCRIPTOR_SIZE = 16

_DESCRIPTOR = struct.Struct("<QIHH")
_KNOWN_FLAGS = 1 | 2
_MAX_ORDER = 31
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class VmallocArea:
    """The pages of a preserved vmalloc area.

    Attributes:
        chunks: Physical addresses of the chunk pages, in list order.
        blocks: Physical addresses of the blocks, in the order of the area.
        order: Each block is `page_size << order` bytes.
    """

    chunks: tuple[int, ...]
    blocks: "array[int]"
    order: int


def decode_descriptor(data: bytes, offset: int = 0) -> VmallocDescriptor:
    """The descriptor at `offset`, its values unchecked.

    Raises:
        FormatError: `data` ends before the descriptor does.
    """
    if offset < 0 or len(data) < offset + DESCRIPTOR_SIZE:
        raise FormatError(min(max(offset, 0), len(data)), "ends inside a vmalloc descriptor")
    return VmallocDescriptor(*_DESCRIPTOR.unpack_from(data, offset))


def blocks_expected(descriptor: VmallocDescriptor) -> int:
    """How many blocks the chunks must list: the area's pages over the pages of a block, up."""
    return -(-descriptor.total_pages >> descriptor.order)


def walk(memory: PhysicalMemory, descriptor: VmallocDescriptor, page_size: int) -> VmallocArea:
    """Follow the chunks of an area and check them.

    Memory grows with the chunks that are really there, never with what `total_pages` claims.

    Args:
        memory: Where the chunks lie.
        descriptor: The area.
        page_size: Bytes of a base page.

    Raises:
        FormatError: Unknown flags, a bad order, a cycle, an address that is not aligned to the
            size of its block, or a number of blocks other than `total_pages` asks for.
        MissingMemory: A chunk cannot be had.
    """
    _check(descriptor)
    expected = blocks_expected(descriptor)
    # One chunk more than needed: a last chunk that fills exactly gets an empty one behind it.
    most_chunks = expected // (page_size // 8 - 1) + 1
    chunks: dict[int, None] = {}
    blocks = array("Q")
    address = descriptor.first
    while address:
        if address in chunks:
            raise FormatError(address, "vmalloc chunk list runs in a circle")
        if len(chunks) == most_chunks:
            raise FormatError(address, f"more than {most_chunks} vmalloc chunks")
        if address >= ADDRESS_LIMIT:
            raise FormatError(address, "vmalloc chunk lies beyond physical memory")
        page = page_of(memory, address, page_size, "vmalloc chunk")
        chunks[address] = None
        blocks.extend(_blocks_of(page, address, page_size << descriptor.order))
        if len(blocks) > expected:
            raise FormatError(address, f"more than {expected} vmalloc blocks")
        address = int.from_bytes(page[:8], "little")
    if len(blocks) != expected:
        raise FormatError(descriptor.first, f"{len(blocks)} vmalloc blocks where {expected} belong")
    return VmallocArea(tuple(chunks), blocks, descriptor.order)


def read_bytes(memory: PhysicalMemory, area: VmallocArea, page_size: int, size: int) -> bytes:
    """The first `size` bytes of the area's content.

    Raises:
        FormatError: The area is smaller than `size`.
        MissingMemory: A block cannot be had.
    """
    return b"".join(pieces(memory, area, page_size, size))


def pieces(memory: PhysicalMemory, area: VmallocArea, page_size: int, size: int) -> Iterator[bytes]:
    """The first `size` bytes of the area's content, in pieces of 1 to 2 MiB.

    All pieces but the last are whole base pages. An area may have a million blocks, so
    neighbours are read at once.

    Raises:
        FormatError: The area is smaller than `size`.
        MissingMemory: A block cannot be had.
    """
    block_size = page_size << area.order
    if not 0 <= size <= len(area.blocks) * block_size:
        first = area.chunks[0] if area.chunks else 0
        raise FormatError(first, f"vmalloc area is smaller than {size} bytes")
    piece = bytearray()
    left = size
    for start, length in _stretches(area.blocks, block_size):
        end = start + min(length, left)
        left -= end - start
        for at in range(start, end, _PIECE):
            piece += memory.read(at, min(_PIECE, end - at))
            if len(piece) >= _PIECE:
                yield bytes(piece)
                piece.clear()
    if piece:
        yield bytes(piece)


def _stretches(blocks: "array[int]", block_size: int) -> Iterator[tuple[int, int]]:
    """Address and bytes of blocks in a row, in the order of the area."""
    first = end = 0
    for block in blocks:
        if block != end:
            if end:
                yield first, end - first
            first = block
        end = block + block_size
    if end:
        yield first, end - first


def _check(descriptor: VmallocDescriptor) -> None:
    where = descriptor.first
    if descriptor.flags & ~_KNOWN_FLAGS:
        raise FormatError(where, f"unknown vmalloc flags 0x{descriptor.flags:x}")
    if descriptor.order > _MAX_ORDER:
        raise FormatError(where, f"vmalloc order {descriptor.order} is larger than any area")


def _blocks_of(page: bytes, address: int, block_size: int) -> Iterator[int]:
    for at in range(8, len(page), 8):
        block = int.from_bytes(page[at : at + 8], "little")
        if not block:
            return
        if block % block_size or block >= ADDRESS_LIMIT:
            raise FormatError(address + at, f"vmalloc block 0x{block:x} is no address of a block")
        yield block
