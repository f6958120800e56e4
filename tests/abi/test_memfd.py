import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import memfd
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.model.blob import VmallocDescriptor
from kho_console.model.memory import MemoryRange
from tests.abi.page_memory import (
    PageMemory,
    preserved_map,
    radix_blocks,
    recorded,
    recorded_file,
    runs,
)

MIB = 1 << 20
STATE, CHUNK, RECORDS = 0x100000, 0x101000, 0x102000
OWN_PAGES = [(STATE, 0), (CHUNK, 0), (RECORDS, 0)]


def record(address: int, index: int, flags: int = 3, page_size: int = 4096) -> bytes:
    return struct.pack("<QQ", flags << 52 | address // page_size, index)


def state_v2(
    size: int, folios: int, pages: int = 1, position: int = 0, seals: int = 1, flags: int = 0
) -> bytes:
    fixed = struct.pack("<QQIIQ", position, size, seals, flags, folios)
    return fixed + struct.pack("<QIHH", CHUNK if folios else 0, pages if folios else 0, 1, 0)


def memory_of(state: bytes, records: bytes) -> PageMemory:
    return PageMemory(
        {
            STATE: state.ljust(4096, b"\0"),
            CHUNK: struct.pack("<QQ", 0, RECORDS).ljust(4096, b"\0"),
            RECORDS: records.ljust(4096, b"\0"),
        }
    )


# Literal values, read with od from the recordings: size in bytes and folios by address.
RECORDED = {
    "linux-7.3.4/sessions": {
        0xABD000: (2 * MIB, 512),
        0xDBA000: (65536, 16),
        0xDCE000: (8 * MIB, 2048),
    },
    "linux-7.1.13/sessions": {
        0xB3E000: (2 * MIB, 512),
        0xD09000: (65536, 16),
        0xD1C000: (8 * MIB, 2048),
    },
}


@pytest.mark.parametrize("moment", RECORDED)
def test_exactly_the_recorded_memfds_are_recognised(moment: str) -> None:
    memory = recorded(moment)
    root = struct.unpack_from("<Q", recorded_file(moment, "/sys/kernel/debug/kho/out/fdt"), 96)[0]
    blocks = radix_blocks(memory, root)
    preserved = preserved_map(blocks)
    found = {}
    for address, _ in (block for block in blocks if block[1] == 0):
        state = memfd.recognise(memory, address, 4096, preserved)
        if state is not None:
            found[address] = (state.size, state.folios)
            assert state.version == 2
            assert state.seals == 1
            assert state.content.bytes == state.size
    assert found == RECORDED[moment]


def test_recorded_records_and_content() -> None:
    memory = recorded("linux-7.3.4/sessions")
    found = memfd.read(memory, 0xDBA000, 2, 4096)
    assert found.position == 0
    # State 0xdba000, records 0xdcb000, chunk 0xdcc000; content 0xdbb000 up to 0xdcb000.
    assert found.records == (MemoryRange(0xDBA000, 0x1000), MemoryRange(0xDCB000, 0x2000))
    assert list(found.content) == [MemoryRange(0xDBB000, 0x10000)]


def test_recorded_after_the_handover_without_a_map() -> None:
    # 7.1.13 keeps the records of a session that nobody has opened; the map's pages are gone.
    memory = recorded("linux-7.1.13/restored")
    for address, (size, folios) in RECORDED["linux-7.1.13/sessions"].items():
        found = memfd.read(memory, address, 2, 4096)
        assert (found.size, found.folios, found.content.bytes) == (size, folios, size)


def test_state_layouts() -> None:
    descriptor = VmallocDescriptor(0x1122334455667000, 0x01020304, 3, 9)
    tail = bytes.fromhex("0070665544332211" + "04030201" + "0300" + "0900")
    v1 = struct.pack("<3Q", 5, 0x2000, 7) + tail
    v2 = struct.pack("<QQIIQ", 5, 0x2000, 0x21, 0, 7) + tail
    assert len(v1) == 40
    assert len(v2) == 48
    assert memfd.decode_state(v1, 1) == memfd.MemfdState(5, 0x2000, None, None, 7, descriptor)
    assert memfd.decode_state(v2, 2) == memfd.MemfdState(5, 0x2000, 0x21, 0, 7, descriptor)
    for data, version in ((v1[:39], 1), (v2[:47], 2), (v2, 3)):
        with pytest.raises(FormatError):
            memfd.decode_state(data, version)


def test_version_1_is_recognised() -> None:
    state = struct.pack("<3Q", 0x10, 0x1800, 2) + struct.pack("<QIHH", CHUNK, 1, 1, 0)
    memory = memory_of(state, record(0x300000, 0) + record(0x205000, 1))
    preserved = preserved_map([*OWN_PAGES, (0x300000, 0), (0x205000, 0)])
    found = memfd.recognise(memory, STATE, 4096, preserved)
    assert found is not None
    assert (found.version, found.position, found.size, found.seals) == (1, 0x10, 0x1800, None)
    assert list(found.content) == [MemoryRange(0x205000, 0x1000), MemoryRange(0x300000, 0x1000)]
    assert found.records == (MemoryRange(STATE, 0x3000),)


def test_empty_memfd_is_read_but_not_recognised() -> None:
    memory = PageMemory({STATE: state_v2(0, 0).ljust(4096, b"\0")})
    found = memfd.read(memory, STATE, 2, 4096)
    assert (found.size, found.folios, len(found.content)) == (0, 0, 0)
    assert memfd.recognise(memory, STATE, 4096, preserved_map([(STATE, 0)])) is None


def test_map_sizes_huge_folios() -> None:
    # 2 MiB huge folio at index 0, one of 64 KiB at 512, one page at 528: 529 pages of file.
    records = record(0x800000, 0) + record(0x410000, 512) + record(0x333000, 528)
    memory = memory_of(state_v2(529 * 4096, 3), records)
    preserved = preserved_map([*OWN_PAGES, (0x800000, 9), (0x410000, 4), (0x333000, 0)])
    expected = [
        MemoryRange(0x333000, 0x1000),
        MemoryRange(0x410000, 0x10000),
        MemoryRange(0x800000, 0x200000),
    ]
    assert list(memfd.read(memory, STATE, 2, 4096, preserved).content) == expected
    # Without holes the bound that stands in for the map is exact.
    assert list(memfd.read(memory, STATE, 2, 4096).content) == expected


def test_folio_across_the_end_of_the_file() -> None:
    memory = memory_of(state_v2(3 * 4096 - 1, 1), record(0x804000, 0))
    preserved = preserved_map([*OWN_PAGES, (0x804000, 2)])
    with_map = memfd.read(memory, STATE, 2, 4096, preserved)
    assert list(with_map.content) == [MemoryRange(0x804000, 0x4000)]
    assert list(memfd.read(memory, STATE, 2, 4096).content) == [MemoryRange(0x804000, 0x3000)]


def test_alignment_bounds_a_folio_before_a_hole() -> None:
    # The next record is 4 pages on, but a folio at index 2 has 2 pages at most.
    memory = memory_of(state_v2(16 * 4096, 2), record(0x802000, 2) + record(0x900000, 6))
    found = memfd.read(memory, STATE, 2, 4096)
    assert list(found.content) == [MemoryRange(0x802000, 0x2000), MemoryRange(0x900000, 0x2000)]


@pytest.mark.parametrize(
    ("state", "records", "offset", "reason"),
    [
        (state_v2(1 << 63, 1), b"", STATE, "larger than any file"),
        (state_v2(4096, 1, position=1 << 63), b"", STATE, "larger than any file"),
        (state_v2(4096, 2), b"", STATE, "memfd of 1 pages with 2 folios"),
        (state_v2(4096, 0), b"", STATE, "memfd of 1 pages with 0 folios"),
        (state_v2(4096, 1, flags=1), b"", STATE + 16, "flags"),
        (state_v2(4096, 1, seals=64), b"", STATE + 16, "seals"),
        (state_v2(4096, 1, pages=2), b"", STATE, "1 folio records in 2 pages, not 1"),
        (state_v2(257 * 4096, 257, pages=1), b"", STATE, "in 1 pages, not 2"),
        (state_v2(8192, 2), record(0x8000, 0) + record(0x9000, 0), 0, "not ascend"),
        (state_v2(8192, 2), record(0x8000, 1) + record(0x9000, 0), 0, "not ascend"),
        (state_v2(8192, 2), record(0x8000, 0) + record(0x9000, 2), 16, "behind the end"),
        (state_v2(8192, 1), record(0x8000, 0, flags=4), 0, "flags"),
        (state_v2(8192, 1), record(1 << 56, 0), 0, "beyond"),
        (state_v2(8192, 2), record(0x8000, 0) + record(0x8000, 1), 0, "overlap in memory"),
    ],
)
def test_damaged(state: bytes, records: bytes, offset: int, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        memfd.read(memory_of(state, records), STATE, 2, 4096)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([(0x800000, 1), (0x802000, 1)], "page of memfd records is not preserved"),
        ([*OWN_PAGES, (0x800000, 1)], "folio is not preserved"),
        ([*OWN_PAGES, (0x800000, 2), (0x900000, 1)], "not aligned"),
        ([*OWN_PAGES, (0x800000, 1), (0x802000, 1), (0x900000, 2)], "overlap in the file"),
    ],
)
def test_map_contradicts(blocks: list[tuple[int, int]], reason: str) -> None:
    first = 0x900000 if blocks[-1][0] == 0x900000 else 0x800000
    records = record(first, 0) + record(0x802000, 2)
    memory = memory_of(state_v2(4 * 4096, 2), records)
    preserved = preserved_map(blocks)
    with pytest.raises(FormatError, match=reason):
        memfd.read(memory, STATE, 2, 4096, preserved)
    assert memfd.recognise(memory, STATE, 4096, preserved) is None


