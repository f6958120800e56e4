"""Preserving a vmalloc area: its pages one by one, and chunks that list them (6.18 and later)."""

import struct

from kho_console.model.memory import MemoryRange
from kho_console.twin.handover import Handover

_PLAIN = 1


def preserve_bytes(handover: Handover, content: bytes) -> tuple[bytes, list[MemoryRange]]:
    """The 16-byte descriptor of a new area that holds `content`, and all pages it took.

    Raises:
        Refused: ENOMEM, EBUSY.
    """
    page_size = handover.hardware.page_size
    total = -(-len(content) // page_size)
    if not total:
        return bytes(16), []
    area = handover.allocator.pages(total)
    handover.hardware.memory.write(area, content)
    capacity = page_size // 8 - 1
    blocks = [area + index * page_size for index in range(total)]
    groups = [blocks[at : at + capacity] for at in range(0, total, capacity)]
    # The kernel takes a new chunk as soon as the last one is full.
    if len(groups[-1]) == capacity:
        groups.append([])
    chunks = [handover.allocator.pages() for _ in groups]
    for chunk, following, group in zip(chunks, [*chunks[1:], 0], groups, strict=True):
        handover.hardware.memory.write(chunk, struct.pack(f"<{1 + len(group)}Q", following, *group))
    handover.preserver.folios(area, total)
    for chunk in chunks:
        handover.preserver.folio(chunk, 0)
    taken = [MemoryRange(area, total * page_size)]
    taken += [MemoryRange(chunk, page_size) for chunk in chunks]
    return struct.pack("<QIHH", chunks[0], total, _PLAIN, 0), taken
