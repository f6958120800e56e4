import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi import radix_tree, runs
from kho_console.abi.error import FormatError
from kho_console.abi.memory import MissingMemory
from kho_console.abi.radix_tree import Geometry
from kho_console.model.generation import MapFormat
from kho_console.model.memory import MemoryRange
from kho_console.model.preserved import PreservedMap
from tests.abi.kernel_maps import SHAPES, Block, blocks_of, radix_pages
from tests.abi.page_memory import PageMemory, radix_blocks, recorded

PAGE_SIZES = [4096, 16384, 65536]


def blocks(found: PreservedMap) -> list[Block]:
    return [
        (address, order)
        for order, item in found.by_order.items()
        for run in item
        for address in range(run.start, run.end, found.page_size << order)
    ]


def table(*entries: tuple[int, int]) -> bytes:
    """A 4 KiB table with `(index, address)` entries."""
    page = bytearray(4096)
    for index, address in entries:
        struct.pack_into("<Q", page, index * 8, address)
    return bytes(page)


def leaf(byte: int, mask: int) -> bytes:
    page = bytearray(4096)
    page[byte] = mask
    return bytes(page)


# --- worked examples of kho-abi 4.2


def the_real_tree_of_7_3_4() -> PageMemory:
    """The three paths from 0x3010d000, written down as the reference lists them."""
    return PageMemory(
        {
            0x3010D000: table((0, 0x8AF000), (1, 0x8B2000), (2, 0x3010E000)),
            0x8AF000: table((2, 0x30522000)),
            0x30522000: table((0, 0x8B0000)),
            0x8B0000: table((0, 0x30523000)),
            0x30523000: table((0, 0x8B1000)),
            0x8B1000: leaf(94, 0x02),
            0x8B2000: table((0, 0x30525000)),
            0x30525000: table((0, 0x8B3000)),
            0x8B3000: table((0, 0x30526000)),
            0x30526000: table((5, 0x8B4000)),
            0x8B4000: leaf(4093, 0x08),
            0x3010E000: table((0, 0x646000)),
            0x646000: table((0, 0x3010F000)),
            0x3010F000: table((0, 0x648000)),
            0x648000: table((11, 0x30524000)),
            0x30524000: leaf(4090, 0x20),
        }
    )


def test_the_real_tree_of_7_3_4() -> None:
    found = radix_tree.read(the_real_tree_of_7_3_4(), 0x3010D000, 4096)
    assert blocks(found) == [(0x5FFD5000, 0), (0x5FFD6000, 1), (0x5E200000, 9)]
    assert found.blocks_by_order == {0: 1, 1: 1, 9: 1}
    assert list(found.ranges) == [
        MemoryRange(0x5E200000, 0x200000),
        MemoryRange(0x5FFD5000, 0x3000),
    ]
    assert (found.format, found.root, found.tie) == (MapFormat.RADIX, 0x3010D000, None)
    assert found.structure.bytes == 16 * 4096


@pytest.mark.parametrize(
    ("address", "order", "key"),
    [
        (0x5E200000, 9, 0x00000800000002F1),
        (0x5FFD6000, 1, 0x000800000002FFEB),
        (0x5FFD5000, 0, 0x001000000005FFD5),
    ],
)
def test_keys(address: int, order: int, key: int) -> None:
    assert Geometry(4096).key(address, order) == key
    assert Geometry(4096).block(key) == (address, order)


def test_keys_without_an_order() -> None:
    for key in (0, 1 << 53, 1 << 63):
        with pytest.raises(FormatError, match="carries no order"):
            Geometry(4096).block(key)


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_shapes(page_size: int) -> None:
    geometry = Geometry(page_size)
    assert (geometry.top, geometry.table_bits, geometry.leaf_bits) == SHAPES[page_size]


def test_the_recorded_tree_of_7_3_bit_by_bit() -> None:
    memory = recorded("linux-7.3.4/sessions")
    found = radix_tree.read(memory, 0x400D7000, 4096)
    assert sorted(blocks(found)) == radix_blocks(memory, 0x400D7000)
    assert len(blocks(found)) == 2603 + 8


# --- other page sizes, built from the key formula


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_trees_of_every_page_size(page_size: int) -> None:
    wanted = [
        *blocks_of(0x5FFD0000, 0x30000, page_size),
        (0x880000000, 0),
        (0x40000000, 10),
        (1 << 40, 4),
        ((1 << 52) - page_size, 0),
    ]
    root, pages = radix_pages(wanted, page_size, itertools.count(1 << 32, page_size))
    found = radix_tree.read(PageMemory(pages, page_size), root, page_size)
    assert sorted(blocks(found)) == sorted(wanted)
    assert found.structure.bytes == len(pages) * page_size
    assert found.page_size == page_size


def test_a_leaf_of_a_page_full_of_pages() -> None:
    root, pages = radix_pages([(0, 0)], 4096, itertools.count(0x1000, 0x1000))
    last = max(pages)
    pages[last] = b"\xff" * 4096
    found = radix_tree.read(PageMemory(pages), root, 4096)
    assert list(found.ranges) == [MemoryRange(0, 128 << 20)]
    assert found.blocks_by_order == {0: 32768}


# --- trees that hold nothing, or are damaged


def test_an_empty_root() -> None:
    found = radix_tree.read(PageMemory({0x1000: bytes(4096)}), 0x1000, 4096)
    assert (found.bytes, found.by_order, found.structure.bytes) == (0, {}, 4096)


