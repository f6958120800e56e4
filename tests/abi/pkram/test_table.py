"""The page table of v1, word by word and as it is written."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import runs
from kho_console.abi.error import FormatError
from kho_console.abi.pkram import read, table
from kho_console.abi.pkram.chain import Frames
from kho_console.abi.pkram.layout import SuperBlock, write_super
from kho_console.abi.pkram.write import SavedNode, SavedObject, write
from kho_console.model.memory import MemoryRange
from kho_console.model.pkram import PkramVersion, PreservedPage
from kho_console.model.unknown import Cause, Unknown
from tests.abi.page_memory import PageMemory

ROOT = 0x100


def slots(**words: int) -> bytes:
    """A page of slots by their numbers."""
    page = bytearray(4096)
    for at, word in words.items():
        struct.pack_into("<Q", page, 8 * int(at[1:]), word)
    return bytes(page)


def by_hand(**last: int) -> PageMemory:
    """A table: 0x101 below slot 1 of the root, 0x102 below slot 2 of that, and bits in 0x103."""
    bits = bytes.fromhex("06").ljust(4096, b"\0")
    pages = [slots(_1=0x101000), slots(_2=0x102000), slots(**last), bits]
    return PageMemory({ROOT + at << 12: page for at, page in enumerate(pages)})


def test_a_table_built_by_hand() -> None:
    base = (1 << 39) + (2 << 30)
    memory = by_hand(_0=0x103000, _3=0x80, _4=0x104080)
    memory.pages[0x104000] = bytes(4096)
    assert table.read(memory, ROOT, Frames()) == (
        MemoryRange(base + 0x1000, 0x2000),
        MemoryRange(base + (3 << 21), 2 << 21),
    )


@pytest.mark.parametrize("word", [0x103001, 0x100000, 0x101000, 1 << 60])
def test_what_is_no_slot(word: int) -> None:
    with pytest.raises(FormatError):
        table.read(by_hand(_0=word), ROOT, Frames())


@given(st.lists(st.tuples(st.integers(1, 1 << 35), st.integers(1, 2000)), max_size=6))
@settings(deadline=None, max_examples=30)
def test_what_is_written_is_read_with_the_table_itself(pieces: list[tuple[int, int]]) -> None:
    kept = runs.of_ranges((at << 12, at + count << 12) for at, count in pieces)
    first = (1 << 35) + 1_000_000
    root, pages = table.write(kept, iter(range(first, first + 10_000)))
    memory = PageMemory({pfn << 12: page for pfn, page in pages.items()})
    found = table.read(memory, root, Frames())
    own = runs.of_pages((pfn << 12 for pfn in pages), 4096)
    assert [(item.start, item.end) for item in found] == list(runs.joined((kept, own)).pairs())


def test_four_levels_reach_so_far() -> None:
    with pytest.raises(ValueError, match="four levels"):
        table.write(runs.of_ranges([(1 << 48, (1 << 48) + 4096)]), iter(range(1, 9)))


def test_a_super_block_of_v1_with_its_table_and_without() -> None:
    v1 = PkramVersion.V1
    pages = (PreservedPage(0, 0x8000_0000, 9, 1), PreservedPage(512, 0x9000_0000, 0, 0))
    written = write(0x40, [SavedNode(b"n", [SavedObject(pages, b"bytes")])], v1)
    found = read.read(PageMemory(written), 0x40, v1)
    assert not isinstance(found.regions, Unknown)
    assert found.faults == ()
    assert MemoryRange(0x8000_0000, 2 << 20) in found.regions
    root = int.from_bytes(written[0x40000][8:16], "little")
    lost = {**written, root << 12: bytes(4096)}
    reasons = [fault.reason for fault in read.read(PageMemory(lost), 0x40, v1).faults]
    assert reasons == ["a page lies in no region: nothing reserves it"]
    damaged = {**written, root << 12: slots(_0=1)}
    regions = read.read(PageMemory(damaged), 0x40, v1).regions
    assert isinstance(regions, Unknown)
    assert regions.cause is Cause.INVALID
    older = {**written, 0x40000: write_super(SuperBlock(0x41), v1)}
    regions = read.read(PageMemory(older), 0x40, v1).regions
    assert isinstance(regions, Unknown)
    assert regions.cause is Cause.ABSENT
