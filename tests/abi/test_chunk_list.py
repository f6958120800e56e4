import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import chunk_list, runs
from kho_console.abi.chunk_list import Chunk, Entry
from kho_console.abi.error import FormatError
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from tests.abi.kernel_maps import Block, bitmap, blocks_of, chunk
from tests.abi.page_memory import PageMemory

MIB = 1 << 20


def read(
    memory: PageMemory,
    head: int,
    *,
    small: bool = False,
    known: tuple[MemoryRange, ...] = (),
    ram: tuple[MemoryRange, ...] = (),
) -> PreservedMap:
    return chunk_list.read(
        memory,
        head,
        memory.page_size,
        release_has_small_bitmaps=small,
        known=known,
        ram=ram,
    )


def blocks(found: PreservedMap) -> list[Block]:
    return [
        (address, order)
        for order, item in found.by_order.items()
        for run in item
        for address in range(run.start, run.end, found.page_size << order)
    ]


def one_chunk(
    entries: list[tuple[int, int]], bitmaps: dict[int, bytes], order: int = 0
) -> PageMemory:
    return PageMemory({0x1000: chunk(0, order, entries, 4096), **bitmaps})


# --- worked examples of kho-abi 4.1


def test_the_real_list_of_6_18_15() -> None:
    memory = PageMemory(
        {
            0x308D1000: chunk(
                0x308D2000,
                0,
                [(0, 0x308D0000), (0x30000000, 0x30889000), (0x58000000, 0x308B9000)],
                4096,
            ),
            0x308D2000: chunk(0x308D3000, 1, [(0x50000000, 0x308CF000)], 4096),
            0x308D3000: chunk(0, 9, [(0, 0x308B2000)], 4096),
            0x308D0000: bitmap(4096, 2094),
            0x30889000: bitmap(4096, 1993),
            0x308B9000: bitmap(4096, 32725),
            0x308CF000: bitmap(4096, 32747),
            0x308B2000: bitmap(4096, 754),
        }
    )
    reserve_mem = (MemoryRange(0x5E400000, 0x200000), MemoryRange(0x5FFD5000, 0x3000))
    found = read(memory, 0x308D1000, known=reserve_mem)
    assert blocks(found) == [
        (0x82E000, 0),
        (0x307C9000, 0),
        (0x5FFD5000, 0),
        (0x5FFD6000, 1),
        (0x5E400000, 9),
    ]
    assert found.blocks_by_order == {0: 3, 1: 1, 9: 1}
    assert list(found.ranges) == [
        MemoryRange(0x82E000, 0x1000),
        MemoryRange(0x307C9000, 0x1000),
        MemoryRange(0x5E400000, 0x200000),
        MemoryRange(0x5FFD5000, 0x3000),
    ]
    assert (found.format, found.root, found.tie) == (MapFormat.CHUNKS_PAGE, 0x308D1000, None)
    assert list(found.structure) == [
        MemoryRange(0x30889000, 0x1000),
        MemoryRange(0x308B2000, 0x1000),
        MemoryRange(0x308B9000, 0x1000),
        MemoryRange(0x308CF000, 0x5000),
    ]


def test_the_same_page_in_both_bitmaps() -> None:
    """Page 0x5ffd5000 is byte 506 under mask 0x20 in 6.17, byte 4090 under the same in 6.18."""
    small = bytearray(4096)
    small[512 + 506] = 0x20
    found = read(one_chunk([(0x5F000000, 0x2200)], {0x2000: bytes(small)}), 0x1000)
    assert (blocks(found), found.format) == ([(0x5FFD5000, 0)], MapFormat.CHUNKS_512)
    large = bytearray(4096)
    large[4090] = 0x20
    found = read(one_chunk([(0x58000000, 0x2000)], {0x2000: bytes(large)}), 0x1000)
    assert (blocks(found), found.format) == ([(0x5FFD5000, 0)], MapFormat.CHUNKS_PAGE)


def test_2_mib_at_0x5e200000_in_both_bitmaps() -> None:
    """Identical on the wire (bit 753, byte 94 mask 0x02), so the release names the format."""
    content = bytearray(4096)
    content[94] = 0x02
    memory = one_chunk([(0, 0x2000)], {0x2000: bytes(content)}, order=9)
    for small, form in ((True, MapFormat.CHUNKS_512), (False, MapFormat.CHUNKS_PAGE)):
        found = read(memory, 0x1000, small=small)
        assert (blocks(found), found.format) == ([(0x5E200000, 9)], form)
        assert found.tie is not None
        assert "both give the same memory" in found.tie


# --- 512 bytes or a page


def test_bitmaps_that_are_not_page_aligned() -> None:
    entries = [(0, 0x2200), (0x1000000, 0x2400)]
    content = bytes(512) + bitmap(512, 1) + bitmap(512, 0, 4095) + bytes(2560)
    found = read(one_chunk(entries, {0x2000: content}), 0x1000)
    assert blocks(found) == [(0x1000, 0), (0x1000000, 0), (0x1FFF000, 0)]
    assert found.format is MapFormat.CHUNKS_512
    assert MemoryRange(0x2200, 0x400) in list(found.structure)


def test_a_small_bitmap_across_two_pages() -> None:
    content = {
        0x2000: bytes(3840) + b"\x01" + bytes(255),
        0x3000: bytes(255) + b"\x80" + bytes(3840),
    }
    found = read(one_chunk([(0, 0x2F00)], content), 0x1000)
    assert blocks(found) == [(0, 0), (4095 << 12, 0)]


@pytest.mark.parametrize(
    ("entries", "proof"),
    [
        ([(0, 0x2001)], "bitmap at 0x2001 is not page aligned"),
        ([(0x1000000, 0x2000)], "range at 0x1000000 is no multiple of 0x8000000"),
        ([(0, 0x2000), (0, 0x3000)], "two bitmaps of order 0 start at 0x0"),
        ([(0, 0x2000), (0x8000000, 0x3000)], None),
        ([], None),
    ],
)
def test_what_proves_small_bitmaps(entries: list[tuple[int, int]], proof: str | None) -> None:
    listed = Chunk(0x1000, 0, tuple(Entry(*entry) for entry in entries))
    assert chunk_list.proof_of_small_bitmaps([listed], 4096) == proof


