"""Chunk lists that hold nothing, end badly, or are not there."""

import struct
import tracemalloc

import pytest

from kho_console.abi import chunk_list
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from tests.abi.kernel_maps import chunk
from tests.abi.page_memory import PageMemory
from tests.abi.test_chunk_list import one_chunk, read

MIB = 1 << 20


def test_no_list() -> None:
    found = read(PageMemory({}), 0)
    assert (found.bytes, found.by_order, len(found.ranges), len(found.structure)) == (0, {}, 0, 0)


def test_chunks_and_bitmaps_without_anything() -> None:
    memory = PageMemory(
        {
            0x1000: chunk(0x2000, 0, [], 4096),
            0x2000: chunk(0, 1, [(0, 0x3000)], 4096),
            0x3000: bytes(4096),
        }
    )
    found = read(memory, 0x1000)
    assert (found.bytes, found.by_order) == (0, {})
    assert found.structure.bytes == 3 * 4096


@pytest.mark.parametrize(
    ("pages", "reason", "offset"),
    [
        ({0x1000: chunk(0x1000, 0, [], 4096)}, "does not end", 0x1000),
        (
            {0x1000: chunk(0x2000, 0, [], 4096), 0x2000: chunk(0x1000, 0, [], 4096)},
            "does not end",
            0x1000,
        ),
        ({0x1000: chunk(0x2008, 0, [], 4096)}, "a chunk is not page aligned", 0x2008),
        ({0x1000: chunk(1 << 60, 0, [], 4096)}, "beyond 2", 1 << 60),
        (
            {0x1000: struct.pack("<QII", 0, 0, 256).ljust(4096, b"\0")},
            "256 entries where 255",
            0x100C,
        ),
        ({0x1000: struct.pack("<QII", 0, 44, 0).ljust(4096, b"\0")}, "order 44", 0x1008),
        (
            {0x1000: chunk(0, 1, [(0x1000, 0x2000)], 4096), 0x2000: bytes(4096)},
            "no.? a block",
            0x1000,
        ),
        ({0x1000: chunk(0, 0, [(0, 0)], 4096)}, "no bitmap", 0x1000),
        ({0x1000: chunk(0, 0, [(0, (1 << 64) - 4096)], 4096)}, "beyond 2", 0x1000),
        (
            {
                0x1000: chunk(0, 0, [(1 << 57, 0x2001)], 4096),
                0x2000: b"\xff" * 4096,
                0x3000: bytes(4096),
            },
            "names memory beyond",
            0x2001,
        ),
        (
            {0x1000: chunk(0, 0, [(0, 0x2000), (1 << 27, 0x2100)], 4096), 0x2000: bytes(4096)},
            "share memory",
            0x2100,
        ),
    ],
)
def test_damaged_lists(pages: dict[int, bytes], reason: str, offset: int) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        read(PageMemory(pages), 0x1000)
    assert caught.value.offset == offset


def test_capacity_of_a_chunk() -> None:
    """255, 1023 and 4095 entries (kho-abi 4.1)."""
    for page_size, capacity in ((4096, 255), (16384, 1023), (65536, 4095)):
        for used in (capacity, capacity + 1):
            page = struct.pack("<QII", 0, 0, used).ljust(page_size, b"\0")
            walk = chunk_list.walk(PageMemory({page_size: page}, page_size), page_size, page_size)
            if used == capacity:
                assert len(next(walk).entries) == capacity
            else:
                with pytest.raises(FormatError, match="entries where"):
                    next(walk)


def test_missing_pages_pass_through() -> None:
    memory = one_chunk([(0, 0x2000)], {})
    with pytest.raises(MissingMemory) as caught:
        read(memory, 0x1000)
    assert caught.value.address == 0x2000
    with pytest.raises(MissingMemory):
        read(memory, 0x9000)


def test_shared_bitmaps_cost_nothing() -> None:
    """A bitmap of 16,384 runs, 255 times in each of 40 chunks, would be gigabytes of runs."""
    pages = {0x900000: b"\x55" * 4096}
    for index in range(40):
        at = 0x100000 + index * 0x1000
        following = at + 0x1000 if index < 39 else 0
        spans = range(index * 255, (index + 1) * 255)
        pages[at] = chunk(following, 0, [(span << 27, 0x900000) for span in spans], 4096)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="share memory"):
            read(PageMemory(pages), 0x100000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB
