import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.abi import vmalloc
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.model.blob import VmallocDescriptor
from tests.abi.page_memory import PageMemory, recorded


def chunk(following: int, blocks: list[int], page_size: int = 4096) -> bytes:
    return struct.pack(f"<{1 + len(blocks)}Q", following, *blocks).ljust(page_size, b"\0")


def walk(pages: dict[int, bytes], descriptor: VmallocDescriptor) -> vmalloc.VmallocArea:
    return vmalloc.walk(PageMemory(pages), descriptor, 4096)


def test_descriptor() -> None:
    data = bytes.fromhex("ff" + "0060cf1500000000" + "08000000" + "0100" + "0900")
    descriptor = VmallocDescriptor(0x15CF6000, 8, 1, 9)
    assert vmalloc.decode_descriptor(data, 1) == descriptor
    with pytest.raises(FormatError, match="ends inside"):
        vmalloc.decode_descriptor(data, 2)


def test_recorded() -> None:
    # Descriptor at 0xdce020 of the 8 MiB memfd; its chunk at 0x15cf000 lists eight pages.
    memory = recorded("linux-7.3.4/sessions")
    descriptor = vmalloc.decode_descriptor(memory.read(0xDCE020, 16))
    area = vmalloc.walk(memory, descriptor, 4096)
    assert descriptor == VmallocDescriptor(0x15CF000, 8, 1, 0)
    assert area.chunks == (0x15CF000,)
    assert area.blocks.tolist() == [0xA70000 + at * 4096 for at in range(8)]
    content = vmalloc.read_bytes(memory, area, 4096, 32768)
    assert len(content) == 32768
    assert struct.unpack_from("<QQ", content, 16) == (3 << 52 | 0xDD0, 1)


def test_none_at_all() -> None:
    area = walk({}, VmallocDescriptor(0, 0, 0, 0))
    assert area.chunks == ()
    assert len(area.blocks) == 0
    with pytest.raises(FormatError, match="0 vmalloc blocks where 1 belong"):
        walk({}, VmallocDescriptor(0, 1, 1, 0))


@pytest.mark.parametrize(("page_size", "capacity"), [(4096, 511), (16384, 2047), (65536, 8191)])
def test_full_chunk_is_followed_by_an_empty_one(page_size: int, capacity: int) -> None:
    blocks = [(index + 16) * page_size for index in range(capacity)]
    full = chunk(2 * page_size, blocks, page_size)
    memory = PageMemory({page_size: full, 2 * page_size: bytes(page_size)}, page_size)
    area = vmalloc.walk(memory, VmallocDescriptor(page_size, capacity, 1, 0), page_size)
    assert area.chunks == (page_size, 2 * page_size)
    assert area.blocks.tolist() == blocks


def test_order_rounds_the_number_of_blocks_up() -> None:
    pages = {0x1000: chunk(0, [0x4000, 0xC000])}
    for total, fits in ((4, False), (5, True), (8, True), (9, False)):
        descriptor = VmallocDescriptor(0x1000, total, 3, 2)
        if fits:
            assert walk(pages, descriptor).blocks.tolist() == [0x4000, 0xC000]
        else:
            with pytest.raises(FormatError, match="blocks"):
                walk(pages, descriptor)


@pytest.mark.parametrize(
    ("pages", "descriptor", "offset", "reason"),
    [
        ({0x1000: chunk(0x1000, [])}, (0x1000, 600, 1, 0), 0x1000, "circle"),
        ({0x1000: chunk(0x2000, [0x4000])}, (0x1000, 1, 1, 0), 0x2000, "more than 1 vmalloc ch"),
        ({0x1000: chunk(0, [0x4000, 0x5001])}, (0x1000, 2, 1, 0), 0x1010, "no address"),
        ({0x1000: chunk(0, [0x4000])}, (0x1000, 8, 1, 3), 0x1008, "no address"),
        ({0x1000: chunk(0, [1 << 56])}, (0x1000, 1, 1, 0), 0x1008, "no address"),
        ({}, (0x1001, 1, 1, 0), 0x1001, "page aligned"),
        ({}, (1 << 56, 1, 1, 0), 1 << 56, "beyond"),
        ({}, (0x1000, 1, 4, 0), 0x1000, "flags"),
        ({}, (0x1000, 1, 1, 32), 0x1000, "order"),
    ],
)  # fmt: skip
def test_damaged(
    pages: dict[int, bytes], descriptor: tuple[int, int, int, int], offset: int, reason: str
) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        walk(pages, VmallocDescriptor(*descriptor))
    assert caught.value.offset == offset