def test_the_span_grows_with_the_order_and_the_page() -> None:
    for page_size, order, span in ((4096, 9, 64 << 30), (16384, 0, 2 << 30), (65536, 0, 32 << 30)):
        good = Chunk(0, order, (Entry(span, 0),))
        bad = Chunk(0, order, (Entry(span // 2, 0),))
        assert chunk_list.proof_of_small_bitmaps([good], page_size) is None
        assert chunk_list.proof_of_small_bitmaps([bad], page_size) is not None


def both_fit() -> PageMemory:
    """Bits behind the first 512 bytes: other small bitmaps' memory, or the rest of a large one."""
    return one_chunk([(0, 0x2000)], {0x2000: bitmap(4096, 7, 5000)})


def test_a_known_range_shows_page_size_bitmaps() -> None:
    known = (MemoryRange(5000 << 12, 4096),)
    found = read(both_fit(), 0x1000, small=True, known=known)
    assert (blocks(found), found.tie) == ([(7 << 12, 0), (5000 << 12, 0)], None)
    assert found.format is MapFormat.CHUNKS_PAGE


def test_memory_that_is_not_there_shows_small_bitmaps() -> None:
    found = read(both_fit(), 0x1000, small=False, ram=(MemoryRange(0, 16 * MIB),))
    assert (blocks(found), found.tie) == ([(7 << 12, 0)], None)
    assert found.format is MapFormat.CHUNKS_512


@pytest.mark.parametrize(
    ("small", "form", "count"),
    [(True, MapFormat.CHUNKS_512, 1), (False, MapFormat.CHUNKS_PAGE, 2)],
)
def test_the_release_breaks_a_tie_and_a_sentence_says_so(
    small: bool, form: MapFormat, count: int
) -> None:
    known, ram = (MemoryRange(7 << 12, 4096),), (MemoryRange(0, 64 * MIB),)
    found = read(both_fit(), 0x1000, small=small, known=known, ram=ram)
    assert (found.format, len(blocks(found))) == (form, count)
    assert found.tie == (
        "the list fits bitmaps of 512 bytes and of a page; "
        f"the kernel's release decided for {form.value}"
    )


def test_a_page_that_would_name_impossible_memory_is_a_small_bitmap() -> None:
    memory = one_chunk([(1 << 56, 0x2000)], {0x2000: bitmap(4096, 4096)})
    found = read(memory, 0x1000, small=False)
    assert (blocks(found), found.format) == ([], MapFormat.CHUNKS_512)


def test_16_and_64_kib_pages() -> None:
    for page_size in (16384, 65536):
        bits = page_size * 8
        memory = PageMemory(
            {
                page_size: chunk(0, 0, [(0, 2 * page_size)], page_size),
                2 * page_size: bitmap(page_size, 0, bits - 1),
            },
            page_size,
        )
        found = read(memory, page_size)
        assert blocks(found) == [(0, 0), ((bits - 1) * page_size, 0)]
        assert found.format is MapFormat.CHUNKS_PAGE


# --- writing


def test_a_block_without_a_bitmap_cannot_be_written() -> None:
    layout = (Chunk(0x1000, 0, (Entry(0, 0x2000),)),)
    with pytest.raises(FormatError, match="no bitmap"):
        chunk_list.write(
            {0: runs.of_ranges([(1 << 27, (1 << 27) + 4096)])}, layout, 4096, MapFormat.CHUNKS_PAGE
        )


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([4096, 16384, 65536]),
    st.sampled_from([MapFormat.CHUNKS_512, MapFormat.CHUNKS_PAGE]),
    st.lists(st.tuples(st.integers(0, 1 << 14), st.integers(1, 300)), min_size=1, max_size=12),
)
def test_round_trip(page_size: int, form: MapFormat, pieces: list[tuple[int, int]]) -> None:
    size = 512 if form is MapFormat.CHUNKS_512 else page_size
    whole = runs.of_ranges((page * page_size, (page + n) * page_size) for page, n in pieces)
    by_order: dict[int, list[tuple[int, int]]] = {}
    for run in whole:
        for address, order in blocks_of(run.start, run.size, page_size):
            by_order.setdefault(order, []).append((address, address + (page_size << order)))
    # Bitmaps lie one behind the other from a place that no page-size bitmap could have.
    at = 1 << 30 if form is MapFormat.CHUNKS_PAGE else (1 << 30) + 512
    layout = []
    for index, order in enumerate(sorted(by_order)):
        span = size * 8 * page_size << order
        starts = sorted({start // span * span for start, _ in by_order[order]})
        entries = []
        for start in starts:
            entries.append(Entry(start, at))
            at += size
        layout.append(Chunk((1 << 29) + index * page_size, order, tuple(entries)))
    wanted = {order: runs.of_ranges(item) for order, item in by_order.items()}
    content = chunk_list.write(wanted, tuple(layout), page_size, form)
    pages: dict[int, bytearray] = {}
    for address, data in content.items():
        start = address - address % page_size
        page = pages.setdefault(start, bytearray(page_size))
        page[address - start : address - start + len(data)] = data
    memory = PageMemory({start: bytes(page) for start, page in pages.items()}, page_size)
    assert tuple(chunk_list.walk(memory, layout[0].address, page_size)) == tuple(layout)
    small = form is MapFormat.CHUNKS_512
    known = () if small else tuple(whole)
    found = read(memory, layout[0].address, small=small, known=known)
    assert (found.format, found.ranges.bytes) == (form, whole.bytes)
    assert list(found.ranges) == list(whole)
    assert {order: list(item) for order, item in found.by_order.items()} == {
        order: list(item) for order, item in wanted.items()
    }
