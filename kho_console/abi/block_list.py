"""Block lists (kho_block): chains of pages full of records of one size.

A block is one page, native little-endian: next u64 at 0 (0 at the end), count u64 at 8, records
packed from 16 (include/linux/kho/abi/block.h, kernel/liveupdate/kho_block.c, 7.2 and later).
It has neither magic nor version; whoever points at it vouches for the size of its records.
"""

import struct

from kho_console.abi.error import FormatError
from kho_console.abi.memory import PhysicalMemory, page_of
from kho_console.model.value import dataclass

MAX_BLOCKS = 10_000
"""The kernel follows no more (kernel/liveupdate/kho_block.c, 7.2)."""

_HEADER = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class BlockList:
    """What a block list holds.

    Attributes:
        pages: Physical addresses of its blocks, in list order.
        entries: The records of all blocks, in order, each of the size that was asked for.
    """

    pages: tuple[int, ...]
    entries: tuple[bytes, ...]


def capacity(entry_size: int, page_size: int) -> int:
    """How many records of `entry_size` bytes a block holds."""
    return (page_size - _HEADER.size) // entry_size


def walk(memory: PhysicalMemory, first: int, entry_size: int, page_size: int) -> BlockList:
    """Follow a list from its first block; no blocks where `first` is 0.

    Args:
        memory: Where the blocks lie.
        first: Physical address of the first block.
        entry_size: Bytes of a record.
        page_size: Bytes of a block.

    Raises:
        FormatError: A block that is not page aligned, a cycle, more than 10,000 blocks, or a
            count outside 1 to what a block holds: the kernel refuses the same lists.
        MissingMemory: A block cannot be had.
    """
    most = capacity(entry_size, page_size)
    pages: dict[int, None] = {}
    entries: list[bytes] = []
    address = first
    while address:
        if address in pages:
            raise FormatError(address, "block list runs in a circle")
        if len(pages) == MAX_BLOCKS:
            raise FormatError(address, f"more than {MAX_BLOCKS} blocks")
        page = page_of(memory, address, page_size, "block")
        pages[address] = None
        following, count = _HEADER.unpack_from(page)
        if not 1 <= count <= most:
            raise FormatError(address + 8, f"block of {count} records where 1 to {most} fit")
        end = _HEADER.size + count * entry_size
        entries.extend(page[at : at + entry_size] for at in range(_HEADER.size, end, entry_size))
        address = following
    return BlockList(tuple(pages), tuple(entries))