def test_missing_records() -> None:
    memory = memory_of(state_v2(4096, 1), record(0x8000, 0))
    del memory.pages[RECORDS]
    preserved = preserved_map([*OWN_PAGES, (0x8000, 0)])
    with pytest.raises(MissingMemory):
        memfd.read(memory, STATE, 2, 4096, preserved)
    assert memfd.recognise(memory, STATE, 4096, preserved) is None
    assert memfd.recognise(memory, 0xFF000, 4096, preserved) is None


def test_records_in_many_pieces() -> None:
    """Records of more than a MiB: folios that meet where two pieces meet still become one run."""
    count = 70_000
    pages = -(-count * 16 // 4096)
    blocks = [0x2000000 + 0x2000 * at for at in range(pages)]
    data = b"".join(record(0x40000000 + at * 4096, at) for at in range(count))
    memory = memory_of(state_v2(count * 4096, count, pages), b"")
    memory.pages[CHUNK] = struct.pack(f"<{1 + pages}Q", 0, *blocks).ljust(4096, b"\0")
    for at, block in enumerate(blocks):
        memory.pages[block] = data[at * 4096 : (at + 1) * 4096].ljust(4096, b"\0")
    found = memfd.read(memory, STATE, 2, 4096)
    assert list(found.content) == [MemoryRange(0x40000000, count * 4096)]
    assert len(found.records) == 1 + pages
    # The same fault on either side of the border at record 65,536.
    for number in (65_535, 65_536):
        block, at = blocks[number // 256], number % 256 * 16
        good = memory.pages[block]
        memory.pages[block] = good[:at] + record(0x40000000, number - 1) + good[at + 16 :]
        with pytest.raises(FormatError, match="not ascend"):
            memfd.read(memory, STATE, 2, 4096)
        memory.pages[block] = good


@pytest.mark.parametrize("page_size", [16384, 65536])
def test_other_page_sizes(page_size: int) -> None:
    size = 2 * page_size
    memory = PageMemory(
        {
            0: state_v2(size, 2).replace(struct.pack("<Q", CHUNK), struct.pack("<Q", page_size)),
            page_size: struct.pack("<QQ", 0, 2 * page_size),
            2 * page_size: record(8 * page_size, 0, page_size=page_size)
            + record(5 * page_size, 1, page_size=page_size),
        },
        page_size,
    )
    memory.pages = {at: page.ljust(page_size, b"\0") for at, page in memory.pages.items()}
    found = memfd.read(memory, 0, 2, page_size)
    assert list(found.content) == [
        MemoryRange(5 * page_size, page_size),
        MemoryRange(8 * page_size, page_size),
    ]
    assert found.records == (MemoryRange(0, 3 * page_size),)


@pytest.mark.parametrize(
    "head", [bytes(48), b"MEMFD:0001".ljust(48, b"x"), b"\xd0\x0d\xfe\xed" * 12, b"\xff" * 48]
)
def test_any_other_page_costs_48_bytes(head: bytes) -> None:
    memory = PageMemory({STATE: head.ljust(4096, b"\0")})
    assert memfd.recognise(memory, STATE, 4096, preserved_map(OWN_PAGES)) is None
    assert memory.reads == [(STATE, 48)]


def test_content_is_never_read() -> None:
    memory = memory_of(state_v2(4096, 1), record(0x8000, 0))
    preserved = preserved_map([*OWN_PAGES, (0x8000, 0)])
    assert memfd.recognise(memory, STATE, 4096, preserved) is not None
    assert {at for at, _ in memory.reads} == {STATE, CHUNK, RECORDS}


def test_map_without_a_page_of_that_order() -> None:
    memory = memory_of(state_v2(4096, 1), record(0x8000, 0))
    preserved = preserved_map([*OWN_PAGES, (0x8000, 0)])
    lost = replace(preserved, by_order={3: runs(), 5: preserved.by_order[0]})
    with pytest.raises(FormatError, match="not aligned"):
        memfd.read(memory, STATE, 2, 4096, lost)


@given(st.binary(max_size=60), st.integers(0, 4))
def test_any_state(data: bytes, version: int) -> None:
    with suppress(FormatError):
        memfd.decode_state(data, version)


WORD = st.sampled_from(
    [0, 1, 2, 4096, 8192, STATE, CHUNK, RECORDS, 3 << 52 | 8, 3 << 52 | 9, 2**63, 2**64 - 1]
)


@given(
    st.lists(WORD, max_size=6),
    st.lists(WORD, max_size=3),
    st.lists(WORD, max_size=6),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_any_memory(
    state: list[int], chunk: list[int], records: list[int], version: int, well_formed: bool
) -> None:
    head = struct.pack(f"<{len(state)}Q", *state)
    memory = memory_of(
        state_v2(8192, 2) if well_formed else head, struct.pack(f"<{len(records)}Q", *records)
    )
    if not well_formed:
        memory.pages[CHUNK] = struct.pack(f"<{len(chunk)}Q", *chunk).ljust(4096, b"\0")
    preserved = preserved_map([*OWN_PAGES, (0x8000, 0), (0x9000, 0)])
    memfd.recognise(memory, STATE, 4096, preserved)
    for given_map in (None, preserved):
        try:
            found = memfd.read(memory, STATE, version, 4096, given_map)
            assert found.content.bytes <= found.folios * 8192
        except (FormatError, MissingMemory):
            pass