def test_leaves_that_were_emptied() -> None:
    memory = the_real_tree_of_7_3_4()
    memory.pages[0x8B4000] = bytes(4096)
    found = radix_tree.read(memory, 0x3010D000, 4096)
    assert found.blocks_by_order == {0: 1, 9: 1}
    assert found.structure.bytes == 16 * 4096


def damaged(reason: str, **pages: bytes) -> int:
    memory = the_real_tree_of_7_3_4()
    memory.pages |= {int(name[1:], 16): page for name, page in pages.items()}
    with pytest.raises(FormatError, match=reason) as caught:
        radix_tree.read(memory, 0x3010D000, 4096)
    return caught.value.offset


def test_a_cycle() -> None:
    assert damaged("twice", x648000=table((11, 0x3010D000))) == 0x3010D000


def test_a_node_reached_twice() -> None:
    assert damaged("twice", x648000=table((11, 0x30524000), (12, 0x8B4000))) == 0x8B4000


def test_a_pointer_that_is_not_aligned() -> None:
    assert damaged("not page aligned", x648000=table((11, 0x30524008))) == 0x30524008


def test_a_pointer_beyond_memory() -> None:
    assert damaged("beyond 2", x648000=table((11, 0xFFFFFFFFFFFFF000))) == 0xFFFFFFFFFFFFF000


def test_a_leaf_without_an_order() -> None:
    """The path of prefix 0 has no marker bit above the leaf."""
    pages = {
        0x3010D000: table((0, 0x1000)),
        0x1000: table((0, 0x2000)),
        0x2000: table((0, 0x3000)),
        0x3000: table((0, 0x4000)),
        0x4000: table((0, 0x5000)),
        0x5000: leaf(0, 1),
    }
    with pytest.raises(FormatError, match="larger than any memory") as caught:
        radix_tree.read(PageMemory(pages), 0x3010D000, 4096)
    assert caught.value.offset == 0x5000


def test_a_leaf_where_no_key_leads() -> None:
    """A 4 KiB root has 4 entries that keys reach, of 512."""
    offset = damaged(
        "no key leads",
        x3010d000=table((4, 0x3010E000)),
    )
    assert offset == 0x30524000


def test_a_leaf_beyond_2_to_the_56() -> None:
    """Order 30 leaves 22 bits below the marker, so 42 bits of shift: far beyond any memory."""
    root, pages = radix_pages([(1 << 57, 30)], 4096, itertools.count(0x1000, 0x1000))
    with pytest.raises(FormatError, match="beyond 2"):
        radix_tree.read(PageMemory(pages), root, 4096)


def test_missing_nodes_pass_through() -> None:
    memory = the_real_tree_of_7_3_4()
    del memory.pages[0x30526000]
    with pytest.raises(MissingMemory) as caught:
        radix_tree.read(memory, 0x3010D000, 4096)
    assert caught.value.address == 0x30526000


def test_a_root_that_is_no_page() -> None:
    with pytest.raises(FormatError, match="not page aligned"):
        radix_tree.read(PageMemory({}), 0x3010D004, 4096)


# --- writing


def test_layout_of_the_real_tree() -> None:
    place = radix_tree.layout(the_real_tree_of_7_3_4(), 0x3010D000, 4096)
    assert place[5, 0] == 0x3010D000
    assert place[0, 0x001000000005FFD5 >> 15] == 0x30524000
    assert len(place) == 16


def test_the_real_tree_written_again() -> None:
    memory = the_real_tree_of_7_3_4()
    found = radix_tree.read(memory, 0x3010D000, 4096)
    place = radix_tree.layout(memory, 0x3010D000, 4096)
    assert radix_tree.write(found.by_order, 4096, place) == memory.pages


def test_a_node_without_a_place() -> None:
    with pytest.raises(FormatError, match="no address for the node"):
        radix_tree.write({0: runs.of_ranges([(0, 4096)])}, 4096, {})


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(PAGE_SIZES),
    st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(1, 5000)), max_size=8),
)
def test_round_trip(page_size: int, pieces: list[tuple[int, int]]) -> None:
    whole = runs.of_ranges((page * page_size, (page + n) * page_size) for page, n in pieces)
    wanted = [block for run in whole for block in blocks_of(run.start, run.size, page_size)]
    by_order = {
        order: runs.of_ranges(
            (address, address + (page_size << order)) for address, found in wanted if found == order
        )
        for order in sorted({order for _, order in wanted})
    }
    places = itertools.count(1 << 50, page_size)
    root = next(places)
    top = SHAPES[page_size][0]
    content = radix_tree.write(by_order, page_size, {(top, 0): root}, lambda: next(places))
    found = radix_tree.read(PageMemory(content, page_size), root, page_size)
    assert sorted(blocks(found)) == sorted(wanted)
    assert list(found.ranges) == list(whole)
    by_hand_root, by_hand = radix_pages(wanted, page_size, itertools.count(1 << 50, page_size))
    again = radix_tree.read(PageMemory(by_hand, page_size), by_hand_root, page_size)
    assert len(by_hand) == len(content)
    assert sorted(blocks(again)) == sorted(wanted)


def test_nodes_are_walked_with_ascending_keys() -> None:
    wanted = [(0, 0), (1 << 27, 0), (1 << 40, 0), (1 << 41, 0)]
    head, nodes = radix_pages(wanted, 4096, itertools.count(0x100000, 4096))
    found = list(radix_tree.walk(PageMemory(nodes), head, 4096))
    prefixes = [node.prefix for node in found if not node.level]
    assert len(prefixes) == len(wanted)
    assert prefixes == sorted(prefixes)
