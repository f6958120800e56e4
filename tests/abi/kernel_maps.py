"""Preserved-memory maps laid out by hand, from the formulas of the kernel's own description.

Radix keys and table shapes are those of include/linux/kho/abi/kexec_handover.h (7.1 to 7.3),
chunks those of kernel/kexec_handover.c (6.16 to 6.18); nothing here uses the console's writers.
"""

import struct
from collections.abc import Iterable, Iterator

Block = tuple[int, int]
"""Physical address and order."""

SHAPES = {4096: (5, 9, 15), 16384: (4, 11, 17), 65536: (3, 13, 19)}
"""Level of the root, bits of a table's index, bits of a leaf's index, by page size."""


def blocks_of(start: int, size: int, page_size: int) -> list[Block]:
    """A range as the kernel splits it: each block as large as alignment and the rest allow."""
    blocks = []
    while size >= page_size:
        order = (size // page_size).bit_length() - 1
        while start % (page_size << order):
            order -= 1
        blocks.append((start, order))
        start += page_size << order
        size -= page_size << order
    return blocks


def key_of(address: int, order: int, page_size: int) -> int:
    shift = page_size.bit_length() - 1
    return 1 << (64 - shift - order) | address >> (shift + order)


def radix_pages(
    blocks: Iterable[Block], page_size: int, places: Iterator[int]
) -> tuple[int, dict[int, bytes]]:
    """Address of the root, and all nodes by address; `places` gives an address for each."""
    top, table_bits, leaf_bits = SHAPES[page_size]
    root = next(places)
    nodes = {root: bytearray(page_size)}
    for address, order in blocks:
        key = key_of(address, order, page_size)
        here = root
        for level in range(top, 0, -1):
            index = key >> (leaf_bits + table_bits * (level - 1)) & ((1 << table_bits) - 1)
            (below,) = struct.unpack_from("<Q", nodes[here], index * 8)
            if not below:
                below = next(places)
                nodes[below] = bytearray(page_size)
                struct.pack_into("<Q", nodes[here], index * 8, below)
            here = below
        bit = key & ((1 << leaf_bits) - 1)
        nodes[here][bit >> 3] |= 1 << (bit & 7)
    return root, {address: bytes(content) for address, content in nodes.items()}


def chunk(following: int, order: int, entries: list[tuple[int, int]], page_size: int) -> bytes:
    """One page of a chunk list; entries are `(phys_start, bitmap)`."""
    head = struct.pack("<QII", following, order, len(entries))
    body = b"".join(struct.pack("<QQ", start, bitmap) for start, bitmap in entries)
    return (head + body).ljust(page_size, b"\0")


def bitmap(size: int, *bits: int) -> bytes:
    """`size` bytes with the given bits set."""
    found = bytearray(size)
    for bit in bits:
        found[bit >> 3] |= 1 << (bit & 7)
    return bytes(found)