def test_huge_claim_costs_nothing() -> None:
    with pytest.raises(FormatError, match="1 vmalloc blocks where 4294967295 belong"):
        walk({0x1000: chunk(0, [0x4000])}, VmallocDescriptor(0x1000, 2**32 - 1, 1, 0))


def test_missing_chunk_is_no_format_error() -> None:
    with pytest.raises(MissingMemory):
        walk({0x1000: chunk(0x2000, [0x4000] * 511)}, VmallocDescriptor(0x1000, 512, 1, 0))


def test_content_keeps_the_order_of_the_area() -> None:
    pages = {0x1000: chunk(0, [0x5000, 0x4000, 0x6000])}
    pages |= {0x4000: b"b" * 4096, 0x5000: b"a" * 4096, 0x6000: b"c" * 4096}
    memory = PageMemory(pages)
    area = vmalloc.walk(memory, VmallocDescriptor(0x1000, 3, 1, 0), 4096)
    content = vmalloc.read_bytes(memory, area, 4096, 8193)
    assert content == b"a" * 4096 + b"b" * 4096 + b"c"
    with pytest.raises(FormatError, match="smaller"):
        vmalloc.read_bytes(memory, area, 4096, 3 * 4096 + 1)


def test_neighbours_are_read_at_once_in_pieces() -> None:
    count = 600
    blocks = [0x1000000 + at * 4096 for at in range(count)]
    pages = {block: bytes([at % 251]) * 4096 for at, block in enumerate(blocks)}
    pages |= {0x1000: chunk(0x2000, blocks[:511]), 0x2000: chunk(0, blocks[511:])}
    memory = PageMemory(pages)
    area = vmalloc.walk(memory, VmallocDescriptor(0x1000, count, 1, 0), 4096)
    memory.reads.clear()
    pieces = list(vmalloc.pieces(memory, area, 4096, count * 4096))
    assert memory.reads == [
        (0x1000000, 1 << 20), (0x1100000, 1 << 20), (0x1200000, 88 * 4096),
    ]  # fmt: skip
    assert b"".join(pieces) == b"".join(pages[block] for block in blocks)


PAGES = (0x1000, 0x2000, 0x3000)
WORDS = st.sampled_from([0, 0x1000, 0x2000, 0x3000, 0x4000, 0x8000, 5, 2**64 - 1])


@given(
    st.lists(st.lists(WORDS, max_size=4), min_size=3, max_size=3),
    st.builds(
        VmallocDescriptor,
        WORDS,
        st.integers(0, 9) | st.integers(0, 2**32 - 1),
        st.integers(0, 4),
        st.integers(0, 3) | st.integers(0, 65535),
    ),
)
def test_any_memory(words: list[list[int]], descriptor: VmallocDescriptor) -> None:
    pages = {
        at: struct.pack(f"<{len(row)}Q", *row).ljust(4096, b"\0")
        for at, row in zip(PAGES, words, strict=True)
    }
    memory = PageMemory(pages)
    try:
        area = vmalloc.walk(memory, descriptor, 4096)
        assert len(area.blocks) == -(-descriptor.total_pages // (1 << descriptor.order))
        vmalloc.read_bytes(memory, area, 4096, min(len(area.blocks), 1))
    except (FormatError, MissingMemory):
        pass
